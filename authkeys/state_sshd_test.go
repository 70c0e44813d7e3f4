//go:build unix

package authkeys

import (
	"crypto/ed25519"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshtest/realsshd"
)

// A real sshd lets the key in where State names a line for it, and holds it to
// the command of that line.
func TestStateAgreesWithSSHD(t *testing.T) {
	signer, line := newSigner(t)
	s, try := serve(t, signer)
	for _, test := range stateTests() {
		t.Run(test.name, func(t *testing.T) {
			file := test.fill(t, line)
			writeKeys(t, s, file)
			byKey, out := try(t)
			state := Parse(file).State(signer.PublicKey(), time.Now())
			want := state.Line != 0
			if strings.Contains(test.file, here) {
				want = true
			}
			if byKey != want {
				t.Fatalf("the key logs in: %v; %+v", byKey, state)
			}
			if forced := out == "forced\n"; byKey && forced != test.forced {
				t.Errorf("the command prints %q", out)
			}
		})
	}
}

// A real sshd refuses the options that ReadOption refuses, and those only. It
// tells so for every line of the file, until one lets the key in.
func TestOptionsAgreeWithSSHD(t *testing.T) {
	signer, line := newSigner(t)
	s, try := serve(t, signer)
	var file strings.Builder
	var tests []string
	for _, test := range optionTests() {
		option, ok := test.raw()
		if !ok || test.value == "0.0.0.0/0,::/0" {
			continue // a line that lets the key in would end sshd's reading
		}
		option = strings.ReplaceAll(option, "127.0.0.1", "192.0.2.1")
		tests = append(tests, option)
		rest := "," + elsewhere
		switch test.name {
		case "from":
			rest = ""
		case "principals":
			rest += ",cert-authority"
		}
		file.WriteString(option + rest + " " + line + "\n")
	}
	writeKeys(t, s, []byte(file.String()))
	if byKey, _ := try(t); byKey {
		t.Fatal("one of the lines lets the key in")
	}
	log := logOf(t, s, "Accepted password for alice")
	for i, option := range tests {
		_, _, err := ReadOption(option)
		at := ".ssh/authorized_keys:" + strconv.Itoa(i+1) + ": "
		refused := strings.Contains(log, at+"bad key options") || strings.Contains(log, at+"invalid from criteria")
		if refused != (err != nil) {
			t.Errorf("%.80s: sshd refuses it: %v, we: %v", option, refused, err)
		}
	}
}

// logOf is the log of a server from when it holds a text: it comes through a
// pipe, and so later than what it tells of.
func logOf(t *testing.T, s *realsshd.Server, text string) string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if log := s.Log(); strings.Contains(log, text) {
			return log
		}
	}
	t.Fatalf("the log never tells %q", text)
	return ""
}

func newSigner(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

func writeKeys(t *testing.T, s *realsshd.Server, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.Home("alice"), ".ssh", "authorized_keys"), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// serve runs an sshd. What it returns logs in with the key or else with a
// password, so that no login fails and sshd does not get angry
// (PerSourcePenalties), and tells whether it was the key, and what a command
// printed.
func serve(t *testing.T, signer ssh.Signer) (*realsshd.Server, func(*testing.T) (bool, string)) {
	t.Helper()
	realsshd.Need(t, realsshd.OpenSSH)
	const password = "correct horse"
	s, err := realsshd.Start(realsshd.Config{
		Accounts:    []realsshd.Account{{Name: "alice", Password: password, Keys: []string{}}},
		ConfigLines: []string{"LogLevel DEBUG"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, func(t *testing.T) (bool, string) {
		t.Helper()
		byKey := true
		client, err := ssh.Dial("tcp", s.Addr, &ssh.ClientConfig{
			User: "alice",
			Auth: []ssh.AuthMethod{ssh.PublicKeys(signer), ssh.PasswordCallback(func() (string, error) {
				byKey = false
				return password, nil
			})},
			HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
				if !slices.ContainsFunc(s.HostKeys, func(k ssh.PublicKey) bool { return blob(k) == blob(key) }) {
					return errors.New("another host key")
				}
				return nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		session, err := client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		out, err := session.Output("echo plain")
		if err != nil {
			t.Fatal(err)
		}
		return byKey, string(out)
	}
}
