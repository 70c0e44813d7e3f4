package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh/agent"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/agentconn"
)

// agentOpener opens each agent once, reports it once, and closes them all at the
// end. Several goroutines may use it.
type agentOpener struct {
	getenv  func(string) string
	debug   func(text string)
	remark  func(remark)
	notice  func(text string)
	mu      sync.Mutex
	opened  map[string]openedAgent
	closers []func() error
}

// openedAgent is an agent, or why it could not be opened.
type openedAgent struct {
	agent   agent.ExtendedAgent
	pageant bool // one that ssh.exe does not look for
	err     error
}

func (a *agentOpener) open(identityAgent string) (agent.ExtendedAgent, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if o, known := a.opened[identityAgent]; known {
		return o.agent, o.err
	}
	opened, closer, err := agentconn.Open(identityAgent, a.getenv)
	if err != nil {
		a.debug("agent: " + err.Error())
	} else {
		a.report(closer)
		a.closers = append(a.closers, closer.Close)
	}
	if a.opened == nil {
		a.opened = map[string]openedAgent{}
	}
	conn, ok := closer.(*agentconn.Conn)
	a.opened[identityAgent] = openedAgent{opened, ok && conn.Pageant, err}
	return opened, err
}

func (a *agentOpener) close() {
	for _, closer := range a.closers {
		closer()
	}
}

// agentOrigin is what names the agent, or why there is none.
type agentOrigin string

const (
	agentOff           agentOrigin = "IdentityAgent none"
	agentConfigured    agentOrigin = "IdentityAgent"
	agentOfEnvironment agentOrigin = "SSH_AUTH_SOCK"
	agentNotRunning    agentOrigin = "not running" // Windows looks in two places
	agentUnset         agentOrigin = "not set"
)

// agentPlace is where the agent is.
type agentPlace struct {
	origin agentOrigin
	path   string // of its socket; "" where origin says enough
}

// agentState is what an agent gives that gives no keys.
type agentState string

const (
	agentAbsent    agentState = "absent"
	agentUnreached agentState = "unreachable"
	agentMute      agentState = "no answer"
	agentUnusable  agentState = "no usable key"
	agentEmpty     agentState = "no keys"
)

// fromAgent takes every key of the agent that IdentityAgent names; an agent that
// is not there or holds nothing leaves the choice to the files, and looked says
// what was found instead.
func (r *run) fromAgent() (s source, looked []place, err error) {
	host, err := r.resolve()
	if err != nil {
		return source{}, nil, err
	}
	at := r.agentPlace(host.Login.IdentityAgent)
	without := func(state agentState) []place { return []place{{agent: at, found: state}} }
	opened, err := r.agent.open(host.Login.IdentityAgent)
	if err != nil {
		var dead *agentconn.OpenError
		if errors.As(err, &dead) && dead.Named {
			r.out.Remark(agentUnreachable{at, dead.Attempts[len(dead.Attempts)-1].Err})
			return source{}, without(agentUnreached), nil
		}
		return source{}, without(agentAbsent), nil
	}
	if host.Login.IdentityAgent == "" && r.agent.getenv("SSH_AUTH_SOCK") != os.Getenv("SSH_AUTH_SOCK") {
		r.out.Remark(socketQuoted{})
	}
	ids, skipped, err := identity.FromAgent(opened)
	if err != nil {
		r.debug(1, "agent: "+err.Error())
		r.out.Remark(agentSilent{at, err})
		return source{}, without(agentMute), nil
	}
	r.debug(1, "agent: it holds "+count(len(ids)+len(skipped), "key"))
	cleaned := 0
	for _, id := range ids {
		if id.Entry.CommentCleaned() {
			cleaned++
		}
	}
	if cleaned > 0 {
		r.out.Remark(commentsCleaned{cleaned})
	}
	s = source{name: "ssh-add -L", ids: ids, skipped: skipped}
	if len(ids) == 0 && len(skipped) > 0 {
		for _, k := range skipped {
			r.out.Remark(keySkipped{k})
		}
		return s, without(agentUnusable), nil
	}
	return s, without(agentEmpty), nil
}

// agentPlace is where the agent of an IdentityAgent is, as Host has it.
func (r *run) agentPlace(identityAgent string) agentPlace {
	socket := r.agent.getenv("SSH_AUTH_SOCK")
	switch {
	case identityAgent == "none":
		return agentPlace{origin: agentOff}
	case identityAgent != "":
		return agentPlace{agentConfigured, identityAgent}
	case socket != "":
		return agentPlace{agentOfEnvironment, socket}
	case onWindows:
		return agentPlace{origin: agentNotRunning}
	}
	return agentPlace{origin: agentUnset}
}

// agentHolds reports whether the agent holds the private half of every key.
func (r *run) agentHolds(ids []identity.Identity) bool {
	host, err := r.resolve()
	if err != nil {
		return false // the configuration is judged later
	}
	opened, err := r.agent.open(host.Login.IdentityAgent)
	if err != nil {
		return false
	}
	list, err := opened.List()
	if err != nil {
		return false
	}
	for _, id := range ids {
		blob := id.Entry.Key.Marshal()
		if !slices.ContainsFunc(list, func(k *agent.Key) bool { return bytes.Equal(k.Blob, blob) }) {
			return false
		}
	}
	return len(ids) > 0
}

// report shows which agent was opened, and why others were not.
func (a *agentOpener) report(opened io.Closer) {
	conn, ok := opened.(*agentconn.Conn)
	if !ok {
		return
	}
	for _, attempt := range conn.Attempts {
		a.debug("agent: not " + attempt.Endpoint + ": " + attempt.Err.Error())
	}
	a.debug("agent: using " + conn.Endpoint)
	conn.Waiting = func(key *agent.Key) {
		a.remark(agentConfirms{agentconn.KeyName(key)})
	}
	conn.Failed = func(err *agentconn.SignError) { a.notice("sign_and_send_pubkey: " + err.Error()) }
}
