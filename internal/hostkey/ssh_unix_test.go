//go:build unix

package hostkey

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// TestVerdictsBySSH holds the table against ssh and a server that shows those
// keys: the same verdict, words, questions and file.
func TestVerdictsBySSH(t *testing.T) {
	program(t, "ssh")
	for _, c := range verdicts {
		if c.ours != "" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // ssh waits for its server, and the server for ssh
			c := c.completed()
			w, _, err := c.run(t)
			ours := strings.Join(append(w.notices, Explain(err)), "\n")
			content := w.content()

			revoked := c.prepare(w)
			real := realSSH{shown: []ssh.Signer{cast()["KEY"]}, host: c.host, port: c.port, answers: c.answers}
			if cert := c.cert(t); cert != nil {
				signer, err := ssh.NewCertSigner(cert, cast()["KEY"])
				if err != nil {
					t.Fatal(err)
				}
				real.shown = append(real.shown, signer)
			}
			real.options = append([]string{"UserKnownHostsFile=" + w.file, "StrictHostKeyChecking=" + c.strict, "RevokedHostKeys=" + revoked}, c.set...)
			if c.alias != "" {
				real.options = append(real.options, "HostKeyAlias="+c.alias)
			}
			status, said, asked := real.run(t)
			if (status == 0) != (c.want == "") {
				t.Errorf("ssh: status %d, want %q\n%s", status, c.want, said)
			}
			if got, want := words(ours), words(said); got != want && c.says == "" {
				t.Errorf("we say\n%s\nssh says\n%s", got, want)
			}
			if len(c.answers) > 0 && !slices.Equal(w.asked, asked) {
				t.Errorf("we ask %q, ssh asks %q", w.asked, asked)
			}
			if theirs, err := os.ReadFile(w.file); err != nil && !os.IsNotExist(err) ||
				hashedName.ReplaceAllString(string(theirs), "HASH") != hashedName.ReplaceAllString(content, "HASH") {
				t.Errorf("we leave\n%s\nssh leaves\n%s", content, theirs)
			}
		})
	}
}

// TestUpdateHostKeysBySSH holds the table against ssh and a server that proves
// those keys.
func TestUpdateHostKeysBySSH(t *testing.T) {
	program(t, "ssh")
	for _, c := range updates {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.strict == "" {
				c.strict = "yes"
			}
			w := c.run(t)
			content := w.content()
			w.write(knownText(c.known))
			real := realSSH{shown: []ssh.Signer{cast()["KEY"]}, host: "box", port: 22, answers: c.answers}
			real.options = []string{"UserKnownHostsFile=" + w.file, "StrictHostKeyChecking=" + c.strict, "UpdateHostKeys=yes"}
			for _, name := range strings.Fields(c.offered) {
				real.offered = append(real.offered, cast()[name])
			}
			status, said, _ := real.run(t)
			theirs, err := os.ReadFile(w.file)
			if err != nil || status != 0 {
				t.Fatalf("status %d, %v\n%s", status, err, said)
			}
			if same := withoutHashes(string(theirs)) == withoutHashes(content); same != (c.ours == "") {
				t.Errorf("we leave\n%s\nssh leaves\n%s\n%s", content, theirs, said)
			}
		})
	}
}

func withoutHashes(text string) string { return hashedName.ReplaceAllString(text, "HASH") }

// words are lines of text without those that only some builds of ssh print: the
// advice how to remove a line is Debian's, the warning about the key exchange
// that of 10.1 and later.
func words(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && line != "remove with:" && !strings.HasPrefix(line, "ssh-keygen -f ") && !strings.HasPrefix(line, "** ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}
