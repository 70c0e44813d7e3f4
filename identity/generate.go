package identity

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
)

// minPassphrase is the least length of a passphrase, in bytes: the one that
// ssh-keygen has for keys in PEM (SSH_ERR_PASSPHRASE_TOO_SHORT in sshkey.c).
const minPassphrase = 5

// ErrShortPassphrase: a passphrase of one to four bytes, which protects nothing.
var ErrShortPassphrase = errors.New("a passphrase must have at least five characters")

// Generate makes an Ed25519 key: its private half as the content of a file in
// OpenSSH's format, protected by the passphrase unless that is empty, and the
// line of its public half, whose comment is also in the private file. The
// caller keeps private from others, and clears it after use.
func Generate(comment string, passphrase []byte) (private []byte, public authkeys.Entry, err error) {
	if n := len(passphrase); n > 0 && n < minPassphrase {
		return nil, authkeys.Entry{}, ErrShortPassphrase
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, authkeys.Entry{}, err
	}
	defer clear(key)
	var block *pem.Block
	if len(passphrase) > 0 {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, comment, passphrase)
	} else {
		block, err = ssh.MarshalPrivateKey(key, comment)
	}
	if err != nil {
		return nil, authkeys.Entry{}, err
	}
	defer clear(block.Bytes)
	half, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return nil, authkeys.Entry{}, err
	}
	return pem.EncodeToMemory(block), authkeys.NewEntry(half, comment), nil
}
