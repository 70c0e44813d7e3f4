package cli

import (
	"io/fs"
	"testing"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/copyid"
)

// TestCauses has the sentences about why a server refuses keys.
func TestCauses(t *testing.T) {
	key := testKey(1, "").Entry.Key
	const path = "/home/al/.ssh/authorized_keys"
	var cases []shown
	add := func(name string, c copyid.Cause) {
		cases = append(cases, shown{name, func(o output) {
			o.Diagnosis(&copyid.Diagnosis{Path: path, Causes: []copyid.Cause{c}})
		}})
	}
	for _, kind := range []copyid.CauseKind{
		copyid.CauseMethod, copyid.CauseMissing, copyid.CauseOtherFile, copyid.CauseMode, copyid.CauseOwner, copyid.CauseUnreadable,
		copyid.CauseEncrypted, copyid.CauseLabel, copyid.CauseKeyType, copyid.CauseRSASize, copyid.CauseRoot, copyid.CauseUsers,
		copyid.CauseMethods, copyid.CauseExpired, copyid.CauseLocked, copyid.CauseShell, copyid.CauseACL, copyid.CauseCommand,
		copyid.CauseImmutable, copyid.CauseRevoked, copyid.CauseEncoding, copyid.CauseWriter,
	} {
		add(string(kind), copyid.Cause{Kind: copyid.CauseKind(kind), Path: path, Mode: 0o777 | fs.ModeSetgid, Owner: "bob\x1b",
			Option: "allowusers", Value: "a\x1bvalue", Files: []string{"/etc/keys", "/x\x1b"}, Key: authkeys.NewEntry(key, "")})
	}
	add("no PubkeyAuthentication seen", copyid.Cause{Kind: copyid.CauseMethod})
	add("no file of keys", copyid.Cause{Kind: copyid.CauseOtherFile, Path: path, Value: "none"})
	add("root, without a value", copyid.Cause{Kind: copyid.CauseRoot})
	add("password expired", copyid.Cause{Kind: copyid.CauseExpired})
	add("owner on Windows", copyid.Cause{Kind: copyid.CauseOwner, Path: path, Owner: `PC\bob`, Value: "Windows"})
	for _, value := range []string{"key", "key read", "missing", "no key"} {
		add("elsewhere, "+value, copyid.Cause{Kind: copyid.CauseElsewhere, Files: []string{`C:\a`, `C:\b`}, Value: value})
	}
	add("options", copyid.Cause{Kind: copyid.CauseOptions, Path: path, Value: `from="10.0.0.1"`})
	add("absent", copyid.Cause{Kind: copyid.CauseAbsent, Path: path, Key: authkeys.NewEntry(key, "")})
	add("absent, no key named", copyid.Cause{Kind: copyid.CauseAbsent, Path: path})
	add("line", copyid.Cause{Kind: copyid.CauseLine, Path: path, Key: authkeys.NewEntry(key, ""), Finding: authkeys.Finding{Kind: authkeys.FoundCommentedOut, Line: 3}})
	add("file", copyid.Cause{Kind: copyid.CauseFile, Path: path})
	add("repaired in sshd_config", copyid.Cause{Kind: copyid.CauseMethod, Fix: "PubkeyAuthentication yes", InConfig: true})
	add("repaired on the server", copyid.Cause{Kind: copyid.CauseMode, Path: path, Mode: 0o666, Fix: "chmod go-w " + path})
	add("repaired in PowerShell", copyid.Cause{Kind: copyid.CauseEncoding, Path: path, Value: "UTF-16", Fix: "Set-Content"})
	add("unsure", copyid.Cause{Kind: copyid.CauseLocked, Unsure: true})
	add("informational", copyid.Cause{Kind: copyid.CauseCommand, Value: "/bin/keys", Informational: true})
	golden(t, "causes", cases)
}

// TestFindings has the sentences about lines that do not do what they seem to.
func TestFindings(t *testing.T) {
	var cases []shown
	show := func(name string, keys ...copyid.KeyState) {
		cases = append(cases, shown{name, func(o output) {
			o.Diagnosis(&copyid.Diagnosis{Path: "/k\x1b", NoKeyAsked: true, Keys: keys})
			o.Plan(&copyid.Plan{Path: "/k\x1b", Keys: keys, Evidence: copyid.FromFile})
		}})
	}
	for kind := authkeys.FindingKind(1); kind <= authkeys.FoundBeyond+1; kind++ {
		finding := authkeys.Finding{Kind: kind, Line: 4, By: 2, Reason: authkeys.BadBase64, Option: "from\x1b", Value: "2020\x1b",
			OptionReason: authkeys.OptionBadPattern, Options: []string{"restrict", `command="x\x1b"`}, Bits: 768, Limit: 300}
		name := kind.String()
		show(name+", there already", copyid.KeyState{Identity: testKey(1, "me"), Outcome: copyid.Present, Line: 2, Findings: []authkeys.Finding{finding}})
		show(name+", to add", copyid.KeyState{Identity: testKey(1, "me"), Outcome: copyid.Add, Findings: []authkeys.Finding{finding}})
		show(name+", the very line", copyid.KeyState{Identity: testKey(1, "me"), Outcome: copyid.Ineffective, Line: 4, Findings: []authkeys.Finding{finding}})
	}
	show("overruled by a line without options", copyid.KeyState{Identity: testKey(1, "me"), Outcome: copyid.Present, Line: 2,
		Findings: []authkeys.Finding{{Kind: authkeys.FoundOverruled, Line: 5, By: 2}}})
	for n := 1; n <= 5; n++ {
		var same []authkeys.Finding
		for line := range n {
			same = append(same, authkeys.Finding{Kind: authkeys.FoundCommentedOut, Line: 10 + line})
		}
		show(count(n, "line"), copyid.KeyState{Identity: testKey(1, "me"), Outcome: copyid.Add, Reader: authkeys.Dropbear("2022.83"), Findings: same})
	}
	show("two kinds, mixed", copyid.KeyState{Identity: testKey(1, "me"), Outcome: copyid.Add, Findings: []authkeys.Finding{
		{Kind: authkeys.FoundCommentedOut, Line: 1}, {Kind: authkeys.FoundGlued, Line: 2}, {Kind: authkeys.FoundCommentedOut, Line: 3}}})
	golden(t, "findings", cases)
}
