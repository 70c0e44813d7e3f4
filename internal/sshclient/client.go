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
// maxRefusedKeys refusals the connection turns to the methods that prompt. When the server hangs up all the same, one more connection is made
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

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshconfig"
)

// UI holds the ways to ask and to report. If Secret or Line is nil, prompts fail;
// a nil Notice or Debug drops the text. They may be called by several
// connections at the same time.
type UI struct {
	// Secret asks without echo: a password or a passphrase.
	Secret func(prompt string) ([]byte, error)
	// Line asks with echo: a keyboard-interactive answer, the host key question.
	Line func(prompt string) (string, error)
	// Notice shows what ssh prints by default: banners, host key warnings,
	// "Permission denied, please try again.". The text may hold newlines and
	// has not been escaped.
	Notice func(text string)
	// Debug receives what `ssh -v` would print; level is 1 to 3.
	Debug func(level int, text string)
}

// notice reports what ssh logs at level INFO.
func (o *Options) notice(text string) {
	switch o.Host.LogLevel {
	case "QUIET", "FATAL", "ERROR":
		return
	}
	o.alert(text)
}

// alert reports what ssh logs at level ERROR.
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
	// UI asks and reports; its zero value is batch mode.
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
	// NeverAsk keeps the connection from asking anything: it logs in only with a
	// key that needs no passphrase, or with Password.
	NeverAsk bool
	// Password, where set, is the password of Host's account, and of no jump
	// host's. It answers the password method, and the first question of
	// keyboard-interactive that stands alone and is not to be seen, once each,
	// also under BatchMode and NeverAsk; nobody is asked for a password then.
	Password []byte
	// StopWhenAccepted ends the authentication without asking for a secret when
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
	// that it shares (ControlPath) and this one asks for a secret or is refused. nil: nothing.
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
	// route are the hosts that are to be reached through this one, as endpoint
	// writes them.
	route []string
	// warned: it was said that the key exchange is not post-quantum.
	warned bool
	// Dial replaces the TCP connection, ProxyCommand and ProxyJump. nil: as
	// Host says.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

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

	// Redial makes another connection to the same address by the same route,
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
