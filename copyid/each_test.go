package copyid_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/sshtest"
)

// fleet is many accounts, all with the same password. Some let in a key with a
// passphrase besides.
type fleet struct {
	dir     string
	targets []copyid.Target
	asked   atomic.Int32 // for the passphrase
	o       copyid.Options
}

const (
	fleetSize  = 50
	passphrase = "open sesame"
)

func newFleet(t *testing.T, size int) *fleet {
	t.Helper()
	f := &fleet{dir: t.TempDir()}
	key, err := sshtest.GenerateKey("ed25519")
	if err != nil {
		t.Fatal(err)
	}
	admin := filepath.Join(f.dir, "admin")
	if err := sshtest.WriteKey(admin, key, "admin", passphrase); err != nil {
		t.Fatal(err)
	}
	ids, err := identity.ReadFile(admin + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	for i := range size {
		s, err := sshtest.StartAccount(f.home(i, ".."), "alice", "secret")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		if i%3 == 0 {
			f.write(t, i, ids[0].Entry.Line()+"\n")
		}
		f.targets = append(f.targets, f.target(s.Port()))
	}
	f.o = copyid.Options{Home: f.dir, User: "me", UI: copyid.UI{Secret: func(_ copyid.Target, prompt string) ([]byte, error) {
		if strings.Contains(prompt, "passphrase") {
			f.asked.Add(1)
			return []byte(passphrase), nil
		}
		return []byte("secret"), nil
	}}}
	return f
}

// home is alice's on a host.
func (f *fleet) home(i int, below ...string) string {
	return filepath.Join(append([]string{f.dir, fmt.Sprint("host", i), "alice"}, below...)...)
}

func (f *fleet) write(t *testing.T, i int, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(f.home(i, ".ssh"), 0o700), os.WriteFile(f.home(i, ".ssh", "authorized_keys"), []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func (f *fleet) target(port int) copyid.Target {
	return copyid.Target{Destination: "alice@127.0.0.1", ConfigFile: "none", Config: []string{
		fmt.Sprint("Port=", port), "UserKnownHostsFile=" + filepath.Join(f.dir, "known_hosts"), "StrictHostKeyChecking=accept-new",
		"IdentityFile=" + filepath.Join(f.dir, "admin"),
	}}
}

// drawn are targets, and how many of them were drawn.
func drawn(targets []copyid.Target, count *int) iter.Seq[copyid.Target] {
	return func(yield func(copyid.Target) bool) {
		for _, target := range targets {
			*count++
			if !yield(target) {
				return
			}
		}
	}
}

// TestEach: fifty hosts get the key, a few at a time; of two that do not work there
// is an error. The passphrase is asked for once for all of them, and each of their
// new host keys is recorded.
func TestEach(t *testing.T) {
	const parallel = 8
	f := newFleet(t, fleetSize)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := f.target(closed.Addr().(*net.TCPAddr).Port)
	closed.Close()
	nonsense := copyid.Target{Destination: "alice@", ConfigFile: "none"}
	targets := append(slices.Clone(f.targets), dead, nonsense)
	var asking, installed atomic.Int32
	f.o.Progress.Asking = func(target copyid.Target) { asking.Add(1) }
	f.o.Progress.Installed = func(target copyid.Target, ids []identity.Identity) {
		if !slices.ContainsFunc(f.targets, func(t copyid.Target) bool { return slices.Equal(t.Config, target.Config) }) || len(ids) != 1 {
			t.Errorf("%d keys installed on %v", len(ids), target)
		}
		installed.Add(1)
	}
	id := newIdentity(t, f.dir, "new")
	started, finished, failed := 0, map[string]bool{}, 0
	for target, result := range copyid.New(f.o).Each(t.Context(), drawn(targets, &started), copyid.Goal{Present: []identity.Identity{id}}, parallel) {
		finished[target.Destination+strings.Join(target.Config, " ")] = true
		if more := started - len(finished); more >= parallel {
			t.Errorf("%d hosts at once", more+1)
		}
		switch {
		case result.Err != nil && (target.Destination == nonsense.Destination || slices.Equal(target.Config, dead.Config)):
			failed++
		case result.Err != nil:
			t.Errorf("%v: %v", target, result.Err)
		case len(result.Report.Added()) != 1 || !result.Report.Verification.LoggedIn || !slices.Equal(result.Report.Target.Config, target.Config):
			t.Errorf("%+v", result.Report)
		}
	}
	if len(finished) != len(targets) || failed != 2 || f.asked.Load() != 1 {
		t.Errorf("%d hosts, %d failed, asked for the passphrase %d times", len(finished), failed, f.asked.Load())
	}
	if installed.Load() != fleetSize || asking.Load() != fleetSize+1 {
		t.Errorf("reported: asking %d, installed %d", asking.Load(), installed.Load())
	}
	for i := range f.targets {
		text, err := os.ReadFile(f.home(i, ".ssh", "authorized_keys"))
		if err != nil || strings.Count(string(text), id.Entry.Line()+"\n") != 1 {
			t.Errorf("host %d: %q, %v", i, text, err)
		}
	}
	known, err := os.ReadFile(filepath.Join(f.dir, "known_hosts"))
	if err != nil || strings.Count(string(known), "\n") < fleetSize {
		t.Errorf("%d lines in known_hosts, %v", strings.Count(string(known), "\n"), err)
	}
}

// TestEachCancelled: after the end of the context every target that is left has
// its error, and no file is touched any more.
func TestEachCancelled(t *testing.T) {
	f := newFleet(t, 12)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	id := newIdentity(t, f.dir, "new")
	started, added, cancelled := 0, 0, 0
	for _, result := range copyid.New(f.o).Each(ctx, drawn(f.targets, &started), copyid.Goal{Present: []identity.Identity{id}}, 1) {
		switch {
		case result.Err == nil:
			if added++; added == 2 {
				cancel()
			}
		case errors.Is(result.Err, context.Canceled):
			cancelled++
		default:
			t.Error(result.Err)
		}
	}
	if added != 2 || cancelled != len(f.targets)-2 {
		t.Errorf("added on %d hosts, cancelled on %d", added, cancelled)
	}
	if n := f.holding(id); n != 2 {
		t.Errorf("%d hosts have the key", n)
	}
}

// TestEachLeft: when the loop is left no further target is drawn, and no host is
// under way.
func TestEachLeft(t *testing.T) {
	const parallel = 4
	f := newFleet(t, 12)
	id := newIdentity(t, f.dir, "new")
	started := 0
	for _, result := range copyid.New(f.o).Each(t.Context(), drawn(f.targets, &started), copyid.Goal{Present: []identity.Identity{id}}, parallel) {
		if result.Err != nil {
			t.Error(result.Err)
		}
		break
	}
	if started != parallel {
		t.Errorf("%d targets drawn, want %d", started, parallel)
	}
	if held := f.holding(id); held < 1 || held > parallel {
		t.Errorf("%d hosts have the key", held)
	}
}

// holding counts the hosts that have a key.
func (f *fleet) holding(id identity.Identity) int {
	n := 0
	for i := range f.targets {
		if text, _ := os.ReadFile(f.home(i, ".ssh", "authorized_keys")); strings.Contains(string(text), id.Entry.Line()+"\n") {
			n++
		}
	}
	return n
}
