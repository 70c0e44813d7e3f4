package copyid

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

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
	Kind CauseKind
	// Path is the file or directory it is about; "" for none.
	Path string
	// Mode and Owner are what Path has.
	Mode  fs.FileMode
	Owner string
	// Option is the keyword of sshd_config, in lower case, and Value what
	// stands there or otherwise against the key.
	Option, Value string
	// Files are where sshd looks for keys, for CauseOtherFile.
	Files []string
	// Key is the key it is about, where it is not about all of them.
	Key ssh.PublicKey
	// Finding is what is wrong with the line, and Reader who reads it, for
	// CauseLine.
	Finding authkeys.Finding
	Reader  authkeys.Reader
	// Fix is the command that removes the cause, for root's shell on the server;
	// with InConfig the line to put into sshd_config. "" for none.
	Fix      string
	InConfig bool
	// Unsure reports whether what it rests on is open to doubt.
	Unsure bool
	// Informational reports whether it keeps no key out by itself.
	Informational bool
}

// Diagnosis is why a server does not accept keys.
type Diagnosis struct {
	// Keys holds what is known about each key: Accepted, Present,
	// PresentOtherOptions, or Add for one that is not there.
	Keys []KeyState
	// Path is the target file; "" where the server accepts every key.
	Path string
	// NoKeyAsked reports whether the server lets the account in without a key.
	NoKeyAsked bool
	// Causes are the likely reasons, the likeliest first.
	Causes []Cause
}

// Accepted tells whether the server accepts every key.
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

// Diagnose tells why the server does not accept keys, and changes nothing. It
// logs in as Plan does, unless the server accepts every key.
func (c *Client) Diagnose(ctx context.Context, target Target, ids []identity.Identity) (*Diagnosis, error) {
	reader := New(c.o)
	reader.o.NoVerify, reader.o.DryRun, reader.o.Force = true, false, false
	p, err := reader.Plan(ctx, target, ids)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	d := &Diagnosis{Keys: p.Keys}
	if reader.settled(p) {
		return d, nil
	}
	if err := reader.read(ctx, p); err != nil {
		return nil, err
	}
	d.Keys, d.Path = p.Keys, p.Path
	d.NoKeyAsked = p.NoKeyAsked
	for i := range p.Keys {
		// Nobody can say what a file holds that is not text.
		if k := &p.Keys[i]; k.Outcome == Add && len(k.Dead()) == 0 && !p.state.NotText {
			d.Causes = append(d.Causes, Cause{Kind: CauseAbsent, Path: p.Path, Key: k.Identity.Entry.Key})
		}
	}
	p.lines = p.lineCauses(p.Keys)
	if d.NoKeyAsked {
		return d, nil
	}
	d.Causes = append(d.Causes, reader.causes(ctx, p, p.state)...)
	return d, nil
}

// causes looks for reasons on the server, and where that cannot be done in what
// is known of it.
func (c *Client) causes(ctx context.Context, p *Plan, state *remote.State) []Cause {
	found := p.knownCauses()
	if windows := remote.IsWindows(p.conn.ServerVersion); windows || !p.sftp {
		ctx, cancel := context.WithTimeout(ctx, diagnosisLimit)
		defer cancel()
		o := remote.Options{Target: c.o.TargetPath, Account: c.o.Account, Awaiting: c.awaiting}
		var d *remote.Diagnosis
		var err error
		if windows {
			d, err = remote.DiagnoseWindows(ctx, p.conn.Client, o, p.format.blobs(p.identities()))
		} else {
			d, err = remote.Diagnose(ctx, p.conn.Client, o)
		}
		if err == nil {
			return combined(found, c.found(p, d))
		}
	}
	return append(found, guessedCauses(p, state, len(found) > 0)...)
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
func (c *Client) found(p *Plan, d *remote.Diagnosis) []Cause {
	var list []Cause
	surely := false
	for _, f := range d.Findings(p.account, publicKeys(p.identities())) {
		list = append(list, Cause{
			Kind: CauseKind(f.Kind), Path: f.Path, Mode: f.Mode, Owner: f.Owner, Option: f.Option, Value: f.Value,
			Files: f.Files, Key: f.Key, Fix: f.Mend, InConfig: f.InConfig, Unsure: f.Unsure, Informational: f.Note,
		})
		surely = surely || !f.Note
	}
	if !surely && len(p.knownCauses()) == 0 {
		list = append([]Cause{{Kind: CauseFile, Path: d.Path}}, list...)
	}
	return list
}

// evident are the reasons that show without a look around.
func (p *Plan) knownCauses() []Cause {
	found := slices.Clone(p.lines)
	if methods := p.conn.Methods; len(methods) > 0 && !slices.Contains(methods, "publickey") {
		found = append(found, Cause{Kind: CauseMethod})
	}
	for _, k := range p.Keys {
		options := k.ExistingOptions
		if k.New() {
			options = k.Identity.Entry.Options
		}
		if len(options) > 0 {
			return append(found, Cause{Kind: CauseOptions, Path: p.Path, Value: strings.Join(options, ",")})
		}
	}
	return found
}

// identities are all of the plan's.
func (p *Plan) identities() []identity.Identity {
	var ids []identity.Identity
	for _, k := range p.Keys {
		ids = append(ids, k.Identity)
	}
	return ids
}

// guessedCauses are the reasons that what was seen of the file gives, the surest
// first.
func guessedCauses(p *Plan, state *remote.State, known bool) []Cause {
	var found []Cause
	for _, fact := range strict(*state) {
		if !fact.Mine && fact.Owner != "0" && fact.Owner != "root" {
			found = append(found, Cause{Kind: CauseOwner, Path: fact.Path, Mode: fact.Mode, Owner: fact.Owner})
		}
		if fact.Mode.Perm()&0o022 != 0 {
			found = append(found, Cause{Kind: CauseMode, Path: fact.Path, Mode: fact.Mode, Owner: fact.Owner})
		}
	}
	if known = known || len(found) > 0; !known && p.account == "root" && p.conn.Method == "publickey" {
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
