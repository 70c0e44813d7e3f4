package copyid

import (
	"context"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/diagnose"
	"ssh-copy-id/internal/remote"
)

// CauseKind is a reason why a server refuses a key that its file holds.
type CauseKind = diagnose.CauseKind

// The causes. Most are named like the option of sshd_config that they are about.
const (
	// CauseMode: others may write to Path, so sshd's StrictModes ignores the
	// file (safe_path in misc.c).
	CauseMode = diagnose.CauseMode
	// CauseOwner: Path belongs neither to the account nor to root. On a Windows
	// server Value is "Windows".
	CauseOwner = diagnose.CauseOwner
	// CauseMethod: the server does not offer publickey authentication.
	CauseMethod = diagnose.CausePubkey
	// CauseRoot: root may log in with some keys only (PermitRootLogin
	// forced-commands-only). Whoever got in with a password may with any key.
	CauseRoot = diagnose.CauseRoot
	// CauseOtherFile: sshd reads Files, and not Path.
	CauseOtherFile = diagnose.CauseOtherFile
	// CauseOptions: the key is in the file with options that may forbid this
	// login.
	CauseOptions = diagnose.CauseOptions
	// CauseAbsent: the file does not hold the key.
	CauseAbsent = diagnose.CauseAbsent
	// CauseLine: the key is on a line of the file that lets nobody in, by
	// Finding.
	CauseLine = diagnose.CauseLine
	// CauseFile: nothing wrong can be seen, so the server may read another
	// file (AuthorizedKeysFile) or not accept keys of this type.
	CauseFile = diagnose.CauseFile
	// CauseMissing: there is no such file.
	CauseMissing = diagnose.CauseMissing
	// CauseUnreadable: the account may not read the file.
	CauseUnreadable = diagnose.CauseUnreadable
	// CauseEncrypted: the home is encrypted, by Value, until somebody logs in.
	CauseEncrypted = diagnose.CauseEncrypted
	// CauseLabel: sshd may not read a file with the SELinux context Value.
	CauseLabel = diagnose.CauseLabel
	// CauseKeyType: Key is none of PubkeyAcceptedAlgorithms, Value.
	CauseKeyType = diagnose.CauseKeyType
	// CauseRSASize: Key is shorter than Value bits.
	CauseRSASize = diagnose.CauseRSASize
	// CauseRevoked: the file Value may list the key.
	CauseRevoked = diagnose.CauseRevoked
	// CauseUsers: Option, one of AllowUsers and its like, keeps the account out.
	CauseUsers = diagnose.CauseUsers
	// CauseMethods: a key is not enough, or of no use.
	CauseMethods = diagnose.CauseMethods
	// CauseExpired: the account has expired on the day Value, or its password
	// where that is "".
	CauseExpired = diagnose.CauseExpired
	// CauseLocked: the account is locked.
	CauseLocked = diagnose.CauseLocked
	// CauseShell: the login shell Value lets nobody in, or is not listed.
	CauseShell = diagnose.CauseShell
	// CauseACL: the access control list of Path lets somebody write, by Value.
	CauseACL = diagnose.CauseACL
	// CauseCommand: Value is asked for keys as well.
	CauseCommand = diagnose.CauseCommand
	// CauseImmutable: no program can add keys to Path.
	CauseImmutable = diagnose.CauseImmutable
	// CauseEncoding: the file is in Value, which sshd on Windows cannot read.
	CauseEncoding = diagnose.CauseEncoding
	// CauseWriter: the accounts Value may write to the file, on Windows.
	CauseWriter = diagnose.CauseWriter
	// CauseElsewhere: Files holds a key (Value is "key", or "key read" where sshd
	// reads it), does not ("no key"), or is "missing", on Windows.
	CauseElsewhere = diagnose.CauseElsewhere
)

// Cause is one likely reason. Its texts may come from the server and are not
// escaped.
type Cause = diagnose.Cause

// Diagnosis is why a server does not accept keys.
type Diagnosis struct {
	// Keys holds what is known about each key: Accepted, Present,
	// PresentOtherOptions, or Add for one that is not there.
	Keys []KeyState `json:"keys"`
	// Path is the target file; "" where the server accepts every key.
	Path string `json:"path,omitzero"`
	// NoKeyAsked reports whether the server lets the account in without a key.
	NoKeyAsked bool `json:"noKeyAsked,omitzero"`
	// Causes are the likely reasons, the likeliest first.
	Causes []Cause `json:"causes,omitzero"`
}

// Accepted reports whether the server accepts every key.
func (d *Diagnosis) Accepted() bool {
	for _, k := range d.Keys {
		if k.Outcome != Accepted {
			return false
		}
	}
	return true
}

// AllInFile reports whether the target file holds every key, on a server that
// asks for none.
func (d *Diagnosis) AllInFile() bool {
	for _, k := range d.Keys {
		if k.Line == 0 {
			return false
		}
	}
	return d.NoKeyAsked
}

// Diagnose finds out why the server does not accept keys, and changes nothing. It
// logs in as Plan does, unless the server accepts every key.
func (h *Host) Diagnose(ctx context.Context, ids []identity.Identity) (_ *Diagnosis, err error) {
	defer finish(&err)
	t, err := h.task(ctx, Goal{Present: ids}, false)
	if err != nil {
		return nil, err
	}
	defer t.end()
	if err := t.connect(ctx, false); err != nil {
		return nil, err
	}
	if t.settled() {
		if t.loggedIn() {
			err = t.prove(ctx)
		}
		return &Diagnosis{Keys: t.keys}, err
	}
	if !t.loggedIn() {
		return nil, ErrNoLogin
	}
	if err := t.read(ctx); err != nil {
		return nil, err
	}
	d := &Diagnosis{Keys: t.keys, Path: t.path, NoKeyAsked: t.noKeyAsked}
	for i := range t.keys {
		// Nobody can say what a file holds that is not text.
		if k := &t.keys[i]; k.Outcome == Add && len(k.Dead()) == 0 && !t.state.NotText {
			d.Causes = append(d.Causes, Cause{Kind: CauseAbsent, Path: t.path, Key: authkeys.NewEntry(k.Identity.Entry.Key, "")})
		}
	}
	t.lines = t.lineCauses(t.keys)
	if d.NoKeyAsked {
		return d, nil
	}
	d.Causes = append(d.Causes, t.causes(ctx, t.state)...)
	return d, nil
}

// causes looks for reasons on the server, and where that cannot be done in what
// is known of it.
func (t *task) causes(ctx context.Context, state *remote.State) []Cause {
	o := t.remoteOptions()
	o.Target, o.Account = t.c.o.TargetPath, t.c.o.Account
	return diagnose.Causes(ctx, t.conn.Client, diagnose.Case{
		Options: o, Account: t.account(), Keys: publicKeys(t.identities()), Blobs: t.c.o.Format.blobs(t.identities()),
		Path: t.path, State: state, Lines: t.lines, KeyOptions: t.keyOptions(),
		Methods: t.conn.Methods, Method: t.conn.Method, OnlySFTP: t.sftp,
	})
}

// keyOptions are the options of the first key that has some.
func (t *task) keyOptions() []string {
	for _, k := range t.keys {
		options := k.ExistingOptions
		if k.New() {
			options = k.Identity.Entry.Options
		}
		if len(options) > 0 {
			return options
		}
	}
	return nil
}
