package cli

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
)

// TestDropbearLimits: what dropbear does not read is told, and of other servers
// nothing is.
func TestDropbearLimits(t *testing.T) {
	for _, c := range []struct {
		name, server, comment string
		size                  int64
		want                  []string
	}{
		{"nothing to tell", "SSH-2.0-dropbear_2022.83", "me", 1000, nil},
		{"many lines", "SSH-2.0-dropbear_2026.94", "me", 300_000, []string{"only the first 300 lines"}},
		{"no limit", "SSH-2.0-dropbear_2022.83", "me", 300_000, nil},
		{"no version", "SSH-2.0-dropbear", "me", 300_000, nil},
		{"another server", "SSH-2.0-OpenSSH_9.2", strings.Repeat("x", 3000), 300_000, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var errs bytes.Buffer
			p := &textOutput{name: "ssh-copy-id", err: &errs}
			id := testKey(1, c.comment)
			p.say(limitMessages(&copyid.Report{ServerVersion: c.server, Size: c.size, Path: "/home/al/.ssh/authorized_keys",
				Keys: []copyid.KeyState{{Identity: id, Outcome: copyid.Added}}})...)
			if n := strings.Count(errs.String(), "WARNING"); n != len(c.want) {
				t.Errorf("%d warnings: %s", n, errs.String())
			}
			for _, text := range c.want {
				if !strings.Contains(errs.String(), text) {
					t.Errorf("%q is missing in %s", text, errs.String())
				}
			}
		})
	}
}

// TestReports has what is shown of an installation.
func TestReports(t *testing.T) {
	const path = "/home/al/.ssh/authorized_keys"
	key, other := testKey(1, "me"), testKey(2, "")
	restricted := testKey(3, "both\x1b", "restrict", `from="10.0.0.0/8"`)
	state := func(outcome copyid.Outcome, id identity.Identity, line int, options ...string) copyid.KeyState {
		return copyid.KeyState{Identity: id, Outcome: outcome, Line: line, ExistingOptions: options}
	}
	report := func(name string, f Flags, r copyid.Report) shown {
		r.Path = path
		return shown{name, func(o output) { o.Report(&f, &r) }}
	}
	keys := func(list ...copyid.KeyState) []copyid.KeyState { return list }
	verified := func(name string, v copyid.Verification) shown {
		return report(name, Flags{}, copyid.Report{Keys: keys(state(copyid.Added, key, 0)), Verification: v})
	}
	ids := func(list ...identity.Identity) []identity.Identity { return list }
	opaque := opaqueIdentity(t)
	forced := `command="date"`
	refusedOnLine := state(copyid.Present, key, 4)
	refusedOnLine.Refused = true
	checked := state(copyid.Accepted, restricted, 0)
	checked.FileChecked = true
	dead := state(copyid.Ineffective, key, 4)
	dead.Findings = []authkeys.Finding{{Kind: authkeys.FoundCertAuthority, Line: 4}}
	golden(t, "reports", []shown{
		report("added", Flags{}, copyid.Report{Keys: keys(state(copyid.Added, key, 0))}),
		report("all there", Flags{}, copyid.Report{Keys: keys(state(copyid.Accepted, key, 0), state(copyid.Present, other, 3))}),
		report("repaired", Flags{}, copyid.Report{
			Keys:     keys(state(copyid.Added, key, 0)),
			Repaired: []copyid.Repair{{Path: "/home/al", From: 0o777 | fs.ModeDir | fs.ModeSticky, To: 0o755}, {Path: path, From: 0o400, To: 0o600 | fs.ModeSetuid}},
			Notes:    []copyid.Note{{Kind: copyid.NoteChmod, Detail: "a note\x1b"}},
		}),
		report("other options", Flags{}, copyid.Report{Keys: keys(
			state(copyid.PresentOtherOptions, key, 2, "restrict"), state(copyid.PresentOtherOptions, restricted, 3), state(copyid.PresentOtherOptions, other, 4, forced),
		)}),
		report("accepted, options not looked up", Flags{}, copyid.Report{Keys: keys(state(copyid.Accepted, restricted, 0))}),
		report("accepted by another source", Flags{}, copyid.Report{Keys: keys(checked)}),
		report("by SFTP", Flags{}, copyid.Report{Keys: keys(state(copyid.Added, key, 0)), SFTP: true}),
		report("by SFTP as asked", Flags{SFTP: true}, copyid.Report{Keys: keys(state(copyid.Added, key, 0)), SFTP: true}),
		report("unheard", Flags{}, copyid.Report{Keys: keys(state(copyid.Added, key, 0)), Unheard: true}),
		report("-f", Flags{Force: true}, copyid.Report{Keys: keys(
			state(copyid.Added, key, 0), state(copyid.Added, key, 1, forced), state(copyid.Added, restricted, 2), state(copyid.Added, key, 3, "restrict"),
			state(copyid.Added, restricted, 4, "restrict", `from="10.0.0.0/8"`), state(copyid.Added, restricted, 5, "no-pty"),
		)}),
		report("the very line, without effect", Flags{}, copyid.Report{Keys: keys(dead, state(copyid.Added, other, 0))}),
		report("the very line, refused", Flags{}, copyid.Report{Keys: keys(refusedOnLine)}),
		report("the very line, refused, with -t", Flags{Target: "x"}, copyid.Report{Keys: keys(refusedOnLine)}),
		report("the file of all administrators", Flags{}, copyid.Report{Keys: keys(state(copyid.Added, key, 0)), Shared: true,
			Verification: copyid.Verification{Done: true, Refused: ids(key)}}),
		report("beyond what dropbear reads", Flags{}, copyid.Report{Keys: keys(state(copyid.Added, key, 0)), ServerVersion: "SSH-2.0-dropbear_2026.94", Size: 300_000}),

		verified("not verified", copyid.Verification{}),
		verified("could not check", copyid.Verification{Err: errors.New("no route\x1b")}),
		verified("could not check: closed", copyid.Verification{Err: &copyid.RemoteError{Code: copyid.CodeRemoteClosed}}),
		verified("no key asked for", copyid.Verification{NoKeyAsked: true}),
		verified("accepted", copyid.Verification{Done: true, Accepted: ids(key)}),
		verified("accepted two", copyid.Verification{Done: true, Accepted: ids(key, other)}),
		verified("logged in", copyid.Verification{Done: true, LoggedIn: true, Accepted: ids(key)}),
		verified("logged in with one of two", copyid.Verification{Done: true, LoggedIn: true, Accepted: ids(key, other)}),
		verified("refused", copyid.Verification{Done: true, Refused: ids(key), Causes: []copyid.Cause{{Kind: copyid.CauseFile, Path: path}}}),
		verified("refused, of an unknown type", copyid.Verification{Done: true, Refused: ids(opaque)}),
		verified("refused for its type", copyid.Verification{Done: true, Refused: ids(opaque),
			Causes: []copyid.Cause{{Kind: copyid.CauseKeyType, Key: authkeys.NewEntry(opaque.Entry.Key, ""), Value: "ssh-rsa"}}}),
		verified("nowhere", copyid.Verification{Done: true, Nowhere: &copyid.LoginError{Key: authkeys.NewEntry(key.Entry.Key, ""), Status: 1, Said: "go\nwai\x1b"}}),
		verified("nowhere without a word", copyid.Verification{Done: true, Nowhere: &copyid.LoginError{Key: authkeys.NewEntry(key.Entry.Key, ""), Status: 255}}),
		verified("closed", copyid.Verification{Done: true, Nowhere: &copyid.LoginError{Key: authkeys.NewEntry(key.Entry.Key, ""), Closed: true}}),
		verified("not asked: keys are off", copyid.Verification{Done: true, Unasked: ids(key), KeysOff: true}),
		verified("not asked: yes to all", copyid.Verification{Done: true, Unasked: ids(key), AcceptsEveryKey: true}),
		verified("not asked: not offered", copyid.Verification{Done: true, Unasked: ids(key), Methods: []string{"password", "x\x1b"}}),
		verified("not asked: hung up", copyid.Verification{Done: true, Unasked: ids(key), Methods: []string{"publickey"}}),
		verified("not asked: too many", copyid.Verification{Done: true, Unasked: ids(key), Refused: ids(other)}),
	})
}

// TestNotes has a sentence for each kind of note.
func TestNotes(t *testing.T) {
	note := func(name string, n copyid.Note) shown {
		return shown{name, func(o output) {
			o.Report(&Flags{}, &copyid.Report{Notes: []copyid.Note{n}, Keys: []copyid.KeyState{{Identity: testKey(1, "me"), Outcome: copyid.Added}}})
		}}
	}
	var cases []shown
	for _, kind := range []copyid.NoteKind{
		copyid.NoteChmod, copyid.NoteNoModes, copyid.NoteForeign, copyid.NoteEveryAccount, copyid.NoteMoreFiles, copyid.NoteNoFile,
		copyid.NoteOtherFile, copyid.NoteByteOrderMark, copyid.NoteNoPowerShell, copyid.NoteAccess, copyid.NoteSharedAccess,
		copyid.NoteWriters, copyid.NoteOwner, copyid.NoteAccessFailed, copyid.NoteAccessUnread,
	} {
		cases = append(cases, note(string(kind), copyid.Note{Kind: kind, Path: `C:\k`, Names: []string{"a", "b\x1b"}, Owner: `PC\bob`, Detail: "odd\x1b"}))
	}
	golden(t, "notes", append(cases,
		note("access list of a new file", copyid.Note{Kind: copyid.NoteAccess, Path: `C:\k`}),
		note("very many writers", copyid.Note{Kind: copyid.NoteWriters, Path: `C:\k`, Names: []string{strings.Repeat("é", 1000)}}),
	))
}

// TestLoginHints has the last words of a success.
func TestLoginHints(t *testing.T) {
	added := func(name string, n int, hint loginHint) shown {
		return shown{name, func(o output) { o.Added(n, hint) }}
	}
	cases := []shown{
		added("usual", 1, loginHint{command: "ssh 'h\x1b'"}),
		added("Pageant", 2, loginHint{command: "putty h", pageant: true}),
	}
	for _, kind := range []obstacleKind{otherAgent, agentFirst, onlyIdentities, otherFiles, noDefault, keysOff, otherMethods, otherTypes} {
		cases = append(cases, added(string(kind), 1, loginHint{command: "ssh h", why: obstacle{kind: kind, value: "v", keys: 7}}))
	}
	golden(t, "hints", cases)
}

// TestPlans has what is shown of a dry run.
func TestPlans(t *testing.T) {
	key, other := testKey(1, "me", "restrict"), testKey(2, "there\x1b")
	add := copyid.KeyState{Identity: key, Outcome: copyid.Add}
	there := copyid.KeyState{Identity: other, Outcome: copyid.Present, Line: 2}
	refused := there
	refused.Refused = true
	dead := copyid.KeyState{Identity: other, Outcome: copyid.Ineffective, Line: 4, Findings: []authkeys.Finding{{Kind: authkeys.FoundExpired, Line: 4, Value: "20200101"}}}
	plan := func(name string, p copyid.Plan, keys ...copyid.KeyState) shown {
		p.Keys = keys
		return shown{name, func(o output) { o.Plan(&p) }}
	}
	read := copyid.Plan{Path: "/k\x1b", Evidence: copyid.FromFile, LoggedIn: true}
	golden(t, "plans", []shown{
		plan("read", read, add, there),
		plan("with nothing to add", read, there),
		plan("not looked at", copyid.Plan{Evidence: copyid.NoEvidence}, add),
		plan("asked", copyid.Plan{Evidence: copyid.FromQueries}, add),
		plan("asked and logged in", copyid.Plan{Evidence: copyid.FromQueries, LoggedIn: true}, add),
		plan("some not asked about", copyid.Plan{Evidence: copyid.FromQueries, Unasked: []identity.Identity{key, other}}, add),
		plan("a line that is refused", read, refused),
		plan("a line that is refused beside another", read, refused, add),
		plan("a line without effect", read, dead),
		plan("a line without effect beside another", read, dead, add),
	})
}

// TestDiagnoses has what is shown of each key; TestCauses and TestFindings have
// the rest.
func TestDiagnoses(t *testing.T) {
	key := testKey(1, "me")
	state := func(outcome copyid.Outcome, line int, kinds ...authkeys.FindingKind) copyid.KeyState {
		k := copyid.KeyState{Identity: key, Outcome: outcome, Line: line}
		for i, kind := range kinds {
			k.Findings = append(k.Findings, authkeys.Finding{Kind: kind, Line: i + 1, By: 1})
		}
		return k
	}
	unknown := copyid.KeyState{Identity: opaqueIdentity(t), Outcome: copyid.Present, Line: 3}
	diagnosis := func(name string, d copyid.Diagnosis) shown {
		d.Path = "/k\x1b"
		return shown{name, func(o output) { o.Diagnosis(&d) }}
	}
	all := []copyid.KeyState{state(copyid.Accepted, 0), state(copyid.Add, 0), state(copyid.Present, 2), state(copyid.PresentOtherOptions, 3),
		state(copyid.Present, 1, authkeys.FoundCommentedOut), state(copyid.Present, 1, authkeys.FoundOverruled)}
	golden(t, "diagnoses", []shown{
		diagnosis("keys", copyid.Diagnosis{Keys: all}),
		diagnosis("no key asked for", copyid.Diagnosis{Keys: all, NoKeyAsked: true}),
		diagnosis("unknown type", copyid.Diagnosis{Keys: []copyid.KeyState{unknown}}),
	})
}

// opaqueIdentity is a key of a type that is not understood here.
func opaqueIdentity(t *testing.T) identity.Identity {
	t.Helper()
	type wire struct {
		Type string
		Rest []byte
	}
	key, err := authkeys.ParseKey(ssh.Marshal(wire{"ssh-new", []byte("12345678")}))
	if err != nil {
		t.Fatal(err)
	}
	return identity.Identity{Entry: authkeys.NewEntry(key, "new")}
}
