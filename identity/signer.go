package identity

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/youmark/pkcs8"
	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshkey"
)

// maxPassphrases is how often a passphrase is asked for before the key is given
// up, as load_identity_file of OpenSSH does by default.
const maxPassphrases = 3

// PrivateKey is the private half of an identity in a file: an
// [ssh.MultiAlgorithmSigner], so that RSA keys sign with SHA-2. Several
// goroutines may use it at once.
type PrivateKey struct {
	path      string
	public    ssh.PublicKey
	encrypted bool
	o         PrivateKeyOptions

	mu     sync.Mutex
	signer ssh.AlgorithmSigner // nil until the key is decoded
	failed error               // why it was given up
}

// PrivateKeyOptions are what [OpenPrivateKey] may need of its caller.
type PrivateKeyOptions struct {
	// Passphrase is called when an encrypted key signs for the first time, and not
	// before; after a wrong answer again, three times at most. What it returns is
	// overwritten after use. If nil, encrypted keys do not sign.
	Passphrase func() ([]byte, error)
	// WhenUnlocked is called once, when the private half has been decoded to sign
	// for the first time, with the key as the crypto packages have it: for an
	// agent that is to hold it. nil: nothing.
	WhenUnlocked func(raw any)
}

var _ ssh.MultiAlgorithmSigner = (*PrivateKey)(nil)

// OpenPrivateKey prepares the private key of a file (OpenSSH, PKCS#1, PKCS#8, SEC 1)
// for signing. The private half is decoded when it signs for the first time.
//
// The public half is the one an OpenSSH private key shows in clear; with other
// files it is the first key of path.pub, and where there is no such file the
// key is decoded right away, if that needs no passphrase. This is the order of
// ssh (sshkey_load_public in authfile.c).
//
// Whether a passphrase will be asked for is what [PrivateKey.Encrypted] reports.
//
// Errors: *[FileError], *[ModeError].
func OpenPrivateKey(path string, o PrivateKeyOptions) (*PrivateKey, error) {
	file, err := readPrivateKey(path)
	if err != nil {
		return nil, err
	}
	defer file.wipe()
	if !file.supported {
		return nil, &FileError{Path: path, Err: ErrUnsupported}
	}
	if file.work != nil {
		return nil, &FileError{Path: path, Err: file.work}
	}
	k := &PrivateKey{path: path, o: o, public: file.public, encrypted: file.encrypted}
	if k.public == nil {
		k.public = publicKeyBeside(path)
	}
	if k.public != nil {
		return k, nil
	}
	if k.encrypted {
		return nil, &FileError{Path: path, Err: ErrNoPublicKey}
	}
	signer, _, err := file.decode(nil)
	if err != nil {
		return nil, &FileError{Path: path, Err: err}
	}
	k.public = signer.PublicKey()
	return k, nil
}

// publicKeyBeside is the first key of the public key file that belongs to a
// private one; nil where there is none.
func publicKeyBeside(private string) ssh.PublicKey {
	ids, err := ReadFile(private + ".pub")
	if err != nil {
		return nil
	}
	return ids[0].Entry.Key
}

// PublicKey is the public half; it never asks.
func (k *PrivateKey) PublicKey() ssh.PublicKey { return k.public }

// Encrypted tells whether a passphrase protects the key, also when it has been
// given meanwhile.
func (k *PrivateKey) Encrypted() bool { return k.encrypted }

// Algorithms are the signatures the key can make, the best first (RFC 8332
// section 3 for RSA).
func (k *PrivateKey) Algorithms() []string {
	if k.public.Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	}
	return []string{k.public.Type()}
}

// Sign signs with the algorithm named like the key's type, and asks for the
// passphrase where that is needed.
func (k *PrivateKey) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return k.SignWithAlgorithm(rand, data, "")
}

// SignWithAlgorithm signs with one of the algorithms of the key's type; "" is
// the one named like it. The errors are *[FileError], with [ErrNoPassphrase]
// (also for an empty answer), [ErrWrongPassphrase], [ErrMismatch] or what
// passphrase returned, and those of [OpenPrivateKey], as the file is read again. A key
// that was given up stays so: nobody is asked again.
func (k *PrivateKey) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	signer, err := k.unlock()
	if err != nil {
		return nil, err
	}
	return signer.SignWithAlgorithm(rand, data, algorithm)
}

// Unlock decodes the private half, and asks for the passphrase where that is
// needed, as the first signature would. The errors are those of
// [PrivateKey.SignWithAlgorithm].
func (k *PrivateKey) Unlock() error {
	_, err := k.unlock()
	return err
}

// unlock decodes the key, once. Others who want to sign wait for the answer of
// the first.
func (k *PrivateKey) unlock() (ssh.AlgorithmSigner, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.signer != nil || k.failed != nil {
		return k.signer, k.failed
	}
	var raw any
	file, err := readPrivateKey(k.path)
	if err == nil {
		defer file.wipe()
		k.signer, raw, err = k.open(file)
	}
	var named *FileError
	var mode *ModeError
	if err != nil && !errors.As(err, &named) && !errors.As(err, &mode) {
		err = &FileError{Path: k.path, Err: err}
	}
	k.failed = err
	if err == nil && k.o.WhenUnlocked != nil {
		k.o.WhenUnlocked(raw)
	}
	return k.signer, err
}

// open decodes the key with as many passphrases as it takes.
func (k *PrivateKey) open(file *privateKey) (ssh.AlgorithmSigner, any, error) {
	if !file.encrypted {
		return k.matching(file.decode(nil))
	}
	if file.work != nil { // the file has been changed meanwhile
		return nil, nil, file.work
	}
	if k.o.Passphrase == nil {
		return nil, nil, ErrNoPassphrase
	}
	for range maxPassphrases {
		passphrase, err := k.o.Passphrase()
		if err != nil {
			return nil, nil, err
		}
		if len(passphrase) == 0 {
			return nil, nil, ErrNoPassphrase // ssh goes on to the next key
		}
		signer, raw, err := file.decode(passphrase)
		clear(passphrase)
		if !errors.Is(err, ErrWrongPassphrase) {
			return k.matching(signer, raw, err)
		}
	}
	return nil, nil, ErrWrongPassphrase
}

// matching refuses a key that is not the one it was taken for.
func (k *PrivateKey) matching(signer ssh.AlgorithmSigner, raw any, err error) (ssh.AlgorithmSigner, any, error) {
	if err != nil {
		return nil, nil, err
	}
	if !sshkey.Equal(signer.PublicKey(), k.public) {
		return nil, nil, ErrMismatch
	}
	return signer, raw, nil
}

// decode decodes the private half.
func (k *privateKey) decode(passphrase []byte) (ssh.AlgorithmSigner, any, error) {
	raw, err := k.parse(passphrase)
	if err != nil {
		return nil, nil, err
	}
	signer, err := ssh.NewSignerFromKey(raw)
	if err != nil {
		return nil, nil, ErrUnsupported
	}
	able, ok := signer.(ssh.AlgorithmSigner)
	if !ok {
		return nil, nil, ErrUnsupported
	}
	return able, raw, nil
}

// parse opens the file. An encrypted PEM file has no check on the passphrase
// but that a key comes out, so there every error means a wrong one.
func (k *privateKey) parse(passphrase []byte) (any, error) {
	if k.block.Type == "ENCRYPTED PRIVATE KEY" {
		return parsePKCS8(k.block.Bytes, passphrase)
	}
	text := pem.EncodeToMemory(k.block)
	defer clear(text)
	var raw any
	var err error
	if k.encrypted {
		raw, err = ssh.ParseRawPrivateKeyWithPassphrase(text, passphrase)
	} else {
		raw, err = ssh.ParseRawPrivateKey(text)
	}
	switch {
	case err == nil:
		return raw, nil
	case k.encrypted && (k.public == nil || errors.Is(err, x509.IncorrectPasswordError)):
		return nil, ErrWrongPassphrase
	}
	return nil, ErrDamaged
}

// parsePKCS8 opens an encrypted PKCS #8 key (RFC 5958 section 3, RFC 8018
// section 6.2), of which only the ciphers tell a damaged file from a wrong
// passphrase. The package that reads it hands lengths out of the file to
// crypto/cipher, which panics where they are wrong.
func parsePKCS8(der, passphrase []byte) (raw any, err error) {
	if err := pkcs8Derivation(der); err != nil {
		return nil, err
	}
	defer func() {
		if recover() != nil {
			raw, err = nil, ErrDamaged
		}
	}()
	raw, err = pkcs8.ParsePKCS8PrivateKey(der, passphrase)
	switch {
	case err == nil:
		return raw, nil
	case strings.Contains(err.Error(), "incorrect password"):
		return nil, ErrWrongPassphrase
	case strings.Contains(err.Error(), "support"):
		return nil, ErrUnsupported
	}
	return nil, ErrDamaged
}
