package diagnose

import (
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/serverid"
	"ssh-copy-id/internal/sshdconfig"
)

// limit bounds what Causes asks the server.
const limit = 60 * time.Second

// Case is some keys that a server refuses, and what is known already.
type Case struct {
	// Options names the file. Of the callbacks only Awaiting is called.
	Options remote.Options
	// Account is whose keys they are.
	Account string
	Keys    []ssh.PublicKey
	// Blobs are what lines of the file with these keys contain.
	Blobs []string
	// Path is the file as the server names it; "" if unknown. State is what was
	// seen of it.
	Path  string
	State *remote.State
	// Lines are what the file has against the keys, of the kind CauseLine.
	Lines []Cause
	// KeyOptions are the options of one of the keys that has some.
	KeyOptions []string
	// Methods are what the server offers, none if that is unknown, and Method is
	// what the account has logged in by.
	Methods []string
	Method  string
	// OnlySFTP reports whether no command can be run.
	OnlySFTP bool
}

// Causes looks for reasons on the server, and where that cannot be done in what
// is known of it: the likeliest first.
func Causes(ctx context.Context, client *ssh.Client, c Case) []Cause {
	known := c.known()
	server := serverid.Parse(string(client.ServerVersion()))
	if server.Windows || !c.OnlySFTP {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		var d *Diagnosis
		var err error
		if server.Windows {
			d, err = diagnoseWindows(ctx, client, c.Options, c.Blobs)
		} else {
			d, err = Diagnose(ctx, client, c.Options)
		}
		if err == nil {
			return combined(known, c.found(d, len(known) > 0))
		}
	}
	return append(known, c.guessed(server, len(known) > 0)...)
}

// known are the reasons that show without a look around.
func (c *Case) known() []Cause {
	found := slices.Clone(c.Lines)
	if len(c.Methods) > 0 && !slices.Contains(c.Methods, "publickey") {
		found = append(found, Cause{Kind: CausePubkey})
	}
	if len(c.KeyOptions) > 0 {
		found = append(found, Cause{Kind: CauseOptions, Path: c.Path, Value: strings.Join(c.KeyOptions, ",")})
	}
	return found
}

// combined are the reasons that show by themselves before those of a look around,
// without one that the server's configuration explains.
func combined(known, found []Cause) []Cause {
	explained := slices.ContainsFunc(found, func(c Cause) bool { return c.Kind == CausePubkey || c.Kind == CauseMethods })
	kept := slices.DeleteFunc(known, func(c Cause) bool { return c.Kind == CausePubkey && explained })
	return append(kept, found...)
}

// found are the reasons of a look around; known: there are others.
func (c *Case) found(d *Diagnosis, known bool) []Cause {
	list := d.Causes(c.Account, c.Keys)
	if !known && !slices.ContainsFunc(list, func(c Cause) bool { return !c.Informational }) {
		list = append([]Cause{{Kind: CauseFile, Path: d.Path}}, list...)
	}
	return list
}

// guessed are the reasons that what was seen of the file gives. There are no
// commands in them, because nobody knows what the server understands.
func (c *Case) guessed(server serverid.Server, known bool) []Cause {
	d := &Diagnosis{Account: c.Account, Home: c.State.Home, OS: c.State.OS, Path: c.State.Path, Real: c.State.Real, Facts: c.State.Facts, Program: server}
	// The home without links, as sshd compares it.
	if rest, ok := strings.CutPrefix(d.Path, d.Home+"/"); ok {
		if home, ok := strings.CutSuffix(d.Real, "/"+rest); ok {
			d.RealHome = home
		}
	}
	f := &finder{d: d, account: c.Account, patterns: sshdconfig.NewMatcher()}
	f.walk(d.checked())
	found := f.sorted()
	for i := range found {
		found[i].Fix = ""
	}
	switch {
	case known || len(found) > 0:
		return found
	case c.Account == "root" && c.Method == "publickey":
		return []Cause{{Kind: CauseRoot}}
	}
	return []Cause{{Kind: CauseFile, Path: c.State.Path}}
}
