package sshclient

import (
	"encoding/binary"
	"errors"
	"slices"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/hostkey"
)

// The messages of UpdateHostKeys (section 2.5 of OpenSSH's PROTOCOL).
const (
	hostKeysRequest = "hostkeys-00@openssh.com"
	proveRequest    = "hostkeys-prove-00@openssh.com"
)

// maxOfferedKeys bounds how many host keys of one server are looked at.
const maxOfferedKeys = 64

var errBadProof = errors.New("the server did not prove its new host keys")

// learner is what UpdateHostKeys needs of a connection.
type learner struct {
	o        *Options
	verifier *hostkey.Verifier
	allowed  []string // HostKeyAlgorithms
}

// pass hands the server's global requests on, but for the one that tells its
// host keys. done is closed when nothing is under way any more.
func (l *learner) pass(conn ssh.Conn, requests <-chan *ssh.Request) (rest <-chan *ssh.Request, done <-chan struct{}) {
	others, ended := make(chan *ssh.Request), make(chan struct{})
	go func() {
		defer close(others)
		finished := make(chan struct{})
		close(finished)
		seen := false
		for request := range requests {
			if request.Type != hostKeysRequest {
				others <- request
				continue
			}
			if !seen {
				seen, finished = true, make(chan struct{})
				go func() {
					defer close(finished)
					if err := l.learn(conn, request.Payload); err != nil {
						l.o.debug(1, "host keys are not updated: %v", err)
					}
				}()
			}
			if request.WantReply {
				request.Reply(true, nil)
			}
		}
		<-finished
		close(ended)
	}()
	return others, ended
}

// learn has the server prove the keys that known_hosts lacks, and notes them.
func (l *learner) learn(conn ssh.Conn, payload []byte) error {
	fresh := l.verifier.NewKeys(l.keys(payload))
	if len(fresh) == 0 {
		return nil
	}
	var question []byte
	for _, key := range fresh {
		question = appendString(question, key.Marshal())
	}
	ok, proofs, err := conn.SendRequest(proveRequest, true, question)
	if err != nil {
		return err
	}
	if !ok {
		return errBadProof
	}
	for _, key := range fresh {
		proof, rest, whole := cutString(proofs)
		if !whole || !proves(key, proof, conn.SessionID()) {
			return errBadProof
		}
		proofs = rest
	}
	return l.verifier.Learn(fresh)
}

// keys are the offered keys that may be used with this host.
func (l *learner) keys(payload []byte) []ssh.PublicKey {
	var keys []ssh.PublicKey
	for range maxOfferedKeys {
		blob, rest, ok := cutString(payload)
		if !ok {
			break
		}
		payload = rest
		key, err := ssh.ParsePublicKey(blob)
		if err != nil {
			continue // of a type that is not known here
		}
		_, short := rsaTooShort(key, l.o.Host.RequiredRSASize)
		if !short && slices.ContainsFunc(keyAlgorithms(key.Type()), func(name string) bool { return slices.Contains(l.allowed, name) }) {
			keys = append(keys, key)
		}
	}
	return keys
}

// proves checks the signature over the request's name, the session and the key.
// RSA keys must not sign with SHA-1, as in client_global_hostkeys_prove_confirm.
func proves(key ssh.PublicKey, proof, session []byte) bool {
	var signature ssh.Signature
	if err := ssh.Unmarshal(proof, &signature); err != nil || signature.Format == ssh.KeyAlgoRSA {
		return false
	}
	signed := appendString(nil, []byte(proveRequest))
	signed = appendString(signed, session)
	signed = appendString(signed, key.Marshal())
	return key.Verify(signed, &signature) == nil
}

func appendString(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

func cutString(b []byte) (s, rest []byte, ok bool) {
	if len(b) < 4 || uint64(len(b)-4) < uint64(binary.BigEndian.Uint32(b)) {
		return nil, nil, false
	}
	n := 4 + int(binary.BigEndian.Uint32(b))
	return b[4:n], b[n:], true
}
