package cli

import (
	"bytes"
	"crypto/ed25519"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
)

// testKey is the Ed25519 key number n: the same in every run, so that its
// fingerprint can stand in a test.
func testKey(n byte, comment string, options ...string) identity.Identity {
	key, err := ssh.NewPublicKey(ed25519.PublicKey(bytes.Repeat([]byte{n}, ed25519.PublicKeySize)))
	if err != nil {
		panic(err) // it has the right length
	}
	return identity.Identity{Entry: authkeys.NewEntry(key, comment, options...)}
}
