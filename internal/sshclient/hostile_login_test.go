package sshclient_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshtest"
)

// TestHostileRounds: keyboard-interactive that never comes to an end, with or
// without a question in it.
func TestHostileRounds(t *testing.T) {
	for name, packet := range map[string][]byte{
		"no question":  infoRequest(0),
		"one question": infoRequest(1, "Password: "),
	} {
		t.Run(name, func(t *testing.T) {
			o := hostile(t, func(c *sshtest.RawConn) error {
				if err := c.AwaitMethod("keyboard-interactive"); err != nil {
					return err
				}
				for {
					if err := c.WritePacket(packet); err != nil {
						return err
					}
					if _, err := c.ReadPacket(); err != nil {
						return err
					}
				}
			})
			asked := 0
			o.UI.Secret = func(string) ([]byte, error) { asked++; return []byte("secret"), nil }
			conn, err := connect(t, o)
			if conn != nil || errors.Is(err, context.DeadlineExceeded) || asked > 1000 {
				t.Errorf("%T %v, asked %d times", err, err, asked)
			}
		})
	}
}

// TestHangUp: a server that closes the connection without a word is told from
// one that refuses, and nobody is asked for a password that leads nowhere. Where
// it hangs up at a key, one more connection is made, without keys.
func TestHangUp(t *testing.T) {
	for _, c := range []struct {
		name               string
		script             func(*sshtest.RawConn) error
		asked, connections int
	}{
		{"after the key exchange", func(c *sshtest.RawConn) error { return nil }, 0, 1},
		{"at the first request", func(c *sshtest.RawConn) error { return c.AwaitMethod("none") }, 0, 1},
		{"at a key", func(c *sshtest.RawConn) error {
			if err := c.AwaitMethod("none"); err != nil {
				return err
			}
			if err := c.RefuseAuth("publickey", "password"); err != nil {
				return err
			}
			_, _, err := c.ReadAuthRequest()
			return err
		}, 1, 2},
		{"at a password", func(c *sshtest.RawConn) error { return c.AwaitMethod("password") }, 1, 1},
		{"at keyboard-interactive", func(c *sshtest.RawConn) error { return c.AwaitMethod("keyboard-interactive") }, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var connections atomic.Int32
			o := hostile(t, func(conn *sshtest.RawConn) error {
				connections.Add(1)
				return c.script(conn)
			})
			o.Query = []ssh.PublicKey{newSigner(t).PublicKey()}
			asked := 0
			o.UI.Secret = func(string) ([]byte, error) { asked++; return []byte("secret"), nil }
			conn, err := connect(t, o)
			var closed *sshclient.ClosedError
			if conn != nil || !errors.As(err, &closed) || asked != c.asked || int(connections.Load()) != c.connections {
				t.Errorf("%T %v, asked %d times on %d connections", err, err, asked, connections.Load())
			}
		})
	}
}

// TestDisconnect: what a server says when it hangs up is kept.
func TestDisconnect(t *testing.T) {
	o := hostile(t, func(c *sshtest.RawConn) error {
		if err := c.AwaitMethod("password"); err != nil {
			return err
		}
		return c.WritePacket(ssh.Marshal(struct {
			Reason         uint32 `sshtype:"1"`
			Text, Language string
		}{11, "closed for today", ""}))
	})
	o.UI.Secret = func(string) ([]byte, error) { return []byte("secret"), nil }
	_, err := connect(t, o)
	var closed *sshclient.ClosedError
	if !errors.As(err, &closed) || !strings.Contains(closed.Err.Error(), "closed for today") {
		t.Errorf("%T %v", err, err)
	}
}

// TestHostileBanners: a few banners are shown, not any number of them.
func TestHostileBanners(t *testing.T) {
	o := hostile(t, func(c *sshtest.RawConn) error {
		if err := c.AwaitMethod("none"); err != nil {
			return err
		}
		return forever(c, banner("once more\n"))
	})
	shown := 0
	o.UI.Notice = func(string) { shown++ }
	conn, err := connect(t, o)
	var closed *sshclient.ClosedError
	if conn != nil || !errors.As(err, &closed) || shown == 0 || shown > 1000 {
		t.Errorf("%T %v, shown %d times", err, err, shown)
	}
}

// TestPasswordExpired: a server that answers a password with
// SSH_MSG_USERAUTH_PASSWD_CHANGEREQ (RFC 4252, section 8) has refused it, and
// says why.
func TestPasswordExpired(t *testing.T) {
	o := hostile(t, func(c *sshtest.RawConn) error {
		if err := c.AwaitMethod("password"); err != nil {
			return err
		}
		for {
			if err := c.WritePacket(ssh.Marshal(struct {
				Prompt   string `sshtype:"60"`
				Language string
			}{"Your password has expired.", ""})); err != nil {
				return err
			}
			if _, _, err := c.ReadAuthRequest(); err != nil {
				return err
			}
		}
	})
	who := &secrets{answers: []string{"a", "b", "c"}}
	o.UI.Secret = who.ask
	conn, err := connect(t, o)
	var auth *sshclient.AuthError
	if conn != nil || !errors.As(err, &auth) || !auth.PasswordExpired || len(who.asked) != 1 {
		t.Errorf("%T %v, asked %q", err, err, who.asked)
	}
	// The same where the password comes from the caller.
	who.asked = nil
	o.Password = []byte("secret")
	if _, err = connect(t, o); !errors.As(err, &auth) || !auth.PasswordExpired || auth.PasswordRefused || len(who.asked) > 0 {
		t.Errorf("%T %v, asked %q", err, err, who.asked)
	}
}
