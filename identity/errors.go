package identity

import (
	"errors"
	"fmt"
	"io/fs"
)

// FileError tells what is wrong with a key file, and never what it holds.
type FileError struct {
	Path string
	// Line is the line it is about, counted from 1; 0 for the whole file.
	Line int
	Err  error
}

// Error is "PATH: what", or "PATH: line N: what".
func (e *FileError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s: line %d: %v", e.Path, e.Line, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.Path, e.Err)
}

// Unwrap gives the cause: an *authkeys.ParseError, a file system error, one of
// the errors of this package, or what a passphrase callback returned.
func (e *FileError) Unwrap() error { return e.Err }

// What can be wrong with a public key file.
var (
	ErrNoKeys    = errors.New("no public key in this file")
	ErrDirectory = errors.New("is a directory, not a key file")
	// ErrUTF16 is a file in UTF-16 with half a character in it.
	ErrUTF16       = errors.New("is written in UTF-16 and damaged; save it as UTF-8")
	ErrTooLarge    = errors.New("too large for a key file")
	ErrPrivateKey  = errors.New("is a private key, not a public one; it was not sent anywhere")
	ErrCertificate = errors.New("is a certificate; install the key it was made for")
	// ErrCarriageReturn is a carriage return in the midst of a line: perhaps
	// two lines, of which a server would see one.
	ErrCarriageReturn = errors.New("a carriage return in the midst of the line")
	// ErrPEM is a public key in PEM that cannot be decoded.
	ErrPEM = errors.New("a damaged public key in PEM")
	// ErrPEMStray is text behind a public key in PEM that is no other one.
	ErrPEMStray = errors.New("text outside of a key")
	// ErrPEMType is a key that SSH has no type for, such as one for X25519.
	ErrPEMType = errors.New("a public key of a type that SSH does not know")
	// ErrNoDefault: no ~/.ssh/id*.pub.
	ErrNoDefault = errors.New("no default identity")
)

// What can be wrong with a private key of PuTTY's of which the public half is
// wanted.
var (
	// ErrPPK: the file is not made as such a file is.
	ErrPPK = errors.New("a damaged PuTTY private key")
	// ErrPPKMAC: the file is well made, and not what PuTTY wrote.
	ErrPPKMAC = errors.New("a damaged PuTTY private key: its MAC is wrong")
	// ErrPPKVersion: neither version 2 nor version 3.
	ErrPPKVersion = errors.New("a PuTTY private key of a version that is not read here; save it again with PuTTYgen")
)

// What keeps a private key from signing.
var (
	// ErrNotPrivateKey: there is no private key in the file.
	ErrNotPrivateKey = errors.New("not a private key")
	// ErrDamaged: the private key cannot be decoded.
	ErrDamaged = errors.New("a damaged private key")
	// ErrUnsupported: the key is on a security key, in PuTTY's format or under
	// a cipher that is not known here.
	ErrUnsupported = errors.New("a private key that can only be used through an agent")
	// ErrNoPublicKey: an encrypted file that does not show its public half,
	// without a .pub file beside it.
	ErrNoPublicKey = errors.New("its public key is not known without the passphrase")
	// ErrMismatch: the .pub file beside it is of another key.
	ErrMismatch = errors.New("the private key does not match its .pub file")
	// ErrNoPassphrase: the key needs a passphrase and nobody gave one.
	ErrNoPassphrase = errors.New("no passphrase given")
	// ErrWrongPassphrase: none of the passphrases opened the key.
	ErrWrongPassphrase = errors.New("incorrect passphrase")
)

// ModeError tells that others may read a private key, which ssh takes for a
// reason not to use it (sshkey_perm_ok in authfile.c).
type ModeError struct {
	Path string
	Mode fs.FileMode
}

// Error names the file and its permissions.
func (e *ModeError) Error() string {
	return fmt.Sprintf("bad permissions: %04o for '%s' are too open", e.Mode.Perm(), e.Path)
}
