package script

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

const getTermios = unix.TIOCGETA

// slaveName grants and unlocks the other end of a master and names it.
func slaveName(master *os.File) (string, error) {
	conn, err := master.SyscallConn()
	if err != nil {
		return "", err
	}
	var name [128]byte
	cerr := conn.Control(func(fd uintptr) {
		for _, call := range []struct {
			request uintptr
			arg     unsafe.Pointer
		}{{unix.TIOCPTYGRANT, nil}, {unix.TIOCPTYUNLK, nil}, {unix.TIOCPTYGNAME, unsafe.Pointer(&name)}} {
			if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, call.request, uintptr(call.arg)); errno != 0 {
				err = errno
				return
			}
		}
	})
	if cerr != nil {
		return "", cerr
	}
	return unix.ByteSliceToString(name[:]), err
}
