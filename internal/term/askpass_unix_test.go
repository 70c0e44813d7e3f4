//go:build unix

package term

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// askpassScript writes an askpass program, in a directory with a blank in its
// name.
func askpassScript(t *testing.T, body string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "with blank")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "askpass")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAskpassProgram(t *testing.T) {
	t.Setenv("SSH_ASKPASS_PROMPT", "") // ours is appended and wins
	for _, tt := range []struct {
		name, body, hint, want string
		err                    error
	}{
		{"prompt is the only argument", `printf '%s|%s\n' "$#" "$1"`, "", "1|a b 'c' $HOME: ", nil},
		{"first line only", `printf 'first\nsecond\n'`, "", "first", nil},
		{"CR LF", `printf 'first\r\n'`, "", "first", nil},
		{"no newline", `printf first`, "", "first", nil},
		{"empty", `:`, "", "", nil},
		{"hint", `echo "$SSH_ASKPASS_PROMPT"`, "confirm", "confirm", nil},
		{"cancelled", `echo secret; exit 1`, "", "", ErrDeclined},
		{"killed", `kill -9 $$`, "", "", ErrDeclined},
		{"exactly as long as allowed", `printf '%01023d' 7`, "", strings.Repeat("0", MaxAnswer-1) + "7", nil},
		{"writes for ever", `yes`, "", "y", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := runAskpass(askpassScript(t, tt.body), "a b 'c' $HOME: ", tt.hint)
			if tt.name == "writes for ever" && errors.Is(err, ErrDeclined) {
				return // SIGPIPE is an unsuccessful end; what counts is that it ends
			}
			if string(got) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("answer %.40q, error %v; want %.40q, %v", got, err, tt.want, tt.err)
			}
		})
	}
	_, err := runAskpass(filepath.Join(t.TempDir(), "missing"), "? ", "")
	var failed *AskpassError
	if !errors.As(err, &failed) || errors.Is(err, ErrDeclined) {
		t.Errorf("missing program: %v, want an AskpassError", err)
	}
}

// TestAskpassGetsEscapedPrompt: a NUL could not even be passed on, and
// dialogues show control characters in odd ways.
func TestAskpassGetsEscapedPrompt(t *testing.T) {
	p := testPrompter("SSH_ASKPASS_REQUIRE=force SSH_ASKPASS=" + "placeholder")
	p.run = func(_, prompt, _ string) ([]byte, error) { return []byte(prompt), nil }
	if got, err := p.Line("a\x00\x1bb\n"); err != nil || got != "a\\000\\033b\n" {
		t.Errorf("prompt %q, error %v", got, err)
	}
}
