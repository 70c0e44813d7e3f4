// Package identity finds the public keys that are to be installed, and the
// private keys that can log in: files, the newest default file, an agent.
//
// A public key is installed as its author wrote it: options and comment stay.
// Only lines that parse as public keys are identities; a private key where a
// public one should be is refused, and no error ever shows what a file holds.
package identity

import (
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"ssh-copy-id/authkeys"
)

// Source is a kind of place keys come from.
type Source int

// The sources.
const (
	// File is a public key file.
	File Source = iota
	// Agent is an ssh-agent.
	Agent
)

// Origin is where an identity comes from.
type Origin struct {
	Source Source
	// Path is the public key file; "" for an agent.
	Path string
	// Line is the line in Path, counted from 1.
	Line int
	// PrivateKey is the private key file beside Path; "" where there is none.
	PrivateKey string
}

// Identity is a public key to install.
type Identity struct {
	Entry  authkeys.Entry
	Origin Origin
}

// SkipReason says why a key of a source is no identity.
type SkipReason string

// SkipCertificate: an authorized_keys line of a certificate lets nobody in.
const SkipCertificate SkipReason = "certificates are not installed as keys"

// Skipped is a key that was passed over.
type Skipped struct {
	Identity
	Reason SkipReason
}

// FromAgent lists the keys of an agent in its order. Certificates are passed
// over and reported. An agent's comment becomes part of a line on a server, so
// control characters are taken out of it.
func FromAgent(a agent.ExtendedAgent) (ids []Identity, skipped []Skipped, err error) {
	keys, err := a.List()
	if err != nil {
		return nil, nil, err
	}
	for _, k := range keys {
		key, err := ssh.ParsePublicKey(k.Blob)
		if err != nil {
			continue // a type this program cannot install, as `ssh-add -L` could not print it
		}
		id := Identity{Entry: authkeys.NewEntry(key, strings.ToValidUTF8(k.Comment, "?")), Origin: Origin{Source: Agent}}
		if id.Entry.Certificate() {
			skipped = append(skipped, Skipped{id, SkipCertificate})
			continue
		}
		ids = append(ids, id)
	}
	return ids, skipped, nil
}
