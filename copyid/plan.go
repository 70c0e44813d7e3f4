package copyid

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/keyring"
	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
)

// Plan is what is to be done on one host.
type Plan struct {
	Target Target
	// User, HostName and Port are what the destination resolves to.
	User, HostName string
	Port           int
	// Keys holds a decision for each identity, in their order.
	Keys []KeyState
	// Evidence is what the decisions rest on.
	Evidence Evidence
	// Path is the target file as the server names it; "" until it was read.
	Path string
	// LoggedIn is false where the server was only asked about keys.
	LoggedIn bool
	// NoKeyAsked reports whether the server lets the account in on the method
	// "none", so that no key is ever looked at.
	NoKeyAsked bool
	// Unasked are the keys that the server was not asked about, and is not
	// known to refuse: too many others were refused before, or only the file
	// counts.
	Unasked []identity.Identity

	account string // whose file it is
	host    *sshconfig.Host
	conn    *sshclient.Conn
	login   *keyring.Login
	state   *remote.State
	sftp    bool // the file was reached by SFTP
	format  keyFormat
	reader  authkeys.Reader
	// lines are what the target file has against keys that the server refuses.
	lines []Cause
	// announced: the keys to be written have been shown (Progress.Installing).
	announced bool
	// early is the second connection, begun while the first still logs in; nil
	// where there is none.
	early *verification
}

// ToAdd are the identities the plan adds, in order.
func (p *Plan) ToAdd() []identity.Identity {
	var ids []identity.Identity
	for _, k := range p.Keys {
		if k.Outcome == Add {
			ids = append(ids, k.Identity)
		}
	}
	return ids
}

// Close ends the connection the plan holds. A plan that was applied is closed
// already; closing it again does nothing.
func (p *Plan) Close() error {
	p.early.abandon()
	p.early = nil
	if p.conn == nil {
		return nil
	}
	conn := p.conn
	p.conn = nil
	return conn.Close()
}

// Plan connects to target, logs in where that is needed, and decides what to
// do with each identity. It changes nothing on the server. The plan holds an
// open connection until it is applied or closed.
//
// Errors are those of packages sshconfig, sshclient, hostkey and remote.
func (c *Client) Plan(ctx context.Context, target Target, ids []identity.Identity) (*Plan, error) {
	host, err := c.resolve(target)
	if err != nil {
		return nil, err
	}
	if c.o.Progress.Configured != nil {
		c.o.Progress.Configured(host.LogLevel)
	}
	for _, text := range host.Notices {
		c.notice(text)
	}
	p := &Plan{Target: target, Evidence: NoEvidence, User: host.User, HostName: host.HostName, Port: host.Port, host: host, format: keyFormat(c.o.RFC4716), account: host.User}
	if c.o.Account != "" {
		p.account = c.o.Account
	}
	for _, id := range distinctKeys(ids) {
		p.Keys = append(p.Keys, KeyState{Identity: id, Outcome: Add})
	}
	if c.o.Force && c.o.DryRun {
		return p, nil
	}
	p.login = c.newLogin(host, ids)
	p.Evidence = FromQueries
	if err := c.connect(ctx, p); err != nil {
		p.Close()
		return nil, err
	}
	if err := c.look(ctx, p); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// look does what a plan may do with a login: prove the keys that are there, and
// for a dry run read the file.
func (c *Client) look(ctx context.Context, p *Plan) error {
	switch {
	case p.conn.Client == nil:
		return nil
	case c.settled(p):
		return c.prove(ctx, p)
	case c.o.DryRun:
		if err := c.read(ctx, p); err != nil {
			return err
		}
		c.askAgain(ctx, p)
	}
	return nil
}

// distinctKeys drops identities whose key came before: one line is enough.
func distinctKeys(ids []identity.Identity) []identity.Identity {
	seen := map[string]bool{}
	var kept []identity.Identity
	for _, id := range ids {
		if blob := id.Entry.Blob(); !seen[blob] {
			seen[blob] = true
			kept = append(kept, id)
		}
	}
	return kept
}

// resolve reads ssh_config for the destination.
func (c *Client) resolve(target Target) (*sshconfig.Host, error) {
	in := c.configInput(target)
	in.Destination, in.Options = target.Destination, target.Config
	in.RemoteCommand = "exit" // what the stock script has ssh run
	return sshconfig.Resolve(in)
}

// resolveHop reads ssh_config for a jump host, which does not inherit the
// command line's settings of the destination (as ssh -J).
func (c *Client) resolveHop(target Target, hop string) (*sshconfig.Host, error) {
	in := c.configInput(target)
	var err error
	if in.Destination, in.Options, err = sshconfig.Hop(hop); err != nil {
		return nil, err
	}
	in.Options = append(in.Options, "SessionType=none") // as ssh -W has it
	return sshconfig.Resolve(in)
}

func (c *Client) configInput(target Target) sshconfig.Input {
	return sshconfig.Input{ConfigFile: target.ConfigFile, Home: c.o.Home, LocalUser: c.o.User, LookupEnv: c.o.LookupEnv}
}

// asks tells whether the server's word about a key counts. With a target file
// of its own, or for another account, only the file does; Force wants no
// answer.
func (c *Client) asks() bool { return !c.o.Force && c.o.TargetPath == "" && c.o.Account == "" }

// connect opens the connection and takes the server's answers into the plan.
func (c *Client) connect(ctx context.Context, p *Plan) error {
	o := sshclient.Options{
		Host: p.host, Home: c.o.Home, Pins: c.o.Pins, UI: c.connectionUI(), Keys: p.login.Keys, Shell: c.o.Shell,
		Identified: func(version string) error {
			if err := deviceError(p, version); err != nil {
				return err
			}
			return p.readBy(version)
		},
		NeverAsk: c.o.DryRun, NoAgent: c.o.DryRun, Password: c.o.Password, StopWhenAccepted: c.asks(), ProxyStderr: c.o.UI.Notice,
		Resolve: func(hop string) (*sshconfig.Host, error) { return c.resolveHop(p.Target, hop) },
	}
	o.NotShared = c.o.Progress.NotShared
	o.LoggingIn = func(conn *sshclient.Conn) {
		if ids := p.ToAdd(); !c.o.DryRun && !c.o.NoVerify && len(ids) > 0 && conn.Redial != nil {
			p.early = c.startVerification(context.WithoutCancel(ctx), p, conn, ids)
		}
	}
	if c.asks() {
		for _, k := range p.Keys {
			o.Query = append(o.Query, k.Identity.Entry.Key)
		}
	}
	o.Queried = func(answers sshclient.Answers) {
		p.takeAnswers(c.asks(), answers)
		if c.o.Progress.Remaining != nil && !c.o.Force {
			c.o.Progress.Remaining(p.ToAdd())
		}
	}
	if c.o.Progress.Asking != nil && !c.o.Force {
		c.o.Progress.Asking()
	}
	conn, err := sshclient.Connect(ctx, o)
	if err != nil {
		return err
	}
	p.conn, p.LoggedIn = conn, conn.Client != nil
	p.NoKeyAsked = p.LoggedIn && conn.Method == "none"
	return nil
}

// newLogin are the keys that may log in to a host.
func (c *Client) newLogin(host *sshconfig.Host, ids []identity.Identity) *keyring.Login {
	return c.ring.NewLogin(keyring.Options{
		Host: host, Identities: ids, ProofOnly: func(id identity.Identity) bool { return forcedCommand(id.Entry.Options) != "" },
		KeepAgents: c.o.DryRun, Secret: c.o.UI.Secret, Confirm: c.o.UI.Confirm, Notice: c.o.UI.Notice,
		Debug: func(text string) { c.debug(text) },
	})
}

// connectionUI is the part of UI that a connection needs.
func (c *Client) connectionUI() sshclient.UI {
	return sshclient.UI{Secret: c.o.UI.Secret, Line: c.o.UI.Line, Notice: c.o.UI.Notice, Debug: c.o.UI.Debug}
}

// takeAnswers marks the keys the server accepts.
func (p *Plan) takeAnswers(count bool, answers sshclient.Answers) {
	for i := range p.Keys {
		answer := answers.Of(p.Keys[i].Identity.Entry.Key)
		switch {
		case !count, answer == 0:
			p.Unasked = append(p.Unasked, p.Keys[i].Identity)
		case answer.Accepted():
			p.Keys[i].Outcome = Accepted
		default:
			p.Keys[i].Refused = true
		}
	}
}

// settled tells that nothing is left to look up or to do.
func (c *Client) settled(p *Plan) bool { return len(p.ToAdd()) == 0 }

// read looks at the target file and decides anew about the keys that are to be
// installed.
func (c *Client) read(ctx context.Context, p *Plan) error {
	return p.loginError(c.withSession(ctx, p, func(session remote.Session) error {
		state, err := session.Read(ctx, p.format.blobs(p.ToAdd()))
		if err != nil {
			return err
		}
		p.takeState(state)
		// An install would be refused.
		if state.Foreign != "" && !c.o.Force && len(p.ToAdd()) > 0 {
			return &remote.RemoteError{Stage: remote.StageTarget, Path: state.Path, Reason: remote.Foreign, Detail: state.Foreign, Status: -1, State: state}
		}
		return nil
	}))
}

// withSession works on the file through what the server offers.
func (c *Client) withSession(ctx context.Context, p *Plan, work func(remote.Session) error) error {
	session, err := remote.Open(ctx, p.conn.Client, remote.Options{
		Target: c.o.TargetPath, Account: c.o.Account, SFTP: c.o.SFTP, Trace: c.o.Trace != nil, Stderr: &lineWriter{line: c.o.Trace},
		Waiting: c.waiting, Awaiting: c.awaiting, Writing: func() { c.installing(p) }, Shared: c.o.Progress.Shared,
	})
	if err != nil {
		return err
	}
	defer session.Close()
	err = work(session)
	p.sftp = remote.UsesSFTP(session)
	return err
}

// awaited are what a server is waited for, in words.
var awaited = map[remote.Awaited]string{
	remote.AwaitChannel: "the server to open a session",
	remote.AwaitCommand: "the server to run a command",
	remote.AwaitShell:   "the account's shell to start",
	remote.AwaitAnswer:  "the server to finish its answer",
	remote.AwaitSFTP:    "the SFTP server to start",
	remote.AwaitReply:   "the SFTP server to reply",
}

// awaiting reports what the server is waited for.
func (c *Client) awaiting(what remote.Awaited, elapsed time.Duration) {
	c.notice(fmt.Sprintf("waiting for %s, for %d seconds so far", awaited[what], elapsed/time.Second))
}

// waiting tells that another program holds the file's lock.
func (c *Client) waiting(w remote.Wait) {
	c.notice(fmt.Sprintf("waiting for another program that is changing the file (%s)", w.Holder))
}

// takeState decides by the target file about the keys still to be installed.
func (p *Plan) takeState(state *remote.State) {
	p.state, p.Path, p.Evidence = state, state.Path, FromFile
	for i := range p.Keys {
		if p.Keys[i].Outcome == Add {
			p.Keys[i].take(state.Candidates, p.format)
		}
	}
}

func publicKeys(ids []identity.Identity) []ssh.PublicKey {
	list := make([]ssh.PublicKey, len(ids))
	for i, id := range ids {
		list[i] = id.Entry.Key
	}
	return list
}

// ErrDryRun is what Apply answers when Options.DryRun is set.
var ErrDryRun = errors.New("a dry run changes nothing")
