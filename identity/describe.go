package identity

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"math/big"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Describe gives what `ssh-keygen -l` prints of a key: its length in bits, its
// kind in capitals (sshkey_type in sshkey.c) and its SHA256 fingerprint.
func Describe(key ssh.PublicKey) (bits int, kind, fingerprint string) {
	suffix := ""
	plain := key
	if cert, ok := key.(*ssh.Certificate); ok {
		plain, suffix = cert.Key, "-CERT"
	}
	return length(plain), kindOf(plain.Type()) + suffix, ssh.FingerprintSHA256(plain)
}

// dsa is the key type that servers no longer take, but files still hold.
const dsa = "ssh-dss"

func kindOf(name string) string {
	switch {
	case name == ssh.KeyAlgoRSA:
		return "RSA"
	case name == dsa:
		return "DSA"
	case name == ssh.KeyAlgoSKED25519:
		return "ED25519-SK"
	case name == ssh.KeyAlgoSKECDSA256:
		return "ECDSA-SK"
	case strings.HasPrefix(name, "ecdsa-sha2-"):
		return "ECDSA"
	case name == ssh.KeyAlgoED25519:
		return "ED25519"
	}
	return strings.ToUpper(name)
}

// length is the size of a key in bits; that of the curve where it has one.
func length(key ssh.PublicKey) int {
	if key.Type() == dsa {
		var wire struct {
			Name string
			P    *big.Int
			Rest []byte `ssh:"rest"`
		}
		if ssh.Unmarshal(key.Marshal(), &wire) == nil {
			return wire.P.BitLen()
		}
	}
	if held, ok := key.(ssh.CryptoPublicKey); ok {
		switch k := held.CryptoPublicKey().(type) {
		case *rsa.PublicKey:
			return k.N.BitLen()
		case *ecdsa.PublicKey:
			return k.Curve.Params().BitSize
		}
	}
	return 256
}
