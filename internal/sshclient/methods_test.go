package sshclient_test

import (
	"bytes"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshtest"
)

// TestUnsupportedMethods: methods this program does not have are named, so that
// the person learns why nobody asked for anything.
func TestUnsupportedMethods(t *testing.T) {
	o := hostile(t, func(c *sshtest.RawConn) error {
		if err := c.AwaitMethod("none"); err != nil {
			return err
		}
		return c.RefuseAuth("gssapi-with-mic", "hostbased")
	})
	_, err := connect(t, o)
	var auth *sshclient.AuthError
	if !errors.As(err, &auth) || !slices.Equal(auth.Unsupported, []string{"gssapi-with-mic", "hostbased"}) {
		t.Errorf("%T %v", err, err)
	}
}

// TestSecondFactorWithGivenPassword: of several single questions the given
// password answers the first, and a person the next.
func TestSecondFactorWithGivenPassword(t *testing.T) {
	var answers []string
	o := hostile(t, func(c *sshtest.RawConn) error {
		if err := c.AwaitMethod("keyboard-interactive"); err != nil {
			return err
		}
		for _, question := range []string{"Password: ", "Code: "} {
			if err := c.WritePacket(infoRequest(1, question)); err != nil {
				return err
			}
			packet, err := c.ReadPacket()
			if err != nil {
				return err
			}
			var answer struct {
				Count  uint32 `sshtype:"61"`
				Answer string
			}
			if err := ssh.Unmarshal(packet, &answer); err != nil {
				return err
			}
			answers = append(answers, answer.Answer)
		}
		if err := c.RefuseAuth("keyboard-interactive"); err != nil {
			return err
		}
		_, err := c.ReadPacket() // the client has nothing more to say
		return err
	})
	who := &secrets{answers: []string{"123456"}}
	o.UI.Secret, o.Password = who.ask, []byte("secret")
	_, err := connect(t, o)
	var auth *sshclient.AuthError
	if !errors.As(err, &auth) || !auth.PasswordRefused || !slices.Equal(answers, []string{"secret", "123456"}) || len(who.asked) != 1 {
		t.Errorf("%T %v; answers %q, asked %q", err, err, answers, who.asked)
	}
}

// TestServerAlive: a server that no longer answers is given up after
// ServerAliveCountMax intervals; one that does answer, if only with no, is not.
func TestServerAlive(t *testing.T) {
	const requestFailure = 82 // SSH_MSG_REQUEST_FAILURE, RFC 4254 section 4
	for _, answers := range []bool{true, false} {
		t.Run(map[bool]string{true: "answers", false: "silent"}[answers], func(t *testing.T) {
			asked := make(chan struct{}, 100)
			o := hostile(t, func(c *sshtest.RawConn) error {
				if err := c.Authenticate("alice"); err != nil {
					return err
				}
				for {
					packet, err := c.ReadPacket()
					if err != nil {
						return err
					}
					if bytes.Contains(packet, []byte("keepalive@openssh.com")) {
						asked <- struct{}{}
					}
					if answers {
						if err := c.WritePacket([]byte{requestFailure}); err != nil {
							return err
						}
					}
				}
			})
			o.Host.ServerAliveInterval, o.Host.ServerAliveCountMax = 20*time.Millisecond, 2
			if answers {
				// A busy machine, and Wine on one, may keep an answer for long.
				o.Host.ServerAliveInterval = 250 * time.Millisecond
			}
			var told atomic.Value
			o.UI.Notice = func(text string) { told.Store(text) }
			conn, err := connect(t, o)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if !answers {
				conn.Client.Wait()
				if told.Load() != "Timeout, server "+o.Host.HostName+" not responding." {
					t.Errorf("told %v", told.Load())
				}
				return
			}
			ended := make(chan error, 1)
			go func() { ended <- conn.Client.Wait() }()
			for range 2 * (o.Host.ServerAliveCountMax + 1) {
				select {
				case <-asked:
				case err := <-ended:
					t.Fatalf("the connection ended: %v, told %v", err, told.Load())
				}
			}
			if told.Load() != nil {
				t.Errorf("told %v", told.Load())
			}
		})
	}
}

// TestAddresses: the addresses of a host are tried in order, AddressFamily
// narrows them down, and ConnectionAttempts repeats them.
func TestAddresses(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.3:0")
	if err != nil {
		t.Skipf("only one loopback address here: %v", err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	resolve(t, "many.example.", net.IPv4(127, 0, 0, 1), net.IPv4(127, 0, 0, 2), net.IPv4(127, 0, 0, 3))
	accepted := make(chan struct{})
	go func() {
		if c, err := listener.Accept(); err == nil {
			c.Close()
			close(accepted)
		}
	}()
	host := hostAt(t, "many.example.:"+port)
	_, err = connect(t, sshclient.Options{Host: host})
	<-accepted
	var handshake *sshclient.HandshakeError
	if !errors.As(err, &handshake) {
		t.Errorf("%T %v, want the listener to be reached and to hang up", err, err)
	}
	host = hostAt(t, "many.example.:"+port, "AddressFamily=inet6")
	_, err = connect(t, sshclient.Options{Host: host})
	var dial *sshclient.DialError
	if !errors.As(err, &dial) || !dial.Resolving {
		t.Errorf("no address of the family: %T %v", err, err)
	}
}

// TestConnectionAttempts: a port that opens a moment later is reached by the
// second round.
func TestConnectionAttempts(t *testing.T) {
	s := serve(t, nil)
	o := options(t, s)
	o.Host.ConnectionAttempts = 3
	o.Password = []byte("secret")
	free, err := sshtest.StartFault("refuse")
	if err != nil {
		t.Fatal(err)
	}
	o.HostKey = s.HostKeys()[0]
	o.Host.Port = free.Port()
	rounds := 0
	o.UI.Debug = func(_ int, text string) {
		if strings.HasPrefix(text, "connect to address") {
			if rounds++; rounds == 2 {
				o.Host.Port = s.Port()
			}
		}
	}
	conn, err := connect(t, o)
	if err != nil || rounds != 2 {
		t.Fatalf("%v after %d rounds", err, rounds)
	}
	conn.Close()
}
