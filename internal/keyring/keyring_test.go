package keyring

import (
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/sshconfig"
	"ssh-copy-id/internal/sshtest"
)

const passphrase = "open sesame"

// writeKey writes a private key file.
func writeKey(t *testing.T, name, passphrase string) (path string) {
	t.Helper()
	key, err := sshtest.GenerateKey("ed25519")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), name)
	if err := sshtest.WriteKey(path, key, name, passphrase); err != nil {
		t.Fatal(err)
	}
	return path
}

func publicKey(t *testing.T, path string) ssh.PublicKey {
	t.Helper()
	ids, err := identity.ReadFile(path + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return ids[0].Entry.Key
}

// answers counts questions for a passphrase.
func answers(asked *atomic.Int32) func(string) ([]byte, error) {
	return func(string) ([]byte, error) { asked.Add(1); return []byte(passphrase), nil }
}

// TestBatchModeOfOneHost: a key that a jump host and the target may both use is
// asked about by the settings of each, and serves both once it is decoded.
func TestBatchModeOfOneHost(t *testing.T) {
	path := writeKey(t, "id", passphrase)
	var asked atomic.Int32
	hop, target := &sshconfig.Host{BatchMode: true}, &sshconfig.Host{}
	l := New(nil).NewLogin(Options{Host: target, Secret: answers(&asked)})
	silent, ok := l.privateKey(hop, path)
	if _, err := silent.Sign(nil, []byte("x")); !ok || !errors.Is(err, identity.ErrNoPassphrase) || asked.Load() != 0 {
		t.Errorf("the jump host's: %v, asked %d times", err, asked.Load())
	}
	asking, ok := l.privateKey(target, path)
	if _, err := asking.Sign(nil, []byte("x")); !ok || err != nil || asked.Load() != 1 {
		t.Errorf("the target's: %v, asked %d times", err, asked.Load())
	}
	if _, err := silent.Sign(nil, []byte("x")); err != nil || asked.Load() != 1 {
		t.Errorf("the jump host's, after that: %v, asked %d times", err, asked.Load())
	}
}

// countingAgent counts what is asked of an agent.
type countingAgent struct {
	agent.ExtendedAgent
	opened, listed, added atomic.Int32
}

func (a *countingAgent) open(string) (agent.ExtendedAgent, error) {
	a.opened.Add(1)
	return a, nil
}

func (a *countingAgent) Signers() ([]ssh.Signer, error) {
	a.listed.Add(1)
	return a.ExtendedAgent.Signers()
}

func (a *countingAgent) Add(key agent.AddedKey) error {
	a.added.Add(1)
	return a.ExtendedAgent.Add(key)
}

// TestManyHosts: however many hosts log in at once, an agent is opened and listed
// once, a passphrase is asked for once while the others wait, and the key is
// added to the agent once, as its owner allowed once.
func TestManyHosts(t *testing.T) {
	const hosts = 50
	path := writeKey(t, "id", passphrase)
	held := &countingAgent{ExtendedAgent: agent.NewKeyring().(agent.ExtendedAgent)}
	other, err := sshtest.GenerateKey("ed25519")
	if err != nil {
		t.Fatal(err)
	}
	if err := held.ExtendedAgent.Add(agent.AddedKey{PrivateKey: other}); err != nil {
		t.Fatal(err)
	}
	ring := New(held.open)
	id := identity.Identity{Entry: authkeys.NewEntry(publicKey(t, path), ""), Origin: identity.Origin{PrivateKey: path}}
	var asked, allowed atomic.Int32
	started := make(chan struct{})
	var all sync.WaitGroup
	for range hosts {
		all.Go(func() {
			<-started
			host := &sshconfig.Host{AddKeysToAgent: "ask"}
			l := ring.NewLogin(Options{Host: host, Identities: []identity.Identity{id}, Secret: answers(&asked),
				Confirm: func(string) bool { allowed.Add(1); return true }})
			keys := l.Keys(host)
			if len(keys) != 2 || !keys[0].Agent || !keys[1].Asks {
				t.Errorf("keys: %+v", keys)
				return
			}
			for _, k := range keys {
				signature, err := k.Signer.Sign(nil, []byte("x"))
				if err != nil {
					t.Error(err)
				} else if err := k.Signer.PublicKey().Verify([]byte("x"), signature); err != nil {
					t.Error(err)
				}
			}
			if silent := l.Silent([]identity.Identity{id}); len(silent) != 0 {
				t.Errorf("a key with a passphrase counts as silent: %+v", silent)
			}
		})
	}
	close(started)
	all.Wait()
	for what, n := range map[string]int32{
		"opened the agent": held.opened.Load(), "listed the agent": held.listed.Load(), "asked for the passphrase": asked.Load(),
		"asked for permission": allowed.Load(), "added the key": held.added.Load(),
	} {
		if n != 1 {
			t.Errorf("%s %d times", what, n)
		}
	}
}

// TestGivenUp: a key whose passphrase nobody knows is given up for all hosts.
func TestGivenUp(t *testing.T) {
	path := writeKey(t, "id", passphrase)
	var asked atomic.Int32
	ring := New(nil)
	for range 3 {
		host := &sshconfig.Host{}
		l := ring.NewLogin(Options{Host: host, Secret: func(string) ([]byte, error) { asked.Add(1); return []byte("wrong"), nil }})
		key, ok := l.privateKey(host, path)
		if _, err := key.Sign(nil, []byte("x")); !ok || !errors.Is(err, identity.ErrWrongPassphrase) {
			t.Errorf("signed: %v", err)
		}
	}
	if asked.Load() != 3 { // as often as ssh asks for one key
		t.Errorf("asked %d times", asked.Load())
	}
}

// TestVerifyingAddsNothing: a login that only tries a key leaves the agent alone,
// and so does one that is to keep agents as they are.
func TestVerifyingAddsNothing(t *testing.T) {
	path := writeKey(t, "id", "")
	id := identity.Identity{Entry: authkeys.NewEntry(publicKey(t, path), ""), Origin: identity.Origin{PrivateKey: path}}
	held := &countingAgent{ExtendedAgent: agent.NewKeyring().(agent.ExtendedAgent)}
	ring := New(held.open)
	host := &sshconfig.Host{AddKeysToAgent: "true"}
	sign := func(o Options, keys func(l *Login) int) {
		o.Host, o.Identities = host, []identity.Identity{id}
		l := ring.NewLogin(o)
		if n := keys(l); n != 1 {
			t.Fatalf("%d keys", n)
		}
		if _, err := l.Keys(host)[0].Signer.Sign(nil, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	sign(Options{}, func(l *Login) int { return len(l.Silent([]identity.Identity{id})) })
	sign(Options{KeepAgents: true}, func(l *Login) int { return len(l.Keys(host)) })
	if held.added.Load() != 0 {
		t.Error("a key was added")
	}
	sign(Options{}, func(l *Login) int { return len(l.Keys(host)) })
	if held.added.Load() != 1 {
		t.Errorf("added %d times, want 1", held.added.Load())
	}
}
