//go:build unix

package term

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
	xterm "golang.org/x/term"
)

const (
	// displayAlways: askpass draws on an X11 or Wayland display, which may be
	// missing.
	displayAlways = false
	// interruptGrace and emptyGrace: a signal never ends a read here.
	interruptGrace = 0
	emptyGrace     = 0
	// endsAtCR: readpassphrase(3) takes either.
	endsAtCR = true
)

// askpassPlaces are where the systems keep an askpass program that ssh is
// built to use when SSH_ASKPASS is not set (_PATH_SSH_ASKPASS_DEFAULT).
var askpassPlaces = []string{
	"/usr/libexec/openssh/ssh-askpass",
	"/usr/libexec/ssh-askpass",
	"/usr/lib/ssh/ssh-askpass",
	"/usr/bin/ssh-askpass",
	"/usr/local/bin/ssh-askpass",
	"/usr/X11R6/bin/ssh-askpass",
}

// caughtSignals would leave the shell without echo. SIGTSTP is dealt with in
// suspend_unix.go. SIGTTIN and SIGTTOU are not caught: they stop a background
// process before it has changed the terminal, and their default is right.
var caughtSignals = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}

func isTerminal(f *os.File) bool { return xterm.IsTerminal(int(f.Fd())) }

type tty struct {
	*os.File
	fd     int
	before *unix.Termios // state before the first Prepare
	hidden bool
}

func openTerminal() (terminal, error) {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	return newTTY(f), nil
}

// newTTY wraps an open terminal. The descriptor is taken through SyscallConn
// because File.Fd would make reads block beyond the reach of Close.
func newTTY(f *os.File) *tty {
	t := &tty{File: f, fd: -1}
	if conn, err := f.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { t.fd = int(fd) })
	}
	return t
}

func (t *tty) Prepare(echo bool) error {
	state, err := unix.IoctlGetTermios(t.fd, getTermios)
	if err != nil {
		return os.NewSyscallError("tcgetattr", err)
	}
	if t.before == nil {
		saved := *state
		t.before = &saved
	}
	if !echo {
		state.Lflag &^= unix.ECHO | unix.ECHONL
		t.hidden = true
	}
	return t.set(state)
}

func (t *tty) Restore() error {
	if t.before == nil || !t.hidden {
		return nil
	}
	return t.set(t.before)
}

// set is tcsetattr with TCSAFLUSH: after pending output, dropping pending
// input.
func (t *tty) set(state *unix.Termios) error {
	for {
		err := unix.IoctlSetTermios(t.fd, setTermiosFlush, state)
		if err != unix.EINTR {
			return os.NewSyscallError("tcsetattr", err)
		}
	}
}
