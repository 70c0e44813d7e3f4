package remote

import (
	_ "embed"
	"strings"
)

// Reasons of a session for another account; see [Options.Account]. All are of
// StageStart, and nothing was changed. Detail tells more.
const (
	NotRoot      Reason = "not root"      // the login is not root's, so it can be nobody else
	NoAccount    Reason = "no account"    // the server has no account of that name
	IsRoot       Reason = "is root"       // the account is root, perhaps by another name
	CannotSwitch Reason = "cannot switch" // the server has no working program to become the account
)

// maxAccount bounds the name of an account, in bytes. useradd takes 256 at most
// (LOGIN_NAME_MAX of Linux).
const maxAccount = 256

//go:embed foruser.sh
var accountScript string

// accountProgram is foruser.sh without comments and indentation.
var accountProgram = strip(accountScript)

// accountGuard is put in front of install.sh where it is to run as another
// account: it may not run as root, whatever the program that should have
// switched did after it had been tried.
const accountGuard = `[ "$(id -u)" != 0 ] || { ` +
	`echo; echo "$M begin"; echo "$M fail start cannot switch"; echo "$M detail still user id 0"; echo "$M end failed"; exit; }` + "\n"

// checkAccount refuses a name that cannot be sent. Whether it is one that an
// account can have is for foruser.sh.
func checkAccount(o Options) error {
	if strings.ContainsAny(o.Account, "\n\x00") || len(o.Account) > maxAccount {
		return &RemoteError{Stage: StageRequest, Reason: Invalid, Status: -1,
			Detail: "the name of the account is too long, or holds a newline or NUL"}
	}
	return nil
}

// refuseAccount is for the roads that cannot become another account. SFTP would
// act with root's power along a path that the account controls, and has no call
// that opens a file without following links.
func refuseAccount(o Options) error {
	if o.Account == "" {
		return nil
	}
	return &RemoteError{Stage: StageStart, Reason: CannotSwitch, Status: -1,
		Detail: "SFTP cannot act as another account"}
}

// forAccount is the exec request, and what it reads first, of a session for
// Options.Account: foruser.sh, the two lines for it, and install.sh.
func forAccount(marker string, o Options) (command, first string) {
	way := "M=" + marker + "\n"
	if o.Trace {
		way += "set -x\n"
	}
	way += accountProgram + "# " + marker
	install := strings.Replace(script(marker, o.Trace), "\n", "\n"+accountGuard, 1)
	// The same loader as that of every session, without the "sh -c" around it.
	boot := strings.TrimSuffix(strings.TrimPrefix(bootstrap(marker, install), "sh -c '"), "'")
	return bootstrap(marker, way), way + "\n" + o.Account + "\n" + boot + "\n" + install
}

// notSwitched tells whether the answer is that of foruser.sh, which has ended
// then. It knows nothing of the target.
func notSwitched(a *answer) bool {
	if a == nil || a.fail == nil || a.fail.Stage != StageStart {
		return false
	}
	a.fail.State = nil
	return true
}
