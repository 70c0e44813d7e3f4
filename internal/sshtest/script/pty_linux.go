package script

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

const getTermios = unix.TCGETS

// slaveName unlocks the other end of a master and names it.
func slaveName(master *os.File) (string, error) {
	conn, err := master.SyscallConn()
	if err != nil {
		return "", err
	}
	var n uint32
	cerr := conn.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			n, err = unix.IoctlGetUint32(int(fd), unix.TIOCGPTN)
		}
	})
	if cerr != nil {
		return "", cerr
	}
	return fmt.Sprintf("/dev/pts/%d", n), err
}
