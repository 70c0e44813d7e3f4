package copyid

import (
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshtest"
)

func newEntry(t *testing.T, options ...string) authkeys.Entry {
	t.Helper()
	key, err := sshtest.GenerateKey("ed25519")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return authkeys.NewEntry(signer.PublicKey(), "me", options...)
}

// TestDecide: which line of the target file settles a key.
func TestDecide(t *testing.T) {
	plain, other := newEntry(t), newEntry(t)
	restricted := authkeys.NewEntry(plain.Key, "x", `from="10.0.0.1"`, "no-pty")
	reordered := authkeys.NewEntry(plain.Key, "y", "no-pty", `from="10.0.0.1"`)
	for _, c := range []struct {
		name  string
		want  authkeys.Entry
		lines []string
		is    Outcome
		line  int
	}{
		{"nothing there", plain, nil, Add, 0},
		{"another key", plain, []string{other.Line()}, Add, 0},
		{"the key", plain, []string{other.Line(), plain.Line()}, Present, 2},
		{"another comment", plain, []string{authkeys.NewEntry(plain.Key, "else").Line()}, Present, 1},
		{"with options", plain, []string{restricted.Line()}, PresentOtherOptions, 1},
		{"with options first, then as wanted", plain, []string{restricted.Line(), plain.Line()}, Present, 2},
		{"options in another order", restricted, []string{reordered.Line()}, Present, 1},
		{"without the wanted options", restricted, []string{plain.Line()}, PresentOtherOptions, 1},
		{"in a comment", plain, []string{"# " + plain.Line()}, Add, 0},
		{"glued behind another", plain, []string{other.Line() + plain.Line()}, Add, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var candidates []remote.Candidate
			for i, text := range c.lines {
				candidates = append(candidates, remote.Candidate{Number: i + 1, Text: text})
			}
			k := KeyState{Identity: identity.Identity{Entry: c.want}, Outcome: Add}
			k.take(candidates, OpenSSH)
			if k.Outcome != c.is || k.Line != c.line {
				t.Errorf("%s on line %d, want %s on %d", k.Outcome, k.Line, c.is, c.line)
			}
		})
	}
}

// TestCauses: what a refused key is put down to, the surest first.
func TestCauses(t *testing.T) {
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
	methods := []string{"publickey", "password"}
	for _, c := range []struct {
		name    string
		user    string
		methods []string
		facts   []remote.PathFact
		keys    []KeyState
		want    []CauseKind
	}{
		{"nothing to see", "al", methods, home(0o755, 0o700, 0o600), nil, []CauseKind{CauseFile}},
		{"root", "root", methods, home(0o755, 0o700, 0o600), nil, []CauseKind{CauseRoot}},
		{"own options", "al", methods, home(0o755, 0o700, 0o600),
			[]KeyState{{Identity: identity.Identity{Entry: newEntry(t, `from="10.0.0.1"`)}, Outcome: Add}}, []CauseKind{CauseOptions}},
		{"method not offered", "al", []string{"password"}, home(0o755, 0o700, 0o600), nil, []CauseKind{CauseMethod}},
		{"home and file open", "al", methods, home(0o775, 0o700, 0o602), nil, []CauseKind{CauseMode, CauseMode}},
		{"file of somebody else", "al", methods, foreign, nil, []CauseKind{CauseOwner}},
		{"standing options", "al", methods, home(0o755, 0o700, 0o600),
			[]KeyState{{Outcome: PresentOtherOptions, ExistingOptions: []string{`from="10.0.0.1"`}}}, []CauseKind{CauseOptions}},
	} {
		t.Run(c.name, func(t *testing.T) {
			work := &task{Host: &Host{User: c.user, c: New(Options{}), conn: &sshclient.Conn{Methods: c.methods, Method: "publickey"}}, keys: c.keys}
			found := work.knownCauses()
			found = append(found, work.guessedCauses(&remote.State{Path: "/home/al/.ssh/authorized_keys", Home: "/home/al", Facts: c.facts}, len(found) > 0)...)
			var got []CauseKind
			for _, cause := range found {
				got = append(got, cause.Kind)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", fmt.Sprint(found), c.want)
			}
		})
	}
}
