package identity

import (
	"bytes"
	"errors"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/internal/sshkey"
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
	return readKeys(text, Origin{Source: File, Path: path, UTF16: wide}, true)
}

// privateMark is in the first and the last line of a private key in PEM.
const privateMark = "PRIVATE KEY-----"

// privateLabel returns the line that announces a private key, up to the end of
// the mark; nil if there is none. The comment and the options of a public key may
// hold the mark.
func privateLabel(text []byte) []byte {
	for {
		i := bytes.Index(text, []byte(privateMark))
		if i < 0 {
			return nil
		}
		end := i + len(privateMark)
		start, stop := bytes.LastIndexAny(text[:end], "\r\n")+1, len(text)
		if n := bytes.IndexAny(text[end:], "\r\n"); n >= 0 {
			stop = end + n
		}
		var failed *authkeys.ParseError
		if _, err := authkeys.ParseEntry(string(text[start:stop])); errors.As(err, &failed) && failed.Reason != authkeys.NoEntry {
			return text[start:end]
		}
		if i = bytes.IndexAny(text[end:], "\r\n"); i < 0 {
			return nil
		}
		text = text[end+i:]
	}
}

// isOpenSSHPrivate reports whether a text holds a private key as in PROTOCOL.key.
func isOpenSSHPrivate(text []byte) bool {
	return bytes.Contains(privateLabel(text), []byte("OPENSSH "+privateMark))
}

// isPEMPrivate reports whether a text holds a private key, or the rest of one.
func isPEMPrivate(text []byte) bool { return privateLabel(text) != nil }

// publicHalves reads the public half of a private key in PEM.
func publicHalves(text []byte, origin Origin) ([]Identity, error) {
	private, err := inspect(origin.Path, text)
	if err != nil {
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
		if sshkey.Equal(key, entry.Key) {
			return key, entry.Comment
		}
	}
	return key, ""
}
