package sshtest

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Message numbers of authentication and connection (RFC 4250, section 4.1.2).
const (
	msgServiceRequest  = 5
	msgUserAuthRequest = 50
	msgUserAuthSuccess = 52
	msgGlobalRequest   = 80
	msgRequestFailure  = 82
	msgChannelOpen     = 90
	msgChannelData     = 94
	msgChannelEOF      = 96
	msgChannelClose    = 97
	msgChannelRequest  = 98
	msgChannelSuccess  = 99
	msgChannelFailure  = 100
)

// Raw is a server that says what a script tells it to, also what no honest
// server says. Up to the end of the key exchange it keeps to the protocol; it
// knows one algorithm of each kind and no second key exchange.
type Raw struct {
	*Fault // the port; its Close makes the scripts' next read or write fail

	key ed25519.PrivateKey

	mu  sync.Mutex
	err error
}

// RawConn is one connection of a [Raw] server. It is for one goroutine.
type RawConn struct {
	conn    net.Conn
	r       *bufio.Reader
	in, out *seal // nil before the key exchange
}

// StartRaw puts a server on a free port of 127.0.0.1. Each connection runs
// script when its key exchange is over, and is closed when script returns.
func StartRaw(script func(*RawConn) error) (*Raw, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Raw{Fault: &Fault{listener: l, conns: make(map[net.Conn]bool)}, key: key}
	go s.accept(func(c net.Conn) {
		conn := &RawConn{conn: c, r: bufio.NewReader(c)}
		err := conn.handshake(key)
		if err == nil {
			err = script(conn)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.err == nil {
			s.err = err
		}
	})
	return s, nil
}

// HostKey is the public half of the server's ed25519 key.
func (s *Raw) HostKey() ssh.PublicKey {
	key, err := ssh.ParsePublicKey(ed25519Blob(s.key))
	if err != nil {
		panic(err) // ed25519Blob made it
	}
	return key
}

// Err is how the first connection that failed did: by its key exchange or by
// its script. Clients that hang up are among the reasons.
func (s *Raw) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Authenticate lets user in, whatever the first request is: with most clients
// it has the method "none" (RFC 4252, section 5.2).
func (c *RawConn) Authenticate(user string) error {
	if err := c.AcceptService(); err != nil {
		return err
	}
	name, _, err := c.ReadAuthRequest()
	if err != nil {
		return err
	}
	if name != user {
		return fmt.Errorf("login as %q where %q was due", name, user)
	}
	return c.WritePacket([]byte{msgUserAuthSuccess})
}

// AcceptService takes the request for the service ssh-userauth (RFC 4253,
// section 10).
func (c *RawConn) AcceptService() error {
	if _, err := c.expect(msgServiceRequest); err != nil {
		return err
	}
	return c.WritePacket(ssh.Marshal(struct {
		Name string `sshtype:"6"`
	}{"ssh-userauth"}))
}

// ReadAuthRequest reads an authentication request up to the name of its method.
func (c *RawConn) ReadAuthRequest() (user, method string, err error) {
	packet, err := c.expect(msgUserAuthRequest)
	if err != nil {
		return "", "", err
	}
	var request struct {
		User, Service, Method string
		Rest                  []byte `ssh:"rest"`
	}
	err = ssh.Unmarshal(packet[1:], &request)
	return request.User, request.Method, err
}

// AwaitMethod takes the service request and offers method, and no other, until
// the client asks for it. That request is left without an answer.
func (c *RawConn) AwaitMethod(method string) error {
	if err := c.AcceptService(); err != nil {
		return err
	}
	for {
		_, asked, err := c.ReadAuthRequest()
		if err != nil || asked == method {
			return err
		}
		if err := c.RefuseAuth(method); err != nil {
			return err
		}
	}
}

// RefuseAuth answers a request with SSH_MSG_USERAUTH_FAILURE and the methods
// that can continue.
func (c *RawConn) RefuseAuth(methods ...string) error {
	return c.WritePacket(ssh.Marshal(struct {
		Methods string `sshtype:"51"`
		Partial bool
	}{strings.Join(methods, ","), false}))
}

// channelRequest is SSH_MSG_CHANNEL_REQUEST (RFC 4254, section 5.4).
type channelRequest struct {
	Channel   uint32 `sshtype:"98"`
	Kind      string
	WantReply bool
	Data      []byte `ssh:"rest"`
}

// RawChannel is a session of a [RawConn].
type RawChannel struct {
	// Command is what the client wants to run.
	Command string

	conn *RawConn
	peer uint32 // the client's number of the channel
}

// AcceptSession takes a session channel, with the number 0, and the command to
// run in it; it refuses what else is asked for on the way.
func (c *RawConn) AcceptSession() (*RawChannel, error) {
	ch := &RawChannel{conn: c}
	for {
		packet, err := c.ReadPacket()
		if err != nil {
			return nil, err
		}
		switch packet[0] {
		case msgGlobalRequest:
			err = c.WritePacket([]byte{msgRequestFailure})
		case msgChannelOpen:
			err = ch.confirm(packet)
		case msgChannelRequest:
			var done bool
			if done, err = ch.request(packet); done {
				return ch, err
			}
		default:
			err = fmt.Errorf("message %d before a command", packet[0])
		}
		if err != nil {
			return nil, err
		}
	}
}

// confirm answers SSH_MSG_CHANNEL_OPEN (RFC 4254, section 5.1).
func (ch *RawChannel) confirm(packet []byte) error {
	var open struct {
		Kind                    string `sshtype:"90"`
		Number, Window, MaxData uint32
		Rest                    []byte `ssh:"rest"`
	}
	if err := ssh.Unmarshal(packet, &open); err != nil {
		return err
	}
	if open.Kind != "session" {
		return fmt.Errorf("channel of type %q", open.Kind)
	}
	ch.peer = open.Number
	return ch.conn.WritePacket(ssh.Marshal(struct {
		Peer                    uint32 `sshtype:"91"`
		Number, Window, MaxData uint32
	}{ch.peer, 0, 1 << 30, 32 << 10}))
}

// request answers a channel request; done tells that it was for a command.
func (ch *RawChannel) request(packet []byte) (done bool, err error) {
	var r channelRequest
	if err := ssh.Unmarshal(packet, &r); err != nil {
		return false, err
	}
	kind := byte(msgChannelFailure)
	if r.Kind == "exec" {
		var exec struct{ Command string }
		if err := ssh.Unmarshal(r.Data, &exec); err != nil {
			return false, err
		}
		ch.Command, done, kind = exec.Command, true, msgChannelSuccess
	}
	if !r.WantReply {
		return done, nil
	}
	return done, ch.conn.WritePacket(append([]byte{kind}, ssh.Marshal(struct{ Peer uint32 }{ch.peer})...))
}

// Write sends the command's standard output in packets of at most 32 KiB,
// without regard to the client's window.
func (ch *RawChannel) Write(b []byte) (int, error) {
	for sent := 0; sent < len(b); {
		part := b[sent:min(len(b), sent+32<<10)]
		err := ch.conn.WritePacket(ssh.Marshal(struct {
			Peer uint32 `sshtype:"94"`
			Data []byte
		}{ch.peer, part}))
		if err != nil {
			return sent, err
		}
		sent += len(part)
	}
	return len(b), nil
}

// ReadData gives the next piece of the command's standard input; io.EOF where
// the client ends it.
func (ch *RawChannel) ReadData() ([]byte, error) {
	for {
		packet, err := ch.conn.ReadPacket()
		if err != nil {
			return nil, err
		}
		switch packet[0] {
		case msgChannelData:
			var data struct {
				Channel uint32 `sshtype:"94"`
				Data    []byte
			}
			err := ssh.Unmarshal(packet, &data)
			return data.Data, err
		case msgChannelEOF, msgChannelClose:
			return nil, io.EOF
		}
	}
}

// Exit ends the command with a status and closes the channel.
func (ch *RawChannel) Exit(status uint32) error {
	err := ch.conn.WritePacket(ssh.Marshal(channelRequest{
		Channel: ch.peer, Kind: "exit-status", Data: ssh.Marshal(struct{ Status uint32 }{status}),
	}))
	if err != nil {
		return err
	}
	return ch.conn.WritePacket(ssh.Marshal(struct {
		Peer uint32 `sshtype:"97"`
	}{ch.peer}))
}
