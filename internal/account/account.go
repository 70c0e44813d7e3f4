// Package account finds out who runs the program.
package account

import (
	"errors"
	"os"
	"os/user"
	"strings"
)

// ErrNoHome is returned where neither the environment nor the system names a home
// directory, as for a user ID of a container that no passwd entry names.
var ErrNoHome = errors.New("no home directory: set HOME")

// Home returns $HOME where that is set, on Windows %USERPROFILE%, else the
// account's home directory.
func Home() (string, error) {
	if home, err := os.UserHomeDir(); err == nil && home != "" {
		return home, nil
	}
	account, err := user.Current()
	if err != nil || account.HomeDir == "" {
		return "", ErrNoHome
	}
	return account.HomeDir, nil
}

// User returns the login name, on Windows without its domain. For a user ID that
// no passwd entry names it is USER or LOGNAME, and "" where neither is set.
func User(getenv func(string) string) string {
	account, err := user.Current()
	switch {
	case err == nil:
		return loginName(account.Username)
	case getenv("USER") != "":
		return getenv("USER")
	}
	return getenv("LOGNAME")
}

// loginName is the account name without the domain Windows puts before it.
func loginName(name string) string {
	return name[strings.LastIndexByte(name, '\\')+1:]
}
