package sshclient

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// How many keys the server may refuse, asked about or offered, on one
// connection: sshd hangs up at the sixth failure (MaxAuthTries), and each
// refused key is one.
const (
	// maxRefusedKeys leaves room for the methods that prompt.
	maxRefusedKeys = 4
	// maxRefusedUnasked is for where no prompt is possible.
	maxRefusedUnasked = 5
)

// connection is the state of one connection of a login. It picks the
// authentication requests, one after the other.
type connection struct {
	*login
	ctx  context.Context
	wire *wire
	conn *Conn // what Connect returns of it

	// allowed and partial are what the server last said: the methods that can
	// continue, nil until the first answer, and those that succeeded.
	allowed, partial []string
	// method is that of the last request, and loginKey the key that logged in.
	method   string
	loginKey ssh.PublicKey
	started  bool
	// refused counts the keys refused.
	refused int
	// key and password are the request under way; nil where it is another one.
	key      *keyRequest
	password *passwordRequest
	// banners and rounds count what the server may repeat.
	banners, rounds int
	// stopped is why no secret was asked for, and askErr what kept a question
	// from being answered.
	stopped NotAsked
	askErr  error
	// hungUp is how the server was lost without a word; nil where it gave its
	// reason.
	hungUp error
}

func (l *login) newConnection(ctx context.Context, carrier *carrier) *connection {
	limit := handshakeLimit
	if l.o.Host.ConnectTimeout > 0 {
		limit = l.o.Host.ConnectTimeout
	}
	return &connection{
		login: l, ctx: ctx, wire: newWire(carrier.conn, limit), method: "none",
		conn: &Conn{closers: []func() error{closeOnce(carrier.conn)}, Remote: carrier.remote, Redial: carrier.redial},
	}
}

// next is the ssh.ClientAuthCallback: it settles what the last request brought
// and picks the one to send now.
func (c *connection) next(auth *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	c.wire.stopTimer()
	if answered, err := c.answered(auth); !answered {
		// With neither a method nor an error the ssh package ends with its own,
		// which says what came in place of an answer.
		return nil, err
	}
	c.settle(auth)
	if !c.started {
		c.started = true
		c.o.debug(1, "authentications that can continue: %s", strings.Join(c.allowed, ","))
		if err := c.waitBeforeAuth(); err != nil {
			return nil, err
		}
	}
	if m := c.nextQuery(); m != nil {
		return m, nil
	}
	if m := c.decoyQuery(); m != nil {
		return m, nil
	}
	method, m := c.nextLogin()
	if m == nil && c.shouldReconnect() {
		return nil, errMoreKeys
	}
	if len(c.partial) == 0 && !c.settled() {
		c.reportQueried()
	}
	if m != nil {
		c.method = method
		return m, nil
	}
	if c.o.NeverAsk && !c.passwordRefused() || c.settled() {
		return nil, errAnswered
	}
	return nil, c.denied(c.askErr)
}

// waitBeforeAuth waits for Options.BeforeAuth.
func (c *connection) waitBeforeAuth() error {
	if c.o.BeforeAuth == nil {
		return nil
	}
	select {
	case <-c.o.BeforeAuth:
		return nil
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
}

// nextLogin is the next request that may log in, by the first method that has
// one; nil when there is none left.
func (c *connection) nextLogin() (string, ssh.AuthMethod) {
	methods := c.o.preferred()
	if c.settled() {
		methods = []string{"publickey"} // whatever is preferred: it is the keys that are to prove themselves
	}
	for _, method := range methods {
		if !slices.Contains(c.allowed, method) {
			continue
		}
		if m := c.nextOf(method); m != nil {
			return method, m
		}
	}
	return "", nil
}

// nextOf returns the next request of one method; nil when the method has nothing
// more to try.
func (c *connection) nextOf(method string) ssh.AuthMethod {
	switch method {
	case "publickey":
		return c.nextKey()
	case "keyboard-interactive":
		if c.o.enabled(method) && c.mayAsk(method) {
			return c.keyboardInteractive()
		}
	case "password":
		if c.o.enabled(method) && c.mayAsk(method) {
			return c.sendPassword()
		}
	}
	return nil
}

// keyLimit is how many keys this connection may have refused.
func (c *connection) keyLimit() int {
	for _, method := range []string{"keyboard-interactive", "password"} {
		if slices.Contains(c.allowed, method) && slices.Contains(c.o.preferred(), method) && c.o.enabled(method) &&
			c.secretsAllowed() && (c.o.Password != nil || c.o.canPrompt()) {
			return maxRefusedKeys
		}
	}
	return maxRefusedUnasked
}

// mayOfferKeys reports whether another key may be put before this server.
func (c *connection) mayOfferKeys() bool {
	return c.o.Host.PubkeyAuthentication && !c.withoutKeys &&
		slices.Contains(c.allowed, "publickey") && c.refused < c.keyLimit()
}

// shouldReconnect reports whether another connection should go on where this one
// has put forward as many keys as it may: keys are left, and nothing but keys
// can help. It says yes once: sshd 9.8 and later slow down whoever fails too
// often (PerSourcePenalties).
func (c *connection) shouldReconnect() bool {
	if c.reconnected || c.o.HostKey != nil || c.refused < c.keyLimit() || !slices.Contains(c.allowed, "publickey") {
		return false
	}
	untried := len(c.keys.queries) > 0
	for _, k := range c.keys.logins {
		if c.answers.Of(k.Signer.PublicKey()) == 0 && !(k.Asks && c.o.NeverAsk) && !(k.Agent && c.agentBarred()) {
			untried = true
		}
	}
	c.reconnected = untried
	return untried
}
