package cli

import (
	"io"

	"golang.org/x/crypto/ssh/agent"

	"ssh-copy-id/internal/agentconn"
)

// agentOpener opens each agent once and closes them all at the end.
type agentOpener struct {
	getenv  func(string) string
	debug   func(text string)
	opened  map[string]agent.ExtendedAgent
	closers []func() error
}

func (a *agentOpener) open(identityAgent string) (agent.ExtendedAgent, error) {
	if opened, ok := a.opened[identityAgent]; ok {
		return opened, nil
	}
	opened, closer, err := agentconn.Open(identityAgent, a.getenv)
	if err != nil {
		return nil, err
	}
	a.tell(closer)
	if a.opened == nil {
		a.opened = map[string]agent.ExtendedAgent{}
	}
	a.opened[identityAgent] = opened
	a.closers = append(a.closers, closer.Close)
	return opened, nil
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
}
