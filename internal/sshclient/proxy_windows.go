package sshclient

import (
	"os"
	"os/exec"
	"syscall"
)

// proxyShell runs a ProxyCommand through cmd.exe. The command line is handed
// over as it stands: cmd.exe does not undo the quoting that Go would add.
func proxyShell(_, command string) *exec.Cmd {
	c := exec.Command("cmd.exe")
	c.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /d /s /c "` + command + `"`}
	return c
}

// hangUp ends a ProxyCommand: Windows has no signal that only asks.
func hangUp(process *os.Process) { process.Kill() }
