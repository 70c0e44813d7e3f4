//go:build linux

package e2e

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"ssh-copy-id/internal/sshtest/realsshd"
)

// TestWineKeyFiles: keys as PuTTY and Notepad leave them, named as people name
// them there.
func TestWineKeyFiles(t *testing.T) {
	s := startForWindows(t, realsshd.Config{Accounts: accounts("ppk", "locked", "ssh2", "wide", "capitals", "alone")})
	for _, c := range []struct {
		account string
		prepare func(w *windows) string // makes the file, and gives its key line
		file    string
		told    string
	}{
		{"ppk", func(w *windows) string { return w.putty("ed25519-v3.ppk", "ed25519.pub") }, `~\ed25519-v3.ppk`, "the public half of the PuTTY key"},
		{"locked", func(w *windows) string { return w.putty("rsa-v3-encrypted.ppk", "rsa.pub") }, `~/rsa-v3-encrypted.ppk`, "the public half of the PuTTY key"},
		{"ssh2", func(w *windows) string {
			w.putty("ed25519-v3.ppk", "ed25519.pub")
			return w.putty("ed25519.ssh2", "ed25519.pub", "ed25519-v3.pub")
		}, "ed25519-v3", "ed25519-v3.pub"},
		{"wide", func(w *windows) string {
			line := w.key("work")
			w.write(".ssh/work.pub", utf16File(crlf(line)))
			return line
		}, `.ssh\work`, "is in UTF-16"},
		{"capitals", func(w *windows) string {
			line := w.key("id_work")
			w.rename(".ssh/id_work.pub", ".ssh/ID_WORK.PUB")
			return line
		}, "", "ID_WORK.PUB"},
		{"alone", func(w *windows) string {
			line := w.key("id_alone")
			if err := os.Remove(filepath.Join(w.home, ".ssh/id_alone.pub")); err != nil {
				w.t.Fatal(err)
			}
			return strings.TrimSuffix(line, "\n") + "\n"
		}, `.ssh\id_alone`, "the public half of the private key is used"},
	} {
		t.Run(c.account, func(t *testing.T) {
			w := newWindows(t, s)
			line := c.prepare(w)
			args := []string{"--password-file", w.passwordFile(), "-i", c.file, c.account + "@127.0.0.1"}
			if c.file == "" {
				args = append(args[:2], c.account+"@127.0.0.1")
			}
			w.run(args...).want(t, 0, "Number of key(s) added: 1", c.told)
			w.installed(t, c.account, line)
		})
	}
}

// putty copies a file of PuTTY's into the home, under another name if one is
// given, and gives the line of its public half.
func (w *windows) putty(name, public string, as ...string) string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join("../../identity/testdata/putty", name))
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(append(as, name)[0], string(text))
	line, err := os.ReadFile(filepath.Join("../../identity/testdata/putty", public))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(line)
}

func (w *windows) rename(from, to string) {
	w.t.Helper()
	if err := os.Rename(filepath.Join(w.home, from), filepath.Join(w.home, to)); err != nil {
		w.t.Fatal(err)
	}
}

// utf16File is a text as PowerShell's > writes it.
func utf16File(text string) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		out = binary.LittleEndian.AppendUint16(out, unit)
	}
	return string(out)
}

// TestWineKeygen: no key at all, and the one that is made then; ssh logs in
// with it.
func TestWineKeygen(t *testing.T) {
	s := startForWindows(t, realsshd.Config{Accounts: accounts("alice", "bob")})
	t.Run("without a passphrase", func(t *testing.T) {
		w := newWindows(t, s)
		w.run("alice@127.0.0.1").want(t, 1, "ERROR: No identities found", "add the --keygen option")
		w.run("--keygen", "alice@127.0.0.1").want(t, 1, "there is no terminal to ask for its passphrase on", "--no-passphrase")
		w.run("--keygen", "--no-passphrase", "--password-file", w.passwordFile(), "alice@127.0.0.1").
			want(t, 0, "INFO: made a new key: ", "Number of key(s) added: 1", "INFO: verified: logged in with 1 key")
		w.logsIn(t, "alice", "")
	})
	t.Run("on the console", func(t *testing.T) {
		w := newWindows(t, s)
		w.talk("match for\\W.*passphrase\\):\nquiet\nsecret open-sesame\nexpect again:\nquiet\nsecret open-sesame\nmatch added:\n", nil,
			"--keygen", "--password-file", w.passwordFile(), "bob@127.0.0.1").want(t, 0)
		w.logsIn(t, "bob", "open-sesame")
	})
}

// logsIn has ssh log in with the key in the home, which is the only one the
// account knows.
func (w *windows) logsIn(t *testing.T, account, passphrase string) {
	t.Helper()
	key := filepath.Join(w.home, ".ssh", "id_ed25519")
	line, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	w.installed(t, account, string(line))
	// A copy, with the mode that ssh wants here.
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	copied := w.write("copied", string(text))
	if out, err := exec.Command("ssh-keygen", "-p", "-P", passphrase, "-N", "", "-f", copied).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command("ssh", "-F", "none", "-i", copied, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
		"-o", "UserKnownHostsFile="+filepath.Join(w.home, ".ssh/known_hosts"), "-p", fmt.Sprint(w.server.Port),
		account+"@127.0.0.1", "echo in").CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "in" {
		t.Errorf("ssh: %v: %s", err, out)
	}
}
