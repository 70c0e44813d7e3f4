package copyid

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"time"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/remote"
)

// CauseKind is a reason why a server refuses a key that its file holds.
type CauseKind string

// The causes. Beside these there are those of a look around on the server,
// named like the option of sshd_config that it is about, or in a word: "ACL".
const (
	// CauseMode: others may write to Path, so sshd's StrictModes ignores the
	// file (safe_path in misc.c).
	CauseMode = CauseKind(remote.FindMode)
	// CauseOwner: Path belongs neither to the account nor to root.
	CauseOwner = CauseKind(remote.FindOwner)
	// CauseMethod: the server does not offer publickey authentication.
	CauseMethod = CauseKind(remote.FindPubkey)
	// CauseRoot: root may log in with some keys only (PermitRootLogin
	// forced-commands-only). Whoever got in with a password may with any key.
	CauseRoot = CauseKind(remote.FindRoot)
	// CauseOtherFile: sshd reads Files, and not Path.
	CauseOtherFile = CauseKind(remote.FindOtherFile)
	// CauseOptions: the key stands in the file with options that may forbid
	// this login.
	CauseOptions CauseKind = "options"
	// CauseAbsent: the file does not hold the key.
	CauseAbsent CauseKind = "absent"
	// CauseLine: the key is on a line of the file that lets nobody in, by
	// Finding.
	CauseLine CauseKind = "line"
	// CauseFile: nothing wrong can be seen, so the server may read another
	// file (AuthorizedKeysFile) or not accept keys of this type.
	CauseFile CauseKind = "file"
)

// Cause is one likely reason. Its texts may come from the server and are not
// escaped.
type Cause struct {
	Kind CauseKind `json:"kind"`
	// Path is the file or directory it is about; "" for none.
	Path string `json:"path,omitzero"`
	// Mode and Owner are what Path has.
	Mode  fs.FileMode `json:"mode,omitzero"`
	Owner string      `json:"owner,omitzero"`
	// Option is the keyword of sshd_config, in lower case, and Value what
	// stands there or otherwise against the key.
	Option string `json:"option,omitzero"`
	Value  string `json:"value,omitzero"`
	// Files are where sshd looks for keys, for CauseOtherFile.
	Files []string `json:"files,omitzero"`
	// Key is the key it is about, where it is not about all of them.
	Key authkeys.Entry `json:"key,omitzero"`
	// Finding is what is wrong with the line, and Reader who reads it, for
	// CauseLine.
	Finding authkeys.Finding `json:"finding,omitzero"`
	Reader  authkeys.Reader  `json:"reader,omitzero"`
	// Fix is the command that removes the cause, for root's shell on the server;
	// with InConfig the line to put into sshd_config. "" for none.
	Fix      string `json:"fix,omitzero"`
	InConfig bool   `json:"inConfig,omitzero"`
	// Unsure reports whether what it rests on is open to doubt.
	Unsure bool `json:"unsure,omitzero"`
	// Informational reports whether it keeps no key out by itself.
	Informational bool `json:"informational,omitzero"`
}

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

// diagnosisLimit bounds the look around on a server.
const diagnosisLimit = 60 * time.Second

// Diagnose finds out why the server does not accept keys, and changes nothing. It
// logs in as Plan does, unless the server accepts every key.
func (h *Host) Diagnose(ctx context.Context, ids []identity.Identity) (*Diagnosis, error) {
	t, err := h.task(Goal{Present: ids}, false)
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
	found := t.knownCauses()
	if windows := remote.IsWindows(t.conn.ServerVersion); windows || !t.sftp {
		ctx, cancel := context.WithTimeout(ctx, diagnosisLimit)
		defer cancel()
		o := t.remoteOptions()
		o.Target, o.Account = t.c.o.TargetPath, t.c.o.Account
		var d *remote.Diagnosis
		var err error
		if windows {
			d, err = remote.DiagnoseWindows(ctx, t.conn.Client, o, t.c.o.Format.blobs(t.identities()))
		} else {
			d, err = remote.Diagnose(ctx, t.conn.Client, o)
		}
		if err == nil {
			return combined(found, t.found(d))
		}
	}
	return append(found, t.guessedCauses(state, len(found) > 0)...)
}

// combined are the reasons that show by themselves before those of a look around,
// without one that the server's configuration explains.
func combined(evident, found []Cause) []Cause {
	explained := slices.ContainsFunc(found, func(c Cause) bool {
		return c.Kind == CauseMethod || c.Kind == CauseKind(remote.FindMethods)
	})
	kept := slices.DeleteFunc(evident, func(c Cause) bool { return c.Kind == CauseMethod && explained })
	return append(kept, found...)
}

// found are the findings of a look around.
func (t *task) found(d *remote.Diagnosis) []Cause {
	var list []Cause
	surely := false
	for _, f := range d.Findings(t.account(), publicKeys(t.identities())) {
		list = append(list, Cause{
			Kind: CauseKind(f.Kind), Path: f.Path, Mode: f.Mode, Owner: f.Owner, Option: f.Option, Value: f.Value,
			Files: f.Files, Key: authkeys.NewEntry(f.Key, ""), Fix: f.Mend, InConfig: f.InConfig, Unsure: f.Unsure, Informational: f.Note,
		})
		surely = surely || !f.Note
	}
	if !surely && len(t.knownCauses()) == 0 {
		list = append([]Cause{{Kind: CauseFile, Path: d.Path}}, list...)
	}
	return list
}

// knownCauses are the reasons that show without a look around.
func (t *task) knownCauses() []Cause {
	found := slices.Clone(t.lines)
	if methods := t.conn.Methods; len(methods) > 0 && !slices.Contains(methods, "publickey") {
		found = append(found, Cause{Kind: CauseMethod})
	}
	for _, k := range t.keys {
		options := k.ExistingOptions
		if k.New() {
			options = k.Identity.Entry.Options
		}
		if len(options) > 0 {
			return append(found, Cause{Kind: CauseOptions, Path: t.path, Value: strings.Join(options, ",")})
		}
	}
	return found
}

// guessedCauses are the reasons that what was seen of the file gives, the surest
// first.
func (t *task) guessedCauses(state *remote.State, known bool) []Cause {
	var found []Cause
	for _, fact := range strict(*state) {
		if !fact.Mine && fact.Owner != "0" && fact.Owner != "root" {
			found = append(found, Cause{Kind: CauseOwner, Path: fact.Path, Mode: fact.Mode, Owner: fact.Owner})
		}
		if fact.Mode.Perm()&0o022 != 0 {
			found = append(found, Cause{Kind: CauseMode, Path: fact.Path, Mode: fact.Mode, Owner: fact.Owner})
		}
	}
	if known = known || len(found) > 0; !known && t.account() == "root" && t.conn.Method == "publickey" {
		return []Cause{{Kind: CauseRoot}}
	}
	if !known {
		return []Cause{{Kind: CauseFile, Path: state.Path}}
	}
	return found
}

// strict are the facts about what StrictModes looks at: the file and its
// directories up to the home, or up to the root for a file outside it.
func strict(state remote.State) []remote.PathFact {
	inside := strings.HasPrefix(state.Path, strings.TrimSuffix(state.Home, "/")+"/")
	var facts []remote.PathFact
	for _, fact := range state.Facts {
		above := fact.Path != state.Home && strings.HasPrefix(state.Home, strings.TrimSuffix(fact.Path, "/")+"/")
		if fact.Kind == "missing" || fact.Kind == "link" || inside && above {
			continue
		}
		facts = append(facts, fact)
	}
	return facts
}
