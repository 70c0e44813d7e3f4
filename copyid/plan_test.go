package copyid

import (
	"slices"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/remote"
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

// TestWantedOfTwoReplans: a file that changes twice still shows the keys that the
// first look at it found there: without their blobs they would be added again.
func TestWantedOfTwoReplans(t *testing.T) {
	there, missing, accepted := newEntry(t), newEntry(t), newEntry(t)
	tk := &task{Host: &Host{c: New(Options{})}}
	for _, e := range []authkeys.Entry{there, missing, accepted} {
		tk.keys = append(tk.keys, KeyState{Identity: identity.Identity{Entry: e}, Outcome: Add})
	}
	tk.keys[2].Outcome = Accepted
	tk.replan(&remote.State{Sum: "cksum:1:2", Candidates: []remote.Candidate{{Number: 3, Text: there.Line()}}})
	change := tk.wanted()
	if !slices.Equal(change.Lines, []string{missing.Line()}) || change.Expect != "cksum:1:2" {
		t.Errorf("lines %q, expect %q", change.Lines, change.Expect)
	}
	if want := OpenSSH.blobs([]identity.Identity{{Entry: there}, {Entry: missing}}); !slices.Equal(change.Blobs, want) {
		t.Errorf("blobs %q, want %q", change.Blobs, want)
	}
}
