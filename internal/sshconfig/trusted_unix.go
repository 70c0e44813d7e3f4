//go:build !windows

package sshconfig

import (
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// defaultSystemConfig is _PATH_HOST_CONFIG_FILE of pathnames.h.
func defaultSystemConfig(func(string) string) string { return "/etc/ssh/ssh_config" }

// trustedFile reports whether nobody but root and the user can write the file
// (the SSHCONF_CHECKPERM test of read_config_file_depth in readconf.c). A group
// may write it if it is the owner's private one: that is how Debian and its
// descendants patch OpenSSH, because their default umask is 002.
func trustedFile(f *os.File) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	if st.Uid != 0 && int(st.Uid) != os.Getuid() {
		return false
	}
	switch info.Mode().Perm() & 0o022 {
	case 0:
		return true
	case 0o020:
		return privateGroup(st.Uid, st.Gid)
	}
	return false
}

// privateGroup reports whether a group is its owner's alone: named as the user,
// the user's primary one, and without other members.
func privateGroup(uid, gid uint32) bool {
	owner, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil || owner.Gid != strconv.FormatUint(uint64(gid), 10) {
		return false
	}
	data, err := os.ReadFile("/etc/group")
	if err != nil {
		return false
	}
	for _, line := range strings.Split(string(data), "\n") {
		if f := strings.Split(line, ":"); len(f) == 4 && f[2] == owner.Gid {
			return f[0] == owner.Username && (f[3] == "" || f[3] == owner.Username)
		}
	}
	return false
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
