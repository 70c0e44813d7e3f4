package cli

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"testing"
	"time"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/device"
	"ssh-copy-id/internal/owneronly"
)

// TestRemarks has a sentence of each kind; TestRemarksOnKeyFiles and TestExposed
// have the rest.
func TestRemarks(t *testing.T) {
	at := agentPlace{agentOfEnvironment, "/s\x1b"}
	var cases []shown
	remarks := map[string]remark{
		"waiting for a change": waitingForChange{}, "askpass": askpassUnusable{"/no\x1b", fs.ErrNotExist}, "askpass quoted": askpassQuoted{"/a\x1b"},
		"socket quoted": socketQuoted{}, "password exposed": passwordExposed{"/p\x1b", 0o644}, "agent unreachable": agentUnreachable{at, fs.ErrNotExist},
		"agent silent": agentSilent{at, errors.New("eof\x1b")}, "comments": commentsCleaned{2}, "agent confirms": agentConfirms{"me\x1b"},
		"skipped": keySkipped{identity.Skipped{Identity: testKey(1, "me"), Reason: identity.SkipCertificate}}, "unknown type": typeUnknown{"new\x1b"},
		"passed over": passedOver{&fileError{path: "k.pub", err: fs.ErrPermission}}, "keygen idle": keygenIdle{},
		"key made": keyMade{"/k\x1b", testKey(1, "me")}, "key unprotected": keyUnprotected{}, "key kept": keyKept{"/k\x1b"},
		"not shared": connectionNotShared{"/s\x1b"}, "locked": fileLocked{"box 7\x1b"},
		"server awaited": serverAwaited{copyid.AwaitShell, 20 * time.Second}, "asking": asking{}, "remaining": remaining{2}, "shared file": sharedFile{`C:\k`},
		"installing": installing{testKey(1, "me")}, "installing with options": installing{testKey(1, "", "restrict", "pty")},
	}
	for _, name := range slices.Sorted(maps.Keys(remarks)) {
		cases = append(cases, shown{name, func(o output) { o.Remark(remarks[name]) }})
	}
	golden(t, "remarks", append(cases,
		shown{"source", func(o output) {
			o.Source("ssh-add -L", []identity.Skipped{{Identity: opaqueIdentity(t), Reason: identity.SkipDamaged}})
		}},
		shown{"notice", func(o output) { o.Notice("a\nb\x1b\r\n") }},
		shown{"debug", func(o output) { o.Debug(2, "a\x1b") }},
		shown{"trace", func(o output) { o.Trace("+ a\x1b") }},
		shown{"text", func(o output) { o.Text("100%\n") }},
	))
}

// TestCommands has what is shown for appliances, on each platform that takes none,
// one or both of two keys.
func TestCommands(t *testing.T) {
	cases := []shown{{"list", func(o output) { o.Platforms(device.Platforms()) }}}
	for _, platform := range device.Platforms() {
		commands, err := platform.Commands("al", entries([]identity.Identity{testKey(1, "me"), testKey(2, "", "restrict")}))
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, shown{platform.Name, func(o output) { o.Commands(commands) }})
	}
	golden(t, "devices", cases)
}

func TestExposed(t *testing.T) {
	key := &owneronly.Exposure{Path: `C:\k`, Others: []string{`BUILTIN\Users`, "Everyone"}, Mend: []string{"icacls 1"}}
	if got, want := (exposed{key, owneronly.PrivateKey}).words().text, `ssh.exe will ignore the private key 'C:\k': others than you have access to it (BUILTIN\Users, Everyone)`+
		"\n\t(to change that: icacls 1)"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	config := &owneronly.Exposure{Path: `C:\c`, Owner: `PC\x`, Others: []string{`PC\x`}, Mend: []string{"icacls 1", "icacls 2"}}
	if got, want := (exposed{config, owneronly.ConfigFile}).words().text, `ssh.exe will not start with 'C:\c': it belongs to PC\x, and others than you may change it (PC\x)`+
		"\n\t(to change that: icacls 1)\n\t(to change that: icacls 2)"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
