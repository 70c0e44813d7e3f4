package scriptrun

import (
	_ "embed"
	"strings"
)

// maxAccount bounds the name of an account, in bytes. useradd takes 256 at most
// (LOGIN_NAME_MAX of Linux).
const maxAccount = 256

//go:embed foruser.sh
var accountScript string

// accountProgram is foruser.sh without comments and indentation.
var accountProgram = Strip(accountScript)

// accountGuard is put in front of a script where it is to run as another
// account: it may not run as root, whatever the program that should have
// switched did after it had been tried.
const accountGuard = `[ "$(id -u)" != 0 ] || { ` +
	`echo; echo "$M begin"; echo "$M fail start cannot switch"; echo "$M detail still user id 0"; echo "$M end failed"; exit; }` + "\n"

// checkAccount refuses a name that cannot be sent. Whether it is one that an
// account can have is for foruser.sh.
func checkAccount(name string) error {
	if strings.ContainsAny(name, "\n\x00") || len(name) > maxAccount {
		return &Error{Stage: StageRequest, Reason: Invalid, Status: -1,
			Detail: "the name of the account is too long, or holds a newline or NUL"}
	}
	return nil
}

// forAccount is the exec request, and what it reads first, of a script for
// Options.Account: foruser.sh, the two lines for it, and the script.
func forAccount(marker, program string, o Options) (command, first string) {
	way := Framed(marker, accountProgram, o.Trace)
	text := strings.Replace(Framed(marker, program, o.Trace), "\n", "\n"+accountGuard, 1)
	// The same loader as that of every session, without the "sh -c" around it.
	boot := strings.TrimSuffix(strings.TrimPrefix(Bootstrap(marker, text), "sh -c '"), "'")
	return Bootstrap(marker, way), way + "\n" + o.Account + "\n" + boot + "\n" + text
}
