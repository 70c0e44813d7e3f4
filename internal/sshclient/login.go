package sshclient

import (
	"net"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
)

// defaultMethods is OpenSSH's order of PreferredAuthentications, without the
// methods this program does not have.
var defaultMethods = []string{"publickey", "keyboard-interactive", "password"}

// login is the state of one [Connect]. It outlives a connection: what was
// learned, and how often somebody was asked, holds for the next one too.
type login struct {
	o *Options
	keyAnswers
	keys     keyQueue
	prompts  prompts
	late     lateAnswer
	reported reported
	pins     pinSearch
	// hostKey was verified by an earlier connection.
	hostKey ssh.PublicKey
	// secretsAllowed is false for a host whose key contradicts known_hosts.
	secretsAllowed func() bool
	// learner is for the host keys the server may offer; nil: none are learned.
	learner *learner
	// agentAsked: the signature that an agent may be asked for has been.
	agentAsked bool
	// reconnected: the one connection more has been made, and withoutKeys that no
	// key is put forward on it.
	reconnected, withoutKeys bool
	// refusedInAll counts the keys refused on all connections.
	refusedInAll int
}

func newLogin(o *Options) *login {
	return &login{
		o:              o,
		keyAnswers:     keyAnswers{answers: Answers{}},
		keys:           keyQueue{queries: slices.Clone(o.Query)},
		prompts:        prompts{asked: map[string]int{}},
		secretsAllowed: func() bool { return true },
	}
}

// keyQueue holds the keys that have not been put to the server yet.
type keyQueue struct {
	queries []ssh.PublicKey // of Options.Query, to be asked about
	logins  []Key           // of Options.Keys, that may log in
	loaded  bool            // Options.Keys was called
}

// nextQuery takes the next key to ask about.
func (q *keyQueue) nextQuery() ssh.PublicKey {
	key := q.queries[0]
	q.queries = q.queries[1:]
	return key
}

// take takes a key that may log in.
func (q *keyQueue) take(i int) Key {
	key := q.logins[i]
	q.logins = slices.Delete(slices.Clone(q.logins), i, i+1)
	return key
}

// prompts counts what was asked for a secret.
type prompts struct {
	// asked counts the requests, by method.
	asked map[string]int
	// interactiveAsked: keyboard-interactive has put a question at some time.
	interactiveAsked bool
	// passwordGiven: Options.Password has answered a question of
	// keyboard-interactive.
	passwordGiven bool
}

// reported notes which callbacks of Options have been called: each is, once.
type reported struct{ queried, loggingIn, notShared bool }

// loginKeys are the keys that may log in and have not been put forward.
func (l *login) loginKeys() []Key {
	if !l.keys.loaded && l.o.Keys != nil {
		for _, k := range l.o.Keys(l.o.Host) {
			if l.o.mayLogIn(k) {
				l.keys.logins = append(l.keys.logins, k)
			}
		}
	}
	l.keys.loaded = true
	return l.keys.logins
}

// settled reports whether the login is about answers only and these are all
// yes: then nothing but a key that asks nobody is put forward.
func (l *login) settled() bool { return l.o.StopWhenAccepted && l.queryAccepted() }

// queryAccepted reports whether the server accepts every key of Options.Query.
func (l *login) queryAccepted() bool { return l.allAccepted(l.o.Query, nil) }

// agentBarred reports whether no agent may be asked for a signature now.
func (l *login) agentBarred() bool { return l.o.NoAgent || l.agentAsked }

// retryWithoutKeys reports whether hanging up can have been our own keys' fault,
// and if so bars keys from the next connection. It says yes once.
func (l *login) retryWithoutKeys(refused int) bool {
	if l.reconnected || refused == 0 {
		return false
	}
	l.reconnected, l.withoutKeys = true, true
	return true
}

// reportQueried calls Options.Queried, once.
func (l *login) reportQueried() {
	if !l.reported.queried && l.o.Queried != nil {
		l.o.Queried(l.answers)
	}
	l.reported.queried = true
}

// reportLoggingIn calls Options.LoggingIn, once; not for a key that is only asked
// about and happens to be able to log in.
func (l *login) reportLoggingIn(conn *Conn) {
	if !l.reported.queried {
		return
	}
	if !l.reported.loggingIn && l.o.LoggingIn != nil {
		l.o.LoggingIn(conn)
	}
	l.reported.loggingIn = true
}

// masterLimit bounds the look at the socket of a connection that ssh shares.
const masterLimit = time.Second

// reportNotShared reports, once, a connection that ssh would share: where one
// listens on ControlPath, ssh would neither ask for a secret nor be refused.
func (l *login) reportNotShared() {
	o := l.o
	if l.reported.notShared || o.NotShared == nil || o.NeverAsk || o.Host.ControlPath == "" {
		return
	}
	l.reported.notShared = true
	master, err := net.DialTimeout("unix", o.Host.ControlPath, masterLimit)
	if err != nil {
		return
	}
	master.Close()
	o.NotShared(o.Host.ControlPath)
}

// preferred is the order of methods that PreferredAuthentications wants. A
// password that was given goes first to the method that asks for nothing else:
// keyboard-interactive may ask for a code, and nobody is there to answer.
func (o *Options) preferred() []string {
	if len(o.Host.PreferredAuthentications) > 0 {
		return o.Host.PreferredAuthentications
	}
	if o.Password != nil && !o.canPrompt() {
		return []string{"publickey", "password", "keyboard-interactive"}
	}
	return defaultMethods
}

// enabled reports whether ssh_config allows a method.
func (o *Options) enabled(method string) bool {
	switch method {
	case "keyboard-interactive":
		return o.Host.KbdInteractiveAuthentication
	case "password":
		return o.Host.PasswordAuthentication
	}
	return o.Host.PubkeyAuthentication
}

// canPrompt reports whether there is somebody to ask.
func (o *Options) canPrompt() bool {
	return !o.NeverAsk && !o.Host.BatchMode && o.UI.Secret != nil
}
