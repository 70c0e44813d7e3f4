package agentconn

import (
	"errors"
	"net"
	"os"
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
