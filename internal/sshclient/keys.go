package sshclient

import (
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshconfig"
	"ssh-copy-id/internal/sshkey"
)

// errOnlyAsked is what a signer says that was wanted only to learn whether the
// server accepts its key.
var errOnlyAsked = errors.New("only asked whether the key is accepted")

// querySigner stands for a key of which only the public half is at hand. The
// ssh package asks the server about a key before it lets the key sign
// (RFC 4252 section 7), so a call of Sign means that the server accepts it.
type querySigner struct {
	key     ssh.PublicKey
	request *keyRequest
}

func (s querySigner) PublicKey() ssh.PublicKey { return s.key }

func (s querySigner) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return s.SignWithAlgorithm(rand, data, "")
}

// SignWithAlgorithm makes the ssh package treat the signer as one that knows
// every algorithm of its key type: with ssh-rsa keys it would otherwise ask
// about the SHA-1 signature only, which servers refuse.
func (s querySigner) SignWithAlgorithm(io.Reader, []byte, string) (*ssh.Signature, error) {
	s.request.promised = true
	return nil, errOnlyAsked
}

// recordingSigner notes that the server accepted the key before it signs, and
// makes no signature that PubkeyAcceptedAlgorithms forbids.
type recordingSigner struct {
	ssh.Signer
	request  *keyRequest
	wire     *wire
	accepted []string // PubkeyAcceptedAlgorithms
	signing  func()   // called before it signs
}

// recording returns a signer for the request under way.
func (c *connection) recording(signer ssh.Signer) recordingSigner {
	signing := func() { c.reportLoggingIn(c.conn) }
	switch {
	case c.key.agent:
		signing = func() {
			c.agentAsked = true
			c.reportLoggingIn(c.conn)
		}
	case c.key.asks:
		signing = func() {
			c.reportNotShared()
			c.reportLoggingIn(c.conn)
		}
	}
	return recordingSigner{signer, c.key, c.wire, acceptedAlgorithms(c.o.Host), signing}
}

func (s recordingSigner) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return s.SignWithAlgorithm(rand, data, "")
}

// SignWithAlgorithm signs with no clock running: the signer may ask for a
// passphrase, or an agent for a touch.
func (s recordingSigner) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	s.request.promised = true
	if allowed, _ := s.signatures(); algorithm != "" && !slices.Contains(allowed, algorithm) {
		return nil, errOnlyAsked
	}
	s.signing()
	s.wire.stopTimer()
	defer s.wire.extend(keyReplyLimit)
	signature, err := s.sign(rand, data, algorithm)
	s.request.signed = err == nil
	return signature, err
}

func (s recordingSigner) sign(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	if as, ok := s.Signer.(ssh.AlgorithmSigner); ok && algorithm != "" {
		return as.SignWithAlgorithm(rand, data, algorithm)
	}
	return s.Signer.Sign(rand, data)
}

// Algorithms returns the signatures the key can make, those first that it may
// make. The rest is there to be asked about: a server that does not tell its
// algorithms is asked with the one named like the key.
func (s recordingSigner) Algorithms() []string {
	allowed, forbidden := s.signatures()
	return append(allowed, forbidden...)
}

// signatures parts the signature algorithms of the key.
func (s recordingSigner) signatures() (allowed, forbidden []string) {
	_, able := s.Signer.(ssh.AlgorithmSigner)
	for _, name := range keyAlgorithms(s.PublicKey().Type()) {
		signature := plainName(name)
		switch {
		case signature != plainName(s.PublicKey().Type()) && !able:
			// It signs with the algorithm named like its key and no other.
		case slices.Contains(s.accepted, name):
			allowed = append(allowed, signature)
		default:
			forbidden = append(forbidden, signature)
		}
	}
	return allowed, forbidden
}

func acceptedAlgorithms(h *sshconfig.Host) []string {
	return sshconfig.KeyTypes.Names(h.PubkeyAcceptedAlgorithms)
}

// keyAlgorithms are the names under which a key of a type may prove itself, a
// user's or a host's, the best first (RFC 8332 section 3 for RSA).
func keyAlgorithms(keyType string) []string {
	switch keyType {
	case ssh.KeyAlgoRSA:
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	case ssh.CertAlgoRSAv01:
		return []string{ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSAv01}
	}
	return []string{keyType}
}

// plainName is the signature algorithm of a certificate's or a key's name.
func plainName(name string) string {
	switch plain, ok := strings.CutSuffix(name, "-cert-v01@openssh.com"); {
	case !ok:
		return name
	case strings.HasPrefix(plain, "sk-"):
		return plain + "@openssh.com"
	default:
		return plain
	}
}

// mayLogIn reports whether the configuration lets a key log in
// (pubkey_prepare in sshconnect2.c).
func (o *Options) mayLogIn(k Key) bool {
	key := k.Signer.PublicKey()
	if bits, short := rsaTooShort(key, o.Host.RequiredRSASize); short {
		o.debug(1, "Skipping %s: RSA keys of %d bits are below RequiredRSASize", k.Origin, bits)
		return false
	}
	accepted := acceptedAlgorithms(o.Host)
	for _, name := range keyAlgorithms(key.Type()) {
		if slices.Contains(accepted, name) {
			return true
		}
	}
	o.debug(1, "Skipping %s key %s - corresponding algorithm not in PubkeyAcceptedAlgorithms", key.Type(), k.Origin)
	return false
}

// rsaTooShort returns the length of an RSA key, or of one in a certificate, and
// reports whether that is less than required.
func rsaTooShort(key ssh.PublicKey, required int) (bits int, short bool) {
	bits = sshkey.RSABits(key)
	return bits, bits > 0 && bits < required
}
