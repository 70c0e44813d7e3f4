// Package sshtest is an SSH server, an agent and a faulty network inside one
// process, for the tests and for scripts/demo. It listens on loopback only.
//
//	server, err := sshtest.Start(sshtest.Config{Accounts: []sshtest.Account{
//		{Name: "alice", Password: "secret", Home: dir},
//	}})
//
// Rules of the package:
//
//   - An account is a directory. Its authorized_keys is the real file in it,
//     its commands run in a real login shell with HOME set to it, and its SFTP
//     subsystem works on it.
//   - The server runs as whoever runs the test: accounts have no uid of their
//     own, and commands can reach whatever the caller can reach.
//   - Everything a client did can be counted: see [Counters].
//   - The package does not import testing; the scripts' commands are in
//     sshtest/script.
package sshtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Config describes a server. The zero value of a field means what its comment
// calls empty or nil.
type Config struct {
	Accounts []Account
	// Methods are the ways to log in, as AuthenticationMethods of sshd_config:
	// each element is a comma-separated chain of "publickey", "password" and
	// "keyboard-interactive" that must succeed in order. Nil: publickey and
	// password, either.
	Methods []string
	// MaxAuthTries is the failed attempt at which the server hangs up, counted
	// as userauth_finish in auth2.c does; where refused keys are among the
	// failures it does so without a word. Zero: 6. Negative: without limit.
	MaxAuthTries int
	// Banner is sent before the first answer to an authentication request.
	Banner string
	// Version is the identification string. Empty: "SSH-2.0-sshtest".
	Version string
	// HostKeys are the keys the server can prove. Nil: one new ed25519 key.
	HostKeys []ssh.Signer
	// StrictModes refuses a key when the file, its directory or the home can
	// be written by others, or belong to another (safe_path in misc.c).
	StrictModes bool
	// AuthorizedKeysFile is relative to the home or absolute; %h and %u stand
	// for home and account. Empty: ".ssh/authorized_keys".
	AuthorizedKeysFile string
	// PubkeyAlgorithms are the signature algorithms taken from clients. Nil:
	// those of x/crypto/ssh.
	PubkeyAlgorithms []string
	// PromiseEveryKey answers every question about a key with yes, and looks at
	// authorized_keys only when there is a signature, as ProFTPD's mod_sftp and
	// Twisted Conch do.
	PromiseEveryKey bool
	// Forwarding lets clients open direct-tcpip channels, as jump hosts do, to
	// addresses on loopback.
	Forwarding bool
	// Crypto limits ciphers, MACs and key exchanges.
	Crypto ssh.Config
	// Address is where to listen. Empty: a free port of 127.0.0.1.
	Address string
	// Log gets one line for each event. Nil: silence.
	Log func(format string, args ...any)
}

// Account is a user of the server.
type Account struct {
	Name     string
	Password string // empty: no password is right
	Home     string // an existing directory
	// NoAuth lets the account in on the method "none".
	NoAuth bool
	// Challenges are the rounds of keyboard-interactive. Nil: one round with
	// the prompt "Password: ", which asks for Password.
	Challenges []Challenge
	// Shell is the login shell, run as `Shell -c command`. Empty: /bin/sh, or
	// GoShell on Windows. GoShell is a shell inside this process.
	Shell string
	// Env is added to the environment of commands, as NAME=value.
	Env []string
	// ForcedCommand runs in place of every command and shell, which is put in
	// SSH_ORIGINAL_COMMAND.
	ForcedCommand string
	// NoExec refuses exec and shell requests; NoSFTP the sftp subsystem.
	NoExec, NoSFTP bool
	// SFTPOnly answers commands as a forced internal-sftp does: with a sentence
	// on standard output and exit status 1.
	SFTPOnly bool
	// Chroot shows the home as / over SFTP.
	Chroot bool
	// Run, if not nil, is called for exec and shell requests instead of a
	// shell: the device a test makes up. Its result is the exit status.
	Run func(ctx context.Context, c *Command) int
}

// GoShell is the Account.Shell that needs no shell on the machine.
const GoShell = "gosh"

// Challenge is one round of keyboard-interactive (RFC 4256, section 3.2).
type Challenge struct {
	Name, Instruction string
	Prompts           []Prompt
}

// Prompt is one question of a round and its right answer.
type Prompt struct {
	Text   string
	Echo   bool
	Answer string
}

// Server is a running server.
type Server struct {
	cfg      Config
	listener net.Listener
	counts   tally

	ctx    context.Context // ends at Close
	cancel context.CancelFunc
	active sync.WaitGroup // connections and their commands

	mu    sync.Mutex
	conns map[net.Conn]bool
	done  bool
}

// Start makes a server and begins to serve.
func Start(cfg Config) (*Server, error) {
	if err := complete(&cfg); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", cfg.Address)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, listener: l, conns: make(map[net.Conn]bool)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.active.Add(1)
	go s.accept()
	return s, nil
}

// StartAccount starts a server with one account that logs in with a password
// or with a key, and whose home is dir/name, made here.
func StartAccount(dir, name, password string) (*Server, error) {
	home := filepath.Join(dir, name)
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	return Start(Config{
		Accounts:    []Account{{Name: name, Password: password, Home: home}},
		StrictModes: true,
	})
}

func complete(cfg *Config) error {
	if cfg.Address == "" {
		cfg.Address = "127.0.0.1:0"
	}
	if cfg.Version == "" {
		cfg.Version = "SSH-2.0-sshtest"
	}
	if cfg.AuthorizedKeysFile == "" {
		cfg.AuthorizedKeysFile = ".ssh/authorized_keys"
	}
	if cfg.Methods == nil {
		cfg.Methods = []string{"publickey", "password"}
	}
	if _, err := chains(cfg.Methods); err != nil {
		return err
	}
	if cfg.Log == nil {
		cfg.Log = func(string, ...any) {}
	}
	if cfg.HostKeys == nil {
		key, err := GenerateKey("ed25519")
		if err != nil {
			return err
		}
		signer, err := ssh.NewSignerFromKey(key)
		if err != nil {
			return err
		}
		cfg.HostKeys = []ssh.Signer{signer}
	}
	for i, a := range cfg.Accounts {
		info, err := os.Stat(a.Home)
		if err != nil {
			return fmt.Errorf("home of account %q: %v", a.Name, err)
		}
		if !info.IsDir() {
			return fmt.Errorf("home of account %q: %s is not a directory", a.Name, a.Home)
		}
		if cfg.Accounts[i].Home, err = filepath.Abs(a.Home); err != nil {
			return err
		}
	}
	return nil
}

// Addr is the address to dial, as host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Port is the port the server listens on.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// HostKeys are the public halves of the server's host keys.
func (s *Server) HostKeys() []ssh.PublicKey {
	var keys []ssh.PublicKey
	for _, k := range s.cfg.HostKeys {
		keys = append(keys, k.PublicKey())
	}
	return keys
}

// Wait returns when no connection is open and no command runs, or with the
// context's error.
func (s *Server) Wait(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for s.counts.busy() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// CutConnections closes every connection, as a server does that loses patience.
func (s *Server) CutConnections() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

// Close stops the server: connections are cut, commands killed and awaited.
func (s *Server) Close() error {
	s.mu.Lock()
	s.done = true
	err := s.listener.Close()
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.cancel()
	s.active.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *Server) accept() {
	defer s.active.Done()
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.done {
			s.mu.Unlock()
			c.Close()
			return
		}
		s.conns[c] = true
		s.active.Add(1)
		s.mu.Unlock()
		s.counts.begin()
		s.counts.add(func(n *Counters) { n.Connections++ })
		go func() {
			defer s.active.Done()
			defer s.counts.end()
			s.serve(c)
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		}()
	}
}

// serve is one connection from its first byte to its last command.
func (s *Server) serve(c net.Conn) {
	defer c.Close()
	login := &login{server: s, conn: c}
	conn, channels, requests, err := ssh.NewServerConn(c, login.config())
	if err != nil {
		s.cfg.Log("%s: not logged in: %v", c.RemoteAddr(), err)
		return
	}
	account := s.account(conn.User())
	s.counts.add(func(n *Counters) { n.Logins++ })
	s.cfg.Log("%s: %s logged in with %s", c.RemoteAddr(), conn.User(), login.method)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	go ssh.DiscardRequests(requests)
	var open sync.WaitGroup
	for ch := range channels {
		open.Add(1)
		go func() {
			defer open.Done()
			switch ch.ChannelType() {
			case "session":
				(&session{server: s, account: account, forced: login.forced, conn: conn}).serve(ctx, ch)
			case "direct-tcpip":
				s.forward(ch)
			default:
				ch.Reject(ssh.UnknownChannelType, "no such channel")
			}
		}()
	}
	cancel()
	open.Wait()
}

func (s *Server) account(name string) *Account {
	for i := range s.cfg.Accounts {
		if s.cfg.Accounts[i].Name == name {
			return &s.cfg.Accounts[i]
		}
	}
	return nil
}
