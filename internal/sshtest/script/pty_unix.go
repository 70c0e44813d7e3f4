//go:build linux || darwin

package script

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

const ptySupported = true

var signals = map[string]os.Signal{
	"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL,
}

// terminal is a pseudo terminal; both ends are open here.
type terminal struct{ master, slave *os.File }

func openTerminal() (*terminal, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	name, err := slaveName(master)
	if err != nil {
		master.Close()
		return nil, fmt.Errorf("terminal: %v", err)
	}
	slave, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		master.Close()
		return nil, err
	}
	// Wide, so that no console breaks a line that a dialogue waits for.
	if err := resize(slave, 50, 1000); err != nil {
		master.Close()
		slave.Close()
		return nil, fmt.Errorf("terminal: %v", err)
	}
	return &terminal{master, slave}, nil
}

func resize(slave *os.File, rows, columns uint16) error {
	conn, err := slave.SyscallConn()
	if err != nil {
		return err
	}
	cerr := conn.Control(func(fd uintptr) {
		err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})
	})
	return errors.Join(cerr, err)
}

// control makes the terminal the controlling one of a command. If it is not
// the command's standard input, the descriptor 3 is for the kernel to name it.
func (t *terminal) control(cmd *exec.Cmd, stdin bool) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if !stdin {
		cmd.ExtraFiles = []*os.File{t.slave}
		cmd.SysProcAttr.Ctty = 3
	}
}

func (t *terminal) echoes() (bool, error) {
	conn, err := t.slave.SyscallConn()
	if err != nil {
		return false, err
	}
	var state *unix.Termios
	if cerr := conn.Control(func(fd uintptr) { state, err = unix.IoctlGetTermios(int(fd), getTermios) }); cerr != nil {
		return false, cerr
	}
	if err != nil {
		return false, err
	}
	return state.Lflag&unix.ECHO != 0, nil
}

// killSession kills the leader of a session and its group.
func killSession(p *os.Process) { unix.Kill(-p.Pid, unix.SIGKILL) }

// exitCode is the exit status, or as in a shell 128 and the signal.
func exitCode(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}
