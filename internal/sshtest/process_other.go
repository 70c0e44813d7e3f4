//go:build !unix

package sshtest

import (
	"os"
	"os/exec"
)

func ownGroup(*exec.Cmd) {}

func exitStatus(e *exec.ExitError) int { return e.ExitCode() }

// systemEnv is what programs of Windows do not start without.
func systemEnv() []string {
	var env []string
	for _, name := range []string{"SystemRoot", "TEMP", "TMP", "PATHEXT"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}
