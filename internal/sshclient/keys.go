package sshclient

import (
	"errors"
	"io"

	"golang.org/x/crypto/ssh"
)

// errOnlyAsked is what a querySigner says instead of signing.
var errOnlyAsked = errors.New("only asked whether the key is accepted")

// querySigner stands for a key of which only the public half is at hand. The
// ssh package asks the server about a key before it lets the key sign
// (RFC 4252 section 7), so a call of Sign means that the server accepts it.
type querySigner struct {
	key     ssh.PublicKey
	attempt *attempt
}

func (s querySigner) PublicKey() ssh.PublicKey { return s.key }

func (s querySigner) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return s.SignWithAlgorithm(rand, data, "")
}

// SignWithAlgorithm makes the ssh package treat the signer as one that knows
// every algorithm of its key type: with ssh-rsa keys it would otherwise ask
// about the SHA-1 signature only, which servers refuse.
func (s querySigner) SignWithAlgorithm(io.Reader, []byte, string) (*ssh.Signature, error) {
	s.attempt.signed = true
	return nil, errOnlyAsked
}

// recordingSigner notes that the server accepted the key before it signs.
type recordingSigner struct {
	ssh.Signer
	attempt *attempt
	wire    *wire
}

func (s recordingSigner) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return s.SignWithAlgorithm(rand, data, "")
}

// SignWithAlgorithm signs with no clock running: the signer may ask for a
// passphrase, or an agent for a touch.
func (s recordingSigner) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	s.attempt.signed = true
	s.wire.relax()
	defer s.wire.allow(keyReplyLimit)
	if as, ok := s.Signer.(ssh.AlgorithmSigner); ok && algorithm != "" {
		return as.SignWithAlgorithm(rand, data, algorithm)
	}
	return s.Signer.Sign(rand, data)
}

// Algorithms tells which signatures the key can make.
func (s recordingSigner) Algorithms() []string {
	if ms, ok := s.Signer.(ssh.MultiAlgorithmSigner); ok {
		return ms.Algorithms()
	}
	if _, ok := s.Signer.(ssh.AlgorithmSigner); ok && s.PublicKey().Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	}
	return []string{s.plainType()}
}

// plainType is the key type without a certificate around it.
func (s recordingSigner) plainType() string {
	if cert, ok := s.PublicKey().(*ssh.Certificate); ok {
		return cert.Key.Type()
	}
	return s.PublicKey().Type()
}
