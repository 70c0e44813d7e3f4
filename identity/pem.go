package identity

import (
	"bytes"
	"crypto/dsa" //lint:ignore SA1019 old keys are installed as they are
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
)

const pemBegin = "-----BEGIN "

// isPEM reports whether a text begins with a block of RFC 7468.
func isPEM(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(text, blanks), []byte(pemBegin))
}

// pemKeys reads the public keys of a file in PEM, one or several, with nothing
// but blanks around them. They have no comments.
func pemKeys(text []byte, origin Origin) ([]Identity, error) {
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	var ids []Identity
	for rest := bytes.TrimLeft(text, blanks); len(rest) > 0; rest = bytes.TrimLeft(rest, blanks) {
		origin.Line = 1 + bytes.Count(text[:len(text)-len(rest)], []byte("\n"))
		key, after, err := pemKey(rest)
		if err != nil {
			return nil, &FileError{Path: origin.Path, Line: origin.Line, Err: err}
		}
		ids = append(ids, Identity{Entry: authkeys.NewEntry(key, ""), Origin: origin})
		rest = after
	}
	return ids, nil
}

// pemKey reads the public key at the start of a text. What its first line
// announces is looked at before anything is decoded.
func pemKey(text []byte) (key ssh.PublicKey, rest []byte, err error) {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	label := strings.TrimRight(string(first), blanks)
	switch {
	case !strings.HasPrefix(label, pemBegin):
		return nil, nil, ErrPEMStray
	case strings.Contains(label, privateMark):
		return nil, nil, ErrPrivateKey
	case label != pemBegin+"PUBLIC KEY-----" && label != pemBegin+"RSA PUBLIC KEY-----":
		return nil, nil, &authkeys.ParseError{Reason: authkeys.ForeignFormat}
	}
	block, rest := pem.Decode(text)
	// The decoder goes on to the next block where it cannot read one.
	if block == nil || bytes.Count(text[:len(text)-len(rest)], []byte(pemBegin)) != 1 {
		return nil, nil, ErrPEM
	}
	var public any
	if block.Type == "RSA PUBLIC KEY" {
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	} else {
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	}
	if err != nil {
		return nil, nil, ErrPEM
	}
	if key, err = sshKey(public); err != nil {
		return nil, nil, ErrPEMType
	}
	return key, rest, nil
}

// sshKey is a public key of the crypto packages as SSH has it. What a server
// would not read back is no key to install.
func sshKey(public any) (ssh.PublicKey, error) {
	if key, ok := public.(*dsa.PublicKey); ok {
		return authkeys.ParseKey(ssh.Marshal(struct {
			Type       string
			P, Q, G, Y *big.Int
		}{"ssh-dss", key.P, key.Q, key.G, key.Y}))
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	return authkeys.ParseKey(key.Marshal())
}
