package identity

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"

	"golang.org/x/crypto/ssh"
)

// maxPassphrases is how often a passphrase is asked for before the key is given
// up, as load_identity_file of OpenSSH does by default.
const maxPassphrases = 3

// ModeError tells that others may read a private key, which ssh takes for a
// reason not to use it (sshkey_perm_ok in authfile.c).
type ModeError struct {
	Path string
	Mode fs.FileMode
}

func (e *ModeError) Error() string {
	return fmt.Sprintf("permissions %04o for '%s' are too open", e.Mode.Perm(), e.Path)
}

// What keeps a private key from signing.
var (
	// ErrNoPassphrase: the key needs a passphrase and nobody gave one.
	ErrNoPassphrase = errors.New("no passphrase given")
	// ErrWrongPassphrase: none of the passphrases opened the key.
	ErrWrongPassphrase = errors.New("incorrect passphrase")
)

// PrivateKey is the private half of an identity in a file. It is read when it
// first signs, and asks for its passphrase then.
type PrivateKey struct {
	path       string
	public     ssh.PublicKey
	encrypted  bool
	passphrase func() ([]byte, error)

	mu     sync.Mutex
	signer ssh.AlgorithmSigner
	failed error
}

// Signer prepares the private key of a file (OpenSSH, PKCS#1, PKCS#8, SEC 1)
// for signing. Its public half is taken from path.pub, or from the file itself
// where that shows it without a passphrase. passphrase is called, at most three
// times, when an encrypted key signs for the first time; nil: nobody can be
// asked.
//
// Errors: *FileError, *ModeError.
func Signer(path string, passphrase func() ([]byte, error)) (*PrivateKey, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	if err := private(path); err != nil {
		return nil, err
	}
	k := &PrivateKey{path: path, passphrase: passphrase}
	parsed, err := ssh.ParseRawPrivateKey(data)
	var missing *ssh.PassphraseMissingError
	switch {
	case err == nil:
		if err := k.use(parsed); err != nil {
			return nil, &FileError{Path: path, Err: err}
		}
		k.public = k.signer.PublicKey()
		return k, nil
	case !errors.As(err, &missing):
		return nil, &FileError{Path: path, Err: errors.New("not a private key this program can read")}
	}
	k.encrypted, k.public = true, missing.PublicKey
	if ids, err := ReadFile(PubPath(path)); err == nil && k.public == nil {
		k.public = ids[0].Entry.Key
	}
	if k.public == nil {
		return nil, &FileError{Path: path, Err: errors.New("its public key is not known without the passphrase")}
	}
	return k, nil
}

// private refuses a key that others may read, as ssh does. Windows keeps that
// in access control lists, which a mode does not show.
func private(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return &FileError{Path: path, Err: bare(err)}
	}
	if runtime.GOOS != "windows" && ownedByUs(info) && info.Mode().Perm()&0o077 != 0 {
		return &ModeError{Path: path, Mode: info.Mode()}
	}
	return nil
}

// use makes a parsed key the signer.
func (k *PrivateKey) use(parsed any) error {
	signer, err := ssh.NewSignerFromKey(parsed)
	if err != nil {
		return err
	}
	as, ok := signer.(ssh.AlgorithmSigner)
	if !ok {
		return errors.New("a key type that cannot sign")
	}
	k.signer = as
	return nil
}

// PublicKey is the public half; it never asks.
func (k *PrivateKey) PublicKey() ssh.PublicKey { return k.public }

// Encrypted tells whether signing needs a passphrase.
func (k *PrivateKey) Encrypted() bool { return k.encrypted }

// Sign signs, and asks for the passphrase where that is needed.
func (k *PrivateKey) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return k.SignWithAlgorithm(rand, data, "")
}

// SignWithAlgorithm signs with one of the algorithms of the key's type.
// Errors: ErrNoPassphrase, ErrWrongPassphrase, or what passphrase returned.
func (k *PrivateKey) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.unlock(); err != nil {
		return nil, err
	}
	return k.signer.SignWithAlgorithm(rand, data, algorithm)
}

// unlock opens an encrypted key, once; a key that was given up stays so.
func (k *PrivateKey) unlock() error {
	if k.signer != nil || k.failed != nil {
		return k.failed
	}
	k.failed = k.ask()
	return k.failed
}

func (k *PrivateKey) ask() error {
	if k.passphrase == nil {
		return ErrNoPassphrase
	}
	data, err := readBounded(k.path)
	if err != nil {
		return err
	}
	for range maxPassphrases {
		passphrase, err := k.passphrase()
		if err != nil {
			return err
		}
		if len(passphrase) == 0 {
			return ErrNoPassphrase // ssh goes on to the next key
		}
		parsed, err := ssh.ParseRawPrivateKeyWithPassphrase(data, passphrase)
		clear(passphrase)
		if err != nil {
			continue
		}
		if err := k.use(parsed); err != nil {
			return err
		}
		if !bytes.Equal(k.signer.PublicKey().Marshal(), k.public.Marshal()) {
			k.signer = nil
			return errors.New("the private key does not match its .pub file")
		}
		return nil
	}
	return ErrWrongPassphrase
}
