package copyid

import (
	"context"
	"io"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/keyring"
	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
	"ssh-copy-id/internal/sshkey"
)

// Host is one target, resolved, and the connection to it. A Host is for one
// goroutine at a time, and must be closed.
type Host struct {
	// Target is what was dialled.
	Target Target
	// Name is the host as the destination names it; User, HostName and Port are
	// what the destination resolves to.
	Name, User, HostName string
	Port                 int
	// Login is what ssh_config says about logging in with a key.
	Login LoginSettings
	// UserKnownHostsFiles are the files of host keys that are the user's.
	UserKnownHostsFiles []string
	// Notices are what ssh prints on reading ssh_config without stopping. They
	// come to UI.Notice when the Host is used for the first time.
	Notices []string

	c      *Client
	config *sshconfig.Host
	used   bool
	conn   *sshclient.Conn // nil before the first connection
	reader authkeys.Reader // who reads the file, once there was a connection
	sftp   bool            // the file was reached by SFTP
}

// Dial reads ssh_config for a target. The connection itself is made by the first
// method that needs one, because the server is asked about the keys of a goal in
// the course of the login (RFC 4252 section 7): one connection does for both.
func (c *Client) Dial(ctx context.Context, target Target) (*Host, error) {
	if err := ctx.Err(); err != nil {
		return nil, public(err)
	}
	config, err := c.resolve(target)
	if err != nil {
		return nil, public(err)
	}
	return &Host{
		Target: target, Name: config.Name, User: config.User, HostName: config.HostName, Port: config.Port,
		Login: loginSettings(config), UserKnownHostsFiles: config.UserKnownHostsFiles, Notices: config.Notices,
		c: c, config: config,
	}, nil
}

// Close ends the connection. The Host may be used again: it then connects anew.
func (h *Host) Close() error {
	if h.conn == nil {
		return nil
	}
	conn := h.conn
	h.conn = nil
	return conn.Close()
}

// Unusable returns the error with which every connection would fail: there is no
// user name, or ssh_config has a path or command that cannot be expanded; nil for
// a host that can be used.
func (h *Host) Unusable() error { return public(h.config.Unusable) }

// DumpConfig writes the settings of the host as `ssh -G` prints them: those of a
// login without a command, which "Match sessiontype" and "Match command" can tell
// from the one that this package makes.
func (h *Host) DumpConfig(w io.Writer) error {
	config, err := sshconfig.Resolve(h.c.destination(h.Target))
	if err != nil {
		return public(err)
	}
	return config.Dump(w)
}

// use reports what ssh_config says, when the host is used for the first time.
func (h *Host) use() {
	if h.used {
		return
	}
	h.used = true
	if h.c.o.Progress.Configured != nil {
		h.c.o.Progress.Configured(h.Target, h.config.LogLevel)
	}
	for _, text := range h.Notices {
		h.notice(text)
	}
}

// account is whose file it is.
func (h *Host) account() string {
	if h.c.o.Account != "" {
		return h.c.o.Account
	}
	return h.User
}

// loggedIn reports whether there is a connection that can work on the file.
func (h *Host) loggedIn() bool { return h.conn != nil && h.conn.Client != nil }

// resolve reads ssh_config for the destination.
func (c *Client) resolve(target Target) (*sshconfig.Host, error) {
	in := c.destination(target)
	in.RemoteCommand = "exit" // what the stock script has ssh run
	return sshconfig.Resolve(in)
}

func (c *Client) destination(target Target) sshconfig.Input {
	in := c.configInput(target)
	in.Destination, in.Options = target.Destination, target.Config
	return in
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

// task is the work for one goal on a host.
type task struct {
	*Host
	// force leaves open what is there already.
	force bool
	keys  []KeyState
	login *keyring.Login

	noKeyAsked bool
	unasked    []identity.Identity
	evidence   Evidence
	path       string
	state      *remote.State
	// lines are what the target file has against keys that the server refuses.
	lines []Cause
	// announced: the keys to be written have been shown (Progress.Installing).
	announced bool
	// early is the second connection, begun while the first still logs in; nil
	// where there is none.
	early *verification
}

// task begins the work for a goal.
func (h *Host) task(ctx context.Context, goal Goal, force bool) (*task, error) {
	if len(goal.Absent) > 0 {
		return nil, ErrAbsent
	}
	h.use()
	t := &task{Host: h, force: force, login: h.newLogin(ctx, goal.Present), evidence: NoEvidence}
	for _, id := range distinctKeys(goal.Present) {
		t.keys = append(t.keys, KeyState{Identity: id, Outcome: Add})
	}
	return t, nil
}

// end lets go of what a task holds beside the host's connection.
func (t *task) end() {
	t.early.abandon()
	t.early = nil
}

// pending are the identities that are to be added, in order.
func (t *task) pending() []identity.Identity { return withOutcome(t.keys, Add) }

// settled reports whether nothing is left to look up or to do.
func (t *task) settled() bool { return len(t.pending()) == 0 }

// identities are all of the goal's.
func (t *task) identities() []identity.Identity {
	var ids []identity.Identity
	for _, k := range t.keys {
		ids = append(ids, k.Identity)
	}
	return ids
}

// key finds what is known of a key; nil where it is none of the identities.
func (t *task) key(key ssh.PublicKey) *KeyState {
	if key == nil {
		return nil
	}
	for i := range t.keys {
		if sshkey.Equal(t.keys[i].Identity.Entry.Key, key) {
			return &t.keys[i]
		}
	}
	return nil
}

func publicKeys(ids []identity.Identity) []ssh.PublicKey {
	list := make([]ssh.PublicKey, len(ids))
	for i, id := range ids {
		list[i] = id.Entry.Key
	}
	return list
}
