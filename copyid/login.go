package copyid

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
)

// login gathers the keys that may log in to a host and to its jump hosts: the
// agent's, and the IdentityFiles of ssh_config. Nothing is opened before a
// server wants a key.
type login struct {
	c    *Client
	ids  []identity.Identity
	host *sshconfig.Host

	// verifying: what now logs in does so only to be tried.
	verifying atomic.Bool

	mu      sync.Mutex
	agents  map[string][]ssh.Signer         // by IdentityAgent
	private map[fileOf]*identity.PrivateKey // nil for one of no use
}

func (c *Client) newLogin(host *sshconfig.Host, ids []identity.Identity) *login {
	return &login{c: c, ids: ids, host: host, agents: map[string][]ssh.Signer{}, private: map[fileOf]*identity.PrivateKey{}}
}

// keys are the ones that may log in to h, in ssh's order (pubkey_prepare in
// sshconnect2.c): the certificates of CertificateFile, configured files that
// the agent holds, the agent's other keys unless IdentitiesOnly, then files.
// The private halves of the identities to install come last: they log in where
// the server accepts one already.
func (l *login) keys(h *sshconfig.Host) []sshclient.Key {
	held := l.agentSigners(h.IdentityAgent)
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
	if h == l.host {
		keys = append(keys, l.identityKeys()...)
	}
	keys = distinct(keys)
	if h == l.host {
		l.markProofs(keys)
	}
	return keys
}

// markProofs marks the keys whose line is to force a command: a session of a
// login with one of them would run it.
func (l *login) markProofs(keys []sshclient.Key) {
	for _, id := range l.ids {
		if forcedCommand(id.Entry.Options) == "" {
			continue
		}
		for i := range keys {
			if string(keys[i].Signer.PublicKey().Marshal()) == string(id.Entry.Key.Marshal()) {
				keys[i].ProofOnly = true
			}
		}
	}
}

// only are the keys that can sign for ids, to verify that they log in.
func (l *login) only(ids []identity.Identity) []sshclient.Key {
	l.verifying.Store(true)
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[string(id.Entry.Key.Marshal())] = true
	}
	var keys []sshclient.Key
	for _, k := range l.keys(l.host) {
		if wanted[string(k.Signer.PublicKey().Marshal())] {
			keys = append(keys, k)
		}
	}
	return keys
}

// agentSigners lists an agent once.
func (l *login) agentSigners(identityAgent string) []ssh.Signer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if signers, known := l.agents[identityAgent]; known {
		return signers
	}
	l.agents[identityAgent] = nil
	if l.c.o.Agent == nil || identityAgent == "none" {
		return nil
	}
	opened, err := l.c.o.Agent(identityAgent)
	if err != nil {
		return nil // whoever gave the function knows why
	}
	signers, err := opened.Signers()
	if err != nil {
		l.debug("agent: %v", err)
		return nil
	}
	l.agents[identityAgent] = signers
	return signers
}

// passphrase asks for the passphrase of a file in ssh's words
// (load_identity_file in sshconnect2.c).
func (l *login) passphrase(h *sshconfig.Host, path string) func() ([]byte, error) {
	if h.BatchMode || l.c.o.UI.Secret == nil {
		return nil
	}
	return func() ([]byte, error) {
		return l.c.o.UI.Secret(fmt.Sprintf("Enter passphrase for key '%s': ", path))
	}
}

// unusable tells why a file is passed over: aloud where others may read it,
// because that is for the person to mend.
func (l *login) unusable(path string, err error) {
	var work *identity.DerivationError
	if errors.As(err, &work) {
		l.c.notice(fmt.Sprintf("Load key \"%s\": %v", path, work))
		return
	}
	var mode *identity.ModeError
	if errors.As(err, &mode) {
		l.c.notice(fmt.Sprintf("Permissions %04o for '%s' are too open: this private key will be ignored.", mode.Mode.Perm(), path))
		return
	}
	l.debug("identity file %s: %v", path, err)
}

func (l *login) debug(format string, args ...any) {
	if l.c.o.UI.Debug != nil {
		l.c.o.UI.Debug(1, fmt.Sprintf(format, args...))
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
	place := map[string]int{}
	var kept []sshclient.Key
	for _, k := range keys {
		blob := string(k.Signer.PublicKey().Marshal())
		at, seen := place[blob]
		switch {
		case !seen:
			place[blob] = len(kept)
			kept = append(kept, k)
		case asks(k) < asks(kept[at]):
			kept[at] = k
		}
	}
	return kept
}
