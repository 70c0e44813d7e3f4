//go:build !windows

package cli

import (
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// errWindowsRefused has its own number on Windows only.
var errWindowsRefused error = syscall.ECONNREFUSED

// errWindowsReset likewise.
var errWindowsReset error = syscall.ECONNRESET

// readableByOthers reports whether others than the owner may read a file. A pipe
// is nobody's but its holders', whatever its mode.
func readableByOthers(info fs.FileInfo) bool {
	return info.Mode().IsRegular() && info.Mode().Perm()&0o044 != 0
}

// inherited are the descriptors that whoever started the program left open for
// it, beside the standard ones.
var inherited map[int]bool

// keepInherited marks the inherited descriptors so that no program gets them
// that is run later; ssh closes them (closefrom in main of ssh.c). They stay open
// here, as a shell passes <(...) in this way. Go opens its own files with
// close-on-exec, which tells them apart.
func keepInherited() {
	inherited = map[int]bool{}
	for _, number := range openDescriptors() {
		flags, err := unix.FcntlInt(uintptr(number), unix.F_GETFD, 0)
		if number > 2 && err == nil && flags&unix.FD_CLOEXEC == 0 {
			inherited[number] = true
			unix.CloseOnExec(number)
		}
	}
}

// openDescriptors are the numbers that may be in use.
func openDescriptors() []int {
	var numbers []int
	entries, err := os.ReadDir("/dev/fd")
	for _, entry := range entries {
		if n, err := strconv.Atoi(entry.Name()); err == nil {
			numbers = append(numbers, n)
		}
	}
	if err == nil && len(numbers) > 3 { // FreeBSD without fdescfs shows three
		return numbers
	}
	const most = 1024 // as many as a shell hands out
	for n := range most {
		numbers = append(numbers, n)
	}
	return numbers
}

// inheritedFile is a descriptor that whoever started the program left open for
// it.
func inheritedFile(number int) (*os.File, error) {
	switch {
	case number == 0:
		return os.Stdin, nil
	case !inherited[number]:
		return nil, errNotOpen
	}
	return os.NewFile(uintptr(number), "password"), nil
}
