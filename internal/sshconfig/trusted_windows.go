package sshconfig

import (
	"os"
	"os/user"
	"path/filepath"
)

// defaultSystemConfig is %ProgramData%\ssh\ssh_config, where Win32-OpenSSH
// looks.
func defaultSystemConfig(getenv func(string) string) string {
	return filepath.Join(programData(getenv), "ssh", "ssh_config")
}

// trustedFile always agrees: Go has no portable view of access control lists,
// and a profile directory is private by default.
func trustedFile(*os.File) bool { return true }

func localUID() string { return "0" }

// homeOf returns the profile directory of a named account, for ~name.
func homeOf(name string) (string, bool) {
	u, err := user.Lookup(name)
	if err != nil || u.HomeDir == "" {
		return "", false
	}
	return u.HomeDir, true
}
