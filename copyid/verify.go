package copyid

import (
	"context"
	"slices"

	"ssh-copy-id/identity"
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

// startVerification begins the handshake of the second connection, which goes
// where conn went.
func (c *Client) startVerification(ctx context.Context, p *Plan, conn *sshclient.Conn, ids []identity.Identity) *verification {
	ctx, cancel := context.WithCancel(ctx)
	v := &verification{ids: ids, ready: make(chan struct{}), cancel: cancel, result: make(chan verified, 1)}
	host := *p.host
	if c.o.Account != "" {
		host.User = c.o.Account
	}
	o := sshclient.Options{
		Host: &host, UI: sshclient.UI{Debug: c.o.UI.Debug}, Query: publicKeys(ids), NeverAsk: true,
		StopWhenAccepted: true, HostKey: conn.HostKey, BeforeAuth: v.ready, Dial: conn.Redial,
		Keys:  func(*sshconfig.Host) []sshclient.Key { return p.login.only(ids) },
		Shell: c.o.Shell, ProxyStderr: func(string) {},
	}
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
	result := v.ask()
	if result.Err != nil && ctx.Err() == nil {
		result = c.startVerification(ctx, p, p.conn, v.ids).ask()
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

// ask lets the second connection ask its questions and waits for the answers.
func (v *verification) ask() Verification {
	close(v.ready)
	defer v.cancel()
	r := <-v.result
	if r.err != nil {
		return Verification{Err: r.err}
	}
	defer r.conn.Close()
	result := Verification{Done: true, LoggedIn: r.conn.Client != nil, Methods: r.conn.Methods}
	for _, id := range v.ids {
		accepted, asked := r.conn.Answers[string(id.Entry.Key.Marshal())]
		switch {
		case !asked:
			result.Unasked = append(result.Unasked, id)
		case accepted:
			result.Accepted = append(result.Accepted, id)
		default:
			result.Refused = append(result.Refused, id)
		}
	}
	return result
}
