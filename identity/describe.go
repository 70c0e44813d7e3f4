package identity

import (
	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/internal/sshkey"
)

// Describe returns what ssh-keygen -l prints of a key: its length in bits, its
// kind (ED25519, RSA, ECDSA-SK, …) and its fingerprint (SHA256:…). Of a
// certificate these are the facts of the key in it, with -CERT after the
// kind. The length is 0 for a key of a kind not known here, and its kind is
// then its type.
func Describe(key ssh.PublicKey) (bits int, kind, sha256 string) {
	if key == nil {
		return 0, "", ""
	}
	if read, err := authkeys.ParseKey(key.Marshal()); err == nil {
		key = read // an agent's key keeps only the bytes
	}
	return sshkey.Bits(key), sshkey.TypeName(key), ssh.FingerprintSHA256(sshkey.Plain(key))
}
