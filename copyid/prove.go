package copyid

import (
	"context"
	"errors"
	"time"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/serverid"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
)

// optionalRead bounds the look at the file that a run with nothing to add takes
// to report the options of the keys.
const optionalRead = 15 * time.Second

// prove finds out whether the keys that the server accepts let their owner in,
// where all of them are accepted and one has logged in: by the command that the
// stock script runs. The lines of the keys are looked up on the way.
func (t *task) prove(ctx context.Context) error {
	key := t.key(t.conn.LoginKey)
	if key == nil || t.signatureIsEnough(key.Identity) {
		return nil
	}
	sftp, err := t.proveLogin(ctx, t.conn)
	if err != nil {
		return err
	}
	t.sftp = t.sftp || sftp
	t.readOptions(ctx)
	for i := range t.keys {
		if k := &t.keys[i]; k != key && k.Outcome == Accepted {
			if err := t.proveApart(ctx, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// signatureIsEnough reports whether a login by signature proves a key without a
// session: where one would run the command that was asked for, and on servers
// that have no POSIX shell.
func (t *task) signatureIsEnough(id identity.Identity) bool {
	server := serverid.Parse(t.conn.ServerVersion)
	return forcedCommand(id.Entry.Options) != "" || server.Windows || server.Software == serverid.ScreenOS
}

// forcedCommand returns the command= option among options; "" for none.
func forcedCommand(options []string) string {
	for _, option := range options {
		if name, _, err := authkeys.ReadOption(option); err == nil && name == "command" {
			return option
		}
	}
	return ""
}

// proveLogin sees where the login of a connection leads. The first result
// reports whether it is good for SFTP alone.
func (t *task) proveLogin(ctx context.Context, conn *sshclient.Conn) (sftp bool, err error) {
	if t.c.o.SFTP {
		err := remote.ProveSFTP(ctx, conn.Client, t.remoteOptions())
		var failed *remote.RemoteError
		if errors.As(err, &failed) && (failed.Reason == remote.NoSFTP || failed.Reason == remote.NotSFTP) {
			err = &LoginError{Code: CodeLogin, Key: authkeys.NewEntry(conn.LoginKey, ""), Status: 255, Said: failed.Detail}
		}
		return true, err
	}
	o := t.remoteOptions()
	proof, err := remote.Prove(ctx, conn.Client, o)
	if err != nil || proof.Status == 0 {
		return false, unended(conn, err)
	}
	if t.forSFTP(ctx, conn, proof) {
		return true, nil
	}
	if !proof.Refused && !proof.Closed {
		// The status may be that of the last command of a start-up file.
		if again, err := remote.ProveShell(ctx, conn.Client, o); err == nil && again.Shell {
			return false, nil
		}
	}
	return false, nowhere(conn, proof)
}

// unended turns the error of a command that was started and did not end in time
// into a LoginError: it is no shell that takes so long for "exit".
func unended(conn *sshclient.Conn, err error) error {
	var late *remote.RemoteError
	if errors.As(err, &late) && late.Reason == remote.Silent && late.Awaited == remote.AwaitAnswer {
		return &LoginError{Code: CodeLogin, Key: authkeys.NewEntry(conn.LoginKey, ""), Unended: true}
	}
	return err
}

// proveShell sees after a change whether the login of a connection leads to the
// account's shell. Where it is good for something else, such as a forced
// command that succeeds, the result is false without an error.
func (t *task) proveShell(ctx context.Context, conn *sshclient.Conn) (bool, error) {
	if t.c.o.SFTP {
		_, err := t.proveLogin(ctx, conn)
		return err == nil, err
	}
	proof, err := remote.ProveShell(ctx, conn.Client, t.remoteOptions())
	switch {
	case err != nil:
		return false, unended(conn, err)
	case proof.Shell || proof.Status == 0:
		return proof.Shell, nil
	case t.forSFTP(ctx, conn, proof):
		return true, nil
	}
	return false, nowhere(conn, proof)
}

// forSFTP reports whether an account that runs no command has SFTP instead.
func (t *task) forSFTP(ctx context.Context, conn *sshclient.Conn, proof *remote.Proof) bool {
	return (proof.Refused || proof.SFTPOnly) &&
		remote.ProveSFTP(ctx, conn.Client, t.remoteOptions()) == nil
}

func nowhere(conn *sshclient.Conn, proof *remote.Proof) *LoginError {
	return &LoginError{Code: CodeLogin, Key: authkeys.NewEntry(conn.LoginKey, ""), Status: proof.Status, Closed: proof.Closed, Said: proof.Said}
}

// readOptions looks up the lines of keys that the server accepts. It is for the
// report alone: where it fails nothing is known of the lines, and that is all.
func (t *task) readOptions(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, optionalRead)
	defer cancel()
	err := t.withSession(ctx, func(session remote.Session) error {
		state, err := session.Read(ctx, t.c.o.Format.blobs(t.identities()))
		if err != nil {
			return err
		}
		t.path = state.Path
		for i := range t.keys {
			t.keys[i].lookUp(state.Candidates, t.c.o.Format)
		}
		return nil
	})
	if err != nil {
		t.debug("the file was not read: " + err.Error())
	}
}

// lookUp notes the line of a key and leaves the outcome as it is.
func (k *KeyState) lookUp(candidates []remote.Candidate, format Format) {
	seen := KeyState{Identity: k.Identity, Outcome: Add, Reader: k.Reader, Refused: k.Refused}
	seen.take(candidates, format)
	seen.Outcome, seen.FileChecked = k.Outcome, true
	*k = seen
}

// proveApart proves a key that did not log in by a login of its own, where its
// line may lead elsewhere than the others' and its private half asks nobody.
func (t *task) proveApart(ctx context.Context, k *KeyState) error {
	if k.FileChecked && k.EffectiveLine > 0 && forcedCommand(k.ExistingOptions) == "" || t.signatureIsEnough(k.Identity) {
		return nil
	}
	keys := t.login.Silent([]identity.Identity{k.Identity})
	if len(keys) == 0 {
		return nil
	}
	o := t.secondConnection(t.conn, []identity.Identity{k.Identity})
	o.Keys = func(*sshconfig.Host) []sshclient.Key { return keys }
	conn, err := sshclient.Connect(ctx, o)
	if err != nil {
		t.debug("no login of its own for a key: " + err.Error())
		return nil // the server's word on it stays
	}
	defer conn.Close()
	if conn.Client == nil {
		return nil
	}
	_, err = t.proveLogin(ctx, conn)
	return err
}

// Otherwise reports whether the file holds the key with other options than it
// would be added with.
func (k *KeyState) Otherwise() bool {
	return k.Outcome == PresentOtherOptions || k.Outcome == Accepted && k.Line > 0 && !authkeys.SameOptions(k.ExistingOptions, k.Identity.Entry.Options)
}

// Forced returns the command= option of the line by which the server lets the
// key in; "" for none, or where the file was not read.
func (k *KeyState) Forced() string {
	if k.Line == 0 {
		return ""
	}
	return forcedCommand(k.ExistingOptions)
}

// loginError turns the error of a session that another program answered into a
// LoginError, where it was a key that logged in: the program may be that key's.
func (t *task) loginError(err error) error {
	var failed *remote.RemoteError
	if t.conn == nil || t.conn.LoginKey == nil || !errors.As(err, &failed) || failed.Reason != remote.NoAnswer || failed.Unsure {
		return err
	}
	return &LoginError{Code: CodeLogin, Key: authkeys.NewEntry(t.conn.LoginKey, ""), Status: failed.Status, Said: failed.Detail}
}
