package cli

import "testing"

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
