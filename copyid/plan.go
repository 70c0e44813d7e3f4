package copyid

import (
	"context"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/remote"
)

// Plan is what is to be done on one host. It holds no connection: it may be kept,
// shown, and carried out later by [Host.Apply].
type Plan struct {
	Target Target `json:"target"`
	// User, HostName and Port are what the destination resolves to.
	User     string `json:"user"`
	HostName string `json:"hostName"`
	Port     int    `json:"port"`
	// TargetPath, Account and Format are those of the Options.
	TargetPath string `json:"targetPath,omitempty"`
	Account    string `json:"account,omitempty"`
	Format     Format `json:"format,omitempty"`
	// ServerVersion is the server's identification string, not escaped; "" where
	// there was no connection.
	ServerVersion string `json:"serverVersion,omitempty"`
	// Keys holds the outcome for each identity, in their order: Add for one that
	// is to be added.
	Keys []KeyState `json:"keys"`
	// Evidence is what the outcomes rest on.
	Evidence Evidence `json:"evidence"`
	// Path is the target file as the server names it; "" until it was read.
	Path string `json:"path,omitempty"`
	// Sum identifies the content of the target file; "" where it was not read.
	Sum string `json:"sum,omitempty"`
	// LoggedIn is false where the server was only asked about keys.
	LoggedIn bool `json:"loggedIn"`
	// NoKeyAsked reports whether the server lets the account in on the method
	// "none", so that no key is ever looked at.
	NoKeyAsked bool `json:"noKeyAsked,omitempty"`
	// Unasked are the keys that the server was not asked about, and is not
	// known to refuse: too many others were refused before, or only the file
	// counts.
	Unasked []identity.Identity `json:"unasked,omitempty"`
}

// ToAdd are the identities the plan adds, in order.
func (p *Plan) ToAdd() []identity.Identity { return withOutcome(p.Keys, Add) }

// Unusable are the keys that would not be added because the target file has
// their very line, and that the server refuses all the same.
func (p *Plan) Unusable() []KeyState {
	var keys []KeyState
	for _, k := range p.Keys {
		if k.Refused && k.unrestricted() {
			keys = append(keys, k)
		}
	}
	return keys
}

// Plan finds out which keys the account accepts and which the target file holds,
// and decides what to do with each. It changes nothing on the server.
//
// The server is asked about the keys first, which needs no login. Where it
// accepts all of them, a login that asks nobody proves that they work; else Plan
// logs in and reads the file. With Options.NoPrompt no login may be possible:
// the plan then rests on what the server says about each key. With Options.Force
// there is nothing to decide, and no connection is made.
func (h *Host) Plan(ctx context.Context, goal Goal) (_ *Plan, err error) {
	defer finish(&err)
	t, err := h.task(ctx, goal, h.c.o.Force)
	if err != nil {
		return nil, err
	}
	defer t.end()
	if t.force {
		return t.plan(), nil
	}
	if err := t.connect(ctx, false); err != nil {
		return nil, err
	}
	switch {
	case !t.loggedIn():
	case t.settled():
		err = t.prove(ctx)
	default:
		if err = t.read(ctx); err == nil {
			t.askAgain(ctx)
		}
	}
	if err != nil {
		return nil, err
	}
	return t.plan(), nil
}

// plan is the task as a plain value.
func (t *task) plan() *Plan {
	p := &Plan{
		Target: t.Target, User: t.User, HostName: t.HostName, Port: t.Port, TargetPath: t.c.o.TargetPath, Account: t.c.o.Account,
		Format: t.c.o.Format, Keys: t.keys, Evidence: t.evidence, Path: t.path,
		LoggedIn: t.loggedIn(), NoKeyAsked: t.noKeyAsked, Unasked: t.unasked,
	}
	if t.conn != nil {
		p.ServerVersion = t.conn.ServerVersion
	}
	if t.state != nil {
		p.Sum = t.state.Sum
	}
	return p
}

// read looks at the target file and decides anew about the keys that are to be
// added.
func (t *task) read(ctx context.Context) error {
	return t.loginError(t.withSession(ctx, func(session remote.Session) error {
		state, err := session.Read(ctx, t.c.o.Format.blobs(t.pending()))
		if err != nil {
			return err
		}
		t.takeState(state)
		// An install would be refused.
		if state.Foreign != "" && !t.force && !t.settled() {
			return &remote.RemoteError{Stage: remote.StageTarget, Path: state.Path, Reason: remote.Foreign, Detail: state.Foreign, Status: -1, State: state}
		}
		return nil
	}))
}

// takeState decides by the target file about the keys still to be added.
func (t *task) takeState(state *remote.State) {
	t.state, t.path, t.evidence = state, state.Path, FromFile
	for i := range t.keys {
		if t.keys[i].Outcome == Add {
			t.keys[i].take(state.Candidates, t.c.o.Format)
		}
	}
}
