//go:build !linux && !darwin

package script

import (
	"errors"
	"os"
	"os/exec"
)

const ptySupported = false

var signals = map[string]os.Signal{"KILL": os.Kill, "INT": os.Interrupt}

type terminal struct{ master, slave *os.File }

func openTerminal() (*terminal, error) { return nil, errors.New("no pseudo terminals on this system") }

func (*terminal) control(*exec.Cmd, bool) {}

func (*terminal) echoes() (bool, error) { return false, errors.ErrUnsupported }

func killSession(p *os.Process) { p.Kill() }

func exitCode(s *os.ProcessState) int { return s.ExitCode() }
