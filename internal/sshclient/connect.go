package sshclient

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
)

// Limits on a server that says nothing. ssh has none of its own beyond
// ConnectTimeout; ours also keep a hostile server from holding us for ever.
const (
	// handshakeLimit bounds version exchange and key exchange where
	// ConnectTimeout is not set; it is sshd's own LoginGraceTime.
	handshakeLimit = 120 * time.Second
	// keyReplyLimit bounds the answer to a key query or a signature.
	keyReplyLimit = 60 * time.Second
	// secretReplyLimit bounds the answer to a password or to
	// keyboard-interactive: a second factor may wait for its owner.
	secretReplyLimit = 10 * time.Minute
)

// Connect reaches the host, verifies its key, asks about Options.Query and
// logs in.
//
// Errors: *DialError where the host was not reached, *HandshakeError where the
// peer does not complete the SSH handshake, the errors of package hostkey
// where its key is refused, *AuthError where it lets us in with nothing we
// have, *ClosedError where it hung up while we authenticated.
func Connect(ctx context.Context, o Options) (*Conn, error) {
	if err := o.Host.Unusable; err != nil {
		return nil, err
	}
	o.debugUnused()
	l := newLogin(&o)
	var route carrier
	for {
		conn, err := l.connect(ctx, &route)
		var closed *ClosedError
		var hop *HopError
		hungUp := errors.As(err, &closed) && !errors.As(err, &hop)
		switch {
		case errors.Is(err, errMoreKeys):
			o.debug(1, "%d keys refused; connecting again with the others", l.refusedInAll)
		case hungUp && l.reconnectForAnswer():
		case hungUp && l.retryWithoutKeys(closed.KeysOffered):
			o.debug(1, "the server hung up after %d refused keys; connecting again without keys", l.refusedInAll)
		case l.otherHostKey(err):
			o.debug(1, "not the host key that was expected; connecting again for one of another type")
		default:
			if err != nil && route.closeHops != nil {
				route.closeHops()
			}
			return conn, l.failed(err)
		}
	}
}

// connect makes one connection. The jump hosts that it led through stay in
// route, for another one: nobody is asked for their passwords twice. They are
// the caller's to close where there is an error.
func (l *login) connect(ctx context.Context, route *carrier) (*Conn, error) {
	carrier, err := route.dial(ctx, l.o)
	if err != nil {
		return nil, err
	}
	*route = *carrier
	c := l.newConnection(ctx, carrier)
	err = c.handshake()
	conn := c.conn
	conn.Answers, conn.Methods, conn.AcceptsEveryKey = l.answers, c.allowed, c.acceptsEveryQuery()
	if conn.HostKey != nil {
		l.hostKey = conn.HostKey
	}
	if err != nil {
		conn.Close()
		if carrier.blame != nil {
			err = carrier.blame(l.o.Host, err)
		}
		if errors.Is(err, errAnswered) {
			l.reportQueried()
			if route.closeHops != nil {
				route.closeHops()
			}
			return conn, nil
		}
		return nil, err
	}
	if carrier.closeHops != nil {
		conn.closers = slices.Insert(conn.closers, 0, carrier.closeHops)
	}
	l.reportQueried()
	conn.Method, conn.LoginKey = c.method, c.loginKey
	return conn, nil
}

// handshake runs version exchange, key exchange and authentication, and fills
// conn.
func (c *connection) handshake() error {
	h, conn := c.o.Host, c.conn
	stop := context.AfterFunc(c.ctx, c.wire.cancel)
	defer stop()

	config, err := c.clientConfig()
	if err != nil {
		return err
	}
	address := net.JoinHostPort(h.HostName, portText(h.Port))
	sshConn, channels, requests, err := ssh.NewClientConn(c.wire, address, config)
	conn.ServerVersion = c.wire.serverVersion()
	if err != nil {
		return c.explain(err)
	}
	c.succeeded()
	c.wire.stopTimer()
	if c.learner != nil {
		rest, done := c.learner.pass(sshConn, requests)
		requests = rest
		conn.closers = append(conn.closers, func() error { <-done; return nil })
	}
	conn.Client = ssh.NewClient(sshConn, channels, requests)
	conn.closers = append(conn.closers, conn.Client.Close)
	if h.ServerAliveInterval > 0 {
		done := make(chan struct{})
		conn.closers = append(conn.closers, func() error { close(done); return nil })
		go keepAlive(c.o, conn.Client, c.wire, done)
	}
	c.o.debug(1, "authenticated to %s using %q", h.HostName, c.method)
	return nil
}
