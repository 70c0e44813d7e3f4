//go:build aix || linux || solaris

package term

import "golang.org/x/sys/unix"

const (
	getTermios      = unix.TCGETS
	setTermiosFlush = unix.TCSETSF
	setTermiosNow   = unix.TCSETS
)

// flushInput is tcflush with TCIFLUSH.
func flushInput(fd int) { _ = unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) }
