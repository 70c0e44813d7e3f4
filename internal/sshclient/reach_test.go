package sshclient_test

import (
	"errors"
	"testing"
	"time"

	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
	"ssh-copy-id/internal/sshtest"
)

// TestJumpTimeout: a jump host that does not get through is given no more time
// than ConnectTimeout.
func TestJumpTimeout(t *testing.T) {
	stuck, err := sshtest.StartRaw(func(c *sshtest.RawConn) error {
		if err := c.Authenticate("alice"); err != nil {
			return err
		}
		for { // a channel is asked for, and nothing is answered
			if _, err := c.ReadPacket(); err != nil {
				return err
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stuck.Close() })
	o := options(t, serve(t, nil))
	o.Host.ProxyJump, o.Host.ConnectTimeout = "hop", 200*time.Millisecond
	o.Resolve = func(string) (*sshconfig.Host, error) {
		return hostAt(t, stuck.Addr(), "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"), nil
	}
	_, err = connect(t, o)
	var hop *sshclient.HopError
	if !errors.As(err, &hop) {
		t.Errorf("%T %v", err, err)
	}
}

// TestSameAddressIsNoLoop: a host behind itself under another name, as
// "localhost" is another machine behind each hop; only a name that comes back is
// a loop.
func TestSameAddressIsNoLoop(t *testing.T) {
	key := newSigner(t)
	s := serve(t, func(c *sshtest.Config) { c.Forwarding = true }, key.PublicKey())
	o := options(t, s)
	o.Host.Name, o.Host.ProxyJump = "inside", "outside"
	o.Keys = func(*sshconfig.Host) []sshclient.Key { return []sshclient.Key{{Signer: key}} }
	jump := ""
	o.Resolve = func(name string) (*sshconfig.Host, error) {
		h := options(t, s).Host
		h.Name, h.ProxyJump = name, jump
		return h, nil
	}
	conn, err := connect(t, o)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	jump = "outside"
	var loop *sshclient.LoopError
	if _, err := connect(t, o); !errors.As(err, &loop) || loop.Hop != "outside" {
		t.Errorf("%T %v", err, err)
	}
}

// TestReconnectKeepsJumpHost: where the target wants another connection, the
// jump host does not want another password.
func TestReconnectKeepsJumpHost(t *testing.T) {
	hop := serve(t, func(c *sshtest.Config) { c.Forwarding = true })
	target := serve(t, func(c *sshtest.Config) { c.MaxAuthTries = 2 })
	o := options(t, target)
	o.Host.ProxyJump = "hop"
	o.Resolve = func(string) (*sshconfig.Host, error) { return options(t, hop).Host, nil }
	for range 3 {
		o.Query = append(o.Query, newSigner(t).PublicKey())
	}
	who := &secrets{answers: []string{"secret", "secret"}}
	o.UI.Secret = who.ask
	conn, err := connect(t, o)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if n := target.Counters().Connections; n != 2 || len(who.asked) != 2 {
		t.Errorf("%d connections to the target, asked %q", n, who.asked)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if _, err := conn.Client.Dial("tcp", "127.0.0.1:1"); err == nil {
		t.Error("the connection is open")
	}
}
