package sshclient

import (
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/serverid"
	"ssh-copy-id/internal/sshkey"
)

// keyRequest is the publickey request under way.
type keyRequest struct {
	key   ssh.PublicKey
	decoy bool // a key that nobody has
	agent bool // an agent signs
	asks  bool // signing asks for a passphrase
	// promised: the server said yes to the key, and wants a signature. signed: it
	// was sent one.
	promised, signed bool
}

// answer is what the server said of the key of a request that did not end the
// login.
func (r *keyRequest) answer(progressed bool) Answer {
	switch {
	case !r.promised:
		return Refused
	case progressed:
		return Proven
	case r.signed:
		return SignatureRefused
	}
	return Promised
}

// begin makes r the request under way.
func (c *connection) begin(r *keyRequest) {
	c.key = r
	c.wire.extend(keyReplyLimit)
}

// nextQuery asks about the next key of Options.Query; nil when that is over.
// A key that can sign unasked and is the last one to be asked about is offered
// for a login right away, which saves the query that login would repeat.
func (c *connection) nextQuery() ssh.AuthMethod {
	if len(c.keys.queries) == 0 || c.acceptsEveryQuery() || !c.mayOfferKeys() || len(c.partial) > 0 {
		return nil
	}
	key := c.keys.nextQuery()
	c.begin(&keyRequest{key: key})
	if len(c.keys.queries) == 0 {
		if signer := c.silentSigner(key); signer != nil {
			c.method = "publickey"
			return ssh.PublicKeys(c.recording(signer))
		}
	}
	return ssh.PublicKeys(querySigner{key, c.key})
}

// silentSigner finds a way to sign with the last key of Query that asks nobody;
// nil where there is none, or where a login with it would be of no use.
func (c *connection) silentSigner(key ssh.PublicKey) ssh.Signer {
	for _, k := range c.loginKeys() {
		if k.Asks || k.Agent || !sshkey.Equal(k.Signer.PublicKey(), key) {
			continue
		}
		if k.ProofOnly && !c.allAccepted(c.o.Query, key) {
			return nil
		}
		return k.Signer
	}
	return nil
}

// decoyQuery asks about a key that nobody has, where otherwise a conclusion
// would rest on the word of a server that is not known to keep it; nil where it
// would not. A refused question counts against us, so a key that is about to
// prove itself by its signature needs none.
func (c *connection) decoyQuery() ssh.AuthMethod {
	if c.decoyAsked || c.acceptsEveryQuery() || len(c.partial) > 0 || serverid.Parse(c.wire.serverVersion()).WordHolds {
		return nil
	}
	promised := c.promised(c.o.Query)
	if len(promised) == 0 || len(promised) == 1 && c.signsNow(promised[0]) {
		return nil
	}
	c.decoyAsked = true
	key := decoy(promised[0].Type())
	if key == nil || !c.mayOfferKeys() {
		c.distrust() // nothing shows that its word is worth anything
		return nil
	}
	c.begin(&keyRequest{key: key, decoy: true})
	return ssh.PublicKeys(querySigner{key, c.key})
}

// acceptsEveryQuery reports whether the server says yes to every key, so that
// only a login counts.
func (c *connection) acceptsEveryQuery() bool {
	return c.untrusted || serverid.Parse(c.wire.serverVersion()).AcceptsEveryQuery
}

// signsNow reports whether the next login is by the signature of key.
func (c *connection) signsNow(key ssh.PublicKey) bool {
	if !c.o.Host.PubkeyAuthentication || c.withoutKeys {
		return false
	}
	for _, k := range c.loginKeys() {
		if sshkey.Equal(k.Signer.PublicKey(), key) && !k.Asks && c.rank(k) > 0 {
			return true
		}
	}
	return false
}

// nextKey offers the next key that may log in, by rank. A passphrase is asked
// for only when the server wants that key's signature.
func (c *connection) nextKey() ssh.AuthMethod {
	if !c.o.Host.PubkeyAuthentication || c.withoutKeys {
		return nil
	}
	best, bestRank := -1, 0
	for i, k := range c.loginKeys() {
		if rank := c.rank(k); rank > bestRank {
			best, bestRank = i, rank
		}
	}
	if best < 0 {
		return nil
	}
	k := c.keys.take(best)
	c.begin(&keyRequest{key: k.Signer.PublicKey(), agent: k.Agent, asks: k.Asks})
	c.o.debug(1, "offering public key %s %s", k.Origin, ssh.FingerprintSHA256(k.Signer.PublicKey()))
	return ssh.PublicKeys(c.recording(k.Signer))
}

// rank orders the keys that may log in; 0 is a key that must not be offered.
// What the server has accepted goes first, and among equals what asks nobody,
// an agent, a security key in an agent, a passphrase.
func (c *connection) rank(k Key) int {
	key := k.Signer.PublicKey()
	answer := c.answers.Of(key)
	settled := c.settled()
	touched := k.Agent && strings.HasPrefix(key.Type(), "sk-")
	switch {
	case answer != 0 && !answer.Accepted(), k.Asks && (c.o.NeverAsk || settled):
		return 0
	case answer == 0 && (c.refused >= c.keyLimit() || settled):
		return 0
	case k.Agent && c.agentBarred(), touched && settled, k.ProofOnly && !settled:
		return 0
	}
	rank := 1
	switch {
	case k.Asks:
	case touched:
		rank = 2
	case k.Agent:
		rank = 3
	default:
		rank = 4
	}
	if answer.Accepted() && !k.Asks {
		rank += 4
	} else if answer.Accepted() {
		rank = 2
	}
	return rank
}
