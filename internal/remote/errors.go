package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/scriptrun"
)

// Stage is what was being done when it failed.
type Stage = scriptrun.Stage

// The stages of a session.
const (
	StageOpen    = scriptrun.StageOpen
	StageStart   = scriptrun.StageStart
	StageRequest = scriptrun.StageRequest
	StageAnswer  = scriptrun.StageAnswer

	StageTarget  Stage = "target"  // looking at the target file
	StageCompare Stage = "compare" // looking for the keys in it
	StageMkdir   Stage = "mkdir"   // making its directory
	StageLock    Stage = "lock"    // taking the lock
	StageAppend  Stage = "append"  // writing
)

// Reason is why.
type Reason = scriptrun.Reason

// The reasons that are about running a script.
const (
	Invalid      = scriptrun.Invalid
	Refused      = scriptrun.Refused
	NoAnswer     = scriptrun.NoAnswer
	Eaten        = scriptrun.Eaten
	Unheard      = scriptrun.Unheard
	Silent       = scriptrun.Silent
	Garbled      = scriptrun.Garbled
	TooMuch      = scriptrun.TooMuch
	Closed       = scriptrun.Closed
	NotRoot      = scriptrun.NotRoot
	NoAccount    = scriptrun.NoAccount
	IsRoot       = scriptrun.IsRoot
	CannotSwitch = scriptrun.CannotSwitch
)

// Awaited is what a session waits for.
type Awaited = scriptrun.Awaited

// What a session waits for.
const (
	AwaitChannel = scriptrun.AwaitChannel
	AwaitCommand = scriptrun.AwaitCommand
	AwaitShell   = scriptrun.AwaitShell
	AwaitAnswer  = scriptrun.AwaitAnswer
	AwaitSFTP    = scriptrun.AwaitSFTP
	AwaitReply   = scriptrun.AwaitReply
)

// The other reasons, most of them about the target file.
const (
	NoSFTP  Reason = "no SFTP"  // the server refuses the SFTP subsystem
	NotSFTP Reason = "not SFTP" // something else than an SFTP server answers there: Detail is what it said
	// NoPowerShell: a Windows server has no powershell.exe that can be run, and
	// the file is the administrators' one.
	NoPowerShell Reason = "no powershell.exe"
	// WindowsPath: the target is written as only a Windows server reads it.
	WindowsPath Reason = "a path on Windows"
	Directory   Reason = "directory"  // the target is a directory
	Irregular   Reason = "irregular"  // the target is neither file nor directory
	Unreadable  Reason = "unreadable" // the target may not be read
	NotText     Reason = "not text"   // the target is in UTF-16
	Locked      Reason = "locked"     // another program did not release the lock
	Full        Reason = "disk full"
	Quota       Reason = "quota"
	ReadOnly    Reason = "read-only file system"
	Denied      Reason = "permission denied"
	Immutable   Reason = "operation not permitted"
	NotDir      Reason = "not a directory" // a part of the path is a file
	Foreign     Reason = "foreign"         // another account controls the way to the file: Detail names the place
	NoHome      Reason = "no home"         // the home directory does not exist: Detail names it
	NoTool      Reason = "no tool"         // the server lacks a program: Detail has the shell's words
	Failed      Reason = "failed"          // anything else: see Detail
)

// RemoteError is returned where a session could not do its work. The target file is
// what it was before, unless Unsure is set.
type RemoteError struct {
	Stage  Stage
	Path   string // the target file, once known
	Reason Reason
	// Detail is what the server said, if anything: text of a tool, the end of
	// its standard error, or what came in place of an answer.
	Detail string
	// Status is the exit status of the remote command where it ended without
	// an answer; -1 if the server gave none.
	Status int
	// Unsure: the change had been sent when the error came, so it may or may
	// not have been made. Never is a part of it.
	Unsure bool
	// Device: the keys go into the configuration of an appliance, not into a file.
	Device bool
	// Awaited is what the server was waited for, where Reason is Silent.
	Awaited Awaited
	// Windows: the server runs Windows.
	Windows bool
	// Fix is the command for PowerShell on a Windows server that turns the file
	// into one that sshd reads, where Reason is NotText.
	Fix string
	// SFTP is how SFTP failed, where Open tried it after this error.
	SFTP *RemoteError
	// State is what is known of the target, for reasons about it; else nil.
	State *State
}

func (e *RemoteError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "remote %s", e.Stage)
	if e.Path != "" {
		fmt.Fprintf(&b, " %s", e.Path)
	}
	fmt.Fprintf(&b, ": %s", e.Reason)
	if e.Detail != "" {
		fmt.Fprintf(&b, ": %s", e.Detail)
	}
	return b.String()
}

// asRemote returns an error of scriptrun as a *RemoteError, and others as they are.
func asRemote(err error) error {
	var e *scriptrun.Error
	if !errors.As(err, &e) {
		return err
	}
	return &RemoteError{Stage: e.Stage, Reason: e.Reason, Detail: e.Detail, Status: e.Status, Awaited: e.Awaited}
}

// openChannel is scriptrun.OpenChannel with a *RemoteError.
func openChannel(ctx context.Context, client *ssh.Client, o Options) (*scriptrun.Channel, error) {
	ch, err := scriptrun.OpenChannel(ctx, client, o.Run())
	return ch, asRemote(err)
}

// await is scriptrun.Await with a *RemoteError.
func await[T any](ctx context.Context, clock *scriptrun.Clock, f func() (T, error)) (T, error) {
	value, err := scriptrun.Await(ctx, clock, f)
	return value, asRemote(err)
}

// A Closure is why an account lets in and runs nothing.
type Closure string

// The closures.
const (
	PasswordExpired Closure = "password expired"
	AccountExpired  Closure = "account expired"
	RootOnly        Closure = "nologin" // for the time being
)

// closures are what sshd and PAM say of them (do_pwchange and do_nologin in
// session.c, pam_unix(8)), in lower case.
var closures = []struct {
	said string
	Closure
}{
	{"password has expired", PasswordExpired},
	{"password change required", PasswordExpired},
	{"required to change your password", PasswordExpired},
	{"password is expired", PasswordExpired},
	{"account has expired", AccountExpired},
	{"because /etc/nologin exists", RootOnly},
	{"because /var/run/nologin exists", RootOnly},
}

// Closure returns why the account runs nothing, where something else than the
// script answered and said so; "" where that is not known.
func (e *RemoteError) Closure() Closure {
	switch e.Reason {
	case NoAnswer, Refused, NoSFTP, NotSFTP, Unheard, Closed:
		said := strings.ToLower(e.Detail)
		for _, known := range closures {
			if strings.Contains(said, known.said) {
				return known.Closure
			}
		}
	}
	return ""
}

// servesSFTPOnly reports whether sshd's internal-sftp answered: it says so where
// it is asked to run a command (do_exec in session.c).
func servesSFTPOnly(said string) bool { return strings.Contains(said, "allows sftp connections only") }

// reasonOf reads the reason off the error message of a tool. The script runs
// with LC_ALL=C, so these are the texts of strerror(3), which glibc, musl and
// the BSDs share; zsh prints them in lower case.
func reasonOf(detail string) Reason {
	for _, known := range []struct {
		text   string
		reason Reason
	}{
		{"no space left", Full},
		{"quota exceeded", Quota},
		{"read-only file system", ReadOnly},
		{"permission denied", Denied},
		{"operation not permitted", Immutable},
		{"not a directory", NotDir},
		{"file exists", NotDir},
		// The shells' words for a program that is not there.
		{": not found", NoTool},
		{"command not found", NoTool},
		{"no such command", NoTool},
		{"inaccessible or not found", NoTool},
	} {
		if strings.Contains(strings.ToLower(detail), known.text) {
			return known.reason
		}
	}
	return Failed
}
