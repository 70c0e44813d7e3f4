package identity

import (
	"bytes"
	"errors"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
)

// ReadPublicHalf reads a key file that a person has named by itself. A private
// key gives its public half, and nothing else of it:
//
//   - [FormatPPK], version 2 or 3: the public half stands in clear, with the
//     comment. The MAC of the file is checked where there is no passphrase; under
//     a passphrase nobody here can tell whether the public half is the one that
//     PuTTY wrote.
//   - [FormatOpenSSHPrivate]: the public half stands in clear; so does the
//     comment where there is no passphrase.
//   - [FormatPEMPrivate]: the public half is worked out of the private one. Under
//     a passphrase it is not known: [ErrNoPublicKey]. Of a kind of key that is
//     not known here it is [ErrUnsupported].
//
// Any other file is read as [ReadFile] does. Whether others may read the file is
// not looked at. The error is a *[FileError].
func ReadPublicHalf(path string) ([]Identity, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	text, wide, err := plainText(data)
	if err != nil {
		return nil, &FileError{Path: path, Err: err}
	}
	defer clear(text)
	origin := Origin{Source: File, Path: path, UTF16: wide}
	if isPPK(text) {
		entry, err := ppkKey(text)
		if err != nil {
			return nil, &FileError{Path: path, Err: err}
		}
		origin.Format = FormatPPK
		return []Identity{{Entry: entry, Origin: origin}}, nil
	}
	ids, failed := publicKeys(text, origin)
	if failed == nil {
		return ids, nil
	}
	private, err := inspect(path, text)
	switch {
	case errors.Is(err, ErrNotPrivateKey):
		return nil, failed // of what it is, an error about a line says more
	case err != nil:
		return nil, err
	}
	defer private.wipe()
	id, err := private.identity(origin)
	if err != nil {
		return nil, err
	}
	return []Identity{id}, nil
}

// identity is the public half of a private key file.
func (k *privateKey) identity(origin Origin) (Identity, error) {
	key, comment := k.public, k.comment
	origin.Format = FormatOpenSSHPrivate
	if k.block.Type != "OPENSSH PRIVATE KEY" {
		origin.Format = FormatPEMPrivate
	}
	switch {
	case key != nil:
	case k.work != nil:
		return Identity{}, &FileError{Path: origin.Path, Err: k.work}
	case k.encrypted:
		return Identity{}, &FileError{Path: origin.Path, Err: ErrNoPublicKey}
	case !k.supported:
		return Identity{}, &FileError{Path: origin.Path, Err: ErrUnsupported}
	default:
		signer, _, err := k.decode(nil)
		if err != nil {
			return Identity{}, &FileError{Path: origin.Path, Err: err}
		}
		key = signer.PublicKey()
	}
	if k.supported && !origin.UTF16 { // ssh reads no private key in UTF-16, nor does Signer
		origin.PrivateKey = origin.Path
	}
	return Identity{Entry: authkeys.NewEntry(key, comment), Origin: origin}, nil
}

// PublicHalf is the public key that goes with an IdentityFile, for an agent
// that holds the private one: what the private key file shows in clear, the
// file itself where that is a public key, or the .pub file beside it
// (sshkey_load_public in authfile.c). nil where there is none. Comment is the
// one beside the public key.
func PublicHalf(path string) (key ssh.PublicKey, comment string) {
	if data, err := readBounded(path); err == nil {
		defer clear(data)
		if private, err := inspect(path, data); err == nil {
			key = private.public
			private.wipe()
		}
	}
	for _, file := range []string{path, path + ".pub"} {
		ids, err := ReadFile(file)
		if err != nil {
			continue
		}
		entry := ids[0].Entry
		if key == nil {
			key = entry.Key
		}
		if bytes.Equal(key.Marshal(), entry.Key.Marshal()) {
			return key, entry.Comment
		}
	}
	return key, ""
}
