package copyid

import (
	"io/fs"
	"slices"
	"strings"

	"ssh-copy-id/internal/remote"
)

// CauseKind is a reason why a server refuses a key that its file holds.
type CauseKind string

// The causes that can be seen from outside sshd.
const (
	// CauseMode: others may write to Path, so sshd's StrictModes ignores the
	// file (safe_path in misc.c).
	CauseMode CauseKind = "mode"
	// CauseOwner: Path belongs neither to the account nor to root.
	CauseOwner CauseKind = "owner"
	// CauseMethod: the server does not offer publickey authentication.
	CauseMethod CauseKind = "method"
	// CauseRoot: root may log in with some keys only (PermitRootLogin
	// forced-commands-only). Whoever got in with a password may with any key.
	CauseRoot CauseKind = "root login"
	// CauseOptions: the key stands in the file with options that may forbid
	// this login.
	CauseOptions CauseKind = "options"
	// CauseFile: nothing wrong can be seen, so the server may read another
	// file (AuthorizedKeysFile) or not accept keys of this type.
	CauseFile CauseKind = "file"
)

// Cause is one likely reason.
type Cause struct {
	Kind CauseKind
	// Path is the file or directory it is about; "" for none.
	Path string
	// Mode and Owner are what Path has.
	Mode  fs.FileMode
	Owner string
}

// causes looks for reasons, the surest first.
func causes(p *Plan, result *remote.Result) []Cause {
	var found []Cause
	if methods := p.conn.Methods; len(methods) > 0 && !slices.Contains(methods, "publickey") {
		found = append(found, Cause{Kind: CauseMethod})
	}
	for _, fact := range strict(result.State) {
		if !fact.Mine && fact.Owner != "0" && fact.Owner != "root" {
			found = append(found, Cause{Kind: CauseOwner, Path: fact.Path, Mode: fact.Mode, Owner: fact.Owner})
		}
		if fact.Mode.Perm()&0o022 != 0 {
			found = append(found, Cause{Kind: CauseMode, Path: fact.Path, Mode: fact.Mode, Owner: fact.Owner})
		}
	}
	for _, k := range p.Keys {
		restricted := k.Decision == Install && len(k.Identity.Entry.Options) > 0
		if k.Decision == InFileOtherwise && len(k.Standing) > 0 || restricted {
			found = append(found, Cause{Kind: CauseOptions, Path: result.State.Path})
			break
		}
	}
	if len(found) == 0 && p.account == "root" && p.conn.Method == "publickey" {
		found = append(found, Cause{Kind: CauseRoot})
	}
	if len(found) == 0 {
		found = append(found, Cause{Kind: CauseFile, Path: result.State.Path})
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
