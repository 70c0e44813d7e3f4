package diagnose

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshdconfig"
)

// finder gathers causes.
type finder struct {
	d        *Diagnosis
	account  string
	patterns *sshdconfig.Matcher
	found    []Cause
}

// Causes returns what in d keeps the keys of account out: sure reasons before
// unsure ones, informational ones last, and the likely before the unlikely. An
// account of "" is d.Account. It looks at nothing but d, account and keys.
func (d *Diagnosis) Causes(account string, keys []ssh.PublicKey) []Cause {
	f := &finder{d: d, account: cmp.Or(account, d.Account, d.UID), patterns: sshdconfig.NewMatcher()}
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
	return f.sorted()
}

// sorted returns the causes in the order that Causes promises.
func (f *finder) sorted() []Cause {
	slices.SortStableFunc(f.found, func(a, b Cause) int {
		return cmp.Or(boolOrder(a.Informational, b.Informational), boolOrder(a.Unsure, b.Unsure),
			slices.Index(causeOrder, a.Kind)-slices.Index(causeOrder, b.Kind))
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

func (f *finder) add(found Cause) { f.found = append(f.found, found) }

// quoted is text as one word for sh.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
