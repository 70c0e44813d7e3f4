package owneronly

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Check finds out whether ssh.exe refuses a file for its access list; nil where
// it does not. An error means that it is not known.
func Check(path string, use Use) (*Exposure, error) {
	list, err := readAccessList(path)
	if err != nil {
		return nil, err
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, os.NewSyscallError("GetTokenInformation", err)
	}
	// The commands are for any folder.
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	return list.exposure(path, use, user.User.Sid.String(), accountName), nil
}

// readAccessList reads what ssh.exe reads of a file.
func readAccessList(path string) (accessList, error) {
	const wanted = windows.OWNER_SECURITY_INFORMATION | windows.DACL_SECURITY_INFORMATION
	security, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, wanted)
	if err != nil {
		return accessList{}, os.NewSyscallError("GetNamedSecurityInfo", err)
	}
	owner, _, err := security.Owner()
	if err != nil {
		return accessList{}, os.NewSyscallError("GetSecurityDescriptorOwner", err)
	}
	if owner == nil {
		return accessList{}, errors.New("the file has no owner, as on a file system without access lists")
	}
	list := accessList{owner: owner.String()}
	dacl, _, err := security.DACL()
	if errors.Is(err, windows.ERROR_OBJECT_NOT_FOUND) || err == nil && dacl == nil {
		list.missing = true
		return list, nil
	}
	if err != nil {
		return accessList{}, os.NewSyscallError("GetSecurityDescriptorDacl", err)
	}
	for i := range uint32(dacl.AceCount) {
		var entry *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(dacl, i, &entry); err != nil {
			return accessList{}, os.NewSyscallError("GetAce", err)
		}
		if entry.Header.AceType == windows.ACCESS_ALLOWED_ACE_TYPE {
			sid := (*windows.SID)(unsafe.Pointer(&entry.SidStart))
			list.allowed = append(list.allowed, grant{sid.String(), uint32(entry.Mask)})
		}
	}
	runtime.KeepAlive(security)
	return list, nil
}

// accountName is what Windows calls an account or a group; the SID where it
// knows no name.
func accountName(text string) string {
	sid, err := windows.StringToSid(text)
	if err != nil {
		return text
	}
	name, domain, _, err := sid.LookupAccount("")
	switch {
	case err != nil || name == "":
		return text
	case domain == "":
		return name
	}
	return domain + `\` + name
}
