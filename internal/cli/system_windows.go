package cli

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// errWindowsRefused is how Windows says "connection refused": not
// syscall.ECONNREFUSED, which Go invents there.
var errWindowsRefused error = windows.WSAECONNREFUSED

// errWindowsReset is how Windows says "connection reset".
var errWindowsReset error = windows.WSAECONNRESET

// readableByOthers is for access control lists to say on Windows.
func readableByOthers(fs.FileInfo) bool { return false }

var errNotOnWindows = errors.New("only descriptor 0 can be passed on Windows; use --password-file or --password-env")

// inheritedFile: descriptors are numbers of the C library there, and only the
// standard streams are passed from one program to another.
func inheritedFile(number int) (*os.File, error) {
	if number == 0 {
		return os.Stdin, nil
	}
	return nil, errNotOnWindows
}

// keepInherited: os/exec hands a program its three standard streams and no other
// handle (PROC_THREAD_ATTRIBUTE_HANDLE_LIST).
func keepInherited() {}
