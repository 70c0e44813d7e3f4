package sshtest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Agent is an ssh-agent on a unix socket, or on a named pipe of Windows.
type Agent struct {
	agent.ExtendedAgent // the keys it holds
	listener            net.Listener
	remove              func() error // what the listener leaves
	signatures          atomic.Int64
	mu                  sync.Mutex
	conns               map[net.Conn]bool
}

// StartAgent starts an agent that holds nothing.
func StartAgent() (*Agent, error) {
	return ServeAgent(agent.NewKeyring().(agent.ExtendedAgent))
}

// ServeAgent is StartAgent with keys of the caller's making.
func ServeAgent(held agent.ExtendedAgent) (*Agent, error) {
	l, remove, err := listenForAgent()
	if err != nil {
		return nil, err
	}
	a := &Agent{listener: l, remove: remove, conns: make(map[net.Conn]bool)}
	a.ExtendedAgent = &countingKeyring{held, &a.signatures}
	go a.accept()
	return a, nil
}

// Socket is what SSH_AUTH_SOCK must name.
func (a *Agent) Socket() string { return a.listener.Addr().String() }

// Signatures is how often the agent has signed.
func (a *Agent) Signatures() int { return int(a.signatures.Load()) }

// AddFile adds the private key in a file. The comment is that of file.pub, if
// there is one, else the file's name. With a file-cert.pub the certificate is
// added too, before the key, as ssh-add does.
func (a *Agent) AddFile(file, passphrase string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var key any
	if passphrase == "" {
		key, err = ssh.ParseRawPrivateKey(data)
	} else {
		key, err = ssh.ParseRawPrivateKeyWithPassphrase(data, []byte(passphrase))
	}
	if err != nil {
		return fmt.Errorf("%s: %v", file, err)
	}
	comment := file
	if public, err := os.ReadFile(file + ".pub"); err == nil {
		if _, c, _, _, err := ssh.ParseAuthorizedKey(public); err == nil {
			comment = c
		}
	}
	if data, err := os.ReadFile(file + "-cert.pub"); err == nil {
		k, c, _, _, err := ssh.ParseAuthorizedKey(data)
		if err != nil {
			return fmt.Errorf("%s-cert.pub: %v", file, err)
		}
		cert, ok := k.(*ssh.Certificate)
		if !ok {
			return fmt.Errorf("%s-cert.pub holds no certificate", file)
		}
		if err := a.Add(agent.AddedKey{PrivateKey: key, Certificate: cert, Comment: c}); err != nil {
			return err
		}
	}
	return a.Add(agent.AddedKey{PrivateKey: key, Comment: comment})
}

// Close ends the agent and removes its socket.
func (a *Agent) Close() error {
	a.mu.Lock()
	err := a.listener.Close()
	for c := range a.conns {
		c.Close()
	}
	a.mu.Unlock()
	return errors.Join(err, a.remove())
}

func (a *Agent) accept() {
	for {
		c, err := a.listener.Accept()
		if err != nil {
			return
		}
		a.mu.Lock()
		a.conns[c] = true
		a.mu.Unlock()
		go func() {
			agent.ServeAgent(a.ExtendedAgent, c)
			c.Close()
			a.mu.Lock()
			delete(a.conns, c)
			a.mu.Unlock()
		}()
	}
}

type countingKeyring struct {
	agent.ExtendedAgent
	count *atomic.Int64
}

func (k *countingKeyring) Sign(key ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	return k.SignWithFlags(key, data, 0)
}

func (k *countingKeyring) SignWithFlags(key ssh.PublicKey, data []byte, flags agent.SignatureFlags) (*ssh.Signature, error) {
	k.count.Add(1)
	return k.ExtendedAgent.SignWithFlags(key, data, flags)
}
