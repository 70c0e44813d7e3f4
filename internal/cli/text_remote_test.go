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
