package sshclient

import (
	"slices"

	"golang.org/x/crypto/ssh"
)

// mayOfferKeys tells whether another key may be put before this server.
func (a *authenticator) mayOfferKeys() bool {
	return a.o.Host.PubkeyAuthentication && !a.withoutKeys &&
		slices.Contains(a.allowed, "publickey") && a.refused < a.keyLimit()
}

// nextQuery asks about the next key of Options.Query; nil when that is over.
// A key that can sign unasked and is the last one to be asked about is offered
// for a login right away, which saves the query that login would repeat.
func (a *authenticator) nextQuery() ssh.AuthMethod {
	if len(a.queriesLeft) == 0 || a.promisesNothing() || !a.mayOfferKeys() || len(a.partial) > 0 {
		return nil
	}
	key := a.queriesLeft[0]
	a.queriesLeft = a.queriesLeft[1:]
	a.pending = &attempt{key: key}
	a.wire.allow(keyReplyLimit)
	if len(a.queriesLeft) == 0 {
		if signer := a.silentSigner(key); signer != nil {
			a.method = "publickey"
			return ssh.PublicKeys(a.recording(signer))
		}
	}
	return ssh.PublicKeys(querySigner{key, a.pending})
}

// silentSigner finds a way to sign with the last key of Query that asks nobody;
// nil where there is none, or where a login with it would be of no use.
func (a *authenticator) silentSigner(key ssh.PublicKey) ssh.Signer {
	a.loadKeys()
	blob := string(key.Marshal())
	for _, k := range a.keysLeft {
		if k.Asks || k.Agent || string(k.Signer.PublicKey().Marshal()) != blob {
			continue
		}
		if k.ProofOnly && !a.othersAccepted(key) {
			return nil
		}
		return k.Signer
	}
	return nil
}

// othersAccepted reports whether the server accepts every key of Query but one.
func (a *authenticator) othersAccepted(but ssh.PublicKey) bool {
	for _, key := range a.o.Query {
		if !a.answers.Accepted(key) && string(key.Marshal()) != string(but.Marshal()) {
			return false
		}
	}
	return true
}
