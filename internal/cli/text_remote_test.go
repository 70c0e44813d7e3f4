package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"ssh-copy-id/copyid"
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
		&copyid.RemoteError{Code: copyid.CodeRemoteClosed, Status: -1}, &copyid.RemoteError{Code: copyid.CodeNoAnswer, Detail: "hello", Status: 1},
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

// TestRemoteFailures has the sentences about work on the server that failed.
func TestRemoteFailures(t *testing.T) {
	const path = "/home/al/.ssh/authorized_keys"
	of := func(reason copyid.Code, detail string) *copyid.RemoteError {
		return &copyid.RemoteError{Stage: "append", Path: path, Code: reason, Detail: detail, Status: 1}
	}
	var cases []shown
	for _, reason := range []copyid.Code{
		copyid.CodeRefused, copyid.CodeNoSFTP, copyid.CodeNotSFTP, copyid.CodeUnheard, copyid.CodeNoAnswer, copyid.CodeEaten, copyid.CodeRemoteClosed, copyid.CodeGarbled,
		copyid.CodeDirectory, copyid.CodeIrregular, copyid.CodeUnreadable, copyid.CodeNotText, copyid.CodeNoPowerShell, copyid.CodeWindowsPath, copyid.CodeLocked,
		copyid.CodeFull, copyid.CodeQuota, copyid.CodeReadOnly, copyid.CodeWriteDenied, copyid.CodeImmutable, copyid.CodeNotDir, copyid.CodeSilent, copyid.CodeNotRoot,
		copyid.CodeNoAccount, copyid.CodeCannotSwitch, copyid.CodeIsRoot, copyid.CodeTooMuch, copyid.CodeForeign, copyid.CodeNoHome, copyid.CodeNoTool, copyid.CodeFailed, copyid.CodeInvalid,
	} {
		cases = append(cases, failure(string(reason), of(reason, "sh: 1: odd\x1b\nwords.")), failure(string(reason)+" without a word", of(reason, "")))
	}
	for _, awaited := range []copyid.Awaited{
		copyid.AwaitChannel, copyid.AwaitCommand, copyid.AwaitShell, copyid.AwaitAnswer, copyid.AwaitSFTP, copyid.AwaitReply,
	} {
		cases = append(cases, failure("waited for "+string(awaited), &copyid.RemoteError{Stage: "start", Code: copyid.CodeSilent, Awaited: awaited}))
	}
	with := func(e *copyid.RemoteError, change func(*copyid.RemoteError)) error {
		change(e)
		return e
	}
	closure := func(why copyid.Closure) func(*copyid.RemoteError) {
		return func(e *copyid.RemoteError) { e.Closure = why }
	}
	second := func(reason copyid.Code, detail string, awaited copyid.Awaited) error {
		return with(of(copyid.CodeNoAnswer, "no shell"), func(e *copyid.RemoteError) {
			e.SFTP = &copyid.RemoteError{Code: reason, Detail: detail, Awaited: awaited}
		})
	}
	windows := func(e *copyid.RemoteError) {
		e.Windows = true
		if e.Code == copyid.CodeNotText {
			e.Fix = "[IO.File]::WriteAllText('" + path + "', [IO.File]::ReadAllText('" + path + "', [Text.Encoding]::Unicode))"
		}
	}
	cases = append(cases,
		failure("unsure", with(of(copyid.CodeRemoteClosed, ""), func(e *copyid.RemoteError) { e.Unsure = true })),
		failure("unsure about a device", with(of(copyid.CodeSilent, ""), func(e *copyid.RemoteError) { e.Unsure, e.Device = true, true })),
		failure("unsure about a device that hung up", with(of(copyid.CodeRemoteClosed, ""), func(e *copyid.RemoteError) { e.Unsure, e.Device = true, true })),
		failure("no session", &copyid.RemoteError{Stage: copyid.StageOpen, Code: copyid.CodeRefused}),
		failure("no path", &copyid.RemoteError{Stage: "target", Code: copyid.CodeFailed, Detail: "odd"}),
		failure("no PowerShell and no path", &copyid.RemoteError{Code: copyid.CodeNoPowerShell, Detail: "odd"}),
		failure("UTF-16 on Windows", with(of(copyid.CodeNotText, ""), windows)),
		failure("--for-user on Windows", with(of(copyid.CodeCannotSwitch, ""), windows)),
		failure("and no SFTP", second(copyid.CodeNoSFTP, "", "")),
		failure("and SFTP is silent", second(copyid.CodeSilent, "", copyid.AwaitSFTP)),
		failure("and SFTP ends", second(copyid.CodeNotSFTP, "", "")),
		failure("and SFTP says", second(copyid.CodeNotSFTP, "go\x1b away.", "")),
		failure("and SFTP fails with words", second(copyid.CodeWriteDenied, "permission\x1b denied", "")),
		failure("and SFTP fails", second(copyid.CodeWriteDenied, "", "")),
		failure("password expired", with(of(copyid.CodeNoAnswer, "WARNING: Your password has expired.\n"), closure(copyid.PasswordExpired))),
		failure("account expired", with(of(copyid.CodeRefused, "Your account has expired; please contact"), closure(copyid.AccountExpired))),
		failure("nologin", with(of(copyid.CodeRemoteClosed, "not allowed because /etc/nologin exists"), closure(copyid.RootOnly))),
		failure("command repeated", of(copyid.CodeNoAnswer, "fatal: unrecognized command 'sh -c 'x=;while ..")),
	)
	golden(t, "remote", cases)
}
