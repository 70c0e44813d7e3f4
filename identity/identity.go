// Package identity finds the public keys that are to be installed, and the
// private keys that can log in.
//
// # Where keys come from
//
//   - [ReadFile]: a public key file, as ssh-keygen writes it and people edit it,
//     or as PuTTYgen, Tectia and OpenSSL do;
//   - [ReadPublicHalf]: the file of a private key, PuTTY's .ppk among them, for
//     a key whose public key file is missing;
//   - [Newest]: which file to read when nobody named one;
//   - [FromAgent]: every key of an ssh-agent.
//
// Each is an [Identity]: the entry to install, as its author wrote it, with
// options and comment, and where it comes from.
//
// # What is refused
//
// Only what is read as a public key becomes an Identity. A private key in the
// place of a public one, text that is no key, and certificates, which let
// nobody in when they stand in an authorized_keys file, are errors that name
// the file and the line; in an agent they are skipped and reported. No error
// ever shows what a file holds.
//
// # Private keys
//
// [OpenPrivateKey] makes a signer of a private key file. It knows its public key from
// the start, decodes the private half when it first signs, and only then asks
// for a passphrase. The key never leaves the process.
package identity

import (
	"strconv"

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

// String is "file" or "agent".
func (s Source) String() string {
	switch s {
	case File:
		return "file"
	case Agent:
		return "agent"
	}
	return "source " + strconv.Itoa(int(s))
}

// Origin is where an identity comes from.
type Origin struct {
	Source Source `json:"source"`
	// Path is the public key file; "" for an agent.
	Path string `json:"path,omitempty"`
	// Line is the line in Path at which the key begins, counted from 1; 0 for an
	// agent and for the public half of a private key.
	Line int `json:"line,omitempty"`
	// Format is the notation of the file. It says nothing of an agent.
	Format Format `json:"format"`
	// UTF16 tells that the file is in UTF-16, which ssh and sshd do not read.
	UTF16 bool `json:"utf16,omitempty"`
	// PrivateKey is the private key file beside Path, or Path where it is one,
	// for [OpenPrivateKey]; "" where there is none, or only PuTTY's. Whether it belongs to
	// this key is not known: Path may hold several keys.
	PrivateKey string `json:"privateKey,omitempty"`
}

// Identity is a public key to install.
type Identity struct {
	Entry  authkeys.Entry `json:"entry"`
	Origin Origin         `json:"origin"`
}

// SkipReason says why a key of a source is no identity.
type SkipReason string

const (
	// SkipCertificate: an authorized_keys line of a certificate lets nobody in.
	SkipCertificate SkipReason = "certificates are not installed as keys"
	// SkipDamaged: what the agent shows is no public key.
	SkipDamaged SkipReason = "the key is damaged"
)

// Skipped is a key that was passed over.
type Skipped struct {
	Identity
	Reason SkipReason
}
