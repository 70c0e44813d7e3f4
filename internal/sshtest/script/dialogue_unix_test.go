//go:build unix

package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestCommands(t *testing.T) {
	if os.Getenv(oracleEnv) == "" {
		if os.Getenv(requireEnv) == "1" {
			t.Fatalf("%s is not installed, and %s is set", stock, requireEnv)
		}
		t.Skip(stock + " is not installed")
	}
	testscript.Run(t, Params("testdata", *update))
}

// talkIn runs a program in a directory of its own and talks to it.
func talkIn(t *testing.T, steps string, command string) (int, error) {
	t.Helper()
	if !ptySupported {
		t.Skip("no terminals here")
	}
	dir := t.TempDir()
	t.Setenv("WORK", dir)
	file := filepath.Join(dir, "steps")
	if err := os.WriteFile(file, []byte(steps), 0o600); err != nil {
		t.Fatal(err)
	}
	return talk(file, false, 2e9, []string{"/bin/sh", "-c", command})
}

func TestDialogueFindsFaults(t *testing.T) {
	const ask = `stty -echo </dev/tty; printf 'Password: ' >/dev/tty; read x </dev/tty; stty echo </dev/tty; echo >/dev/tty; `
	tests := []struct{ name, steps, command, want string }{
		{"right", "expect Password:\nsecret hush\n", ask + `[ "$x" = hush ]`, ""},
		{"echo", "expect Password:\nsecret hush\n", `printf Password: >/dev/tty; read x </dev/tty`, "line 2: secret: the terminal echoes"},
		{"told", "expect Password:\nsecret hush\n", ask + `echo "it is $x" >&2`, "line 2: the secret was shown on standard error"},
		{"no prompt", "expect Password:\n", `sleep 600`, `line 1: expect: waited 2s`},
		{"early end", "expect Password:\n", `:`, "line 1: expect: the program ended"},
		{"more prompts", "", `read x </dev/tty`, "the program has not ended after 2s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, err := talkIn(t, tt.steps, tt.command)
			switch {
			case tt.want == "" && (err != nil || status != 0):
				t.Errorf("status %d, %v", status, err)
			case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)):
				t.Errorf("%v; want %s", err, tt.want)
			}
		})
	}
	if status, err := talkIn(t, "expect go\nkey c\n", `trap 'exit 130' INT; printf go >/dev/tty; while :; do sleep 0.1; done`); err != nil || status != 130 {
		t.Errorf("control-C: status %d, %v", status, err)
	}
	if status, err := talkIn(t, "signal TERM\n", `exec sleep 600`); err != nil || status != 128+15 {
		t.Errorf("SIGTERM: status %d, %v", status, err)
	}
}
