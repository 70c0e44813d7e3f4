package sshclient_test

import (
	"context"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"

	"ssh-copy-id/internal/sshtest"
)

// watchedConn closes lost when the peer has closed the connection.
type watchedConn struct {
	net.Conn
	once sync.Once
	lost chan struct{}
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.once.Do(func() { close(c.lost) })
	}
	return n, err
}

// TestLateAnswer: a server that hangs up while the password is typed gets it over
// another connection, and the user is asked once; a second time it is lost.
func TestLateAnswer(t *testing.T) {
	for _, test := range []struct {
		method string
		cuts   int // how often the server hangs up at the prompt
		asked  int
		ok     bool
	}{
		{"password", 1, 1, true},
		{"keyboard-interactive", 1, 1, true},
		{"password", 2, 1, true}, // the answer that was kept needs no prompt
	} {
		s := serve(t, func(c *sshtest.Config) { c.Methods = []string{test.method} })
		o := options(t, s)
		var conn *watchedConn
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			var d net.Dialer
			c, err := d.DialContext(ctx, network, address)
			conn = &watchedConn{Conn: c, lost: make(chan struct{})}
			return conn, err
		}
		var notices strings.Builder
		o.UI.Notice = func(text string) { notices.WriteString(text + "\n") }
		asked := 0
		o.UI.Secret = func(string) ([]byte, error) {
			if asked++; asked <= test.cuts {
				s.CutConnections()
				<-conn.lost
				for range 1000 {
					runtime.Gosched()
				}
			}
			return []byte("secret"), nil
		}
		got, err := connect(t, o)
		if (err == nil) != test.ok || asked != test.asked || test.ok && got.Method != test.method {
			t.Errorf("%s: %v, asked %d times", test.method, err, asked)
		}
		if strings.Count(notices.String(), "LoginGraceTime") != 1 {
			t.Errorf("%s: it says %q", test.method, notices.String())
		}
	}
}

// TestWithheldPassword: a given password that answers no code is still tried by
// the method of its name.
func TestWithheldPassword(t *testing.T) {
	s := serve(t, func(c *sshtest.Config) {
		c.Methods = []string{"keyboard-interactive", "password"}
		c.Accounts[0].Challenges = []sshtest.Challenge{{Prompts: []sshtest.Prompt{{Text: "Verification code: ", Answer: "123456"}}}}
	})
	o := options(t, s)
	o.Password = []byte("secret")
	got, err := connect(t, o)
	if err != nil || got.Method != "password" {
		t.Errorf("%v, %+v", err, got)
	}
}
