// Package sshkey holds what OpenSSH's sshkey.c says of a public key and
// golang.org/x/crypto/ssh does not: what it is called, how long it is, and
// which other key is the same.
package sshkey

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"math/big"

	"golang.org/x/crypto/ssh"
)

// The types that golang.org/x/crypto/ssh has no name for. OpenSSH 10.6 has the
// second, and 10.4 and 10.5 have it as the third.
const (
	DSA              = "ssh-dss"
	MLDSAEd25519     = "ssh-mldsa44-ed25519"
	MLDSAEd25519Beta = "ssh-mldsa44-ed25519@openssh.com"
)

// names are the short names of the key types (sshkey_type).
var names = map[string]string{
	ssh.KeyAlgoRSA:        "RSA",
	DSA:                   "DSA",
	ssh.KeyAlgoECDSA256:   "ECDSA",
	ssh.KeyAlgoECDSA384:   "ECDSA",
	ssh.KeyAlgoECDSA521:   "ECDSA",
	ssh.KeyAlgoED25519:    "ED25519",
	ssh.KeyAlgoSKECDSA256: "ECDSA-SK",
	ssh.KeyAlgoSKED25519:  "ED25519-SK",
	MLDSAEd25519:          "MLDSA44-ED25519",
	MLDSAEd25519Beta:      "MLDSA44-ED25519",
}

// An ID is a public key that can be compared and be the key of a map: two keys
// are the same where their IDs are equal. A certificate is another key than the
// one in it.
type ID string

// IDOf returns the ID of a key, which is its form on the wire (RFC 4253 section
// 6.6).
func IDOf(key ssh.PublicKey) ID { return ID(key.Marshal()) }

// Equal reports whether two keys are the same; nil is no key.
func Equal(a, b ssh.PublicKey) bool {
	return a != nil && b != nil && bytes.Equal(a.Marshal(), b.Marshal())
}

// Plain returns the key itself, or the key that a certificate certifies.
func Plain(key ssh.PublicKey) ssh.PublicKey {
	if cert, ok := key.(*ssh.Certificate); ok {
		return cert.Key
	}
	return key
}

// TypeName returns what ssh calls a key in its messages, such as "ED25519" or
// "RSA-CERT" (sshkey_type); for a type not known here, the type.
func TypeName(key ssh.PublicKey) string {
	plain, suffix := Plain(key), ""
	if _, ok := key.(*ssh.Certificate); ok {
		suffix = "-CERT"
	}
	if name := names[plain.Type()]; name != "" {
		return name + suffix
	}
	return plain.Type() + suffix
}

// Bits returns the length of a key, or of the one in a certificate, as
// ssh-keygen -l shows it (sshkey_size); 0 for a type not known here.
func Bits(key ssh.PublicKey) int {
	switch key = Plain(key); key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519:
		return 256
	case DSA:
		return dsaBits(key)
	case MLDSAEd25519, MLDSAEd25519Beta:
		return 512 // as ssh-keygen -l of OpenSSH 10.6 has it
	}
	switch key := crypto(key).(type) {
	case *rsa.PublicKey:
		return key.N.BitLen()
	case *ecdsa.PublicKey:
		return key.Curve.Params().BitSize
	}
	return 0
}

// RSABits returns the length of an RSA key, or of one in a certificate; 0 for
// keys of other types.
func RSABits(key ssh.PublicKey) int {
	if key = Plain(key); key.Type() == ssh.KeyAlgoRSA {
		return Bits(key)
	}
	if public, ok := crypto(key).(*rsa.PublicKey); ok {
		return public.N.BitLen() // a certificate of which an agent shows only the bytes
	}
	return 0
}

// crypto returns the key of the standard library inside; nil where there is
// none. The keys that an agent lists keep only their bytes.
func crypto(key ssh.PublicKey) any {
	holder, ok := Plain(key).(ssh.CryptoPublicKey)
	if !ok {
		read, err := ssh.ParsePublicKey(key.Marshal())
		if err != nil {
			return nil
		}
		if holder, ok = Plain(read).(ssh.CryptoPublicKey); !ok {
			return nil
		}
	}
	return holder.CryptoPublicKey()
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
