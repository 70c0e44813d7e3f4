package copyid

import (
	"context"
	"time"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/keyring"
	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
)

// asks reports whether the server's word about a key counts. With a target file
// of its own, or for another account, only the file does; force wants no answer.
func (t *task) asks() bool { return !t.force && t.c.o.TargetPath == "" && t.c.o.Account == "" }

// connect asks the server about the keys and logs in. change reports whether the
// file is to be changed: the second connection, which verifies the keys, is then
// begun while this one logs in.
func (t *task) connect(ctx context.Context, change bool) error {
	if t.loggedIn() {
		return t.reuse(ctx)
	}
	t.Host.Close()
	c := t.c
	o := t.connection(ctx, change)
	o.Queried = func(answers sshclient.Answers) {
		t.takeAnswers(answers)
		if c.o.Progress.Remaining != nil && !t.force {
			c.o.Progress.Remaining(t.Target, t.pending())
		}
	}
	if t.asks() {
		o.Query = publicKeys(t.identities())
	}
	if c.o.Progress.Asking != nil && !t.force {
		c.o.Progress.Asking(t.Target)
	}
	return t.open(ctx, o)
}

// connection are the options of a connection that logs in.
func (t *task) connection(ctx context.Context, change bool) sshclient.Options {
	c := t.c
	o := sshclient.Options{
		Host: t.config, Home: c.o.Home, Pins: c.o.Pins, UI: t.connectionUI(ctx), Keys: t.login.Keys, Shell: c.o.Shell,
		Identified: t.identified, NeverAsk: c.o.NoPrompt, NoAgent: c.o.NoPrompt, Password: c.o.Password, StopWhenAccepted: t.asks(),
		Resolve: func(hop string) (*sshconfig.Host, error) { return c.resolveHop(t.Target, hop) },
	}
	if c.o.UI.Notice != nil {
		o.ProxyStderr = func(line string) { c.o.UI.Notice(t.Target, line) }
	}
	if c.o.Progress.NotShared != nil {
		o.NotShared = func(socket string) { c.o.Progress.NotShared(t.Target, socket) }
	}
	o.LoggingIn = func(conn *sshclient.Conn) {
		if ids := t.pending(); change && !c.o.NoVerify && len(ids) > 0 && conn.Redial != nil {
			t.early = t.startVerification(context.WithoutCancel(ctx), conn, ids)
		}
	}
	return o
}

// open makes the connection.
func (t *task) open(ctx context.Context, o sshclient.Options) error {
	conn, err := sshclient.Connect(ctx, o)
	if err != nil {
		return err
	}
	t.conn = conn
	t.noKeyAsked = t.loggedIn() && conn.Method == "none"
	return nil
}

// reuse works with a connection that is logged in. The server is asked about the
// keys by another one.
func (t *task) reuse(ctx context.Context) error {
	t.noKeyAsked = t.conn.Method == "none"
	if err := t.identified(t.conn.ServerVersion); err != nil {
		return err
	}
	var answers sshclient.Answers
	if t.asks() && !t.noKeyAsked {
		conn, err := sshclient.Connect(ctx, t.secondConnection(t.conn, t.identities()))
		if err != nil {
			return err
		}
		answers = conn.Answers
		conn.Close()
	}
	t.takeAnswers(answers)
	return nil
}

// identified takes note of what the server calls itself: an appliance takes no
// keys from a program, and the lines are composed for who reads them.
func (t *task) identified(serverVersion string) error {
	if err := t.deviceError(serverVersion); err != nil {
		return err
	}
	return t.readBy(serverVersion)
}

// newLogin are the keys that may log in to the host.
func (h *Host) newLogin(ctx context.Context, ids []identity.Identity) *keyring.Login {
	ui := h.connectionUI(ctx)
	return h.c.ring.NewLogin(keyring.Options{
		Host: h.config, Identities: ids, ProofOnly: func(id identity.Identity) bool { return forcedCommand(id.Entry.Options) != "" },
		KeepAgents: h.c.o.NoPrompt, Secret: ui.Secret, Notice: ui.Notice,
		Confirm: func(prompt string) bool { return h.confirm(ctx, prompt) }, Debug: h.debug,
	})
}

// connectionUI is the part of UI that a connection needs, for this host. Of all
// hosts one asks at a time.
func (h *Host) connectionUI(ctx context.Context) sshclient.UI {
	var ui sshclient.UI
	o := h.c.o.UI
	if o.Secret != nil {
		ui.Secret = func(prompt string) ([]byte, error) {
			if err := h.c.askNow(ctx); err != nil {
				return nil, err
			}
			defer h.c.asked()
			return o.Secret(h.Target, prompt)
		}
	}
	if o.Line != nil {
		ui.Line = func(prompt string) (string, error) {
			if err := h.c.askNow(ctx); err != nil {
				return "", err
			}
			defer h.c.asked()
			return o.Line(h.Target, prompt)
		}
	}
	if o.Notice != nil {
		ui.Notice = func(text string) { o.Notice(h.Target, text) }
	}
	if o.Debug != nil {
		ui.Debug = func(level int, text string) { o.Debug(h.Target, level, text) }
	}
	return ui
}

// askNow waits until no other host asks the user something, but not longer than
// ctx lasts: a host that was given up asks nothing any more.
func (c *Client) askNow(ctx context.Context) error {
	select {
	case c.asking <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if ctx.Err() != nil {
		c.asked()
		return context.Cause(ctx)
	}
	return nil
}

func (c *Client) asked() { <-c.asking }

// confirm asks for permission to add a key to the agent.
func (h *Host) confirm(ctx context.Context, prompt string) bool {
	if h.c.o.UI.Confirm == nil || h.c.askNow(ctx) != nil {
		return false
	}
	defer h.c.asked()
	return h.c.o.UI.Confirm(h.Target, prompt)
}

func (h *Host) notice(text string) {
	if h.c.o.UI.Notice != nil {
		h.c.o.UI.Notice(h.Target, text)
	}
}

func (h *Host) debug(text string) {
	if h.c.o.UI.Debug != nil {
		h.c.o.UI.Debug(h.Target, 1, text)
	}
}

// takeAnswers marks the keys the server accepts.
func (t *task) takeAnswers(answers sshclient.Answers) {
	t.evidence = FromQueries
	for i := range t.keys {
		k := &t.keys[i]
		answer := answers.Of(k.Identity.Entry.Key)
		switch {
		case !t.asks(), answer == 0:
			t.unasked = append(t.unasked, k.Identity)
		case answer.Accepted():
			k.Outcome = Accepted
		default:
			k.Refused = true
		}
	}
}

// withSession works on the file through what the server offers.
func (t *task) withSession(ctx context.Context, work func(remote.Session) error) error {
	o := t.remoteOptions()
	trace := &lineWriter{}
	if t.c.o.Trace != nil {
		trace.line = func(line string) { t.c.o.Trace(t.Target, line) }
	}
	o.Target, o.Account, o.SFTP = t.c.o.TargetPath, t.c.o.Account, t.c.o.SFTP
	o.Trace, o.Stderr = t.c.o.Trace != nil, trace
	o.Writing = t.installing
	if shared := t.c.o.Progress.Shared; shared != nil {
		o.Shared = func(path string) { shared(t.Target, path) }
	}
	session, err := remote.Open(ctx, t.conn.Client, o)
	if err != nil {
		return err
	}
	defer session.Close()
	err = work(session)
	t.sftp = remote.UsesSFTP(session)
	return err
}

// remoteOptions are what all work on the server reports.
func (h *Host) remoteOptions() remote.Options {
	var o remote.Options
	progress := h.c.o.Progress
	if progress.Waiting != nil {
		o.Waiting = func(w remote.Wait) { progress.Waiting(h.Target, w.Holder) }
	}
	if progress.Awaiting != nil {
		o.Awaiting = func(what remote.Awaited, elapsed time.Duration) { progress.Awaiting(h.Target, Awaited(what), elapsed) }
	}
	return o
}
