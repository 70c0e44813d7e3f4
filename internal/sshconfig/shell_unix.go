//go:build !windows

package sshconfig

import "os/exec"

// ShellCommand runs a command of the configuration, a "Match exec" or a
// ProxyCommand, with the person's shell; "" is /bin/sh.
func ShellCommand(shell, command string) *exec.Cmd {
	if shell == "" {
		shell = "/bin/sh"
	}
	return exec.Command(shell, "-c", command)
}
