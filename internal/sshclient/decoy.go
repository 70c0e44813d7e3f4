package sshclient

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"math/big"

	"golang.org/x/crypto/ssh"
)

// decoy makes a public key of a type that nobody has the private half of: a
// server may answer by the type. Types it cannot make are answered with
// ed25519.
func decoy(keyType string) ssh.PublicKey {
	var public any
	switch keyType {
	case ssh.KeyAlgoRSA:
		return decoyRSA()
	case ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		curve := map[string]elliptic.Curve{
			ssh.KeyAlgoECDSA256: elliptic.P256(), ssh.KeyAlgoECDSA384: elliptic.P384(), ssh.KeyAlgoECDSA521: elliptic.P521(),
		}[keyType]
		private, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			return nil
		}
		public = &private.PublicKey
	default:
		key, _, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil
		}
		public = key
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil
	}
	return key
}

// decoyRSA makes an RSA key with a random modulus of 3072 bits, which nobody
// can have factors of.
func decoyRSA() ssh.PublicKey {
	modulus := make([]byte, 384)
	rand.Read(modulus) // never fails
	modulus[0] |= 0x80
	modulus[len(modulus)-1] |= 1
	key, err := ssh.ParsePublicKey(ssh.Marshal(struct {
		Type string
		E, N *big.Int
	}{ssh.KeyAlgoRSA, big.NewInt(65537), new(big.Int).SetBytes(modulus)}))
	if err != nil {
		return nil
	}
	return key
}
