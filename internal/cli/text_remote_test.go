package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/term"
)

func TestShellText(t *testing.T) {
	for text, want := range map[string]string{
		"sh: 380: eval: cannot create /x: Permission denied": "cannot create /x: Permission denied",
		"bash: line 3: oops.":                                "oops",
		"sh: 1: eval: line 7: oops":                          "oops",
		"first\nsecond":                                      "first / second",
		"This account is currently not available.\n":         "This account is currently not available",
		"fatal: unrecognized command 'sh -c 'x=;while ..":    "fatal: unrecognized command (the command that was sent)",
		"\x1b[31mred":                                        `\033[31mred`,
	} {
		if got := shellText(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestUncheckedSentence: what keeps keys from being verified comes after they
// were added, and does not say the contrary.
func TestUncheckedSentence(t *testing.T) {
	for _, err := range []error{
		context.Canceled, fmt.Errorf("verify: %w", term.ErrInterrupted),
		&remote.RemoteError{Reason: remote.Closed, Status: -1}, &remote.RemoteError{Reason: remote.NoAnswer, Detail: "hello", Status: 1},
	} {
		got := uncheckedSentence(err)
		if got == "" || strings.Contains(got, "No key was added") || strings.Contains(got, "nothing was changed") {
			t.Errorf("%v: %q", err, got)
		}
	}
	if got := uncheckedSentence(errors.New("no route")); got != "no route" {
		t.Errorf("got %q", got)
	}
}

// TestClosedAccounts has what sshd and PAM say of an account that runs nothing.
func TestClosedAccounts(t *testing.T) {
	for said, want := range map[string]string{
		"WARNING: Your password has expired.\nPassword change required but no TTY available.": "password has expired",
		"You are required to change your password immediately (administrator enforced).":      "password has expired",
		"User alice not allowed because /etc/nologin exists\r\ngoing down":                    "only root",
		"Your account has expired; please contact your system administrator.":                 "account has expired",
		"This account is currently not available.":                                            "", "hello": "", "": "",
	} {
		e := &remote.RemoteError{Reason: remote.NoAnswer, Detail: said, Status: 1}
		if got := closedAccount(e); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
		e.Reason = remote.Full
		if got := closedAccount(e); got != "" {
			t.Errorf("a full disk with %q: %q", said, got)
		}
	}
}

// TestRemoteFailures has the sentences about work on the server that failed.
func TestRemoteFailures(t *testing.T) {
	const path = "/home/al/.ssh/authorized_keys"
	of := func(reason remote.Reason, detail string) *remote.RemoteError {
		return &remote.RemoteError{Stage: remote.StageAppend, Path: path, Reason: reason, Detail: detail, Status: 1}
	}
	var cases []shown
	for _, reason := range []remote.Reason{
		remote.Refused, remote.NoSFTP, remote.NotSFTP, remote.Unheard, remote.NoAnswer, remote.Eaten, remote.Closed, remote.Garbled,
		remote.Directory, remote.Irregular, remote.Unreadable, remote.NotText, remote.NoPowerShell, remote.WindowsPath, remote.Locked,
		remote.Full, remote.Quota, remote.ReadOnly, remote.Denied, remote.Immutable, remote.NotDir, remote.Silent, remote.NotRoot,
		remote.NoAccount, remote.CannotSwitch, remote.IsRoot, remote.TooMuch, remote.Foreign, remote.NoHome, remote.NoTool, remote.Failed, remote.Invalid,
	} {
		cases = append(cases, failure(string(reason), of(reason, "sh: 1: odd\x1b\nwords.")), failure(string(reason)+" without a word", of(reason, "")))
	}
	for _, awaited := range []remote.Awaited{
		remote.AwaitChannel, remote.AwaitCommand, remote.AwaitShell, remote.AwaitAnswer, remote.AwaitSFTP, remote.AwaitReply,
	} {
		cases = append(cases, failure("waited for "+string(awaited), &remote.RemoteError{Stage: remote.StageStart, Reason: remote.Silent, Awaited: awaited}))
	}
	with := func(e *remote.RemoteError, change func(*remote.RemoteError)) error {
		change(e)
		return e
	}
	second := func(reason remote.Reason, detail string, awaited remote.Awaited) error {
		return with(of(remote.NoAnswer, "no shell"), func(e *remote.RemoteError) {
			e.SFTP = &remote.RemoteError{Reason: reason, Detail: detail, Awaited: awaited}
		})
	}
	windows := func(e *remote.RemoteError) {
		e.Windows = true
		if e.Reason == remote.NotText {
			e.Fix = "[IO.File]::WriteAllText('" + path + "', [IO.File]::ReadAllText('" + path + "', [Text.Encoding]::Unicode))"
		}
	}
	cases = append(cases,
		failure("unsure", with(of(remote.Closed, ""), func(e *remote.RemoteError) { e.Unsure = true })),
		failure("unsure about a device", with(of(remote.Silent, ""), func(e *remote.RemoteError) { e.Unsure, e.Device = true, true })),
		failure("unsure about a device that hung up", with(of(remote.Closed, ""), func(e *remote.RemoteError) { e.Unsure, e.Device = true, true })),
		failure("no session", &remote.RemoteError{Stage: remote.StageOpen, Reason: remote.Refused}),
		failure("no path", &remote.RemoteError{Stage: remote.StageTarget, Reason: remote.Failed, Detail: "odd"}),
		failure("no PowerShell and no path", &remote.RemoteError{Reason: remote.NoPowerShell, Detail: "odd"}),
		failure("UTF-16 on Windows", with(of(remote.NotText, ""), windows)),
		failure("--for-user on Windows", with(of(remote.CannotSwitch, ""), windows)),
		failure("and no SFTP", second(remote.NoSFTP, "", "")),
		failure("and SFTP is silent", second(remote.Silent, "", remote.AwaitSFTP)),
		failure("and SFTP ends", second(remote.NotSFTP, "", "")),
		failure("and SFTP says", second(remote.NotSFTP, "go\x1b away.", "")),
		failure("and SFTP fails with words", second(remote.Denied, "permission\x1b denied", "")),
		failure("and SFTP fails", second(remote.Denied, "", "")),
		failure("password expired", of(remote.NoAnswer, "WARNING: Your password has expired.\n")),
		failure("account expired", of(remote.Refused, "Your account has expired; please contact")),
		failure("nologin", of(remote.Closed, "not allowed because /etc/nologin exists")),
		failure("command repeated", of(remote.NoAnswer, "fatal: unrecognized command 'sh -c 'x=;while ..")),
	)
	golden(t, "remote", cases)
}
