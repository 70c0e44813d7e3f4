package identity

import (
	"bytes"
	"encoding/pem"
	"errors"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/internal/sshkey"
)

// A privateKey is a private key file as it can be seen without decoding the
// private half.
type privateKey struct {
	block     *pem.Block
	public    ssh.PublicKey // nil where the file does not tell it in clear
	comment   string        // "" where the file does not tell it in clear
	encrypted bool
	supported bool  // it can be decoded and can sign
	work      error // why the passphrase would take too much work; nil mostly
}

// openSSHHeader is the part of an OpenSSH private key that is never encrypted
// (PROTOCOL.key in OpenSSH's sources).
type openSSHHeader struct {
	Cipher, KDF, KDFOptions string
	Keys                    uint32
	Public                  []byte
	Private                 []byte
	Rest                    []byte `ssh:"rest"`
}

const openSSHMagic = "openssh-key-v1\x00"

var (
	// What golang.org/x/crypto/ssh can decode.
	openSSHCiphers = []string{"none", "aes256-ctr", "aes256-cbc"}
	openSSHTypes   = []string{
		ssh.KeyAlgoRSA, ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
	}
	pemCiphers = []string{"DES-CBC", "DES-EDE3-CBC", "AES-128-CBC", "AES-192-CBC", "AES-256-CBC"}
	pemTypes   = []string{"RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY"}
)

// Encrypted tells whether a private key file is protected by a passphrase. It
// asks nobody and decodes nothing. The error is a *[FileError],
// with [ErrNotPrivateKey], [ErrDamaged], or [ErrUnsupported] for a format that
// is not understood.
func Encrypted(path string) (bool, error) {
	data, err := readBounded(path)
	if err != nil {
		return false, err
	}
	defer clear(data)
	key, err := inspect(path, data)
	if err != nil {
		return false, err
	}
	key.wipe()
	return key.encrypted, nil
}

// readPrivateKey reads a private key file, and refuses one of ours that others
// may read, as ssh does. Windows keeps that in access control lists, which a
// mode does not show.
func readPrivateKey(path string) (*privateKey, error) {
	data, info, err := readWithInfo(path)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	key, err := inspect(path, data)
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && ownedByUs(info) && info.Mode().Perm()&0o077 != 0 {
		key.wipe()
		return nil, &ModeError{Path: path, Mode: info.Mode()}
	}
	return key, nil
}

// inspect finds the private key in a file and reads what is in clear. In PEM
// files made by OpenSSL the key's parameters may stand before it.
func inspect(path string, data []byte) (*privateKey, error) {
	if isPPK(data) {
		return nil, &FileError{Path: path, Err: ErrUnsupported}
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		key := &privateKey{block: block}
		switch block.Type {
		case "OPENSSH PRIVATE KEY":
			if err := key.readHeader(); err != nil {
				return nil, &FileError{Path: path, Err: ErrDamaged}
			}
		case "ENCRYPTED PRIVATE KEY": // PKCS #8
			key.encrypted, key.supported, key.work = true, true, pkcs8Derivation(block.Bytes)
		default: // RFC 1421 section 4.6
			key.encrypted = strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED")
			cipher, _, _ := strings.Cut(block.Headers["DEK-Info"], ",")
			key.supported = slices.Contains(pemTypes, block.Type) &&
				(!key.encrypted || slices.Contains(pemCiphers, cipher))
		}
		return key, nil
	}
	if bytes.Contains(data, []byte(privateMark)) {
		return nil, &FileError{Path: path, Err: ErrDamaged}
	}
	return nil, &FileError{Path: path, Err: ErrNotPrivateKey}
}

func (k *privateKey) readHeader() error {
	inside, ok := bytes.CutPrefix(k.block.Bytes, []byte(openSSHMagic))
	if !ok {
		return errors.New("no OpenSSH key")
	}
	var header openSSHHeader
	if err := ssh.Unmarshal(inside, &header); err != nil {
		return err
	}
	// A key may keep the bytes it is read from, and these are wiped.
	public, err := authkeys.ParseKey(bytes.Clone(header.Public))
	if err != nil {
		return err
	}
	k.public = public
	k.encrypted = header.Cipher != "none" || header.KDF != "none"
	k.work = bcryptDerivation(header)
	k.supported = header.Keys == 1 && slices.Contains(openSSHTypes, public.Type()) &&
		slices.Contains(openSSHCiphers, header.Cipher)
	if !k.encrypted && header.Keys == 1 {
		k.comment = privateComment(header.Private)
	}
	return nil
}

// privateFields are what stands between the type of a private key and its
// comment (sshkey_private_serialize_opt in sshkey.c): s for a string, b for a
// byte, the flags of a security key.
var privateFields = map[string]string{
	ssh.KeyAlgoRSA: "ssssss", "ssh-dss": "sssss", ssh.KeyAlgoED25519: "ss",
	ssh.KeyAlgoECDSA256: "sss", ssh.KeyAlgoECDSA384: "sss", ssh.KeyAlgoECDSA521: "sss",
	ssh.KeyAlgoSKED25519: "ssbss", ssh.KeyAlgoSKECDSA256: "sssbss",
	sshkey.MLDSAEd25519: "ss", sshkey.MLDSAEd25519Beta: "ss",
}

// privateComment is the comment of a private key that no passphrase protects;
// "" where it is not found.
func privateComment(private []byte) string {
	var head struct {
		Check, Again uint32
		Type         string
		Rest         []byte `ssh:"rest"`
	}
	if err := ssh.Unmarshal(private, &head); err != nil {
		return ""
	}
	fields, known := privateFields[head.Type]
	if !known {
		return ""
	}
	field := struct {
		Value []byte
		Rest  []byte `ssh:"rest"`
	}{Rest: head.Rest}
	for _, kind := range fields + "s" { // and the comment
		if kind == 'b' {
			if len(field.Rest) == 0 {
				return ""
			}
			field.Rest = field.Rest[1:]
			continue
		}
		if err := ssh.Unmarshal(field.Rest, &field); err != nil {
			return ""
		}
	}
	return string(field.Value)
}

// wipe forgets the private half.
func (k *privateKey) wipe() { clear(k.block.Bytes) }
