package sshclient

import (
	"os"
	"os/exec"

	"ssh-copy-id/internal/sshconfig"
)

// proxyShell runs a ProxyCommand through cmd.exe, whatever shell a person has.
func proxyShell(_, command string) *exec.Cmd { return sshconfig.ShellCommand("", command) }

// hangUp ends a ProxyCommand: Windows has no signal that only asks.
func hangUp(process *os.Process) { process.Kill() }
