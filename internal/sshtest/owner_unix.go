//go:build unix

package sshtest

import (
	"io/fs"
	"os"
	"syscall"
)

// modeCounts: permission bits mean what sshd takes them to mean.
const modeCounts = true

func ownedByUs(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && (st.Uid == 0 || int(st.Uid) == os.Getuid())
}
