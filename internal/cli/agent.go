package cli

import (
	"io"

	"golang.org/x/crypto/ssh/agent"

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
	agent agent.ExtendedAgent
	err   error
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
	a.opened[identityAgent] = openedAgent{opened, err}
	return opened, err
}

func (a *agentOpener) close() {
	for _, closer := range a.closers {
		closer()
	}
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
