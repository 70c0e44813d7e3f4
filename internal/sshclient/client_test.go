package sshclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/hostkey"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
	"ssh-copy-id/internal/sshtest"
)

// newSigner makes a key that counts how often it signs.
func newSigner(t *testing.T) *countingSigner {
	t.Helper()
	key, err := sshtest.GenerateKey("ed25519")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return &countingSigner{AlgorithmSigner: signer.(ssh.AlgorithmSigner)}
}

type countingSigner struct {
	ssh.AlgorithmSigner
	signed int
}

func (s *countingSigner) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	s.signed++
	return s.AlgorithmSigner.SignWithAlgorithm(rand, data, algorithm)
}

// serve starts a server with the account alice, whose authorized_keys holds
// keys.
func serve(t *testing.T, change func(*sshtest.Config), keys ...ssh.PublicKey) *sshtest.Server {
	t.Helper()
	home := filepath.Join(t.TempDir(), "alice")
	cfg := sshtest.Config{Accounts: []sshtest.Account{{Name: "alice", Password: "secret", Home: home}}}
	if change != nil {
		change(&cfg)
	}
	var lines strings.Builder
	for _, key := range keys {
		lines.Write(ssh.MarshalAuthorizedKey(key))
	}
	writeKeys(t, home, lines.String())
	s, err := sshtest.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// options reach s, with its host key known and nobody to ask.
func options(t *testing.T, s *sshtest.Server) sshclient.Options {
	t.Helper()
	file := filepath.Join(t.TempDir(), "known_hosts")
	write(t, file, string(s.KnownHosts(false)))
	return sshclient.Options{Host: hostAt(t, s.Addr(), "UserKnownHostsFile="+file)}
}

func hostAt(t *testing.T, addr string, lines ...string) *sshconfig.Host {
	t.Helper()
	name, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	h, err := sshconfig.Resolve(sshconfig.Input{
		Destination: "alice@" + name, ConfigFile: "none", Home: t.TempDir(), LocalUser: "me",
		Options: append(lines, "Port="+port, "GlobalKnownHostsFile=none"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// secrets answers questions in turn and notes them.
type secrets struct {
	answers []string
	asked   []string
}

func (s *secrets) ask(prompt string) ([]byte, error) {
	s.asked = append(s.asked, prompt)
	if len(s.answers) == 0 {
		return nil, errors.New("no answer left")
	}
	answer := s.answers[0]
	s.answers = s.answers[1:]
	return []byte(answer), nil
}

func connect(t *testing.T, o sshclient.Options) (*sshclient.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := sshclient.Connect(ctx, o)
	if conn != nil {
		t.Cleanup(func() { conn.Close() })
	}
	return conn, err
}

// TestQueriesNeedNoPrivateKey: the server tells which keys it accepts, and
// nothing signs.
func TestQueriesNeedNoPrivateKey(t *testing.T) {
	there, missing := newSigner(t), newSigner(t)
	s := serve(t, func(c *sshtest.Config) { c.Version = "SSH-2.0-OpenSSH_9.2p1" }, there.PublicKey())
	o := options(t, s)
	o.NeverAsk = true
	o.Query = []ssh.PublicKey{missing.PublicKey(), there.PublicKey()}
	told := 0
	o.Queried = func(sshclient.Answers) { told++ }
	conn, err := connect(t, o)
	if err != nil {
		t.Fatal(err)
	}
	if conn.Client != nil || conn.Answers.Accepted(missing.PublicKey()) || !conn.Answers.Accepted(there.PublicKey()) || told != 1 {
		t.Errorf("%+v, told %d times", conn.Answers, told)
	}
	if c := s.Counters(); c.Signatures != 0 || c.Queries != 2 {
		t.Errorf("%+v", c)
	}
}

// TestManyKeys: at most four refused keys, then the password, whatever
// MaxAuthTries leaves, and never more than two connections.
func TestManyKeys(t *testing.T) {
	var query []ssh.PublicKey
	for range 20 {
		query = append(query, newSigner(t).PublicKey())
	}
	for tries := 1; tries <= 6; tries++ {
		t.Run(strconv.Itoa(tries), func(t *testing.T) {
			s := serve(t, func(c *sshtest.Config) { c.MaxAuthTries = tries })
			o := options(t, s)
			o.Query = query
			who := &secrets{answers: []string{"secret"}}
			o.UI.Secret = who.ask
			conn, err := connect(t, o)
			if err != nil {
				t.Fatal(err)
			}
			if conn.Client == nil || conn.Method != "password" || len(who.asked) != 1 {
				t.Errorf("%q after %q", conn.Method, who.asked)
			}
			c := s.Counters()
			if c.Queries > 4 || c.Connections > 2 || tries == 6 && c.Connections != 1 {
				t.Errorf("%d queries, %d connections", c.Queries, c.Connections)
			}
		})
	}
}

// TestLoginOrder: keys that sign unasked come before those that ask for a
// passphrase, and only the one that logs in signs.
func TestLoginOrder(t *testing.T) {
	silent, locked, stranger := newSigner(t), newSigner(t), newSigner(t)
	s := serve(t, nil, silent.PublicKey(), locked.PublicKey())
	o := options(t, s)
	o.Keys = func(*sshconfig.Host) []sshclient.Key {
		return []sshclient.Key{{Signer: locked, Asks: true}, {Signer: stranger}, {Signer: silent}}
	}
	conn, err := connect(t, o)
	if err != nil {
		t.Fatal(err)
	}
	if conn.Method != "publickey" || silent.signed != 1 || locked.signed+stranger.signed != 0 {
		t.Errorf("%s: signed %d, %d, %d", conn.Method, silent.signed, locked.signed, stranger.signed)
	}
}

// TestStopWhenAccepted: nobody is asked where every key is there already.
func TestStopWhenAccepted(t *testing.T) {
	there := newSigner(t)
	s := serve(t, nil, there.PublicKey())
	o := options(t, s)
	o.Query, o.StopWhenAccepted = []ssh.PublicKey{there.PublicKey()}, true
	who := &secrets{}
	o.UI.Secret = who.ask
	conn, err := connect(t, o)
	if err != nil || conn.Client != nil || len(who.asked) > 0 {
		t.Fatalf("%v, asked %q", err, who.asked)
	}
	// With a signer at hand the same connection ends in a login.
	o.Keys = func(*sshconfig.Host) []sshclient.Key { return []sshclient.Key{{Signer: there}} }
	conn, err = connect(t, o)
	if err != nil || conn.Client == nil || there.signed != 1 {
		t.Fatalf("%v, signed %d", err, there.signed)
	}
}

// TestPasswords: prompts in ssh's words, as often as NumberOfPasswordPrompts.
func TestPasswords(t *testing.T) {
	s := serve(t, nil)
	o := options(t, s)
	who := &secrets{answers: []string{"a", "b", "c", "d"}}
	o.UI.Secret = who.ask
	_, err := connect(t, o)
	var auth *sshclient.AuthError
	if !errors.As(err, &auth) || auth.User != "alice" || len(who.asked) != 3 || who.asked[0] != "alice@127.0.0.1's password: " {
		t.Errorf("%v after %q", err, who.asked)
	}
	o.Host.BatchMode = true
	who.asked = nil
	if _, err = connect(t, o); !errors.As(err, &auth) || auth.NotAsked != sshclient.BatchMode || len(who.asked) > 0 {
		t.Errorf("batch mode: %v after %q", err, who.asked)
	}
}

// TestUnverifiedHostGetsNoSecret: neither an unknown host nor, with checking
// off, a changed one.
func TestUnverifiedHostGetsNoSecret(t *testing.T) {
	s, other := serve(t, nil), serve(t, nil)
	for _, c := range []struct{ name, strict, known string }{
		{"unknown", "yes", ""},
		{"unknown and nobody to ask", "ask", ""},
		{"changed", "yes", "other"},
		{"changed, checking off", "no", "other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "known_hosts")
			if c.known != "" {
				write(t, file, fmt.Sprintf("[127.0.0.1]:%d %s", s.Port(), ssh.MarshalAuthorizedKey(other.HostKeys()[0])))
			}
			who := &secrets{answers: []string{"secret", "secret", "secret"}}
			o := sshclient.Options{Host: hostAt(t, s.Addr(), "UserKnownHostsFile="+file, "StrictHostKeyChecking="+c.strict)}
			o.UI.Secret = who.ask
			s.ResetCounters()
			_, err := connect(t, o)
			if err == nil || len(who.asked) > 0 || s.Counters().Passwords > 0 {
				t.Errorf("%v, asked %q", err, who.asked)
			}
			if c.strict != "no" && hostkey.Explain(err) == "" {
				t.Errorf("not a host key error: %v", err)
			}
		})
	}
}

// TestSecondConnection: it takes the same host key and no other, and waits
// before it authenticates.
func TestSecondConnection(t *testing.T) {
	there := newSigner(t)
	s, other := serve(t, nil, there.PublicKey()), serve(t, nil)
	ready := make(chan struct{})
	o := sshclient.Options{
		Host: hostAt(t, s.Addr()), HostKey: s.HostKeys()[0], NeverAsk: true,
		Query: []ssh.PublicKey{there.PublicKey()}, BeforeAuth: ready,
	}
	time.AfterFunc(200*time.Millisecond, func() {
		if s.Counters().Queries != 0 {
			t.Error("asked before it was let go")
		}
		close(ready)
	})
	conn, err := connect(t, o)
	if err != nil || !conn.Answers.Accepted(there.PublicKey()) {
		t.Fatal(err)
	}
	o.HostKey = other.HostKeys()[0]
	if _, err := connect(t, o); err == nil {
		t.Error("another host key was taken")
	}
}

// TestBadPeers: whatever is not an SSH server ends in a typed error, in time.
func TestBadPeers(t *testing.T) {
	for _, kind := range []string{"silent", "close", "garbage", "http", "endless-banner", "long-line", "refuse"} {
		t.Run(kind, func(t *testing.T) {
			f, err := sshtest.StartFault(kind)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			_, err = connect(t, sshclient.Options{Host: hostAt(t, f.Addr(), "ConnectTimeout=1")})
			var dial *sshclient.DialError
			var handshake *sshclient.HandshakeError
			if !errors.As(err, &dial) && !errors.As(err, &handshake) {
				t.Errorf("%T %v", err, err)
			}
		})
	}
}

// TestCancel: a caller that gives up is heard at once.
func TestCancel(t *testing.T) {
	f, err := sshtest.StartFault("silent")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := sshclient.Connect(ctx, sshclient.Options{Host: hostAt(t, f.Addr())}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestJump: through two hops, each with its own known_hosts and login.
func TestJump(t *testing.T) {
	key := newSigner(t)
	forwarding := func(c *sshtest.Config) { c.Forwarding = true }
	one, two, last := serve(t, forwarding, key.PublicKey()), serve(t, forwarding, key.PublicKey()), serve(t, nil, key.PublicKey())
	o := options(t, last)
	o.Host.ProxyJump = "one,two"
	o.Keys = func(*sshconfig.Host) []sshclient.Key { return []sshclient.Key{{Signer: key}} }
	o.Resolve = func(name string) (*sshconfig.Host, error) {
		return options(t, map[string]*sshtest.Server{"one": one, "two": two}[name]).Host, nil
	}
	conn, err := connect(t, o)
	if err != nil || conn.Client == nil || key.signed != 3 {
		t.Fatalf("%v, signed %d", err, key.signed)
	}
	o.Resolve = func(string) (*sshconfig.Host, error) { return nil, errors.New("no such host") }
	var hop *sshclient.HopError
	if _, err := connect(t, o); !errors.As(err, &hop) || hop.Hop != "two" {
		t.Errorf("got %v", err)
	}
}
