package agentconn

import (
	"errors"
	"net"
	"os"
	"slices"
	"time"
	"unsafe"

	"github.com/Microsoft/go-winio"
	"github.com/davidmz/go-pageant"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/sys/windows"
)

// systemAgents reaches the agents of Windows.
type systemAgents struct{}

// DialPipe just dials: asking for the file first would use up a waiting
// instance of the pipe.
func (systemAgents) DialPipe(path string, timeout time.Duration) (net.Conn, error) {
	return winio.DialPipe(path, &timeout)
}

// CheckOwner looks at who made the pipe, as PuTTY does (connect_to_named_pipe).
// What a service of the system makes belongs to SYSTEM or to the Administrators;
// what a program of the user makes, to whom the user's token says.
func (systemAgents) CheckOwner(pipe net.Conn) error {
	file, ok := pipe.(interface{ Fd() uintptr })
	if !ok {
		return errors.New("its owner cannot be seen")
	}
	security, err := windows.GetSecurityInfo(windows.Handle(file.Fd()), windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return os.NewSyscallError("GetSecurityInfo", err)
	}
	owner, _, err := security.Owner()
	if err != nil {
		return os.NewSyscallError("GetSecurityDescriptorOwner", err)
	}
	if owner == nil {
		return errors.New("it has no owner")
	}
	ours, err := ownSIDs()
	if err != nil {
		return err
	}
	if owner.IsWellKnown(windows.WinLocalSystemSid) || owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) || slices.ContainsFunc(ours, owner.Equals) {
		return nil
	}
	return errors.New("it belongs to another account, " + owner.String())
}

// ownSIDs are the user, and who owns what the user makes.
func ownSIDs() ([]*windows.SID, error) {
	token := windows.GetCurrentProcessToken()
	user, err := token.GetTokenUser()
	if err != nil {
		return nil, os.NewSyscallError("GetTokenInformation", err)
	}
	buffer := make([]uintptr, 32) // TOKEN_OWNER and the SID it points to
	size := uint32(len(buffer)) * uint32(unsafe.Sizeof(buffer[0]))
	if err := windows.GetTokenInformation(token, windows.TokenOwner, (*byte)(unsafe.Pointer(&buffer[0])), size, &size); err != nil {
		return nil, os.NewSyscallError("GetTokenInformation", err)
	}
	owner, err := (*(**windows.SID)(unsafe.Pointer(&buffer[0]))).Copy()
	if err != nil {
		return nil, err
	}
	return []*windows.SID{user.User.Sid, owner}, nil
}

func (systemAgents) PageantRunning() bool { return pageant.Available() }

func (systemAgents) PageantPipe() (string, error) {
	user, err := userName()
	if err != nil {
		return "", err
	}
	return pageantPipe(user, protectMemory)
}

func (systemAgents) PageantWindow() (agent.ExtendedAgent, error) {
	extended, ok := pageant.New().(agent.ExtendedAgent)
	if !ok {
		return nil, errors.New("cannot sign with SHA-2")
	}
	return extended, nil
}

// userName asks as PuTTY does: the principal of a domain account, else the
// logon name.
func userName() (string, error) {
	name, err := userNameEx(windows.NameUserPrincipal)
	if err != nil {
		name, err = userNameEx(windows.NameSamCompatible)
	}
	return name, err
}

func userNameEx(format uint32) (string, error) {
	buffer := make([]uint16, 512)
	size := uint32(len(buffer))
	if err := windows.GetUserNameEx(format, &buffer[0], &size); err != nil {
		return "", os.NewSyscallError("GetUserNameEx", err)
	}
	return windows.UTF16ToString(buffer), nil
}

var cryptProtectMemory = windows.NewLazySystemDLL("crypt32.dll").NewProc("CryptProtectMemory")

// protectMemory encrypts block so that all processes of the user get the same.
func protectMemory(block []byte) error {
	const crossProcess = 1 // CRYPTPROTECTMEMORY_CROSS_PROCESS
	if err := cryptProtectMemory.Find(); err != nil {
		return err
	}
	ok, _, err := cryptProtectMemory.Call(uintptr(unsafe.Pointer(&block[0])), uintptr(len(block)), crossProcess)
	if ok == 0 {
		return os.NewSyscallError("CryptProtectMemory", err)
	}
	return nil
}
