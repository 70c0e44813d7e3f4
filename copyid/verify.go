package copyid

import (
	"context"
	"errors"
	"slices"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
)

// verification is the second connection: it is made while the first one still
// logs in and works on the file, waits before it authenticates, and then asks
// whether the server accepts the keys.
type verification struct {
	ids    []identity.Identity
	ready  chan struct{}
	cancel context.CancelFunc
	result chan verified
}

type verified struct {
	conn *sshclient.Conn
	err  error
}

// secondConnection are the options of another connection to where conn went,
// which asks nobody anything: no user, and no agent for a signature.
func (c *Client) secondConnection(p *Plan, conn *sshclient.Conn, ids []identity.Identity) sshclient.Options {
	host := *p.host
	if c.o.Account != "" {
		host.User = c.o.Account
	}
	return sshclient.Options{
		Host: &host, UI: sshclient.UI{Debug: c.o.UI.Debug}, Query: publicKeys(ids), NeverAsk: true, NoAgent: true,
		StopWhenAccepted: true, HostKey: conn.HostKey, Dial: conn.Redial,
		Shell: c.o.Shell, ProxyStderr: func(string) {},
	}
}

// startVerification begins the handshake of the second connection, which goes
// where conn went.
func (c *Client) startVerification(ctx context.Context, p *Plan, conn *sshclient.Conn, ids []identity.Identity) *verification {
	ctx, cancel := context.WithCancel(ctx)
	v := &verification{ids: ids, ready: make(chan struct{}), cancel: cancel, result: make(chan verified, 1)}
	o := c.secondConnection(p, conn, ids)
	o.BeforeAuth = v.ready
	o.Keys = func(*sshconfig.Host) []sshclient.Key { return p.login.Only(ids) }
	go func() {
		conn, err := sshclient.Connect(ctx, o)
		v.result <- verified{conn, err}
	}()
	return v
}

// verificationOf is the second connection for ids: the one that was begun
// during the login, if it was for the same keys, or else a new one.
func (c *Client) verificationOf(ctx context.Context, p *Plan, ids []identity.Identity) *verification {
	early := p.early
	p.early = nil
	same := func(a, b identity.Identity) bool { return a.Entry.Blob() == b.Entry.Blob() }
	if early != nil && slices.EqualFunc(early.ids, ids, same) {
		return early
	}
	early.abandon()
	return c.startVerification(ctx, p, p.conn, ids)
}

// verified asks the questions. A connection that has waited may be gone, or may
// not have come about beside one that was not logged in yet (MaxStartups): then
// another one is made.
func (c *Client) verified(ctx context.Context, p *Plan, v *verification) Verification {
	result := c.ask(ctx, p, v)
	if result.Err != nil && ctx.Err() == nil {
		result = c.ask(ctx, p, c.startVerification(ctx, p, p.conn, v.ids))
	}
	return result
}

// abandon ends the second connection without a question.
func (v *verification) abandon() {
	if v == nil {
		return
	}
	v.cancel()
	if r := <-v.result; r.conn != nil {
		r.conn.Close()
	}
}

// ask lets the second connection ask its questions, waits for the answers, and
// sees where a login leads.
func (c *Client) ask(ctx context.Context, p *Plan, v *verification) Verification {
	close(v.ready)
	defer v.cancel()
	r := <-v.result
	if r.err != nil {
		return Verification{Err: r.err}
	}
	defer r.conn.Close()
	result := Verification{Done: true, Methods: r.conn.Methods, AcceptsEveryKey: r.conn.AcceptsEveryKey}
	if err := c.tryLogin(ctx, p, r.conn, &result); err != nil {
		return Verification{Err: err}
	}
	for _, id := range v.ids {
		answer := r.conn.Answers.Of(id.Entry.Key)
		switch {
		case result.Nowhere != nil && string(id.Entry.Key.Marshal()) == string(result.Nowhere.Key.Marshal()):
		case answer == 0:
			result.Unasked = append(result.Unasked, id)
		case answer.Accepted():
			result.Accepted = append(result.Accepted, id)
		default:
			result.Refused = append(result.Refused, id)
		}
	}
	return result
}

// askAgain asks once more about keys that the server refused before the target
// file was found to hold them on plain lines: somebody else may have added those
// in between. Without an answer the first one stays.
func (c *Client) askAgain(ctx context.Context, p *Plan) {
	var ids []identity.Identity
	for i := range p.Keys {
		if k := &p.Keys[i]; k.Refused && k.unrestricted() {
			ids = append(ids, k.Identity)
		}
	}
	if len(ids) == 0 {
		return
	}
	conn, err := sshclient.Connect(ctx, c.secondConnection(p, p.conn, ids))
	if err != nil {
		return
	}
	defer conn.Close()
	for _, id := range ids {
		if conn.Answers.Of(id.Entry.Key).Accepted() {
			p.keyPlan(id.Entry.Key).Refused = false
		}
	}
}

// tryLogin runs a command of our own where the second connection has logged in.
func (c *Client) tryLogin(ctx context.Context, p *Plan, conn *sshclient.Conn, result *Verification) error {
	key := p.keyPlan(conn.LoginKey)
	if conn.Client == nil || key == nil || signatureIsEnough(p, key.Identity) {
		return nil
	}
	if p.sftp {
		result.LoggedIn = remote.ProveSFTP(ctx, conn.Client, remote.Options{Awaiting: c.awaiting}) == nil
		return nil
	}
	shell, err := c.proveShell(ctx, conn)
	var nowhere *LoginError
	if errors.As(err, &nowhere) {
		result.Nowhere = nowhere
		return nil
	}
	result.LoggedIn = shell
	return err
}
