package agentconn

import (
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// announceAfter is how long a signature may take before it is said what is
// awaited: an agent that asks nobody is done by then.
const announceAfter = 2 * time.Second

// errRefused is SSH_ERR_AGENT_FAILURE in the words of ssherr.c.
var errRefused = errors.New("agent refused operation")

// SignError is returned when an agent made no signature.
type SignError struct {
	Key *agent.Key
	// TimedOut reports that the agent, or its owner, gave no answer in time.
	TimedOut bool
	// Err is the cause; "agent refused operation" where the owner may have
	// declined.
	Err error
}

// Error is what ssh prints (sign_and_send_pubkey in sshconnect2.c). The comment
// is not escaped.
func (e *SignError) Error() string {
	return fmt.Sprintf("signing failed for %s %q from agent: %v", kind(e.Key), e.Key.Comment, e.Err)
}

// KeyName names a key of an agent for people: its comment, else its fingerprint.
// It is not escaped.
func KeyName(key *agent.Key) string {
	if key.Comment == "" {
		return ssh.FingerprintSHA256(key)
	}
	return key.Comment
}

// kind is the type of a key as ssh names it (sshkey_type).
func kind(key ssh.PublicKey) string {
	names := map[string]string{
		ssh.KeyAlgoRSA: "RSA", ssh.KeyAlgoED25519: "ED25519", ssh.KeyAlgoSKED25519: "ED25519-SK", ssh.KeyAlgoSKECDSA256: "ECDSA-SK",
		ssh.KeyAlgoECDSA256: "ECDSA", ssh.KeyAlgoECDSA384: "ECDSA", ssh.KeyAlgoECDSA521: "ECDSA",
	}
	if name, ok := names[key.Type()]; ok {
		return name
	}
	return key.Type()
}

// Signers returns a signer for each key of the agent. They
// report to Waiting and Failed.
func (c *Conn) Signers() ([]ssh.Signer, error) {
	keys, err := c.List()
	if err != nil {
		return nil, err
	}
	signers := make([]ssh.Signer, len(keys))
	for i, key := range keys {
		signers[i] = &signer{conn: c, key: key}
	}
	return signers, nil
}

// signer is a key of an agent.
type signer struct {
	conn *Conn
	key  *agent.Key
}

func (s *signer) PublicKey() ssh.PublicKey { return s.key }

func (s *signer) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return s.SignWithAlgorithm(rand, data, s.key.Type())
}

// SignWithAlgorithm makes a signature. The agent has its own randomness.
func (s *signer) SignWithAlgorithm(_ io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	var flags agent.SignatureFlags
	switch algorithm {
	case ssh.KeyAlgoRSASHA256:
		flags = agent.SignatureFlagRsaSha256
	case ssh.KeyAlgoRSASHA512:
		flags = agent.SignatureFlagRsaSha512
	}
	if s.conn.Waiting != nil {
		late := time.AfterFunc(s.conn.announce, func() { s.conn.Waiting(s.key) })
		defer late.Stop()
	}
	signature, err := s.conn.SignWithFlags(s.key, data, flags)
	if err == nil {
		return signature, nil
	}
	failed := s.conn.signError(s.key, err)
	if s.conn.Failed != nil {
		s.conn.Failed(failed)
	}
	return nil, failed
}

func (c *Conn) signError(key *agent.Key, err error) *SignError {
	if broken := c.broken(); broken != nil {
		err = broken // which the agent package keeps as a text only
	}
	var late *timeoutError
	switch {
	case errors.As(err, &late):
		return &SignError{Key: key, TimedOut: true, Err: late}
	case err.Error() == declined:
		return &SignError{Key: key, Err: errRefused}
	}
	return &SignError{Key: key, Err: err}
}

// declined is how the agent package reports SSH_AGENT_FAILURE; it has no value
// for it.
const declined = "agent: failed to sign challenge"

// timeoutError is returned when an agent gave no answer in time.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string {
	return fmt.Sprintf("the agent gave no answer within %v", e.after)
}
