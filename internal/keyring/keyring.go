// Package keyring holds the keys that log in: those of ssh agents, and private
// key files. A [Ring] is shared by all logins of a run, so that an agent is
// listed once and a passphrase asked for once, however many hosts there are.
//
// # What is shared and what is not
//
// A key file is decoded once, and stays decoded in the Ring. Whoever needs it
// meanwhile waits for the passphrase that another login has asked for. Whether a
// passphrase may be asked for at all (BatchMode), and which agent is given the
// key then (AddKeysToAgent), are settings of each host: a [Login] knows them.
package keyring

import (
	"os"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"ssh-copy-id/identity"
)

// Ring holds agents and private key files. Several goroutines may use it.
type Ring struct {
	open func(identityAgent string) (agent.ExtendedAgent, error)

	mu     sync.Mutex
	agents map[string]*heldAgent // by IdentityAgent
	files  map[string]*heldFile  // by path
}

// New returns an empty Ring. open opens the agent that IdentityAgent names; it is
// called once for each, and an error counts as no agent. nil: there are no
// agents.
func New(open func(identityAgent string) (agent.ExtendedAgent, error)) *Ring {
	return &Ring{open: open, agents: map[string]*heldAgent{}, files: map[string]*heldFile{}}
}

// heldAgent is an agent, or why there is none.
type heldAgent struct {
	once    sync.Once
	agent   agent.ExtendedAgent
	err     error
	signers []ssh.Signer
	listErr error
}

// agent opens and lists an agent, once; nil where there is none to open.
func (r *Ring) agent(identityAgent string) *heldAgent {
	if r.open == nil || identityAgent == "none" {
		return nil
	}
	r.mu.Lock()
	a, known := r.agents[identityAgent]
	if !known {
		a = &heldAgent{}
		r.agents[identityAgent] = a
	}
	r.mu.Unlock()
	a.once.Do(func() {
		if a.agent, a.err = r.open(identityAgent); a.err == nil {
			a.signers, a.listErr = a.agent.Signers()
		}
	})
	return a
}

// heldFile is a private key file.
type heldFile struct {
	path string

	once    sync.Once
	private *identity.PrivateKey // nil: there is no file, or Err
	err     error

	mu      sync.Mutex
	ask     func() ([]byte, error) // of the login that decodes the key
	decoded bool
	raw     any             // the key as the crypto packages have it
	offered map[string]bool // agents that were given the key, or should have been
}

// file opens a private key file, once.
func (r *Ring) file(path string) *heldFile {
	r.mu.Lock()
	f, known := r.files[path]
	if !known {
		f = &heldFile{path: path, offered: map[string]bool{}}
		r.files[path] = f
	}
	r.mu.Unlock()
	f.once.Do(func() {
		if _, err := os.Stat(path); err != nil {
			return // the agent may have the key
		}
		f.private, f.err = identity.OpenPrivateKey(path, identity.PrivateKeyOptions{
			Passphrase:   func() ([]byte, error) { return f.ask() },
			WhenUnlocked: func(raw any) { f.raw = raw },
		})
	})
	return f
}

// decode makes the key ready to sign. ask asks for the passphrase; where it is
// nil, only a key that needs none or was decoded before is of use, and another
// login may still decode it.
func (f *heldFile) decode(ask func() ([]byte, error)) error {
	if f.decoded {
		return nil
	}
	if ask == nil && f.private.Encrypted() {
		return &identity.FileError{Path: f.path, Err: identity.ErrNoPassphrase}
	}
	f.ask = ask
	err := f.private.Unlock()
	f.ask = nil
	f.decoded = err == nil
	return err
}
