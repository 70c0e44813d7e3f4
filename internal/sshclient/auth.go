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
	// maxRefusedKeys leaves room for the methods that ask a person.
	maxRefusedKeys = 4
	// maxRefusedUnasked is for where there is nobody to ask.
	maxRefusedUnasked = 5
)

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
	// hostKey was verified by an earlier connection of the same attempt.
	hostKey ssh.PublicKey
	pins    pinSearch

	// loginTold: Options.LoggingIn has been called.
	loginTold bool

	// agentAsked: the signature that an agent may be asked for has been.
	agentAsked bool
	// decoyAsked: the server was asked about a key that nobody has. everyKey: it
	// accepts that one too, or has refused the signature of a key it had promised
	// to accept, or could not be asked.
	decoyAsked, everyKey bool

	// Of this connection.
	loginKey ssh.PublicKey
	ctx      context.Context
	conn     *Conn
	wire     *wire
	allowed  []string
	partial  []string
	refused  int
	pending  *attempt
	started  bool
	method   string

	// kept are answers, by prompt, that came when the server had hung up already,
	// keptFor is the method they are for while no other connection has been made,
	// and lateOnce that this has happened.
	kept     map[string]string
	keptFor  string
	lateOnce bool

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
	// hungUp is how the server was lost without a word; nil where it gave its
	// reason.
	hungUp error
	// banners and rounds count what the server may repeat.
	banners, rounds int
	// passwordState is how far the password request under way is.
	passwordState passwordState
	// passwordGiven tells whether Options.Password answered a question of
	// keyboard-interactive already.
	passwordGiven bool
	askErr        error
	// sharedTold tells whether ControlPath has been looked at.
	sharedTold bool
}

// attempt is the publickey request under way.
type attempt struct {
	key   ssh.PublicKey
	decoy bool // a key that nobody has
	agent bool // an agent signs
	asks  bool // signing asks for a passphrase
	// promised: the server said yes to the key, and wants a signature. signed: it
	// was sent one.
	promised, signed bool
}

func newAuthenticator(o *Options) *authenticator {
	return &authenticator{
		o: o, answers: Answers{}, queriesLeft: slices.Clone(o.Query), asked: map[string]int{},
		secretsAllowed: func() bool { return true },
	}
}

// begin prepares for a new connection.
func (a *authenticator) begin(ctx context.Context, w *wire, conn *Conn) {
	a.conn = conn
	a.ctx, a.wire, a.allowed, a.partial, a.refused, a.pending, a.started = ctx, w, nil, nil, 0, nil, false
	a.askErr, a.stopped, a.method, a.passwordState = nil, "", "none", notSent
	a.hungUp, a.banners, a.rounds, a.loginKey = nil, 0, 0, nil
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
	if answered, err := a.answered(auth); !answered {
		// With neither a method nor an error the ssh package ends with its own,
		// which says what came in place of an answer.
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
	if m := a.decoyQuery(); m != nil {
		return m, nil
	}
	method, m := a.nextLogin()
	if m == nil && a.goesOn() {
		return nil, errMoreKeys
	}
	if len(a.partial) == 0 && (!a.o.StopWhenAccepted || !a.allAccepted()) {
		a.tellQueried()
	}
	if m != nil {
		a.method = method
		return m, nil
	}
	if a.o.NeverAsk && !a.passwordRefused() || a.o.StopWhenAccepted && a.allAccepted() {
		return nil, errAnswered
	}
	return nil, a.denied(a.askErr)
}

// nextLogin is the next request that may log in, by the first method that has
// one; nil when there is none left.
func (a *authenticator) nextLogin() (string, ssh.AuthMethod) {
	methods := a.preferred()
	if a.o.StopWhenAccepted && a.allAccepted() {
		methods = []string{"publickey"} // whatever is preferred: it is the keys that are to prove themselves
	}
	for _, method := range methods {
		if !slices.Contains(a.allowed, method) {
			continue
		}
		if m := a.nextOf(method); m != nil {
			return method, m
		}
	}
	return "", nil
}

// keyLimit is how many keys this connection may have refused.
func (a *authenticator) keyLimit() int {
	for _, method := range []string{"keyboard-interactive", "password"} {
		if slices.Contains(a.allowed, method) && slices.Contains(a.preferred(), method) && a.enabled(method) &&
			a.secretsAllowed() && (a.o.Password != nil || a.someoneThere()) {
			return maxRefusedKeys
		}
	}
	return maxRefusedUnasked
}

// goesOn tells whether another connection should go on where this one has put
// forward as many keys as it may: keys are left, and nothing but keys can help.
// It says yes once: sshd 9.8 and later slow down whoever fails too often
// (PerSourcePenalties).
func (a *authenticator) goesOn() bool {
	if a.reconnected || a.o.HostKey != nil || a.refused < a.keyLimit() || !slices.Contains(a.allowed, "publickey") {
		return false
	}
	untried := len(a.queriesLeft) > 0
	for _, k := range a.keysLeft {
		if a.answers.Of(k.Signer.PublicKey()) == 0 && !(k.Asks && a.o.NeverAsk) && !(k.Agent && a.agentBarred()) {
			untried = true
		}
	}
	a.reconnected = untried
	return untried
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

// tellQueried calls Options.Queried, once.
func (a *authenticator) tellQueried() {
	if !a.queriedTold && a.o.Queried != nil {
		a.o.Queried(a.answers)
	}
	a.queriedTold = true
}

// tellLoggingIn calls Options.LoggingIn, once; not for a key that is only asked
// about and happens to be able to log in.
func (a *authenticator) tellLoggingIn() {
	if !a.queriedTold {
		return
	}
	if !a.loginTold && a.o.LoggingIn != nil {
		a.o.LoggingIn(a.conn)
	}
	a.loginTold = true
}

func (a *authenticator) allAccepted() bool {
	for _, key := range a.o.Query {
		if !a.answers.Accepted(key) {
			return false
		}
	}
	return len(a.o.Query) > 0
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

// preferred is the order of methods that PreferredAuthentications wants. A
// password that was given goes first to the method that asks for nothing else:
// keyboard-interactive may ask for a code, and nobody is there to answer.
func (a *authenticator) preferred() []string {
	if len(a.o.Host.PreferredAuthentications) > 0 {
		return a.o.Host.PreferredAuthentications
	}
	if a.o.Password != nil && !a.someoneThere() {
		return []string{"publickey", "password", "keyboard-interactive"}
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
		if a.enabled(method) && a.mayAsk(method) {
			return a.keyboardInteractive()
		}
	case "password":
		if a.enabled(method) && a.mayAsk(method) {
			return a.password()
		}
	}
	return nil
}

// enabled tells whether ssh_config allows a method.
func (a *authenticator) enabled(method string) bool {
	switch method {
	case "keyboard-interactive":
		return a.o.Host.KbdInteractiveAuthentication
	case "password":
		return a.o.Host.PasswordAuthentication
	}
	return a.o.Host.PubkeyAuthentication
}

// nextKey offers the next key that may log in, by rank. A passphrase is asked
// for only when the server wants that key's signature.
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
	a.pending = &attempt{key: k.Signer.PublicKey(), agent: k.Agent, asks: k.Asks}
	a.wire.allow(keyReplyLimit)
	a.o.debug(1, "offering public key %s %s", k.Origin, ssh.FingerprintSHA256(k.Signer.PublicKey()))
	return ssh.PublicKeys(a.recording(k.Signer))
}

// rank orders the keys that may log in; 0 is a key that must not be offered.
// What the server has accepted goes first, and among equals what asks nobody,
// an agent, a security key in an agent, a passphrase.
func (a *authenticator) rank(k Key) int {
	key := k.Signer.PublicKey()
	answer := a.answers.Of(key)
	settled := a.o.StopWhenAccepted && a.allAccepted()
	touched := k.Agent && strings.HasPrefix(key.Type(), "sk-")
	switch {
	case answer != 0 && !answer.Accepted(), k.Asks && (a.o.NeverAsk || settled):
		return 0
	case answer == 0 && (a.refused >= a.keyLimit() || settled):
		return 0
	case k.Agent && a.agentBarred(), touched && settled, k.ProofOnly && !settled:
		return 0
	}
	rank := 1
	switch {
	case k.Asks:
	case touched:
		rank = 2
	case k.Agent:
		rank = 3
	default:
		rank = 4
	}
	if answer.Accepted() && !k.Asks {
		rank += 4
	} else if answer.Accepted() {
		rank = 2
	}
	return rank
}

// agentBarred reports whether no agent may be asked for a signature now.
func (a *authenticator) agentBarred() bool { return a.o.NoAgent || a.agentAsked }
