package sshclient

import (
	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshkey"
)

// An Answer is what is known of the server's view of a key.
type Answer int

// The answers, from no to yes.
const (
	// Refused: the server says that the key may not log in.
	Refused Answer = iota + 1
	// SignatureRefused: the server wanted the key's signature and refused the
	// login all the same.
	SignatureRefused
	// Promised: the server says that the key may log in (SSH_MSG_USERAUTH_PK_OK).
	Promised
	// Proven: the key has logged in, or was a step of the login.
	Proven
)

// Accepted reports whether the answer is a yes.
func (a Answer) Accepted() bool { return a >= Promised }

// String returns what the server does with the key, for debug output.
func (a Answer) String() string {
	switch a {
	case Refused:
		return "refuses"
	case SignatureRefused:
		return "refuses the signature of"
	case Promised:
		return "accepts"
	case Proven:
		return "has accepted the signature of"
	}
	return "was not asked about"
}

// Answers holds the answers about keys. A key that was not asked about is
// absent, and so is one about which there is only a promise of a server that
// promises the same to every key.
type Answers map[sshkey.ID]Answer

// Of returns the answer about a key; 0 where there is none.
func (a Answers) Of(key ssh.PublicKey) Answer { return a[sshkey.IDOf(key)] }

// Accepted reports whether the server accepts the key, as far as it was asked.
func (a Answers) Accepted(key ssh.PublicKey) bool { return a.Of(key).Accepted() }

// keyAnswers is what the server has said of keys, and what its word is worth.
type keyAnswers struct {
	answers Answers
	// decoyAsked: the server was asked about a key that nobody has.
	decoyAsked bool
	// untrusted: the server accepts that key too, or has refused the signature of
	// a key it had promised to accept, or could not be asked. Its promises are
	// dropped.
	untrusted bool
}

// learn takes in an answer about a key. What it has proved stays so: where two
// keys are wanted, one of them does not count twice.
func (k *keyAnswers) learn(key ssh.PublicKey, answer Answer) {
	id := sshkey.IDOf(key)
	known := k.answers[id]
	if known != Proven && (answer == SignatureRefused || answer > known) {
		k.answers[id] = answer
	}
}

// distrust drops what rests on the word of the server alone, and keeps its
// further promises from counting.
func (k *keyAnswers) distrust() {
	k.untrusted = true
	k.forgetPromises()
}

func (k *keyAnswers) forgetPromises() {
	for id, answer := range k.answers {
		if answer == Promised {
			delete(k.answers, id)
		}
	}
}

// promised returns those of the keys that the server only says it accepts.
func (k *keyAnswers) promised(keys []ssh.PublicKey) []ssh.PublicKey {
	var promised []ssh.PublicKey
	for _, key := range keys {
		if k.answers.Of(key) == Promised {
			promised = append(promised, key)
		}
	}
	return promised
}

// allAccepted reports whether there are keys and the server accepts them all,
// not counting but.
func (k *keyAnswers) allAccepted(keys []ssh.PublicKey, but ssh.PublicKey) bool {
	for _, key := range keys {
		if !k.answers.Accepted(key) && !sshkey.Equal(key, but) {
			return false
		}
	}
	return len(keys) > 0
}
