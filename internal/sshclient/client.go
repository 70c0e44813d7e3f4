// Package sshclient turns a resolved ssh_config Host into an authenticated SSH
// connection, and finds out on the way which public keys the account already
// accepts.
//
// # Asking about a key
//
// RFC 4252 section 7 lets a client ask whether a public key would be accepted,
// without a signature. So a key is asked about with nothing but its public
// half: no passphrase, no agent confirmation. sshd counts every refused
// question towards MaxAuthTries (6 unless configured), so after
// maxRefusedKeys refusals the connection turns to the methods that ask a
// person. When the server hangs up all the same, one more connection is made
// that offers no key at all.
//
// # Secrets
//
// Nothing secret is sent before the host key has been verified, and no
// password at all to a host whose key contradicts known_hosts, also where
// StrictHostKeyChecking is off (as sshconnect.c does).
package sshclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshconfig"
)

// UI holds the ways to reach a person. A nil Secret or Line means that nobody
// can be asked; a nil Notice or Debug drops the text.
type UI struct {
	// Secret asks without echo: a password or a passphrase.
	Secret func(prompt string) ([]byte, error)
	// Line asks with echo: a keyboard-interactive answer, the host key question.
	Line func(prompt string) (string, error)
	// Notice shows what ssh prints by default: banners, host key warnings,
	// "Permission denied, please try again.". The text may hold newlines and
	// has not been escaped.
	Notice func(text string)
	// Debug receives what `ssh -v` would tell; level is 1 to 3.
	Debug func(level int, text string)
}

// notice tells what ssh logs at level INFO.
func (o *Options) notice(text string) {
	switch o.Host.LogLevel {
	case "QUIET", "FATAL", "ERROR":
		return
	}
	o.alert(text)
}

// alert tells what ssh logs at level ERROR.
func (o *Options) alert(text string) {
	if o.UI.Notice != nil && o.Host.LogLevel != "QUIET" && o.Host.LogLevel != "FATAL" {
		o.UI.Notice(text)
	}
}

func (o *Options) debug(level int, format string, args ...any) {
	if o.UI.Debug != nil {
		o.UI.Debug(level, fmt.Sprintf(format, args...))
	}
}

// Key is one way to log in with a public key.
type Key struct {
	// Signer signs. Its PublicKey never asks anybody anything.
	Signer ssh.Signer
	// Asks reports whether signing asks the user for a passphrase.
	Asks bool
	// Agent reports whether an agent signs, which may ask its owner each time
	// (ssh-add -c, a FIDO token, a password manager).
	Agent bool
	// ProofOnly keeps the key from logging in unless the server accepts every
	// key of Options.Query: its line forces a command, so the login proves the
	// key and is of no other use.
	ProofOnly bool
	// Origin names the key in debug output: a file, or "agent".
	Origin string
}

// Options says what to connect to and how to log in.
type Options struct {
	// Host is the destination. Required.
	Host *sshconfig.Host
	// Home is shown as ~ in the host key question; "" shows whole paths.
	Home string
	// UI reaches the person; its zero value is batch mode.
	UI UI
	// Query are the keys to ask the server about, in order.
	Query []ssh.PublicKey
	// Keys returns the keys that may log in to h, which is Host or one of its
	// jump hosts, in the order to try them. nil: none.
	Keys func(h *sshconfig.Host) []Key
	// NoAgent keeps agents from being asked for a signature to log in to Host.
	// Without it at most one is asked for, whatever comes of it, and one more
	// after each step of a login that wants several.
	NoAgent bool
	// NeverAsk keeps the connection from asking a person anything: it logs in
	// only with a key that needs no passphrase, or with Password.
	NeverAsk bool
	// Password, where set, is the password of Host's account, and of no jump
	// host's. It answers the password method, and the first question of
	// keyboard-interactive that stands alone and is not to be seen, once each,
	// also under BatchMode and NeverAsk; nobody is asked for a password then.
	Password []byte
	// StopWhenAccepted ends the authentication without asking a person when
	// the server accepts every key of Query.
	StopWhenAccepted bool
	// Queried is called once, when the questions about keys have been
	// answered and before anything secret is asked for. nil: nothing.
	Queried func(accepted Answers)
	// LoggingIn is called once, after Queried, when something that may log in has been made
	// ready to be sent: a secret, or a signature. conn has its HostKey and its
	// Redial by then, and must not be kept. nil: nothing.
	LoggingIn func(conn *Conn)
	// NotShared is called once, with the socket, where ssh would use a connection
	// that it shares (ControlPath) and this one asks a person for a secret or is
	// refused. nil: nothing.
	NotShared func(socket string)
	// Identified is called with the server's identification string once its
	// host key is verified, and before anything is asked for; an error ends the
	// connection. nil: nothing.
	Identified func(serverVersion string) error
	// HostKey, where set, is the only host key accepted, without a look at
	// known_hosts: a second connection to a server that was verified before.
	HostKey ssh.PublicKey
	// Pins are fingerprints (SHA256:…) that make an unknown host known
	// without a question.
	Pins []string
	// BeforeAuth holds back the authentication requests until it is closed, so
	// that a connection can be prepared while other work goes on.
	BeforeAuth <-chan struct{}
	// Resolve turns a hop of ProxyJump into a Host. nil: ProxyJump is refused.
	Resolve func(destination string) (*sshconfig.Host, error)
	// Shell runs a ProxyCommand; "" is /bin/sh. Windows always uses cmd.exe.
	Shell string
	// ProxyStderr is where a ProxyCommand's standard error goes; nil drops it.
	ProxyStderr func(line string)
	// way are the hosts that are to be reached through this one, as endpoint
	// writes them.
	way []string
	// warned: the person knows that the key exchange is not post-quantum.
	warned bool
	// Dial replaces the TCP connection, ProxyCommand and ProxyJump. nil: as
	// Host says.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// An Answer is what is known of the server's view of a key.
type Answer int

// The answers, from no to yes.
const (
	// Refused: the server says that the key may not log in.
	Refused Answer = iota + 1
	// SignatureRefused: the server wanted the key's signature and refused the
	// login all the same.
	SignatureRefused
	// Promised: the server says that the key may log in (SSH_MSG_USERAUTH_PK_OK).
	Promised
	// Proven: the key has logged in, or was a step of the login.
	Proven
)

// Accepted reports whether the answer is a yes.
func (a Answer) Accepted() bool { return a >= Promised }

// String returns what the server does with the key, for debug output.
func (a Answer) String() string {
	switch a {
	case Refused:
		return "refuses"
	case SignatureRefused:
		return "refuses the signature of"
	case Promised:
		return "accepts"
	case Proven:
		return "has accepted the signature of"
	}
	return "was not asked about"
}

// Answers holds the answer about a key by string(key.Marshal()). A key that was
// not asked about is absent, and so is one about which there is only a promise
// of a server that promises the same to every key.
type Answers map[string]Answer

// Of returns the answer about a key; 0 where there is none.
func (a Answers) Of(key ssh.PublicKey) Answer { return a[string(key.Marshal())] }

// Accepted reports whether the server accepts the key, as far as it was asked.
func (a Answers) Accepted(key ssh.PublicKey) bool { return a.Of(key).Accepted() }

// Conn is what a connection attempt brought.
type Conn struct {
	// Client is the logged-in connection; nil where Options asked for no more
	// than answers and no key could log in unasked.
	Client *ssh.Client
	// Answers about the keys of Options.Query.
	Answers Answers
	// AcceptsEveryKey reports whether the server's promises are worth nothing:
	// it makes them for a key that nobody has, too.
	AcceptsEveryKey bool
	// Method is the authentication method that logged in, as RFC 4252 names it.
	Method string
	// LoginKey is the key that logged in; nil for other methods.
	LoginKey ssh.PublicKey
	// Methods are the ones the server last offered; nil where it let us in
	// without any.
	Methods []string
	// HostKey is the verified key of the server.
	HostKey ssh.PublicKey
	// ServerVersion is the server's identification string (RFC 4253 4.2),
	// without line end, not escaped.
	ServerVersion string
	// Remote is the peer's address; nil through a ProxyCommand.
	Remote net.Addr

	// Redial makes another connection to the same address over the same way,
	// for a second Connect; nil where a ProxyCommand carries this one.
	Redial func(ctx context.Context, network, address string) (net.Conn, error)

	hostKeyErr error
	closers    []func() error
}

// Close ends the connection and whatever carries it (jump hosts, a
// ProxyCommand).
func (c *Conn) Close() error {
	var err error
	for i := len(c.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, c.closers[i]())
	}
	c.closers = nil
	return err
}

// Limits on a server that says nothing. ssh has none of its own beyond
// ConnectTimeout; ours also keep a hostile server from holding us for ever.
const (
	// handshakeLimit bounds version exchange and key exchange where
	// ConnectTimeout is not set; it is sshd's own LoginGraceTime.
	handshakeLimit = 120 * time.Second
	// keyReplyLimit bounds the answer to a key query or a signature.
	keyReplyLimit = 60 * time.Second
	// secretReplyLimit bounds the answer to a password or to
	// keyboard-interactive: a second factor may wait for a person.
	secretReplyLimit = 10 * time.Minute
)

// Connect reaches the host, verifies its key, asks about Options.Query and
// logs in.
//
// Errors: *DialError where no connection came about, *HandshakeError where the
// peer does not complete the SSH handshake, the errors of package hostkey
// where its key is refused, *AuthError where it lets us in with nothing we
// have, *ClosedError where it hung up while we authenticated.
func Connect(ctx context.Context, o Options) (*Conn, error) {
	if err := o.Host.Unusable; err != nil {
		return nil, err
	}
	o.tellUnused()
	a := newAuthenticator(&o)
	var way carrier
	for {
		conn, err := connectOnce(ctx, &o, a, &way)
		var closed *ClosedError
		switch {
		case errors.Is(err, errMoreKeys):
			o.debug(1, "%d keys refused; connecting again with the others", a.refusedInAll)
		case errors.As(err, &closed) && a.reconnectForAnswer():
		case errors.As(err, &closed) && a.retryWithoutKeys():
			o.debug(1, "the server hung up after %d refused keys; connecting again without keys", a.refusedInAll)
		case a.otherHostKey(err):
			o.debug(1, "not the host key that was expected; connecting again for one of another type")
		default:
			if err != nil && way.over != nil {
				way.over()
			}
			return conn, a.failed(err)
		}
	}
}

// connectOnce makes one connection. The jump hosts that it led through stay in
// way, for another one: nobody is asked for their passwords twice. They are the
// caller's to close where there is an error.
func connectOnce(ctx context.Context, o *Options, a *authenticator, way *carrier) (*Conn, error) {
	carrier, err := way.dial(ctx, o)
	if err != nil {
		return nil, err
	}
	*way = *carrier
	conn := &Conn{closers: []func() error{closeOnce(carrier.conn)}, Remote: carrier.remote, Redial: carrier.again}
	err = handshake(ctx, o, a, carrier, conn)
	conn.Answers, conn.Methods, conn.AcceptsEveryKey = a.answers, a.allowed, a.promisesNothing()
	if conn.HostKey != nil {
		a.hostKey = conn.HostKey
	}
	if err != nil {
		conn.Close()
		if carrier.blame != nil {
			err = carrier.blame(o.Host, err)
		}
		if errors.Is(err, errAnswered) {
			a.tellQueried()
			if way.over != nil {
				way.over()
			}
			return conn, nil
		}
		return nil, err
	}
	if carrier.over != nil {
		conn.closers = slices.Insert(conn.closers, 0, carrier.over)
	}
	a.tellQueried()
	conn.Method, conn.LoginKey = a.method, a.loginKey
	return conn, nil
}

// handshake runs version exchange, key exchange and authentication over
// carrier and fills conn.
func handshake(ctx context.Context, o *Options, a *authenticator, carrier *carrier, conn *Conn) error {
	h := o.Host
	limit := handshakeLimit
	if h.ConnectTimeout > 0 {
		limit = h.ConnectTimeout
	}
	wire := newWire(carrier.conn, limit)
	stop := context.AfterFunc(ctx, wire.cancel)
	defer stop()

	config, err := clientConfig(ctx, o, a, wire, conn)
	if err != nil {
		return err
	}
	a.begin(ctx, wire, conn)
	address := net.JoinHostPort(h.HostName, portText(h.Port))
	sshConn, channels, requests, err := ssh.NewClientConn(wire, address, config)
	conn.ServerVersion = wire.serverVersion()
	if err != nil {
		return a.explain(ctx, err, wire, conn)
	}
	a.succeeded()
	wire.relax()
	if a.learner != nil {
		rest, done := a.learner.pass(sshConn, requests)
		requests = rest
		conn.closers = append(conn.closers, func() error { <-done; return nil })
	}
	conn.Client = ssh.NewClient(sshConn, channels, requests)
	conn.closers = append(conn.closers, conn.Client.Close)
	if h.ServerAliveInterval > 0 {
		done := make(chan struct{})
		conn.closers = append(conn.closers, func() error { close(done); return nil })
		go keepAlive(o, conn.Client, wire, done)
	}
	o.debug(1, "authenticated to %s using %q", h.HostName, a.method)
	return nil
}
