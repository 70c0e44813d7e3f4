package sshtest

import (
	"bytes"
	"io"
	"testing"

	"golang.org/x/crypto/ssh"
)

func startRaw(t *testing.T, script func(*RawConn) error) *Raw {
	t.Helper()
	s, err := StartRaw(script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func dialRaw(s *Raw, methods ...ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", s.Addr(), &ssh.ClientConfig{
		User: "alice", Auth: methods, HostKeyCallback: ssh.FixedHostKey(s.HostKey()),
	})
}

// TestRawSession: an honest script serves a command as any server does.
func TestRawSession(t *testing.T) {
	s := startRaw(t, func(c *RawConn) error {
		if err := c.Authenticate("alice"); err != nil {
			return err
		}
		ch, err := c.AcceptSession()
		if err != nil {
			return err
		}
		for {
			data, err := ch.ReadData()
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			if _, err := ch.Write(bytes.ToUpper(data)); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(ch, ch.Command); err != nil {
			return err
		}
		if err := ch.Exit(3); err != nil {
			return err
		}
		_, err = c.ReadPacket() // the client's close of the channel
		return err
	})
	client, err := dialRaw(s)
	if err != nil {
		t.Fatal(err, s.Err())
	}
	defer client.Close()
	// More than one packet each way.
	sent := bytes.Repeat([]byte("abcdefgh"), 20<<10)
	out, status := output(t, client, "upper", string(sent))
	if out != string(bytes.ToUpper(sent))+"upper" || status != 3 {
		t.Errorf("%d bytes, status %d", len(out), status)
	}
	if s.Connections() != 1 || s.Err() != nil {
		t.Errorf("%d connections, %v", s.Connections(), s.Err())
	}
}

// TestRawMethods: a script refuses until its method comes, and can answer that
// with any message.
func TestRawMethods(t *testing.T) {
	s := startRaw(t, func(c *RawConn) error {
		if err := c.AwaitMethod("password"); err != nil {
			return err
		}
		if err := c.RefuseAuth("keyboard-interactive"); err != nil {
			return err
		}
		if _, _, err := c.ReadAuthRequest(); err != nil {
			return err
		}
		return c.WritePacket([]byte{msgUserAuthSuccess})
	})
	asked := 0
	client, err := dialRaw(s,
		ssh.PasswordCallback(func() (string, error) { asked++; return "secret", nil }),
		ssh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { return nil, nil }))
	if err != nil || asked != 1 {
		t.Fatalf("%v, asked %d times; server: %v", err, asked, s.Err())
	}
	client.Close()
}

// TestRawFalseLength: WriteRaw reaches the client past the encryption.
func TestRawFalseLength(t *testing.T) {
	s := startRaw(t, func(c *RawConn) error {
		if err := c.WriteRaw([]byte{0xff, 0xff, 0xff, 0xff}); err != nil {
			return err
		}
		for {
			if _, err := c.ReadPacket(); err != nil {
				return err
			}
		}
	})
	if client, err := dialRaw(s); err == nil {
		client.Close()
		t.Error("the client took a packet of 4 GiB")
	}
}

// TestRawRefuses: another account, and a client without the algorithms.
func TestRawRefuses(t *testing.T) {
	failed := make(chan error, 1)
	s := startRaw(t, func(c *RawConn) error {
		err := c.Authenticate("bob")
		failed <- err
		return err
	})
	if client, err := dialRaw(s); err == nil {
		client.Close()
		t.Error("alice was let in as bob")
	}
	if <-failed == nil || s.Connections() != 1 {
		t.Errorf("%d connections", s.Connections())
	}
	config := &ssh.ClientConfig{User: "bob", HostKeyCallback: ssh.FixedHostKey(s.HostKey())}
	config.Ciphers = []string{"aes256-ctr"}
	if client, err := ssh.Dial("tcp", s.Addr(), config); err == nil {
		client.Close()
		t.Error("connected with a cipher that is not offered")
	}
}
