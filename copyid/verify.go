package copyid

import (
	"context"
	"errors"
	"slices"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
	"ssh-copy-id/internal/sshkey"
)

// Verify asks the server whether it accepts keys, and tries a login with one of
// them that asks nobody. It uses another connection than the one that works on the
// file, and makes that first where there is none.
func (h *Host) Verify(ctx context.Context, ids []identity.Identity) (_ *Verification, err error) {
	defer finish(&err)
	t, err := h.task(ctx, Goal{Present: ids}, false)
	if err != nil {
		return nil, err
	}
	defer t.end()
	if !h.loggedIn() {
		if err := t.connect(ctx, false); err != nil {
			return nil, err
		}
		if !h.loggedIn() {
			// The connection ended with the answers, and its jump hosts with it.
			return t.answered(), nil
		}
	}
	if h.loggedIn() && h.conn.Method == "none" {
		return &Verification{NoKeyAsked: true}, nil
	}
	result := t.verified(ctx, t.startVerification(ctx, t.conn, t.identities()))
	result.KeysOff = !h.config.PubkeyAuthentication
	return &result, nil
}

// answered is what the server has said about the keys, without a login.
func (t *task) answered() *Verification {
	v := &Verification{Done: true, Methods: t.conn.Methods, AcceptsEveryKey: t.conn.AcceptsEveryKey, Unasked: t.unasked, KeysOff: !t.config.PubkeyAuthentication}
	for _, k := range t.keys {
		switch {
		case k.Outcome == Accepted:
			v.Accepted = append(v.Accepted, k.Identity)
		case k.Refused:
			v.Refused = append(v.Refused, k.Identity)
		}
	}
	return v
}

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
func (t *task) secondConnection(conn *sshclient.Conn, ids []identity.Identity) sshclient.Options {
	host := *t.config
	if t.c.o.Account != "" {
		host.User = t.c.o.Account
	}
	return sshclient.Options{
		Host: &host, UI: sshclient.UI{Debug: t.connectionUI(context.Background()).Debug}, Query: publicKeys(ids), NeverAsk: true, NoAgent: true,
		StopWhenAccepted: true, HostKey: conn.HostKey, Dial: conn.Redial,
		Shell: t.c.o.Shell, ProxyStderr: func(string) {},
	}
}

// startVerification begins the handshake of the second connection, which goes
// where conn went.
func (t *task) startVerification(ctx context.Context, conn *sshclient.Conn, ids []identity.Identity) *verification {
	ctx, cancel := context.WithCancel(ctx)
	v := &verification{ids: ids, ready: make(chan struct{}), cancel: cancel, result: make(chan verified, 1)}
	o := t.secondConnection(conn, ids)
	o.BeforeAuth = v.ready
	o.Keys = func(*sshconfig.Host) []sshclient.Key { return t.login.Only(ids) }
	go func() {
		conn, err := sshclient.Connect(ctx, o)
		v.result <- verified{conn, err}
	}()
	return v
}

// verificationOf is the second connection for ids: the one that was begun
// during the login, if it was for the same keys, or else a new one.
func (t *task) verificationOf(ctx context.Context, ids []identity.Identity) *verification {
	early := t.early
	t.early = nil
	same := func(a, b identity.Identity) bool { return a.Entry.Blob() == b.Entry.Blob() }
	if early != nil && slices.EqualFunc(early.ids, ids, same) {
		return early
	}
	early.abandon()
	return t.startVerification(ctx, t.conn, ids)
}

// verified asks the questions. A connection that has waited may be gone, or may
// not have come about beside one that was not logged in yet (MaxStartups): then
// another one is made.
func (t *task) verified(ctx context.Context, v *verification) Verification {
	result := t.ask(ctx, v)
	if result.Err != nil && ctx.Err() == nil {
		result = t.ask(ctx, t.startVerification(ctx, t.conn, v.ids))
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
func (t *task) ask(ctx context.Context, v *verification) Verification {
	close(v.ready)
	defer v.cancel()
	r := <-v.result
	if r.err != nil {
		return Verification{Err: public(r.err)}
	}
	defer r.conn.Close()
	result := Verification{Done: true, Methods: r.conn.Methods, AcceptsEveryKey: r.conn.AcceptsEveryKey}
	if err := t.tryLogin(ctx, r.conn, &result); err != nil {
		return Verification{Err: public(err)}
	}
	for _, id := range v.ids {
		answer := r.conn.Answers.Of(id.Entry.Key)
		switch {
		case result.Nowhere != nil && sshkey.Equal(id.Entry.Key, result.Nowhere.Key.Key):
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
func (t *task) askAgain(ctx context.Context) {
	var ids []identity.Identity
	for i := range t.keys {
		if k := &t.keys[i]; k.Refused && k.unrestricted() {
			ids = append(ids, k.Identity)
		}
	}
	if len(ids) == 0 {
		return
	}
	conn, err := sshclient.Connect(ctx, t.secondConnection(t.conn, ids))
	if err != nil {
		return
	}
	defer conn.Close()
	for _, id := range ids {
		if conn.Answers.Of(id.Entry.Key).Accepted() {
			t.key(id.Entry.Key).Refused = false
		}
	}
}

// tryLogin runs a command of our own where the second connection has logged in.
func (t *task) tryLogin(ctx context.Context, conn *sshclient.Conn, result *Verification) error {
	key := t.key(conn.LoginKey)
	if conn.Client == nil || key == nil || t.signatureIsEnough(key.Identity) {
		return nil
	}
	if t.sftp {
		result.LoggedIn = remote.ProveSFTP(ctx, conn.Client, t.remoteOptions()) == nil
		return nil
	}
	shell, err := t.proveShell(ctx, conn)
	var nowhere *LoginError
	if errors.As(err, &nowhere) {
		result.Nowhere = nowhere
		return nil
	}
	result.LoggedIn = shell
	return err
}
