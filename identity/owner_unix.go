//go:build !windows

package identity

import (
	"io/fs"
	"os"
	"syscall"
)

// ownedByUs: ssh minds the mode of its caller's own files only.
func ownedByUs(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}
