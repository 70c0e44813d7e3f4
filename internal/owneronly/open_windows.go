package owneronly

import (
	"errors"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Mkdir makes a directory that is its owner's alone. The error is that of
// [os.Mkdir].
func Mkdir(name string) error {
	attributes, err := ofOwner(true)
	if err != nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: err}
	}
	path, err := windows.UTF16PtrFromString(name)
	if err == nil {
		err = windows.CreateDirectory(path, attributes)
	}
	if err != nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: err}
	}
	return nil
}

// OpenFile is [os.OpenFile] for a file that is its owner's alone if this call
// makes it.
func OpenFile(name string, flag int) (*os.File, error) {
	if flag&os.O_CREATE == 0 {
		return os.OpenFile(name, flag, 0o600)
	}
	err := create(name)
	if there := errors.Is(err, fs.ErrExist) && flag&os.O_EXCL == 0; err != nil && !there {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.OpenFile(name, flag&^(os.O_CREATE|os.O_EXCL), 0o600)
}

// create makes an empty file that must not be there yet.
func create(name string) error {
	attributes, err := ofOwner(false)
	if err != nil {
		return err
	}
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	const shared = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE
	file, err := windows.CreateFile(path, windows.GENERIC_WRITE, shared, attributes, windows.CREATE_NEW, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return err
	}
	return windows.CloseHandle(file)
}

// ofOwner are the security attributes of what is the user's alone.
func ofOwner(directory bool) (*windows.SecurityAttributes, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, os.NewSyscallError("GetTokenInformation", err)
	}
	security, err := windows.SecurityDescriptorFromString(descriptor(user.User.Sid.String(), directory))
	if err != nil {
		return nil, os.NewSyscallError("ConvertStringSecurityDescriptorToSecurityDescriptor", err)
	}
	return &windows.SecurityAttributes{
		Length:             uint32(unsafe.Sizeof(windows.SecurityAttributes{})),
		SecurityDescriptor: security,
	}, nil
}
