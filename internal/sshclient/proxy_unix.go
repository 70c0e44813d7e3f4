//go:build !windows

package sshclient

import (
	"os"
	"os/exec"
	"syscall"
)

// proxyShell runs a ProxyCommand as ssh does: the person's shell execs it, so
// that no shell stays between us and the command.
func proxyShell(shell, command string) *exec.Cmd {
	if shell == "" {
		shell = "/bin/sh"
	}
	return exec.Command(shell, "-c", "exec "+command)
}

// hangUp tells a ProxyCommand to end.
func hangUp(process *os.Process) { process.Signal(syscall.SIGHUP) }
