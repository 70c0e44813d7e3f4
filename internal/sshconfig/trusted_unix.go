//go:build !windows

package sshconfig

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// defaultSystemConfig is _PATH_HOST_CONFIG_FILE of pathnames.h.
func defaultSystemConfig(func(string) string) string { return "/etc/ssh/ssh_config" }

// trustedFile reports whether nobody but root and the user can write the file
// (the SSHCONF_CHECKPERM test of read_config_file_depth in readconf.c).
func trustedFile(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	return (st.Uid == 0 || int(st.Uid) == os.Getuid()) && info.Mode().Perm()&0o022 == 0
}

func localUID() string { return strconv.Itoa(os.Getuid()) }

// homeOf returns the home directory of a named account, for ~name.
func homeOf(name string) (string, bool) {
	u, err := user.Lookup(name)
	if err != nil || u.HomeDir == "" {
		return "", false
	}
	return u.HomeDir, true
}

// shell is the program that runs "Match exec" commands, and its arguments.
func shell(getenv func(string) string, command string) []string {
	sh := getenv("SHELL")
	if sh == "" {
		sh = "/bin/sh"
	}
	return []string{sh, "-c", command}
}
