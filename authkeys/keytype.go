package authkeys

import (
	"encoding/binary"
	"errors"
	"math/big"
	"regexp"

	"golang.org/x/crypto/ssh"
)

// dss is the type of DSA keys (RFC 4253 section 6.6), which
// golang.org/x/crypto/ssh no longer reads.
const dss = "ssh-dss"

// keyTypes are the words that may stand for the key type, each with the type
// inside the keys it goes with. sshd compares kinds of keys, not names
// (peek_type_nid in sshkey.c), so a signature algorithm may stand there too.
// A key of any other type is written with the name inside it.
var keyTypes = func() map[string]string {
	types := map[string]string{
		ssh.KeyAlgoRSASHA256:     ssh.KeyAlgoRSA,
		ssh.KeyAlgoRSASHA512:     ssh.KeyAlgoRSA,
		ssh.CertAlgoRSASHA256v01: ssh.CertAlgoRSAv01,
		ssh.CertAlgoRSASHA512v01: ssh.CertAlgoRSAv01,

		"webauthn-sk-ecdsa-sha2-nistp256@openssh.com": ssh.KeyAlgoSKECDSA256,
	}
	for name := range understood {
		types[name] = name
	}
	types[dss] = dss
	return types
}()

// understood are the types of keys that golang.org/x/crypto/ssh can read. It has
// ML-DSA only where the Go release has it.
var understood = func() map[string]bool {
	types := map[string]bool{}
	for _, name := range []string{
		ssh.KeyAlgoRSA, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,

		ssh.CertAlgoRSAv01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
		ssh.CertAlgoED25519v01, ssh.CertAlgoSKED25519v01, ssh.CertAlgoSKECDSA256v01,
	} {
		types[name] = true
	}
	mldsa := map[string]string{
		ssh.KeyAlgoMLDSA44: ssh.CertAlgoMLDSA44v01Go,
		ssh.KeyAlgoMLDSA65: ssh.CertAlgoMLDSA65v01Go,
		ssh.KeyAlgoMLDSA87: ssh.CertAlgoMLDSA87v01Go,
	}
	for _, name := range ssh.SupportedAlgorithms().PublicKeyAuths {
		if certificate, ok := mldsa[name]; ok {
			types[name], types[certificate] = true, true
		}
	}
	return types
}()

// ErrOpaque is what an opaque key says when it is to verify a signature.
var ErrOpaque = errors.New("keys of this type are not understood here")

// opaqueKey is a key of which only the type and the bytes are known.
type opaqueKey struct{ keyType, blob string }

func (k opaqueKey) Type() string    { return k.keyType }
func (k opaqueKey) Marshal() []byte { return []byte(k.blob) }

func (k opaqueKey) Verify([]byte, *ssh.Signature) error { return ErrOpaque }

// Opaque reports whether of a key only the type and the bytes are known: it can
// be installed, compared, listed, and a server can be asked about it, but it
// neither verifies nor signs here, and its strength is not judged.
func Opaque(key ssh.PublicKey) bool {
	_, ok := key.(opaqueKey)
	return ok
}

// ParseKey reads a key in the format in which SSH sends it (RFC 4253 section
// 6.6): its type, then whatever the type defines. A key of a type that is not
// understood here is [Opaque]. The error is a *[ParseError] with the reason
// [Malformed].
func ParseKey(blob []byte) (ssh.PublicKey, error) {
	name := innerType(blob)
	if !typeName(name) {
		return nil, &ParseError{Reason: Malformed}
	}
	if understood[name] {
		key, err := ssh.ParsePublicKey(blob)
		if err != nil {
			return nil, &ParseError{Reason: Malformed, Type: name}
		}
		return key, nil
	}
	if len(blob) == 4+len(name) || name == dss && !wellFormedDSA(blob) {
		return nil, &ParseError{Reason: Malformed, Type: name}
	}
	return opaqueKey{name, string(blob)}, nil
}

// wellFormedDSA reports whether a key of the type ssh-dss has the four numbers
// of a DSA key, within the lengths that OpenSSH took (ssh-dss.c).
func wellFormedDSA(blob []byte) bool {
	var key struct {
		Type       string
		P, Q, G, Y *big.Int
	}
	if err := ssh.Unmarshal(blob, &key); err != nil {
		return false
	}
	inGroup := func(n *big.Int) bool { return n.Sign() > 0 && n.Cmp(key.P) < 0 }
	return key.P.BitLen() == 1024 && key.Q.BitLen() == 160 && inGroup(key.G) && inGroup(key.Y)
}

// innerType is the key type inside a key, its first string (RFC 4253 section
// 6.6).
func innerType(raw []byte) string {
	if len(raw) < 4 {
		return ""
	}
	length := binary.BigEndian.Uint32(raw)
	if uint64(length) > uint64(len(raw)-4) {
		return ""
	}
	return string(raw[4 : 4+length])
}

// typeName reports whether a word can be the name of a key type: at most 64
// printable ASCII characters without a comma (RFC 4251 section 6). Quotes are
// left out as well, because in a line they belong to options.
func typeName(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case c <= ' ' || c >= 0x7f, c == ',', c == '"', c == '\'', c == '\\':
			return false
		}
	}
	return name != "" && len(name) <= 64 && name[0] != '#'
}

// certificateName matches the types of certificates: ssh-rsa-cert-v01@openssh.com
// (section 1 of OpenSSH's PROTOCOL.certkeys), and ssh-mldsa44-ed25519-cert of
// OpenSSH 10.6.
var certificateName = regexp.MustCompile(`-cert(-v[0-9]+)?(@|$)`)
