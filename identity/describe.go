package identity

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"math/big"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
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
	mldsaEd25519:          "MLDSA44-ED25519",
	mldsaEd25519Draft:     "MLDSA44-ED25519",
}

// The key type that OpenSSH 10.6 has as mldsaEd25519, and 10.4 and 10.5 as
// mldsaEd25519Draft.
const (
	mldsaEd25519      = "ssh-mldsa44-ed25519"
	mldsaEd25519Draft = "ssh-mldsa44-ed25519@openssh.com"
)

// Describe tells what ssh-keygen -l prints of a key: its length in bits, its
// kind (ED25519, RSA, ECDSA-SK, …) and its fingerprint (SHA256:…). Of a
// certificate these are the facts of the key in it, with -CERT behind the
// kind. The length is 0 for a key of a kind not known here, and its kind is
// then its type.
func Describe(key ssh.PublicKey) (bits int, kind, sha256 string) {
	if key == nil {
		return 0, "", ""
	}
	if read, err := authkeys.ParseKey(key.Marshal()); err == nil {
		key = read // an agent's key keeps only the bytes
	}
	suffix := ""
	if certificate, ok := key.(*ssh.Certificate); ok {
		key, suffix = certificate.Key, "-CERT"
	}
	kind = kinds[key.Type()]
	if kind == "" {
		kind = key.Type()
	}
	return keyBits(key), kind + suffix, ssh.FingerprintSHA256(key)
}

func keyBits(key ssh.PublicKey) int {
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519:
		return 256
	case "ssh-dss":
		return dsaBits(key)
	case mldsaEd25519, mldsaEd25519Draft:
		return 512 // as ssh-keygen -l of OpenSSH 10.6 has it
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
