//go:build unix

package copyid_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/sshtest"
)

// stand is one account, and keys for it.
type stand struct {
	server *sshtest.Server
	o      copyid.Options
	file   string
	known  string
	ids    []identity.Identity
	added  string // the lines of ids
}

func newStand(t *testing.T) *stand {
	t.Helper()
	dir, server, o, _ := setUp(t)
	st := &stand{server: server, o: o, file: filepath.Join(dir, "remote/alice/.ssh/authorized_keys"), known: filepath.Join(dir, "box")}
	if err := os.WriteFile(st.known, []byte(server.KnownHosts(false, "box")), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		id := newIdentity(t, dir, fmt.Sprint("id", i))
		st.ids = append(st.ids, id)
		st.added += id.Entry.Line() + "\n"
	}
	return st
}

// install adds the keys through a port.
func (st *stand) install(port int) (*copyid.Report, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	host, err := copyid.New(st.o).Dial(ctx, copyid.Target{Destination: "alice@127.0.0.1", ConfigFile: "none", Config: []string{
		fmt.Sprintf("Port=%d", port), "HostKeyAlias=box", "UserKnownHostsFile=" + st.known,
	}})
	if err != nil {
		return nil, err
	}
	defer host.Close()
	return host.Ensure(ctx, copyid.Goal{Present: st.ids})
}

// through installs through a proxy and waits until the server is done. It
// tells what went each way.
func (st *stand) through(cfg sshtest.ProxyConfig) (report *copyid.Report, up, down int64, err error) {
	p, err := sshtest.StartProxy(st.server.Addr(), cfg)
	if err != nil {
		return nil, 0, 0, err
	}
	defer p.Close()
	report, err = st.install(p.Port())
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if slow := st.server.Wait(ctx); slow != nil {
		return report, 0, 0, slow
	}
	up, down = p.Bytes()
	return report, up, down, err
}

// put makes the file; "" removes it with its directory.
func (st *stand) put(text string) error {
	dir := filepath.Dir(st.file)
	if err := os.RemoveAll(dir); err != nil || text == "" {
		return err
	}
	return errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(st.file, []byte(text), 0o600))
}

// fault makes one install with a cut connection and one without.
func (st *stand) fault(before string, cfg sshtest.ProxyConfig) error {
	after := before + st.added
	if before != "" && !strings.HasSuffix(before, "\n") {
		after = before + "\n" + st.added
	}
	if err := st.put(before); err != nil {
		return err
	}
	report, _, _, err := st.through(cfg)
	text, readErr := os.ReadFile(st.file)
	if readErr != nil && !(before == "" && errors.Is(readErr, os.ErrNotExist)) {
		return readErr
	}
	got := string(text)
	var failed *copyid.RemoteError
	switch {
	case got != before && got != after:
		return fmt.Errorf("the file is between the two: %q", got)
	case err == nil && (got != after || len(report.Added()) != len(st.ids)):
		return fmt.Errorf("%d keys are told, the file is %q", len(report.Added()), got)
	case err == nil && report.Verification.Done && len(report.Verification.Refused) > 0:
		return fmt.Errorf("the keys are there, and said to be refused")
	case err != nil && got == after && (!errors.As(err, &failed) || !failed.Unsure):
		return fmt.Errorf("the keys are there, but the error says they are not: %v", err)
	}
	again, err := st.install(st.server.Port())
	if err != nil {
		return fmt.Errorf("next run: %v", err)
	}
	if wrong := len(again.Added()) > 0 == (got == after); wrong {
		return fmt.Errorf("next run: %d keys added to %q", len(again.Added()), got)
	}
	if text, err := os.ReadFile(st.file); err != nil || string(text) != after {
		return fmt.Errorf("in the end the file is %q, want %q, %v", text, after, err)
	}
	if entries, err := os.ReadDir(filepath.Dir(st.file)); err != nil || len(entries) != 1 {
		return fmt.Errorf("left behind: %v, %v", entries, err)
	}
	return nil
}

// TestInjector cuts the connection of the work, and the one that verifies, at
// points all over them: the keys are there or they are not, and the report and
// the next run know which.
func TestInjector(t *testing.T) {
	const seed, workers = 20, 3
	cuts := 200
	if testing.Short() {
		cuts = 24
	}
	var stands []*stand
	for range workers {
		stands = append(stands, newStand(t))
	}
	_, up, down, err := stands[0].through(sshtest.ProxyConfig{})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	var made, wrong atomic.Int64
	var all sync.WaitGroup
	for w, st := range stands {
		all.Go(func() {
			for i := w; i < cuts && wrong.Load() < 5; i += workers {
				rng := rand.New(rand.NewPCG(seed, uint64(i)))
				// Of each four cuts three are of the first connection, which has
				// most of the bytes of both.
				cfg := sshtest.ProxyConfig{CutConnection: 1 + i%4/3}
				at := func(total int64) int64 {
					if cfg.CutConnection == 2 {
						total /= 4
					}
					return 1 + (int64(i)*total+rng.Int64N(total))/int64(cuts)
				}
				if i/4%2 == 0 {
					cfg.CutToServer = at(up)
				} else {
					cfg.CutToClient = at(down)
				}
				before := []string{"", "# mine\n", "# mine\nssh-rsa AAAA last"}[rng.IntN(3)]
				if err := st.fault(before, cfg); err != nil {
					wrong.Add(1)
					t.Errorf("seed %d, fault %d, %+v, before %q: %v", seed, i, cfg, before, err)
				}
				made.Add(1)
			}
		})
	}
	all.Wait()
	t.Logf("%d faults in %v, seed %d", made.Load(), time.Since(start).Round(time.Second), seed)
	if int(made.Load()) < cuts {
		t.Errorf("%d faults of %d", made.Load(), cuts)
	}
}
