//go:build !windows

package sshclient

import (
	"os"
	"os/exec"
	"syscall"

	"ssh-copy-id/internal/sshconfig"
)

// proxyShell runs a ProxyCommand as ssh does: the user's shell execs it, so
// that no shell stays between us and the command.
func proxyShell(shell, command string) *exec.Cmd {
	return sshconfig.ShellCommand(shell, "exec "+command)
}

// killWithParent returns how to ask a ProxyCommand to end.
func killWithParent(process *os.Process) (hangUp func()) {
	return func() { process.Signal(syscall.SIGHUP) }
}
