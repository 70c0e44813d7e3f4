package sshclient

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// maxRefusedKeys is how many keys the server may refuse, asked about or
// offered, before the connection turns to the methods that ask a person: sshd
// hangs up at the sixth failure (MaxAuthTries), and each refused key is one.
const maxRefusedKeys = 4

// defaultMethods is OpenSSH's order of PreferredAuthentications, without the
// methods this program does not have.
var defaultMethods = []string{"publickey", "keyboard-interactive", "password"}

// authenticator picks the authentication requests, one after the other. It
// outlives a connection: what was learned and how often a person was asked
// holds for the next one too.
type authenticator struct {
	o *Options

	answers      Answers
	queriesLeft  []ssh.PublicKey
	queriedTold  bool
	keysLeft     []Key
	keysLoaded   bool
	withoutKeys  bool
	reconnected  bool
	refusedInAll int

	// Of this connection.
	ctx     context.Context
	wire    *wire
	allowed []string
	partial []string
	refused int
	pending *attempt
	started bool
	method  string

	// How often a person was asked, by method.
	asked map[string]int
	// stopped is why no secret was asked for.
	stopped NotAsked
	// changedHostKey forbids secrets on this host.
	secretsAllowed func() bool
	// learner is for the host keys the server may offer; nil: none are learned.
	learner *learner
	// interactiveSeen tells whether keyboard-interactive ever asked something.
	interactiveSeen bool
	// passwordState is how far the password request under way is.
	passwordState passwordState
	// passwordGiven tells whether Options.Password answered a question of
	// keyboard-interactive already.
	passwordGiven bool
	askErr        error
}

// attempt is the publickey request under way.
type attempt struct {
	key    ssh.PublicKey
	query  bool
	signed bool // the server accepted the key and wanted a signature
}

func newAuthenticator(o *Options) *authenticator {
	return &authenticator{
		o: o, answers: Answers{}, queriesLeft: slices.Clone(o.Query), asked: map[string]int{},
		secretsAllowed: func() bool { return true },
	}
}

// begin prepares for a new connection.
func (a *authenticator) begin(ctx context.Context, w *wire) {
	a.ctx, a.wire, a.allowed, a.partial, a.refused, a.pending, a.started = ctx, w, nil, nil, 0, nil, false
	a.askErr, a.stopped, a.method, a.passwordState = nil, "", "none", notSent
}

// retryWithoutKeys tells whether hanging up can have been our own keys' fault,
// and if so bars keys from the next connection. It says yes once.
func (a *authenticator) retryWithoutKeys() bool {
	if a.reconnected || a.refused == 0 {
		return false
	}
	a.reconnected, a.withoutKeys = true, true
	return true
}

// next is the ssh.ClientAuthCallback: it settles what the last request brought
// and picks the one to send now.
func (a *authenticator) next(auth *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	a.wire.relax()
	if err := a.settlePassword(auth); err != nil {
		return nil, err
	}
	a.settle(auth)
	if !a.started {
		a.started = true
		a.o.debug(1, "authentications that can continue: %s", strings.Join(a.allowed, ","))
		if err := a.holdBack(); err != nil {
			return nil, err
		}
	}
	if m := a.nextQuery(); m != nil {
		return m, nil
	}
	if len(a.partial) == 0 && (!a.o.StopWhenAccepted || !a.allAccepted()) {
		a.tellQueried()
	}
	for _, method := range a.preferred() {
		if !slices.Contains(a.allowed, method) {
			continue
		}
		if m := a.nextOf(method); m != nil {
			a.method = method
			return m, nil
		}
	}
	if a.o.NeverAsk && !a.passwordRefused() || a.o.StopWhenAccepted && a.allAccepted() {
		return nil, errAnswered
	}
	return nil, a.denied(a.askErr)
}

// passwordRefused tells whether Options.Password was put forward in vain.
func (a *authenticator) passwordRefused() bool {
	return a.o.Password != nil && (a.asked["password"] > 0 || a.passwordGiven)
}

// denied is the error of an authentication that led nowhere; cause is what kept
// the last method from being tried, or nil.
func (a *authenticator) denied(cause error) *AuthError {
	e := &AuthError{User: a.o.Host.User, Host: a.o.Host.HostName, Methods: a.allowed, NotAsked: a.stopped,
		Partial: a.partial, PasswordRefused: a.passwordRefused(), Err: cause}
	for _, method := range a.allowed {
		if !slices.Contains(defaultMethods, method) {
			e.Unsupported = append(e.Unsupported, method)
		}
	}
	return e
}

// holdBack waits for Options.BeforeAuth.
func (a *authenticator) holdBack() error {
	if a.o.BeforeAuth == nil {
		return nil
	}
	select {
	case <-a.o.BeforeAuth:
		return nil
	case <-a.ctx.Done():
		return context.Cause(a.ctx)
	}
}

// settle takes in the outcome of the last request.
func (a *authenticator) settle(auth *ssh.ClientAuthContext) {
	progressed := len(auth.PartialSuccessMethods) > len(a.partial)
	a.allowed = auth.AllowedMethods
	a.partial = auth.PartialSuccessMethods
	if progressed {
		a.o.debug(1, "authenticated with partial success; still wanted: %s", strings.Join(a.allowed, ","))
	}
	p := a.pending
	a.pending = nil
	if p == nil {
		return
	}
	a.answers[string(p.key.Marshal())] = p.signed
	if !p.signed {
		a.refused++
		a.refusedInAll++
	}
	a.o.debug(1, "server %s key %s %s", map[bool]string{true: "accepts", false: "refuses"}[p.signed],
		p.key.Type(), ssh.FingerprintSHA256(p.key))
}

// succeeded settles a login.
func (a *authenticator) succeeded() {
	if p := a.pending; p != nil {
		a.answers[string(p.key.Marshal())] = true
		a.pending = nil
		a.method = "publickey"
	}
}

// tellQueried calls Options.Queried, once.
func (a *authenticator) tellQueried() {
	if !a.queriedTold && a.o.Queried != nil {
		a.o.Queried(a.answers)
	}
	a.queriedTold = true
}

func (a *authenticator) allAccepted() bool {
	for _, key := range a.o.Query {
		if !a.answers.Accepted(key) {
			return false
		}
	}
	return len(a.o.Query) > 0
}

// mayOfferKeys tells whether another key may be put before this server.
func (a *authenticator) mayOfferKeys() bool {
	return a.o.Host.PubkeyAuthentication && !a.withoutKeys &&
		slices.Contains(a.allowed, "publickey") && a.refused < maxRefusedKeys
}

// nextQuery asks about the next key of Options.Query; nil when that is over.
// A key that can sign unasked and is the last one to be asked about is offered
// for a login right away, which saves the query that login would repeat.
func (a *authenticator) nextQuery() ssh.AuthMethod {
	if len(a.queriesLeft) == 0 || !a.mayOfferKeys() || len(a.partial) > 0 {
		return nil
	}
	key := a.queriesLeft[0]
	a.queriesLeft = a.queriesLeft[1:]
	a.pending = &attempt{key: key, query: true}
	a.wire.allow(keyReplyLimit)
	if len(a.queriesLeft) == 0 {
		if signer := a.signerFor(key); signer != nil {
			a.method = "publickey"
			return ssh.PublicKeys(a.recording(signer))
		}
	}
	return ssh.PublicKeys(querySigner{key, a.pending})
}

// signerFor finds a way to sign with key that asks nobody.
func (a *authenticator) signerFor(key ssh.PublicKey) ssh.Signer {
	a.loadKeys()
	blob := string(key.Marshal())
	for _, k := range a.keysLeft {
		if !k.Asks && string(k.Signer.PublicKey().Marshal()) == blob {
			return k.Signer
		}
	}
	return nil
}

func (a *authenticator) loadKeys() {
	if !a.keysLoaded && a.o.Keys != nil {
		for _, k := range a.o.Keys(a.o.Host) {
			if a.mayLogIn(k) {
				a.keysLeft = append(a.keysLeft, k)
			}
		}
	}
	a.keysLoaded = true
}

// preferred is the order of methods that PreferredAuthentications wants.
func (a *authenticator) preferred() []string {
	if len(a.o.Host.PreferredAuthentications) > 0 {
		return a.o.Host.PreferredAuthentications
	}
	return defaultMethods
}

// nextOf gives the next request of one method; nil when the method has nothing
// more to try.
func (a *authenticator) nextOf(method string) ssh.AuthMethod {
	switch method {
	case "publickey":
		return a.nextKey()
	case "keyboard-interactive":
		if a.o.Host.KbdInteractiveAuthentication && a.mayAsk(method) {
			return a.keyboardInteractive()
		}
	case "password":
		if a.o.Host.PasswordAuthentication && a.mayAsk(method) {
			return a.password()
		}
	}
	return nil
}

// nextKey offers the next key that may log in: first those the server has
// already accepted, then those that sign unasked, at last those that need a
// passphrase, which is asked for only when the server wants that key's
// signature.
func (a *authenticator) nextKey() ssh.AuthMethod {
	if !a.o.Host.PubkeyAuthentication || a.withoutKeys {
		return nil
	}
	a.loadKeys()
	best, bestRank := -1, 0
	for i, k := range a.keysLeft {
		if rank := a.rank(k); rank > bestRank {
			best, bestRank = i, rank
		}
	}
	if best < 0 {
		return nil
	}
	k := a.keysLeft[best]
	a.keysLeft = slices.Delete(slices.Clone(a.keysLeft), best, best+1)
	a.pending = &attempt{key: k.Signer.PublicKey()}
	a.wire.allow(keyReplyLimit)
	a.o.debug(1, "offering public key %s %s", k.Origin, ssh.FingerprintSHA256(k.Signer.PublicKey()))
	return ssh.PublicKeys(a.recording(k.Signer))
}

// rank orders the keys that may log in; 0 is a key that must not be offered.
func (a *authenticator) rank(k Key) int {
	accepted, known := a.answers[string(k.Signer.PublicKey().Marshal())]
	silent := a.o.NeverAsk || a.o.StopWhenAccepted && a.allAccepted()
	switch {
	case known && !accepted, k.Asks && silent:
		return 0
	case !known && (a.refused >= maxRefusedKeys || a.o.StopWhenAccepted && a.allAccepted()):
		return 0
	case accepted && !k.Asks:
		return 4
	case !k.Asks:
		return 3
	case accepted:
		return 2
	}
	return 1
}

// explain turns the error of a failed handshake into what happened.
func (a *authenticator) explain(ctx context.Context, err error, w *wire, conn *Conn) error {
	h := a.o.Host
	var auth *AuthError
	var ask *askError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, errAnswered):
		return errAnswered
	case errors.As(err, &auth):
		return auth
	case errors.As(err, &ask):
		return a.denied(ask.err)
	case conn.HostKey == nil:
		if conn.hostKeyErr != nil {
			return conn.hostKeyErr
		}
		return w.failure(h.HostName, h.Port, err)
	}
	// The answer to the last request never came. If it was a key, the server
	// had enough of them.
	if a.pending != nil {
		a.refused++
		a.pending = nil
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("connection closed by the server")
	}
	return &ClosedError{User: h.User, Host: h.HostName, Port: h.Port, KeysOffered: a.refused, Err: err}
}
