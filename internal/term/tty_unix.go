//go:build unix

package term

import (
	"io"
	"os"
	"sync"
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

func isTerminal(f *os.File) bool { return xterm.IsTerminal(int(f.Fd())) }

type tty struct {
	*os.File
	fd int

	mu     sync.Mutex
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

// Background reports whether another process group has the terminal: to read
// from it, or to change it, would stop this one.
func (t *tty) Background() bool {
	owner, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	if err != nil {
		return false
	}
	own, err := unix.Getpgid(0)
	return err == nil && owner != own
}

// Read never reads in the background. A process that is stopped in the middle
// of a read is stopped by the same read again when it is continued, before it
// can act on a signal.
func (t *tty) Read(p []byte) (n int, err error) {
	conn, err := t.SyscallConn()
	if err != nil {
		return 0, err
	}
	failed := conn.Read(func(fd uintptr) (done bool) {
		for {
			if t.Background() {
				n, err = 0, errBackground
				return true
			}
			n, err = unix.Read(int(fd), p)
			switch err {
			case unix.EINTR:
				continue
			case unix.EAGAIN:
				return false
			}
			return true
		}
	})
	switch {
	case failed != nil:
		return 0, failed
	case err != nil:
		if err != errBackground {
			err = os.NewSyscallError("read", err)
		}
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

func (t *tty) Prepare(echo bool) error {
	state, err := unix.IoctlGetTermios(t.fd, getTermios)
	if err != nil {
		return os.NewSyscallError("tcgetattr", err)
	}
	t.remember(*state, !echo)
	if !echo {
		state.Lflag &^= unix.ECHO | unix.ECHONL
	}
	return t.set(state)
}

// remember keeps the first state, and that it is changed.
func (t *tty) remember(state unix.Termios, hidden bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.before == nil {
		t.before = &state
	}
	t.hidden = t.hidden || hidden
}

// changed returns the state to restore; nil where there is nothing to do. In
// the background there is not: the shell has restored its terminal when it took
// it, and to change it from here would stop this process.
func (t *tty) changed() *unix.Termios {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.hidden || t.Background() {
		return nil
	}
	return t.before
}

func (t *tty) Restore() error {
	if before := t.changed(); before != nil {
		return t.set(before)
	}
	return nil
}

// Abandon does not wait for pending output: somebody may have stopped it with
// Ctrl-S.
func (t *tty) Abandon() {
	if before := t.changed(); before != nil {
		flushInput(t.fd)
		_ = unix.IoctlSetTermios(t.fd, setTermiosNow, before)
	}
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
