package device

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// Key types that devices take.
var (
	onlyRSA  = []string{ssh.KeyAlgoRSA}
	rsaECDSA = []string{ssh.KeyAlgoRSA, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521}
	common   = []string{
		ssh.KeyAlgoRSA, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoED25519,
	}
	// one of each kind that OpenSSH makes host keys of, where no more is
	// documented
	hostLike = []string{ssh.KeyAlgoRSA, ssh.KeyAlgoECDSA256, ssh.KeyAlgoED25519}
	// what sshd reads in an authorized_keys file, without security keys: the
	// sshd of an appliance is often older than they are
	fileTypes = common
)

// lineWidth is how long a piece of a folded key may be. IOS takes lines below
// 254 characters; at this width a pasted line does not wrap either.
const lineWidth = 72

// identifier is a name for a key in a list of named keys. It depends on the
// key alone: the same key gets the same name again, and another key that is
// there already keeps its own.
func (k key) identifier() string {
	blob, err := base64.StdEncoding.DecodeString(k.blob)
	if err != nil {
		panic("device: a key that is not base64") // it was encoded by take
	}
	return fmt.Sprintf("key-%x", sha256.Sum256(blob))[:len("key-")+16]
}

// wrap puts a line for each key between others.
func wrap(first []string, keys []key, line func(key) string, last ...string) []string {
	lines := first
	for _, k := range keys {
		lines = append(lines, line(k))
	}
	return append(lines, last...)
}
