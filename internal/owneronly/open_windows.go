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
// makes it. With O_EXCL the file is written through the handle that made it, and
// no link is followed, so that nobody can put another in its place.
func OpenFile(name string, flag int) (*os.File, error) {
	if flag&os.O_EXCL != 0 {
		return create(name)
	}
	f, err := os.OpenFile(name, flag&^os.O_CREATE, 0o600)
	if flag&os.O_CREATE == 0 || !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	made, err := create(name)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if err == nil {
		made.Close()
	}
	return os.OpenFile(name, flag&^os.O_CREATE, 0o600)
}

// create makes a file that must not be there yet, to read and to write.
func create(name string) (*os.File, error) {
	failed := func(err error) (*os.File, error) { return nil, &fs.PathError{Op: "open", Path: name, Err: err} }
	attributes, err := ofOwner(false)
	if err != nil {
		return failed(err)
	}
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return failed(err)
	}
	const (
		access = windows.GENERIC_READ | windows.GENERIC_WRITE
		shared = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE
		kind   = windows.FILE_ATTRIBUTE_NORMAL | windows.FILE_FLAG_OPEN_REPARSE_POINT
	)
	file, err := windows.CreateFile(path, access, shared, attributes, windows.CREATE_NEW, kind, 0)
	if err != nil {
		return failed(err)
	}
	return os.NewFile(uintptr(file), name), nil
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
