package keyring

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
	"ssh-copy-id/internal/sshkey"
)

// Options are what a [Login] needs to know beside the Ring.
type Options struct {
	// Host is the destination. Required.
	Host *sshconfig.Host
	// Identities are the keys to install: their private halves may log in, too.
	Identities []identity.Identity
	// ProofOnly reports whether a login with a key proves that the key works and
	// is of no other use (see [sshclient.Key]). nil: none is such a key.
	ProofOnly func(id identity.Identity) bool
	// KeepAgents keeps keys from being added to an agent (AddKeysToAgent).
	KeepAgents bool
	// Secret asks for a passphrase; if nil, keys that need one fail.
	Secret func(prompt string) ([]byte, error)
	// Confirm asks for permission to add a key to the agent (AddKeysToAgent
	// ask); nil refuses.
	Confirm func(prompt string) bool
	// Notice shows what ssh prints by default, Debug what `ssh -v` prints. They
	// may be nil.
	Notice, Debug func(text string)
}

// Login gathers the keys that may log in to a host and to its jump hosts.
// Nothing is opened before a server wants a key.
type Login struct {
	ring *Ring
	o    Options

	// verifying: what now logs in does so only to be tried.
	verifying atomic.Bool

	mu       sync.Mutex
	reported map[fileOf]bool // key files of no use, and agents
}

// fileOf is a key file or an agent as one host has it.
type fileOf struct {
	host *sshconfig.Host
	path string
}

// NewLogin returns the keys of a Ring for a host.
func (r *Ring) NewLogin(o Options) *Login {
	return &Login{ring: r, o: o, reported: map[fileOf]bool{}}
}

// Keys returns the ones that may log in to h, which is the host or one of its jump
// hosts, in ssh's order (pubkey_prepare in
// sshconnect2.c): the certificates of CertificateFile, configured files that
// the agent holds, the agent's other keys unless IdentitiesOnly, then files.
// The private halves of the identities to install come last: they log in where
// the server accepts one already.
func (l *Login) Keys(h *sshconfig.Host) []sshclient.Key {
	held := l.agentSigners(h)
	files := l.files(h)
	keys := l.certificates(h, files, held)
	for _, f := range files {
		if signer := holding(held, f.public); signer != nil {
			keys = append(keys, sshclient.Key{Signer: signer, Agent: true, Origin: f.path + " agent"})
		}
	}
	if !h.IdentitiesOnly {
		for _, signer := range held {
			keys = append(keys, sshclient.Key{Signer: signer, Agent: true, Origin: "agent"})
		}
	}
	for _, f := range files {
		if f.private != nil {
			keys = append(keys, f.key())
		}
		if f.certificate != nil {
			keys = f.appendCertified(keys, f.certificate, held, f.path+"-cert.pub")
		}
	}
	if h == l.o.Host {
		keys = append(keys, l.identityKeys()...)
	}
	keys = distinct(keys)
	if h == l.o.Host {
		l.markProofs(keys)
	}
	return keys
}

// markProofs marks the keys that a login only proves.
func (l *Login) markProofs(keys []sshclient.Key) {
	for _, id := range l.o.Identities {
		if l.o.ProofOnly == nil || !l.o.ProofOnly(id) {
			continue
		}
		for i := range keys {
			if sshkey.Equal(keys[i].Signer.PublicKey(), id.Entry.Key) {
				keys[i].ProofOnly = true
			}
		}
	}
}

// Only returns the keys that can sign for ids, to verify that they log in. From
// then on no key is added to an agent.
func (l *Login) Only(ids []identity.Identity) []sshclient.Key {
	l.verifying.Store(true)
	wanted := map[sshkey.ID]bool{}
	for _, id := range ids {
		wanted[sshkey.IDOf(id.Entry.Key)] = true
	}
	var keys []sshclient.Key
	for _, k := range l.Keys(l.o.Host) {
		if wanted[sshkey.IDOf(k.Signer.PublicKey())] {
			keys = append(keys, k)
		}
	}
	return keys
}

// Silent returns the keys that can sign for ids and ask nobody.
func (l *Login) Silent(ids []identity.Identity) []sshclient.Key {
	return slices.DeleteFunc(l.Only(ids), func(k sshclient.Key) bool { return k.Asks || k.Agent })
}

// agentSigners are the keys of the host's agent.
func (l *Login) agentSigners(h *sshconfig.Host) []ssh.Signer {
	a := l.ring.agent(h.IdentityAgent)
	if a == nil {
		return nil
	}
	if a.listErr != nil && l.first(nil, "agent "+h.IdentityAgent) {
		l.debug("agent: %v", a.listErr)
	}
	return a.signers
}

// first reports whether something is reported for the first time.
func (l *Login) first(h *sshconfig.Host, path string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := fileOf{h, path}
	before := l.reported[id]
	l.reported[id] = true
	return !before
}

// passphrase asks for the passphrase of a file in ssh's words
// (load_identity_file in sshconnect2.c).
func (l *Login) passphrase(h *sshconfig.Host, path string) func() ([]byte, error) {
	if h.BatchMode || l.o.Secret == nil {
		return nil
	}
	return func() ([]byte, error) {
		return l.o.Secret(fmt.Sprintf("Enter passphrase for key '%s': ", path))
	}
}

// unusable reports why a file is passed over: as a notice where the user can fix
// it, as when others may read it.
func (l *Login) unusable(path string, err error) {
	var work *identity.DerivationError
	if errors.As(err, &work) {
		l.notice(fmt.Sprintf("Load key \"%s\": %v", path, work))
		return
	}
	var mode *identity.ModeError
	if errors.As(err, &mode) {
		l.notice(fmt.Sprintf("Permissions %04o for '%s' are too open: this private key will be ignored.", mode.Mode.Perm(), path))
		return
	}
	l.debug("identity file %s: %v", path, err)
}

func (l *Login) notice(text string) {
	if l.o.Notice != nil {
		l.o.Notice(text)
	}
}

func (l *Login) debug(format string, args ...any) {
	if l.o.Debug != nil {
		l.o.Debug(fmt.Sprintf(format, args...))
	}
}

// distinct keeps the first way to sign for each key, and of several ways the
// one that asks nobody, then an agent, which may ask its owner.
func distinct(keys []sshclient.Key) []sshclient.Key {
	asks := func(k sshclient.Key) int {
		switch {
		case k.Asks:
			return 2
		case k.Agent:
			return 1
		}
		return 0
	}
	place := map[sshkey.ID]int{}
	var kept []sshclient.Key
	for _, k := range keys {
		key := sshkey.IDOf(k.Signer.PublicKey())
		at, seen := place[key]
		switch {
		case !seen:
			place[key] = len(kept)
			kept = append(kept, k)
		case asks(k) < asks(kept[at]):
			kept[at] = k
		}
	}
	return kept
}
