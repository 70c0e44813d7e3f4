package copyid_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/sshtest"
)

// account is alice on a throw-away server, and a client that knows its host
// key and her password.
func account(dir string) (*sshtest.Server, copyid.Options, copyid.Target, error) {
	s, err := sshtest.StartAccount(filepath.Join(dir, "remote"), "alice", "secret")
	if err != nil {
		return nil, copyid.Options{}, copyid.Target{}, err
	}
	known := filepath.Join(dir, "known_hosts")
	if err := os.WriteFile(known, []byte(s.KnownHosts(false)), 0o600); err != nil {
		return nil, copyid.Options{}, copyid.Target{}, err
	}
	o := copyid.Options{Home: dir, User: "me", UI: copyid.UI{Secret: func(copyid.Target, string) ([]byte, error) { return []byte("secret"), nil }}}
	return s, o, copyid.Target{
		Destination: "alice@127.0.0.1", ConfigFile: "none",
		Config: []string{fmt.Sprintf("Port=%d", s.Port()), "UserKnownHostsFile=" + known},
	}, nil
}

func newIdentity(t testing.TB, dir, name string) identity.Identity {
	t.Helper()
	key, err := sshtest.GenerateKey("ed25519")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := sshtest.WriteKey(path, key, name, ""); err != nil {
		t.Fatal(err)
	}
	ids, err := identity.ReadFile(path + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return ids[0]
}

func setUp(t *testing.T) (dir string, s *sshtest.Server, o copyid.Options, target copyid.Target) {
	t.Helper()
	dir = t.TempDir()
	s, o, target, err := account(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return dir, s, o, target
}

func install(o copyid.Options, target copyid.Target, ids ...identity.Identity) (*copyid.Report, error) {
	ctx := context.Background()
	host, err := copyid.New(o).Dial(ctx, target)
	if err != nil {
		return nil, err
	}
	defer host.Close()
	return host.Ensure(ctx, copyid.Goal{Present: ids})
}

func remoteFile(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "remote", "alice", ".ssh", "authorized_keys"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

// TestInstallTwice: added and verified, then found there without a login's
// work.
func TestInstallTwice(t *testing.T) {
	dir, s, o, target := setUp(t)
	id := newIdentity(t, dir, "id_ed25519")
	report, err := install(o, target, id)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Added()) != 1 || !report.Verification.LoggedIn || len(report.Created) != 2 {
		t.Errorf("%+v", report)
	}
	s.ResetCounters()
	report, err = install(o, target, id)
	if err != nil || len(report.Added()) != 0 || report.Keys[0].Outcome != copyid.Accepted {
		t.Errorf("%+v, %v", report, err)
	}
	if c := s.Counters(); c.Connections != 1 || len(c.Commands) != 2 || c.Commands[0] != "exit" || c.Passwords != 0 {
		t.Errorf("%+v", c)
	}
	if got := remoteFile(t, dir); got != id.Entry.Line()+"\n" {
		t.Errorf("%q", got)
	}
}

// TestReplan: a key the server refuses but the file holds with options is not
// added again.
func TestReplan(t *testing.T) {
	dir, _, o, target := setUp(t)
	held, fresh := newIdentity(t, dir, "held"), newIdentity(t, dir, "fresh")
	line := authkeys.NewEntry(held.Entry.Key, "there", `from="192.0.2.1"`).Line() + "\n"
	writeRemote(t, dir, line)
	report, err := install(o, target, held, fresh)
	if err != nil {
		t.Fatal(err)
	}
	if k := report.Keys[0]; k.Outcome != copyid.PresentOtherOptions || k.Line != 1 || len(report.Added()) != 1 {
		t.Errorf("%+v", report.Keys)
	}
	if len(report.Verification.Refused) != 1 || len(report.Verification.Causes) == 0 || report.Verification.Causes[0].Kind != copyid.CauseOptions {
		t.Errorf("%+v", report.Verification)
	}
	if got := remoteFile(t, dir); got != line+fresh.Entry.Line()+"\n" {
		t.Errorf("%q", got)
	}
	o.Force = true
	if report, err = install(o, target, held); err != nil || len(report.Added()) != 1 || len(report.Keys[0].ExistingOptions) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestPlanAsksNobody: with NoPrompt nothing is asked for, and nothing is written.
func TestPlanAsksNobody(t *testing.T) {
	dir, s, o, target := setUp(t)
	o.NoPrompt = true
	o.UI.Secret = func(_ copyid.Target, prompt string) ([]byte, error) {
		t.Errorf("asked %q", prompt)
		return nil, errors.New("no")
	}
	host := dial(t, o, target)
	plan, err := host.Plan(t.Context(), copyid.Goal{Present: []identity.Identity{newIdentity(t, dir, "id")}})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.ToAdd()) != 1 || plan.Evidence != copyid.FromQueries || plan.LoggedIn {
		t.Errorf("%+v", plan)
	}
	if _, err := host.Apply(t.Context(), plan); !errors.Is(err, copyid.ErrNoLogin) {
		t.Errorf("applied without a login: %v", err)
	}
	if s.Counters().Passwords != 0 || remoteFile(t, dir) != "" {
		t.Error("something was sent or written")
	}
}

func dial(t *testing.T, o copyid.Options, target copyid.Target) *copyid.Host {
	t.Helper()
	host, err := copyid.New(o).Dial(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close() })
	return host
}

// TestPlanThenApply: a plan reads the file and changes nothing, survives JSON, and
// is carried out with the connection that there is, or by another Host.
func TestPlanThenApply(t *testing.T) {
	for _, again := range []bool{false, true} {
		t.Run(fmt.Sprintf("again=%v", again), func(t *testing.T) {
			dir, s, o, target := setUp(t)
			held, fresh := newIdentity(t, dir, "held"), newIdentity(t, dir, "fresh")
			line := authkeys.NewEntry(held.Entry.Key, "there", `from="192.0.2.1"`).Line() + "\n"
			writeRemote(t, dir, line)
			host := dial(t, o, target)
			plan, err := host.Plan(t.Context(), copyid.Goal{Present: []identity.Identity{held, fresh}})
			if err != nil {
				t.Fatal(err)
			}
			if plan.Evidence != copyid.FromFile || plan.Keys[0].Outcome != copyid.PresentOtherOptions || plan.Keys[1].Outcome != copyid.Add {
				t.Errorf("%+v", plan)
			}
			if got := remoteFile(t, dir); got != line {
				t.Errorf("a plan has changed the file to %q", got)
			}
			plan = throughJSON(t, plan)
			connections := int64(2) // that of the plan, and one to verify
			if again {
				host.Close()
				host, connections = dial(t, o, target), 3
			}
			report, err := host.Apply(t.Context(), plan)
			if err != nil {
				t.Fatal(err)
			}
			if added := report.Added(); len(added) != 1 || added[0].Entry.Comment != "fresh" || !report.Verification.LoggedIn {
				t.Errorf("%+v", report)
			}
			if got := remoteFile(t, dir); got != line+fresh.Entry.Line()+"\n" {
				t.Errorf("%q", got)
			}
			if c := s.Counters(); int64(c.Connections) != connections {
				t.Errorf("%d connections, want %d", c.Connections, connections)
			}
		})
	}
}

func throughJSON(t *testing.T, plan *copyid.Plan) *copyid.Plan {
	t.Helper()
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	read := &copyid.Plan{}
	if err := json.Unmarshal(text, read); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if again, err := json.Marshal(read); err != nil || string(again) != string(text) {
		t.Errorf("%s\nbecame %s, %v", text, again, err)
	}
	return read
}

// TestStalePlan: what a plan does not rest on any more is not carried out.
func TestStalePlan(t *testing.T) {
	dir, _, o, target := setUp(t)
	host := dial(t, o, target)
	plan, err := host.Plan(t.Context(), copyid.Goal{Present: []identity.Identity{newIdentity(t, dir, "id")}})
	if err != nil {
		t.Fatal(err)
	}
	writeRemote(t, dir, "# meanwhile\n")
	if _, err := host.Apply(t.Context(), plan); !errors.Is(err, copyid.ErrStale) {
		t.Errorf("applied: %v", err)
	}
	if got := remoteFile(t, dir); got != "# meanwhile\n" {
		t.Errorf("%q", got)
	}
}

// TestManyGoals: one Host serves several goals with one login.
func TestManyGoals(t *testing.T) {
	dir, s, o, target := setUp(t)
	o.NoVerify = true
	host := dial(t, o, target)
	var want string
	for _, name := range []string{"one", "two", "three"} {
		id := newIdentity(t, dir, name)
		want += id.Entry.Line() + "\n"
		report, err := host.Ensure(t.Context(), copyid.Goal{Present: []identity.Identity{id}})
		if err != nil || len(report.Added()) != 1 {
			t.Fatalf("%+v, %v", report, err)
		}
		if report, err = host.Ensure(t.Context(), copyid.Goal{Present: []identity.Identity{id}}); err != nil || report.Keys[0].Outcome != copyid.Accepted {
			t.Fatalf("again: %+v, %v", report, err)
		}
		v, err := host.Verify(t.Context(), []identity.Identity{id})
		if err != nil || !v.Done || len(v.Accepted) != 1 {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	if got := remoteFile(t, dir); got != want || s.Counters().Passwords != 1 {
		t.Errorf("%q, %d passwords", got, s.Counters().Passwords)
	}
}

// TestWithoutLogin: without a login the server's answers are all there is to report,
// and what needs a login says so.
func TestWithoutLogin(t *testing.T) {
	dir, _, o, target := setUp(t)
	o.NoPrompt = true
	id := newIdentity(t, dir, "id")
	host := dial(t, o, target)
	v, err := host.Verify(t.Context(), []identity.Identity{id})
	if err != nil || !v.Done || len(v.Refused) != 1 || len(v.Accepted) != 0 {
		t.Errorf("verified: %+v, %v", v, err)
	}
	if d, err := host.Diagnose(t.Context(), []identity.Identity{id}); !errors.Is(err, copyid.ErrNoLogin) {
		t.Errorf("diagnosed: %+v, %v", d, err)
	}
}

// TestPlanOfAnother: a plan is carried out on no other account.
func TestPlanOfAnother(t *testing.T) {
	dir, _, o, target := setUp(t)
	host := dial(t, o, target)
	plan, err := host.Plan(t.Context(), copyid.Goal{Present: []identity.Identity{newIdentity(t, dir, "id")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*copyid.Plan){
		func(p *copyid.Plan) { p.User = "bob" }, func(p *copyid.Plan) { p.Port++ }, func(p *copyid.Plan) { p.HostName = "other" },
		func(p *copyid.Plan) { p.TargetPath = "keys" }, func(p *copyid.Plan) { p.Account = "bob" }, func(p *copyid.Plan) { p.Format = copyid.RFC4716 },
	} {
		other := *plan
		change(&other)
		if _, err := host.Apply(t.Context(), &other); !errors.Is(err, copyid.ErrStale) {
			t.Errorf("%+v: %v", other, err)
		}
	}
	if report, err := host.Apply(t.Context(), plan); err != nil || len(report.Added()) != 1 {
		t.Errorf("the plan itself: %+v, %v", report, err)
	}
}

// TestAbsent: a goal that cannot be reached yet is refused before anything is done.
func TestAbsent(t *testing.T) {
	dir, s, o, target := setUp(t)
	id := newIdentity(t, dir, "id")
	goal := copyid.Goal{Present: []identity.Identity{id}, Absent: []ssh.PublicKey{id.Entry.Key}}
	host := dial(t, o, target)
	if _, err := host.Ensure(t.Context(), goal); !errors.Is(err, copyid.ErrAbsent) {
		t.Error(err)
	}
	if _, err := host.Plan(t.Context(), goal); !errors.Is(err, copyid.ErrAbsent) {
		t.Error(err)
	}
	if n := s.Counters().Connections; n != 0 {
		t.Errorf("%d connections", n)
	}
}

// writeRemote makes alice's file.
func writeRemote(t *testing.T, dir, text string) {
	t.Helper()
	sshDir := filepath.Join(dir, "remote", "alice", ".ssh")
	if err := os.MkdirAll(sshDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(sshDir, "authorized_keys"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
