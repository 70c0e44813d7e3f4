package identity

import (
	"fmt"
	"testing"

	"golang.org/x/crypto/ssh/agent"

	"ssh-copy-id/authkeys"
)

// keygenLine puts the facts together as ssh-keygen -l does.
func keygenLine(e authkeys.Entry) string {
	bits, kind, fingerprint := Describe(e.Key)
	comment := e.Comment
	if comment == "" {
		comment = "no comment"
	}
	return fmt.Sprintf("%d %s %s (%s)", bits, fingerprint, comment, kind)
}

func TestDescribe(t *testing.T) {
	tests := []struct{ line, want string }{
		{published(t, "ed25519"), "256 SHA256:GQA3I7qZGlCSsQssDwVuoEHGxTlh8m0g6Zs/h1YRSIg alice@laptop (ED25519)"},
		{published(t, "ed25519-cert"), "256 SHA256:GQA3I7qZGlCSsQssDwVuoEHGxTlh8m0g6Zs/h1YRSIg alice@laptop (ED25519-CERT)"},
		{published(t, "rsa"), "2048 SHA256:Ik3z5N6oNb3awsaJwX0+zIQ/qs3uViPCtrHjWbUOUFY rsa key (RSA)"},
	}
	for _, test := range tests {
		entry, err := authkeys.ParseEntry(test.line)
		if err != nil {
			t.Fatal(err)
		}
		if got := keygenLine(entry); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
		held := &agent.Key{Format: entry.Key.Type(), Blob: entry.Key.Marshal()}
		if got := keygenLine(authkeys.NewEntry(held, entry.Comment)); got != test.want {
			t.Errorf("as an agent's key: got  %s\nwant %s", got, test.want)
		}
	}
	unknown := &agent.Key{Format: "ssh-new", Blob: []byte("\x00\x00\x00\x07ssh-new")}
	if bits, kind, fingerprint := Describe(unknown); bits != 0 || kind != "ssh-new" || fingerprint == "" {
		t.Errorf("unknown type: %d %s %s", bits, kind, fingerprint)
	}
	if bits, kind, fingerprint := Describe(nil); bits != 0 || kind != "" || fingerprint != "" {
		t.Errorf("no key: %d %q %q", bits, kind, fingerprint)
	}
}
