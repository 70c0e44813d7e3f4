package diagnose

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"ssh-copy-id/internal/remote"
)

// checked are the facts about what safe_path of misc.c looks at: the file, with
// links resolved, and its directories up to the home, or up to the root for a
// file outside it.
func (d *Diagnosis) checked() []remote.PathFact {
	real := path.Clean(cmp.Or(d.Real, d.Path))
	parts := remote.Components(real)
	for _, home := range []string{d.RealHome, d.AccountHome, d.Home} {
		if i := slices.Index(parts, path.Clean(home)); home != "" && i > 0 {
			parts = parts[i:]
			break
		}
	}
	var facts []remote.PathFact
	for _, part := range slices.Backward(parts) {
		i := slices.IndexFunc(d.Facts, func(fact remote.PathFact) bool {
			return fact.Path == part && fact.Kind != remote.Link && fact.Kind != remote.Missing
		})
		if i >= 0 {
			facts = append(facts, d.Facts[i])
		}
	}
	return facts
}

// path looks at the file, and at everything on the way to it.
func (f *finder) path() {
	d, real := f.d, cmp.Or(f.d.Real, f.d.Path)
	facts := d.checked()
	if i := slices.IndexFunc(facts, func(fact remote.PathFact) bool { return fact.Path == path.Clean(real) }); i >= 0 && facts[i].Kind != remote.File {
		f.add(Cause{Kind: CauseMissing, Path: d.Path, Value: facts[i].Kind})
	} else if i < 0 && d.Readable == Unknown {
		f.add(Cause{Kind: CauseMissing, Path: d.Path})
	}
	if d.Readable == No {
		f.add(Cause{Kind: CauseUnreadable, Path: real, Fix: "chown " + quoted(f.account) + " " + quoted(real)})
	}
	f.walk(facts)
}

// walk looks for what StrictModes minds of the facts (safe_path in misc.c), and
// at what else they have.
func (f *finder) walk(facts []remote.PathFact) {
	strict := f.option("strictmodes") != "no"
	for _, fact := range facts {
		found := Cause{Path: fact.Path, Mode: fact.Mode, Owner: fact.Owner}
		if !fact.Mine && fact.Owner != "root" && fact.Owner != "0" && strict {
			found.Kind, found.Fix = CauseOwner, "chown "+quoted(f.account)+" "+quoted(fact.Path)
			f.add(found)
		}
		if fact.Mode.Perm()&0o022 != 0 && strict {
			found.Kind, found.Fix = CauseMode, "chmod go-w "+quoted(fact.Path)
			found.Unsure = fact.Mode.Perm()&0o002 == 0 && f.d.Program.PrivateGroups
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

// acl looks for entries that let others write. OpenSSH looks at the mode
// alone, whose group bits are the most any entry may grant (acl(5)).
func (f *finder) acl(fact remote.PathFact) {
	found := Cause{Kind: CauseACL, Path: fact.Path, Mode: fact.Mode, Owner: fact.Owner,
		Informational: fact.Mode&0o020 == 0, Fix: "setfacl -b " + quoted(fact.Path)}
	if f.d.OS == "Darwin" {
		found.Fix = "chmod -N " + quoted(fact.Path)
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
	if fact.ACL && !known && !found.Informational {
		found.Unsure = true
		f.add(found)
	}
}

// writes reports whether an entry lets somebody else write: of POSIX lists
// ("user:1001:rwx", perhaps with "#effective:r-x"), of NFSv4 lists on FreeBSD
// ("user:bob:rw-p--aARWcCos:-------:allow") and of macOS ("0: user:bob allow
// write"). Entries that name nobody are what the mode says already.
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

func (f *finder) attributes(fact remote.PathFact) {
	flags := noteOf(f.d.Attributes, fact.Path)
	found := Cause{Kind: CauseImmutable, Path: fact.Path, Mode: fact.Mode, Owner: fact.Owner, Value: flags, Informational: true}
	switch {
	case strings.Contains(flags, "schg"):
		found.Fix = "chflags noschg " + quoted(fact.Path)
	case strings.Contains(flags, "uchg"):
		found.Fix = "chflags nouchg " + quoted(fact.Path)
	// Flags of lsattr are one word of letters and dashes.
	case strings.Contains(flags, "-") && strings.Contains(flags, "i"):
		found.Fix = "chattr -i " + quoted(fact.Path)
	default:
		return
	}
	f.add(found)
}
