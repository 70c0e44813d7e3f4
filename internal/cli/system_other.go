//go:build !windows

package cli

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// errWindowsRefused has its own number on Windows only.
var errWindowsRefused error = syscall.ECONNREFUSED

// readableByOthers tells whether others than the owner may read a file. A pipe
// is nobody's but its holders', whatever its mode.
func readableByOthers(info fs.FileInfo) bool {
	return info.Mode().IsRegular() && info.Mode().Perm()&0o044 != 0
}

// inheritedFile is a descriptor that whoever started the program left open for
// it. Go opens its own files with close-on-exec, which tells them apart.
func inheritedFile(number int) (*os.File, error) {
	flags, err := unix.FcntlInt(uintptr(number), unix.F_GETFD, 0)
	if err != nil || flags&unix.FD_CLOEXEC != 0 {
		return nil, errNotOpen
	}
	return os.NewFile(uintptr(number), "password"), nil
}
