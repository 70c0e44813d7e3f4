package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"

	"golang.org/x/crypto/ssh/agent"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/agentconn"
	"ssh-copy-id/internal/term"
)

// agentOpener opens each agent once, tells about it once, and closes them all at
// the end.
type agentOpener struct {
	getenv  func(string) string
	debug   func(text string)
	info    func(format string, args ...any)
	notice  func(text string)
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
	if o, known := a.opened[identityAgent]; known {
		return o.agent, o.err
	}
	opened, closer, err := agentconn.Open(identityAgent, a.getenv)
	if err != nil {
		a.debug("agent: " + err.Error())
	} else {
		a.tell(closer)
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

// fromAgent takes every key of the agent that IdentityAgent names; an agent that
// is not there or holds nothing leaves the choice to the files, and looked says
// what was found instead.
func (r *run) fromAgent() (s source, looked []string, err error) {
	host, err := r.resolve()
	if err != nil {
		return source{}, nil, err
	}
	name := r.agentName(host.IdentityAgent)
	opened, err := r.agent.open(host.IdentityAgent)
	if err != nil {
		var dead *agentconn.OpenError
		if errors.As(err, &dead) && dead.Named {
			r.printer.warning("no keys are taken from %s: %s", name, term.Escape(systemText(dead.Attempts[len(dead.Attempts)-1].Err)))
			return source{}, []string{name + " cannot be reached"}, nil
		}
		return source{}, []string{name}, nil
	}
	if host.IdentityAgent == "" && r.agent.getenv("SSH_AUTH_SOCK") != os.Getenv("SSH_AUTH_SOCK") {
		r.printer.warning("the value of SSH_AUTH_SOCK has quotes around it, which are left out")
	}
	ids, skipped, err := identity.FromAgent(opened)
	if err != nil {
		r.debug(1, "agent: "+err.Error())
		r.printer.warning("no keys are taken from %s: %s", name, term.Excerpt(err.Error()))
		return source{}, []string{name + " does not answer"}, nil
	}
	r.debug(1, "agent: it holds "+count(len(ids)+len(skipped), "key"))
	cleaned := 0
	for _, id := range ids {
		if id.Entry.CommentCleaned() {
			cleaned++
		}
	}
	if cleaned > 0 {
		r.printer.info("control characters and bidirectional overrides in %s of the agent become '?'", count(cleaned, "comment"))
	}
	s = source{name: "ssh-add -L", ids: ids, skipped: skipped}
	if len(ids) == 0 && len(skipped) > 0 {
		for _, k := range skipped {
			r.printer.skipped(k)
		}
		return s, []string{name + " holds no key that can be installed"}, nil
	}
	return s, []string{name + " holds no keys"}, nil
}

// agentName names the agent of an IdentityAgent as Host has it.
func (r *run) agentName(identityAgent string) string {
	socket := r.agent.getenv("SSH_AUTH_SOCK")
	switch {
	case identityAgent == "none":
		return "no agent: IdentityAgent is none"
	case identityAgent != "":
		return "the agent of IdentityAgent (" + term.Escape(identityAgent) + ")"
	case socket != "":
		return "the agent of SSH_AUTH_SOCK (" + term.Escape(socket) + ")"
	case onWindows:
		return "no agent: neither OpenSSH's nor Pageant runs"
	}
	return "no agent: SSH_AUTH_SOCK is not set"
}

// agentHolds reports whether the agent holds the private half of every key.
func (r *run) agentHolds(ids []identity.Identity) bool {
	host, err := r.resolve()
	if err != nil {
		return false // the configuration is judged later
	}
	opened, err := r.agent.open(host.IdentityAgent)
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

// tell says which agent was opened, and why others were not.
func (a *agentOpener) tell(opened io.Closer) {
	conn, ok := opened.(*agentconn.Conn)
	if !ok {
		return
	}
	for _, attempt := range conn.Attempts {
		a.debug("agent: not " + attempt.Endpoint + ": " + attempt.Err.Error())
	}
	a.debug("agent: using " + conn.Endpoint)
	conn.Waiting = func(key *agent.Key) {
		a.info("waiting for the agent to confirm the use of key '%s'", term.Escape(agentconn.KeyName(key)))
	}
	conn.Failed = func(err *agentconn.SignError) { a.notice("sign_and_send_pubkey: " + err.Error()) }
}
