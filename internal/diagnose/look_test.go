package diagnose

import (
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/serverid"
)

// TestGuesses: what a refused key is put down to where the server cannot be asked,
// the surest first.
func TestGuesses(t *testing.T) {
	home := func(homeMode, dirMode, fileMode fs.FileMode) []remote.PathFact {
		return []remote.PathFact{
			{Path: "/", Mode: 0o755, Owner: "root", Kind: remote.Dir},
			{Path: "/home", Mode: 0o777, Owner: "root", Kind: remote.Dir}, // above the home: sshd does not look
			{Path: "/home/al", Mode: homeMode, Owner: "al", Mine: true, Kind: remote.Dir},
			{Path: "/home/al/.ssh", Mode: dirMode, Owner: "al", Mine: true, Kind: remote.Dir},
			{Path: "/home/al/.ssh/authorized_keys", Mode: fileMode, Owner: "al", Mine: true, Kind: remote.File},
		}
	}
	foreign := home(0o755, 0o700, 0o600)
	foreign[4].Mine, foreign[4].Owner = false, "1002"
	listed := home(0o755, 0o700, 0o660)
	listed[4].ACL = true
	// A link to a directory outside the home: what counts is that one, and not
	// the link's.
	linked := append(home(0o755, 0o777, 0o600)[:3],
		remote.PathFact{Path: "/home/al/.ssh", Mode: 0o777, Owner: "al", Mine: true, Kind: remote.Link, Link: "/srv/al"},
		remote.PathFact{Path: "/home/al/.ssh", Mode: 0o777, Owner: "al", Mine: true, Kind: remote.Dir},
		remote.PathFact{Path: "/srv", Mode: 0o777, Owner: "root", Kind: remote.Dir},
		remote.PathFact{Path: "/srv/al", Mode: 0o700, Owner: "al", Mine: true, Kind: remote.Dir},
		remote.PathFact{Path: "/srv/al/authorized_keys", Mode: 0o600, Owner: "al", Mine: true, Kind: remote.File})
	methods := []string{"publickey", "password"}
	const debian = "SSH-2.0-OpenSSH_9.2p1 Debian-2"
	for _, c := range []struct {
		name, account, version string
		methods                []string
		facts                  []remote.PathFact
		real                   string
		options                []string
		want                   string
	}{
		{name: "nothing to see", methods: methods, facts: home(0o755, 0o700, 0o600), want: "[file]"},
		{name: "root", account: "root", methods: methods, facts: home(0o755, 0o700, 0o600), want: "[PermitRootLogin]"},
		{name: "options", methods: methods, facts: home(0o755, 0o700, 0o600), options: []string{`from="10.0.0.1"`}, want: "[options]"},
		{name: "method not offered", methods: []string{"password"}, facts: home(0o755, 0o700, 0o600), want: "[PubkeyAuthentication]"},
		{name: "home and file open", methods: methods, facts: home(0o775, 0o700, 0o602), want: "[mode mode]"},
		{name: "home and file open on Debian", version: debian, methods: methods, facts: home(0o775, 0o700, 0o602), want: "[mode mode?]"},
		{name: "file of somebody else", methods: methods, facts: foreign, want: "[owner]"},
		{name: "access control list", methods: methods, facts: listed, want: "[mode access control list?]"},
		{name: "link out of the home", methods: methods, facts: linked, real: "/srv/al/authorized_keys", want: "[mode /srv]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			account := c.account
			if account == "" {
				account = "al"
			}
			r := Case{Account: account, Path: "/home/al/.ssh/authorized_keys", Methods: c.methods, Method: "publickey", KeyOptions: c.options,
				State: &remote.State{Path: "/home/al/.ssh/authorized_keys", Real: c.real, Home: "/home/al", Facts: c.facts}}
			found := r.known()
			found = append(found, r.guessed(serverid.Parse(c.version), len(found) > 0)...)
			var got []string
			for _, cause := range found {
				text := string(cause.Kind)
				if cause.Unsure {
					text += "?"
				}
				if c.real != "" {
					text += " " + cause.Path
				}
				got = append(got, text)
			}
			if fmt.Sprint(got) != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if i := slices.IndexFunc(found, func(c Cause) bool { return c.Fix != "" }); i >= 0 {
				t.Errorf("a command where nothing can be run: %s", found[i].Fix)
			}
		})
	}
}
