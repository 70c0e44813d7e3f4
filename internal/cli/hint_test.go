//go:build unix

package cli

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/term"
)

// TestHintReaches has what the final hint needs so that ssh logs in with the key,
// by the settings of ssh_config and the keys that an agent holds.
func TestHintReaches(t *testing.T) {
	w := newWorld(t)
	key := w.key("k", "")
	ids, err := identity.ReadFile(key + ".pub")
	w.must(err)
	algorithms := []string{"ssh-ed25519"}
	usual := copyid.LoginSettings{IdentityFiles: []string{key}, PubkeyAuthentication: true, KeyAlgorithms: algorithms}
	var others []string
	for _, name := range []string{"1", "2", "3", "4", "5", "6"} {
		others = append(others, w.key(name, ""))
	}
	for _, c := range []struct {
		name   string
		change func(*copyid.LoginSettings)
		agent  []string // files that the agent holds
		named  bool     // -i was given
		want   string
		why    obstacle
	}{
		{"a default identity", func(*copyid.LoginSettings) {}, nil, false, "ssh 'box'", obstacle{}},
		{"-i", func(s *copyid.LoginSettings) { s.IdentityFiles = nil }, nil, true, "ssh -i " + key + " 'box'", obstacle{}},
		{"another file", func(s *copyid.LoginSettings) { s.IdentityFiles = nil }, nil, false, "ssh -i " + key + " 'box'", obstacle{kind: noDefault}},
		{"other files of ssh_config", func(s *copyid.LoginSettings) { s.IdentityFiles, s.IdentityFilesConfigured = others[:1], true },
			nil, false, "ssh -i " + key + " 'box'", obstacle{kind: otherFiles}},
		{"IdentitiesOnly", func(s *copyid.LoginSettings) { s.IdentityFiles, s.IdentitiesOnly = others[:1], true },
			[]string{key}, false, "ssh -i " + key + " 'box'", obstacle{kind: onlyIdentities}},
		{"six keys of the agent", func(*copyid.LoginSettings) {}, others, false,
			"ssh -i " + key + " -o 'IdentitiesOnly=yes' 'box'", obstacle{kind: agentFirst, keys: 6}},
		{"another agent", func(s *copyid.LoginSettings) { s.IdentityFiles, s.IdentityAgent = nil, "none" },
			[]string{key}, false, "ssh -i " + key + " 'box'", obstacle{kind: noDefault}},
		{"no keys", func(s *copyid.LoginSettings) { s.PubkeyAuthentication = false }, nil, false,
			"ssh -o 'PubkeyAuthentication=yes' 'box'", obstacle{kind: keysOff}},
		{"other methods", func(s *copyid.LoginSettings) { s.Methods = []string{"password"} }, nil, false,
			"ssh -o 'PreferredAuthentications=publickey' 'box'", obstacle{kind: otherMethods}},
		{"other algorithms", func(s *copyid.LoginSettings) { s.KeyAlgorithms = []string{"ssh-rsa"} }, nil, false,
			"ssh -o 'PubkeyAcceptedAlgorithms=+ssh-ed25519' 'box'", obstacle{kind: otherTypes, value: "ssh-ed25519"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.must(w.agent.RemoveAll())
			for _, file := range c.agent {
				w.must(w.agent.AddFile(file, ""))
			}
			login := usual
			c.change(&login)
			r := w.run(&Flags{Hosts: []string{"box"}, IdentitySet: c.named})
			defer r.agent.close()
			report := &copyid.Report{Login: login, Keys: []copyid.KeyState{{Identity: ids[0], Outcome: copyid.Added}}}
			got := r.hint(report, source{ids: ids, private: key})
			if got.command != c.want || got.why != c.why {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestHintOfAgentKey: a key that only the agent has, behind IdentityAgent.
func TestHintOfAgentKey(t *testing.T) {
	w := newWorld(t)
	key := w.key("k", "")
	ids, err := identity.ReadFile(key + ".pub")
	w.must(err)
	w.must(w.agent.AddFile(key, ""))
	r := w.run(&Flags{Hosts: []string{"ssh://bob@box"}, ForUser: "alice", Port: "22", SFTP: true, Passed: []Passed{{"-J", "hop"}}})
	defer r.agent.close()
	report := &copyid.Report{
		Keys:  []copyid.KeyState{{Identity: ids[0], Outcome: copyid.Added}},
		Login: copyid.LoginSettings{IdentityAgent: "none", PubkeyAuthentication: true, KeyAlgorithms: []string{"ssh-ed25519"}},
	}
	report.Verification.Accepted = []identity.Identity{ids[0]}
	got := r.hint(report, source{ids: ids})
	if want := "sftp -P 22 -o 'IdentityAgent=SSH_AUTH_SOCK' -J 'hop' 'ssh://alice@box'"; got.command != want || got.why != (obstacle{kind: otherAgent, value: "none"}) {
		t.Errorf("got %+v", got)
	}
}

// TestHintForPuTTY: ssh cannot read a key in PuTTY's format.
func TestHintForPuTTY(t *testing.T) {
	id := testKey(1, "me")
	id.Origin = identity.Origin{Source: identity.File, Path: "k.ppk", Format: identity.FormatPPK}
	r := &run{flags: &Flags{Hosts: []string{"box"}, ForUser: "bob"}}
	report := &copyid.Report{User: "alice", HostName: "host", Port: 2222, SFTP: true}
	if got := r.hint(report, source{ids: []identity.Identity{id}}).command; got != "psftp -i k.ppk -P 2222 bob@host" {
		t.Errorf("got %s", got)
	}
	report = &copyid.Report{User: "alice", HostName: "host", Port: 22}
	r.flags = &Flags{Hosts: []string{"box"}}
	if got := r.hint(report, source{ids: []identity.Identity{id}}).command; got != "putty -i k.ppk alice@host" {
		t.Errorf("got %s", got)
	}
}

// run is a run of the world that has got as far as its options.
func (w *world) run(flags *Flags) *run {
	getenv := func(name string) string { return map[string]string{"SSH_AUTH_SOCK": w.agent.Socket()}[name] }
	out, _ := newTape()
	r := &run{flags: flags, out: out, home: w.home, getenv: getenv}
	r.agent = agentOpener{getenv: getenv, debug: func(string) {}, remark: out.Remark, notice: out.Notice}
	return r
}

// TestInterruptedChange: what is known about the keys when a signal has come.
func TestInterruptedChange(t *testing.T) {
	released := 0
	release := func() { released++ }
	p := &progress{}
	if got := p.interrupted(); got != term.ErrInterrupted {
		t.Errorf("before: %v", got)
	}
	p.begin(release)
	if got := p.explain(context.Canceled); got != errInterrupted {
		t.Errorf("while writing: %v", got)
	}
	p.end(1)
	if got := p.explain(context.Canceled); got != errNotVerified {
		t.Errorf("after: %v", got)
	}
	if p.over(); released != 1 {
		t.Errorf("released %d times", released)
	}
	if other := errMismatches; p.explain(other) != other {
		t.Error("another error was taken for an interrupt")
	}
}

// TestPlacesForKeys: a key is never made over another one.
func TestPlacesForKeys(t *testing.T) {
	w := newWorld(t)
	taken := w.key("taken", "")
	for path, want := range map[string]string{
		taken: "exists", filepath.Join(w.home, "none", "k"): "no such file", filepath.Join(w.home, "free"): "", filepath.Join(w.home, "none", ".ssh", "k"): "",
	} {
		err := placeForKey(path)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if err := writeKey(taken, nil, ""); err == nil {
		t.Error("a key was written over another one")
	}
	lone := filepath.Join(w.home, "lone")
	w.write("lone.pub", "")
	if err := writeKey(lone, []byte("x"), "y"); err == nil || regular(lone) {
		t.Errorf("%v; the private half stays: %v", err, regular(lone))
	}
	if names := []string{privatePath("k.pub"), privatePath("d/k.pub")}; !slices.Equal(names, []string{"./k", "d/k"}) {
		t.Errorf("private keys %v", names)
	}
}
