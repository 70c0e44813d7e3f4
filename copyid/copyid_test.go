package copyid_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

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
	o := copyid.Options{Home: dir, User: "me", UI: copyid.UI{Secret: func(string) ([]byte, error) { return []byte("secret"), nil }}}
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
	c := copyid.New(o)
	plan, err := c.Plan(ctx, target, ids)
	if err != nil {
		return nil, err
	}
	return c.Apply(ctx, plan)
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
	standing, fresh := newIdentity(t, dir, "standing"), newIdentity(t, dir, "fresh")
	sshDir := filepath.Join(dir, "remote", "alice", ".ssh")
	if err := os.MkdirAll(sshDir, 0o700); err != nil {
		t.Fatal(err)
	}
	line := authkeys.NewEntry(standing.Entry.Key, "there", `from="192.0.2.1"`).Line() + "\n"
	if err := os.WriteFile(filepath.Join(sshDir, "authorized_keys"), []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := install(o, target, standing, fresh)
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
	if report, err = install(o, target, standing); err != nil || len(report.Added()) != 1 || len(report.Keys[0].ExistingOptions) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestDryRun: nothing is asked for and nothing is written.
func TestDryRun(t *testing.T) {
	dir, s, o, target := setUp(t)
	o.DryRun = true
	o.UI.Secret = func(prompt string) ([]byte, error) { t.Errorf("asked %q", prompt); return nil, errors.New("no") }
	c := copyid.New(o)
	plan, err := c.Plan(t.Context(), target, []identity.Identity{newIdentity(t, dir, "id")})
	if err != nil {
		t.Fatal(err)
	}
	defer plan.Close()
	if len(plan.ToAdd()) != 1 || plan.Evidence != copyid.FromQueries || plan.LoggedIn {
		t.Errorf("%+v", plan)
	}
	if _, err := c.Apply(t.Context(), plan); !errors.Is(err, copyid.ErrDryRun) {
		t.Errorf("applied: %v", err)
	}
	if s.Counters().Passwords != 0 || remoteFile(t, dir) != "" {
		t.Error("something was sent or written")
	}
}

// Example installs a key in an account of which the password is known.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	server, options, target, err := account(dir) // a throw-away server
	if err != nil {
		panic(err)
	}
	defer server.Close()
	key, err := sshtest.GenerateKey("ed25519")
	if err != nil {
		panic(err)
	}
	if err := sshtest.WriteKey(filepath.Join(dir, "id_ed25519"), key, "me@here", ""); err != nil {
		panic(err)
	}

	ids, err := identity.ReadFile(filepath.Join(dir, "id_ed25519.pub"))
	if err != nil {
		panic(err)
	}
	client := copyid.New(options)
	plan, err := client.Plan(context.Background(), target, ids)
	if err != nil {
		panic(err)
	}
	report, err := client.Apply(context.Background(), plan)
	if err != nil {
		panic(err)
	}
	fmt.Println("added:", len(report.Added()), "accepted:", len(report.Verification.Accepted))
	// Output: added: 1 accepted: 1
}
