package copyid

import (
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/sshtest"
)

// TestRFC4716Blob: what a key is known by in a file is one of its own lines of
// base64, and another key's file does not hold it, whatever the comments say.
func TestRFC4716Blob(t *testing.T) {
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		for _, comment := range []string{"", "me@here", strings.Repeat("long: comment ", 12), `back\slash: "quoted"`} {
			var ids [2]identity.Identity
			for i := range ids {
				key, err := sshtest.GenerateKey(kind)
				if err != nil {
					t.Fatal(err)
				}
				signer, err := ssh.NewSignerFromKey(key)
				if err != nil {
					t.Fatal(err)
				}
				ids[i].Entry = authkeys.NewEntry(signer.PublicKey(), comment)
			}
			blob := RFC4716.blob(ids[0])
			if len(blob) < 24 || !strings.Contains(ids[0].Entry.Blob(), blob) {
				t.Errorf("%s, comment %q: %q is no part of the key", kind, comment, blob)
			}
			own, other := strings.Join(RFC4716.lines(ids[0]), "\n"), strings.Join(RFC4716.lines(ids[1]), "\n")
			if !strings.Contains(own, "\n"+blob+"\n") || strings.Contains(other, blob) {
				t.Errorf("%s, comment %q: %q does not tell the keys apart", kind, comment, blob)
			}
		}
	}
}
