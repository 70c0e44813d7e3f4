//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// residentBytes is the most memory a process held. Linux and the BSDs count
// in KiB, macOS in bytes (getrusage(2)). On Linux it is never less than what
// this process held when it started the other.
func residentBytes(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10
}

// takeOver gives files to the owner of a home, where this process may.
func takeOver(home string, files ...string) error {
	info, err := os.Stat(home)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || os.Geteuid() != 0 {
		return nil
	}
	for _, file := range files {
		if err := os.Chown(file, int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	return nil
}
