package identity

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"math/big"
	"strings"

	"golang.org/x/crypto/ssh"
)

// kinds are the names that ssh-keygen -l shows for key types (the short names
// of sshkey_type in sshkey.c).
var kinds = map[string]string{
	ssh.KeyAlgoRSA:        "RSA",
	"ssh-dss":             "DSA",
	ssh.KeyAlgoECDSA256:   "ECDSA",
	ssh.KeyAlgoECDSA384:   "ECDSA",
	ssh.KeyAlgoECDSA521:   "ECDSA",
	ssh.KeyAlgoED25519:    "ED25519",
	ssh.KeyAlgoSKECDSA256: "ECDSA-SK",
	ssh.KeyAlgoSKED25519:  "ED25519-SK",
}

// Describe tells what ssh-keygen -l prints of a key: its length in bits, its
// kind (ED25519, RSA, ECDSA-SK, …) and its fingerprint (SHA256:…). Of a
// certificate these are the facts of the key in it, with -CERT behind the
// kind. The length is 0 for a key of a kind not known here, and its kind is
// then its type.
func Describe(key ssh.PublicKey) (bits int, kind, sha256 string) {
	if key == nil {
		return 0, "", ""
	}
	if read, err := ssh.ParsePublicKey(key.Marshal()); err == nil {
		key = read // an agent's key keeps only the bytes
	}
	suffix := ""
	if certificate, ok := key.(*ssh.Certificate); ok {
		key, suffix = certificate.Key, "-CERT"
	}
	kind = kinds[key.Type()]
	if kind == "" {
		kind = strings.ToUpper(strings.TrimPrefix(key.Type(), "ssh-"))
	}
	return keyBits(key), kind + suffix, ssh.FingerprintSHA256(key)
}

func keyBits(key ssh.PublicKey) int {
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519:
		return 256
	case "ssh-dss":
		return dsaBits(key)
	}
	holder, ok := key.(ssh.CryptoPublicKey)
	if !ok {
		return 0
	}
	switch inner := holder.CryptoPublicKey().(type) {
	case *rsa.PublicKey:
		return inner.N.BitLen()
	case *ecdsa.PublicKey:
		return inner.Curve.Params().BitSize
	}
	return 0
}

// dsaBits is the length of the prime of a DSA key (RFC 4253 section 6.6).
func dsaBits(key ssh.PublicKey) int {
	var wire struct {
		Type string
		P    *big.Int
		Rest []byte `ssh:"rest"`
	}
	if err := ssh.Unmarshal(key.Marshal(), &wire); err != nil {
		return 0
	}
	return wire.P.BitLen()
}
