//go:build unix

package term

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// endingSignals end a program unless it does something about them. SIGALRM is
// among them because some put a limit on a program with alarm(2) and exec.
// SIGSEGV and the like cannot be caught in Go.
var endingSignals = []os.Signal{
	syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGALRM, syscall.SIGXCPU,
}

// ExitStatus is how a program ends after a signal, for a caller that compares
// with the stock script: that has a trap for INT, TERM and QUIT and ends with 1,
// and is killed by the others. SIGHUP kills this process too, so that ExitStatus
// does not return; the rest cannot be raised again in Go, and become the status
// that a shell gives them.
func ExitStatus(sig os.Signal) int {
	number, ok := sig.(syscall.Signal)
	switch {
	case !ok, number == syscall.SIGINT, number == syscall.SIGTERM, number == syscall.SIGQUIT:
		return 1
	case number == syscall.SIGHUP:
		signal.Reset(syscall.SIGHUP)
		_ = unix.Kill(unix.Getpid(), syscall.SIGHUP)
		time.Sleep(time.Second) // until it arrives
	}
	return 128 + int(number)
}
