package sshclient

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"math/big"
	"strings"

	"golang.org/x/crypto/ssh"
)

// wordHolds reports whether a server that answers a question about a key with
// SSH_MSG_USERAUTH_PK_OK has looked at authorized_keys first. OpenSSH
// (user_key_allowed in auth2-pubkey.c) and dropbear (svr-authpubkey.c) have;
// others look only when there is a signature.
func wordHolds(version string) bool {
	return strings.HasPrefix(version, "SSH-2.0-OpenSSH_") || strings.HasPrefix(version, "SSH-2.0-dropbear")
}

// promisesNothing reports whether the server says yes to every key, so that only
// a login counts. TinySSH is known to, for the types of keys it knows.
func (a *authenticator) promisesNothing() bool {
	return a.everyKey || a.wire != nil && strings.HasPrefix(a.wire.serverVersion(), "SSH-2.0-tinyssh")
}

// forgetPromises drops what rests on the word of a server alone.
func (a *authenticator) forgetPromises() {
	for blob, answer := range a.answers {
		if answer == Promised {
			delete(a.answers, blob)
		}
	}
}

// decoyQuery asks about a key that nobody has, where otherwise a conclusion
// would rest on the word of a server that is not known to keep it; nil where it
// would not. A refused question counts against us, so a key that is about to
// prove itself by its signature needs none.
func (a *authenticator) decoyQuery() ssh.AuthMethod {
	if a.decoyAsked || a.promisesNothing() || len(a.partial) > 0 || wordHolds(a.wire.serverVersion()) {
		return nil
	}
	promised := a.promised()
	if len(promised) == 0 || len(promised) == 1 && a.signsNow(promised[0]) {
		return nil
	}
	a.decoyAsked = true
	key := decoy(promised[0].Type())
	if key == nil || !a.mayOfferKeys() {
		a.everyKey = true // nothing shows that its word is worth anything
		a.forgetPromises()
		return nil
	}
	a.pending = &attempt{key: key, decoy: true}
	a.wire.allow(keyReplyLimit)
	return ssh.PublicKeys(querySigner{key, a.pending})
}

// promised are the keys of Query that the server only says it accepts.
func (a *authenticator) promised() []ssh.PublicKey {
	var keys []ssh.PublicKey
	for _, key := range a.o.Query {
		if a.answers.Of(key) == Promised {
			keys = append(keys, key)
		}
	}
	return keys
}

// signsNow reports whether the next login is by the signature of key.
func (a *authenticator) signsNow(key ssh.PublicKey) bool {
	if !a.o.Host.PubkeyAuthentication || a.withoutKeys {
		return false
	}
	a.loadKeys()
	for _, k := range a.keysLeft {
		if string(k.Signer.PublicKey().Marshal()) == string(key.Marshal()) && !k.Asks && a.rank(k) > 0 {
			return true
		}
	}
	return false
}

// settleDecoy takes in the answer about the key that nobody has.
func (a *authenticator) settleDecoy(answer Answer) {
	if answer.Accepted() {
		a.everyKey = true
		a.forgetPromises()
		a.o.debug(1, "the server accepts a key that nobody has: only a login or the file counts")
	}
}

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
