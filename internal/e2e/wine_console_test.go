//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ssh-copy-id/internal/sshtest/realsshd"
	"ssh-copy-id/internal/sshtest/wine"
)

// On Wine's console a blank may be a movement of the cursor, so a dialogue
// waits for words without one.

// TestWineConsole: questions on the console, wherever the standard files lead;
// launch fails where the console's mode is not what it was.
func TestWineConsole(t *testing.T) {
	s := startForWindows(t, realsshd.Config{Accounts: append(accounts("alice", "bob", "carol", "dave"), realsshd.Account{Name: "erika", Password: "p\u00e4ssw\u00f6rd \u20ac"})})
	t.Run("letters of other languages", func(t *testing.T) {
		w := newWindows(t, s)
		line := w.putty("ed25519-v3.ppk", "ed25519.pub")
		w.talk("expect assword:\nquiet\nsecret p\u00e4ssw\u00f6rd \u20ac\nmatch J\u00fcrgen\nmatch added:\n", nil, "-i", `~\ed25519-v3.ppk`, "erika@127.0.0.1").want(t, 0)
		w.installed(t, "erika", line)
	})
	t.Run("password", func(t *testing.T) {
		w := newWindows(t, s)
		line := w.key("id_ed25519")
		r := w.talk("expect assword:\nquiet\nsecret secret\nmatch added:\n", nil, "alice@127.0.0.1")
		r.want(t, 0)
		w.installed(t, "alice", line)
	})
	t.Run("wrong, then right", func(t *testing.T) {
		w := newWindows(t, s)
		line := w.key("id_ed25519")
		w.talk("expect assword:\nquiet\nsecret hunter7\nmatch denied\nexpect assword:\nquiet\nsecret secret\nmatch added:\n", nil, "bob@127.0.0.1").want(t, 0)
		w.installed(t, "bob", line)
	})
	t.Run("standard files elsewhere", func(t *testing.T) {
		w := newWindows(t, s)
		line := w.key("id_ed25519")
		out := filepath.Join(w.home, "out")
		w.talk("expect assword:\nquiet\nsecret secret\n", []string{"-null", "-out", wine.Path(out)}, "carol@127.0.0.1").want(t, 0)
		w.installed(t, "carol", line)
		if text, err := os.ReadFile(out); err != nil || !strings.Contains(string(text), "Number of key(s) added: 1") || strings.Contains(string(text), "assword") {
			t.Errorf("standard output %q, %v", text, err)
		}
	})
	t.Run("host key", func(t *testing.T) {
		w := newWindows(t, s)
		line := w.key("id_ed25519")
		w.write(".ssh/known_hosts", "")
		w.talk("match no/\nquiet\nsend maybe\nmatch type\nsend yes\nexpect assword:\nquiet\nsecret secret\nmatch added:\n", nil, "dave@127.0.0.1").want(t, 0)
		w.installed(t, "dave", line)
		if text, err := os.ReadFile(filepath.Join(w.home, ".ssh", "known_hosts")); err != nil || !strings.HasPrefix(string(text), "[127.0.0.1]:") {
			t.Errorf("known_hosts is %q, %v", text, err)
		}
	})
}

// TestWineInterrupt: Ctrl-C at a question changes nothing and leaves the
// console as it was. Where an answer is shown, Wine's console ends the line
// when Ctrl-C is pressed, now and then before the signal: an empty answer, which
// is a no.
func TestWineInterrupt(t *testing.T) {
	s := startForWindows(t, realsshd.Config{Accounts: accounts("alice")})
	w := newWindows(t, s)
	w.key("id_ed25519")
	w.talk("expect assword:\nquiet\nkey c\nmatch interrupted;\n", nil, "alice@127.0.0.1").want(t, 1)
	w.write(".ssh/known_hosts", "")
	w.talk("match no/\nquiet\nkey c\nmatch interrupted;|failed\\.\n", nil, "alice@127.0.0.1").want(t, 1)
	if got := w.remote("alice"); got != "" {
		t.Errorf("the file is %q", got)
	}
}
