//go:build unix

package authkeys

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// ssh-keygen -l reads lines with the functions of sshd, but not in all of its
// steps: it does not judge options, or what stands in the place of options,
// skips only one blank behind them, and tries every line of a file.
func TestKeygenAgrees(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
			t.Fatal("ssh-keygen is not installed, and SSHCOPYID_REQUIRE_ALL is set")
		}
		t.Skip("ssh-keygen is not installed")
	}
	for _, test := range lineTests(t) {
		if test.keygen || strings.HasSuffix(test.line, "PRIVATE KEY-----") {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "line")
			if err := os.WriteFile(path, []byte(test.line+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(keygen, "-l", "-f", path).CombinedOutput()
			if accepted := err == nil; accepted != (test.reason == 0) {
				t.Fatalf("ssh-keygen accepts the line: %v\n%s", accepted, out)
			}
			if test.reason != 0 {
				return
			}
			e, err := ParseEntry(test.line)
			if err != nil {
				t.Fatal(err)
			}
			key := e.Key
			if c, ok := key.(*ssh.Certificate); ok {
				key = c.Key
			}
			if !strings.Contains(string(out), ssh.FingerprintSHA256(key)) {
				t.Errorf("ssh-keygen sees another key: %s", out)
			}
		})
	}
}

func TestRFC4716AgreesWithKeygen(t *testing.T) {
	for _, name := range []string{"ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa"} {
		t.Run(name, func(t *testing.T) {
			e := entry(t, name)
			theirs := keygen(t, "-e", "-f", filepath.Join("testdata", name+".pub"))
			read, err := ParseRFC4716(theirs)
			if err != nil || len(read) != 1 || read[0].Blob() != e.Blob() {
				t.Fatalf("%s\nis read as %v, %v", theirs, read, err)
			}
			if !strings.HasSuffix(read[0].Comment, "from OpenSSH") || strings.Contains(read[0].Comment, `"`) {
				t.Errorf("the comment is %q", read[0].Comment)
			}
			if ours := MarshalRFC4716(read[0]); !bytes.Equal(ours, theirs) {
				t.Errorf("we write\n%s\nssh-keygen\n%s", ours, theirs)
			}
		})
	}
	e := entry(t, "rsa")
	for _, comment := range hardComments {
		data := MarshalRFC4716(NewEntry(e.Key, comment))
		read, err := ParseEntry(string(keygen(t, "-i", "-f", written(t, data))))
		if err != nil || read.Blob() != e.Blob() {
			t.Errorf("ssh-keygen reads another key, %v, of\n%s", err, data)
		}
	}
}
