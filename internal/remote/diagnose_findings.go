package remote

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// FindingKind is a reason why sshd refuses a key that the file holds.
type FindingKind string

// The kinds, the most likely first.
const (
	FindPubkey     FindingKind = "PubkeyAuthentication" // keys are not asked for at all
	FindMissing    FindingKind = "missing"              // there is no such file; with Value it is a dir or other
	FindOtherFile  FindingKind = "AuthorizedKeysFile"   // sshd reads Files, not Path
	FindMode       FindingKind = "mode"                 // others may write (safe_path in misc.c)
	FindOwner      FindingKind = "owner"                // neither the account's nor root's
	FindUnreadable FindingKind = "unreadable"           // the account may not read the file
	FindEncrypted  FindingKind = "encrypted home"       // Value: ecryptfs or fscrypt
	FindLabel      FindingKind = "SELinux label"        // Value: the context
	FindKeyType    FindingKind = "key type"             // Key is none of PubkeyAcceptedAlgorithms, Value
	FindRSASize    FindingKind = "RequiredRSASize"      // Key is shorter than Value bits
	FindRoot       FindingKind = "PermitRootLogin"      // Value: no or forced-commands-only
	FindUsers      FindingKind = "users"                // Option: AllowUsers, DenyUsers or one of the groups
	FindMethods    FindingKind = "AuthenticationMethods"
	FindExpired    FindingKind = "expired" // Value: the first day it was; empty: the password
	FindLocked     FindingKind = "locked"
	FindShell      FindingKind = "shell"                 // Value lets nobody in, or is not in /etc/shells
	FindACL        FindingKind = "access control list"   // Value grants somebody write access
	FindCommand    FindingKind = "AuthorizedKeysCommand" // Value is asked for keys as well
	FindImmutable  FindingKind = "immutable"             // no program can add keys
	FindRevoked    FindingKind = "RevokedKeys"           // Value: the file, which may list a key

	// On Windows alone: the file is in Value, such as UTF-16; Value may write to
	// it; the other file there is, Files, which holds a key (Value is
	// "key", or "key read" where sshd reads it),
	// does not ("no key") or is missing ("missing").
	FindEncoding  FindingKind = "encoding"
	FindWriter    FindingKind = "access list"
	FindElsewhere FindingKind = "elsewhere"
)

var findingOrder = []FindingKind{FindPubkey, FindMissing, FindOtherFile, FindEncoding, FindWriter, FindMode, FindOwner, FindUnreadable,
	FindEncrypted, FindLabel, FindKeyType, FindRSASize, FindRevoked, FindRoot, FindUsers, FindMethods, FindExpired, FindLocked,
	FindShell, FindACL, FindCommand, FindImmutable, FindElsewhere}

// Finding is one likely reason. Text is as the server sent it, not escaped.
type Finding struct {
	Kind FindingKind
	// Path is the file or directory it is about, or the configuration file
	// of sshd where that is known.
	Path   string
	Mode   fs.FileMode // of Path
	Owner  string      // of Path
	Option string      // sshd's keyword, in lower case
	Value  string      // what stands against the key; see the kinds
	Files  []string    // FindOtherFile: where sshd looks
	Key    ssh.PublicKey
	// Unsure: what it rests on was read off files, or is open to doubt.
	Unsure bool
	// Note: by itself it keeps no key out.
	Note bool
	// Mend is the command that mends it, for root's shell on the server; with
	// InConfig, the line to put at the top of sshd_config instead. Empty where
	// there is none.
	Mend     string
	InConfig bool
}

// finder gathers findings.
type finder struct {
	d        *Diagnosis
	account  string
	patterns *matcher
	found    []Finding
}

// Findings tells what in d keeps the keys of account out: sure reasons before
// unsure ones, remarks last, and the likely before the unlikely. An account of
// "" is d.Account. It looks at nothing but d, account and keys.
func (d *Diagnosis) Findings(account string, keys []ssh.PublicKey) []Finding {
	f := &finder{d: d, account: cmp.Or(account, d.Account, d.UID), patterns: newMatcher()}
	if d.windows != nil {
		f.windows()
	} else {
		f.path()
		f.labels()
		f.encrypted()
		f.lockout()
		f.shell()
	}
	if d.Server.Source != "" {
		f.options()
		if d.windows == nil {
			f.keysFile()
		}
		f.keyTypes(keys)
		f.users()
		f.methods()
	}
	slices.SortStableFunc(f.found, func(a, b Finding) int {
		return cmp.Or(boolOrder(a.Note, b.Note), boolOrder(a.Unsure, b.Unsure),
			slices.Index(findingOrder, a.Kind)-slices.Index(findingOrder, b.Kind))
	})
	return f.found
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func (f *finder) add(found Finding) { f.found = append(f.found, found) }

// quoted is text as one word for sh.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// checked are the facts about what safe_path of misc.c looks at: the file, with
// links resolved, and its directories up to the home, or up to the root for a
// file outside it.
func (d *Diagnosis) checked() []PathFact {
	real := path.Clean(cmp.Or(d.Real, d.Path))
	parts := components(real)
	for _, home := range []string{d.RealHome, d.AccountHome, d.Home} {
		if i := slices.Index(parts, path.Clean(home)); home != "" && i > 0 {
			parts = parts[i:]
			break
		}
	}
	var facts []PathFact
	for _, part := range slices.Backward(parts) {
		i := slices.IndexFunc(d.Facts, func(fact PathFact) bool {
			return fact.Path == part && fact.Kind != Link && fact.Kind != Missing
		})
		if i >= 0 {
			facts = append(facts, d.Facts[i])
		}
	}
	return facts
}

// path looks for what StrictModes minds, and at what else the path has.
func (f *finder) path() {
	d, real := f.d, cmp.Or(f.d.Real, f.d.Path)
	facts := d.checked()
	if i := slices.IndexFunc(facts, func(fact PathFact) bool { return fact.Path == path.Clean(real) }); i >= 0 && facts[i].Kind != File {
		f.add(Finding{Kind: FindMissing, Path: d.Path, Value: facts[i].Kind})
	} else if i < 0 && d.Readable == Unknown {
		f.add(Finding{Kind: FindMissing, Path: d.Path})
	}
	if d.Readable == No {
		f.add(Finding{Kind: FindUnreadable, Path: real, Mend: "chown " + quoted(f.account) + " " + quoted(real)})
	}
	strict := f.option("strictmodes") != "no"
	for _, fact := range facts {
		found := Finding{Path: fact.Path, Mode: fact.Mode, Owner: fact.Owner}
		if !fact.Mine && fact.Owner != "root" && fact.Owner != "0" && strict {
			found.Kind, found.Mend = FindOwner, "chown "+quoted(f.account)+" "+quoted(fact.Path)
			f.add(found)
		}
		if fact.Mode.Perm()&0o022 != 0 && strict {
			found.Kind, found.Mend = FindMode, "chmod go-w "+quoted(fact.Path)
			found.Unsure = fact.Mode.Perm()&0o002 == 0 && d.privateGroups()
			f.add(found)
		}
		if strict {
			f.acl(fact)
		}
		f.attributes(fact)
	}
}

// inHome: name is the account's home, or in it.
func (d *Diagnosis) inHome(name string) bool {
	return slices.ContainsFunc([]string{d.RealHome, d.AccountHome, d.Home}, func(home string) bool {
		return len(home) > 1 && (name == home || strings.HasPrefix(name, home+"/"))
	})
}

// privateGroups: Debian's sshd lets a group write that has no other member
// than the account (its user-group-modes.patch).
func (d *Diagnosis) privateGroups() bool {
	return strings.Contains(d.Version, "Debian") || strings.Contains(d.Version, "Ubuntu")
}

// acl looks for entries that let others write. OpenSSH looks at the mode
// alone, whose group bits are the most any entry may grant (acl(5)).
func (f *finder) acl(fact PathFact) {
	found := Finding{Kind: FindACL, Path: fact.Path, Mode: fact.Mode, Owner: fact.Owner,
		Note: fact.Mode&0o020 == 0, Mend: "setfacl -b " + quoted(fact.Path)}
	if f.d.OS == "Darwin" {
		found.Mend = "chmod -N " + quoted(fact.Path)
	}
	known := false
	for _, list := range f.d.ACLs {
		if list.Path != fact.Path {
			continue
		}
		known = true
		for _, entry := range list.Entries {
			if f.writes(entry) {
				found.Value = entry
				f.add(found)
				return
			}
		}
	}
	if fact.ACL && !known && !found.Note {
		found.Unsure = true
		f.add(found)
	}
}

// writes tells whether an entry lets somebody else write: of POSIX lists
// ("user:1001:rwx", perhaps with "#effective:r-x"), of NFSv4 lists on FreeBSD
// ("user:bob:rw-p--aARWcCos:-------:allow") and of macOS ("0: user:bob allow
// write"). Entries that name nobody are what the mode tells already.
func (f *finder) writes(entry string) bool {
	if who, rights, ok := strings.Cut(entry, " allow "); ok {
		_, who, _ = strings.Cut(who, ": ")
		return !f.trusted(who) && (strings.Contains(rights, "write") || strings.Contains(rights, "append") || strings.Contains(rights, "add_"))
	}
	entry, effective, masked := strings.Cut(entry, "#effective:")
	fields := strings.Split(strings.TrimSpace(entry), ":")
	if len(fields) < 3 || fields[0] != "user" && fields[0] != "group" || fields[1] == "" || fields[len(fields)-1] == "deny" {
		return false
	}
	rights := fields[2]
	if masked {
		rights = effective
	}
	return !f.trusted(fields[0]+":"+fields[1]) && (strings.Contains(rights, "w") || len(fields) > 3 && strings.Contains(rights, "p"))
}

// trusted: the account itself, or root.
func (f *finder) trusted(who string) bool {
	return slices.Contains([]string{"user:" + f.account, "user:" + f.d.Account, "user:" + f.d.UID, "user:root", "user:0"}, who)
}

func (f *finder) attributes(fact PathFact) {
	flags := noteOf(f.d.Attributes, fact.Path)
	found := Finding{Kind: FindImmutable, Path: fact.Path, Mode: fact.Mode, Owner: fact.Owner, Value: flags, Note: true}
	switch {
	case strings.Contains(flags, "schg"):
		found.Mend = "chflags noschg " + quoted(fact.Path)
	case strings.Contains(flags, "uchg"):
		found.Mend = "chflags nouchg " + quoted(fact.Path)
	// Flags of lsattr are one word of letters and dashes.
	case strings.Contains(flags, "-") && strings.Contains(flags, "i"):
		found.Mend = "chattr -i " + quoted(fact.Path)
	default:
		return
	}
	f.add(found)
}
