package sshconfig

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

// ShellCommand runs a command of the configuration, a "Match exec" or a
// ProxyCommand, with cmd.exe: the one of the system, wherever the search path
// leads. Its command line is handed over as it stands, because cmd.exe does not
// undo the quoting that Go would add.
func ShellCommand(_, command string) *exec.Cmd {
	shell := "cmd.exe"
	if dir, err := windows.GetSystemDirectory(); err == nil {
		shell = filepath.Join(dir, shell)
	}
	c := exec.Command(shell)
	c.SysProcAttr = &syscall.SysProcAttr{CmdLine: cmdLine(quoteProgram(command, isFile))}
	return c
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
