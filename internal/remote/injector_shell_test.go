//go:build linux

package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

// two is the change most faults break off.
var two = install(0, 1)

// calibrate makes one run without a fault on each rig.
func calibrate(t *testing.T, list []*rig) {
	t.Helper()
	for _, g := range list {
		s, err := build(g.Home, 1, "", lines(2))
		if err == nil {
			_, err = g.install(never, two)
		}
		if err == nil {
			err = s.right()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// once makes one fault on a rig, in the n-th start state and with that many keys.
func (g *rig) once(n, keys int, f fault) error {
	s, err := build(g.Home, n, "", lines(keys))
	if err != nil {
		return err
	}
	c := install(sequence(keys)...)
	_, err = g.install(f, c)
	if _, left := os.Lstat(s.file() + ".ssh-copy-id.lock"); left == nil && f.signal != syscall.SIGKILL {
		return fmt.Errorf("%s, state %d, %+v: the lock was left", g.Sh, n, f)
	}
	if err := s.settle(err, false, g.again(c)); err != nil {
		return fmt.Errorf("%s, state %d, %+v: %w", g.Sh, n, f, err)
	}
	return g.noScratch()
}

// noScratch looks for what the shells and tools may leave in TMPDIR.
func (g *rig) noScratch() error {
	for _, v := range g.Env {
		if dir, ok := strings.CutPrefix(v, "TMPDIR="); ok {
			left, err := os.ReadDir(dir)
			if len(left) > 0 {
				return fmt.Errorf("left in TMPDIR: %v", left)
			}
			return err
		}
	}
	return errors.New("no TMPDIR")
}

// inputCut: standard input ends after every number of bytes of the request,
// and after every eighth of the script. The shells share them out: what the
// request has in it is the same for all of them, and the script has not begun.
func (in *injection) inputCut(t *testing.T) {
	workers := rigs(t, 2)
	calibrate(t, workers)
	step, sparse := 1, 8
	if testing.Short() {
		step, sparse = 40, 800
	}
	for i, sh := range shells.Fast {
		pair := workers[2*i : 2*i+2]
		var cuts []int
		for at := sparse * i; at < pair[0].head; at += sparse * len(shells.Fast) {
			cuts = append(cuts, at)
		}
		for at := pair[0].head + step*i; at <= pair[0].total; at += step * len(shells.Fast) {
			cuts = append(cuts, at)
		}
		t.Run(sh.Name, func(t *testing.T) {
			in.each(t, len(pair), len(cuts), func(w, i int, _ *rand.Rand) error {
				return pair[w].once(i/2, 2, fault{input: cuts[i], output: -1})
			})
		})
	}
}

// beginning is the length of what begins an answer.
var beginning = len("\n" + scriptrun.NewMarker() + " begin\n")

// signals: at a random moment standard output is closed, or the shell or all
// of its processes get a signal.
func (in *injection) signals(t *testing.T) {
	workers := rigs(t, 2)
	calibrate(t, workers)
	n := 240
	if testing.Short() {
		n = 24
	}
	in.each(t, len(workers), n, func(w, i int, rng *rand.Rand) error {
		g := workers[w]
		f := never
		if i/4%4 == 0 {
			// In the middle of the word that begins an answer a connection ends
			// without an exit status, which a process on this machine has.
			f.output = beginning + rng.IntN(1200)
		} else {
			f.signal = []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGHUP}[i/4%4-1]
			f.group = rng.IntN(3) > 0
			f.after = time.Duration(rng.Int64N(int64(60 * time.Millisecond)))
		}
		return g.once(rng.IntN(48), []int{2, 40}[rng.IntN(2)], f)
	})
}

// fullDisk: a disk that has room for the lock and for every number of bytes
// of the lines, which the shells and SFTP share out, and one that has not even
// that; some of the runs on it are killed as well.
func (in *injection) fullDisk(t *testing.T) {
	writers := append(slices.Clone(shells.Fast), shells.Shell{Name: "sftp", SFTP: true})
	for w, sh := range writers {
		t.Run(sh.Name, func(t *testing.T) {
			var disks []*disk
			for range 2 {
				disks = append(disks, newDisk(t, sh))
			}
			var list []shortage
			for room := range 5 {
				first, step := 0, 24
				if room == lockPages {
					first, step = w, len(writers)
				}
				if testing.Short() {
					step = 64
				}
				for left := first; left <= len(lines(2))+2; left += step {
					list = append(list, shortage{room, left, false})
				}
			}
			for range len(list) / 4 {
				list = append(list, shortage{lockPages, -1, true})
			}
			outcomes := map[string]int{}
			var mu sync.Mutex
			in.each(t, len(disks), len(list), func(w, i int, rng *rand.Rand) error {
				short := list[i]
				if short.left < 0 {
					short.left = 1 + rng.IntN(len(lines(2))-1)
				}
				outcome, err := disks[w].fault(short, rng)
				mu.Lock()
				outcomes[outcome]++
				mu.Unlock()
				return err
			})
			if !testing.Short() && (outcomes[string(Full)] < 50 || outcomes["installed"] < 5) {
				t.Errorf("outcomes %v", outcomes)
			}
		})
	}
}

// lockPages is how many pages of a tmpfs a lock needs: one for each of owner,
// data and journal.
const lockPages = 3

// shortage is how much room a disk has: pages, and bytes in the last page of
// the file.
type shortage struct {
	pages, left int
	kill        bool
}

// disk is a host with a small disk.
type disk struct {
	*rig
}

func newDisk(t *testing.T, sh shells.Shell) *disk {
	h := fullDisk(t, sh)
	own := h.Edit
	h.Edit = func(script string) string {
		if own != nil {
			script = own(script)
		}
		return strings.ReplaceAll(script, "-lt 200", "-lt 3")
	}
	return &disk{&rig{host: h}}
}

// fault makes one run on a full disk and one on the same disk with room.
func (d *disk) fault(short shortage, rng *rand.Rand) (outcome string, err error) {
	const page = 4 << 10
	os.Remove(d.Path("filler"))
	size := page - short.left
	if short.left == 0 {
		size = page
	}
	text := "# " + strings.Repeat("x", size-3)
	text += []string{"\n", "y"}[rng.IntN(2)]
	s, err := build(d.Home, []int{0, 1, 6, 7, 12, 13, 24, 25}[rng.IntN(8)], text, lines(2))
	if err != nil {
		return "", err
	}
	s.tree = append(s.tree, "filler")
	if err := fillTo(d.Path("filler"), short.pages*page); err != nil {
		return "", err
	}
	f := never
	if short.kill {
		f.signal, f.group = syscall.SIGKILL, rng.IntN(2) == 0
		f.after = time.Duration(rng.Int64N(int64(40 * time.Millisecond)))
	}
	_, failed := d.on(f)
	outcome = "installed"
	var e *RemoteError
	if errors.As(failed, &e) {
		outcome = string(e.Reason)
	}
	if err := s.settle(failed, short.kill, func() (*Result, error) {
		if err := os.Truncate(d.Path("filler"), 0); err != nil {
			return nil, err
		}
		return d.on(never)
	}); err != nil {
		return outcome, fmt.Errorf("%+v: %w", short, err)
	}
	return outcome, nil
}

// on makes one run.
func (d *disk) on(f fault) (*Result, error) {
	if !d.sftp {
		return d.install(f, two)
	}
	s := d.session(Options{})
	defer s.Close()
	if f.signal != 0 {
		timer := time.AfterFunc(f.after/20, func() { s.Close() })
		defer timer.Stop()
	}
	return s.Edit(shells.Timeout(d.T), two)
}

// fillTo leaves room bytes on the file system of a file.
func fillTo(name string, room int) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	block := make([]byte, 4<<10)
	size := 0
	for err == nil {
		var n int
		n, err = f.Write(block)
		size += n
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	if size < room {
		return fmt.Errorf("%s: only %d bytes of room", name, size)
	}
	return f.Truncate(int64(size - room))
}

// together: several installs of different keys at once, some of them killed.
func (in *injection) together(t *testing.T) {
	const runs, kills = 6, 3
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	for _, sh := range shells.Fast {
		t.Run(sh.Name, func(t *testing.T) {
			h := newHost(t, sh)
			own := h.Edit
			h.Edit = func(script string) string {
				if own != nil {
					script = own(script)
				}
				return strings.ReplaceAll(script, "-lt 200", "-lt 15")
			}
			in.planned.Add(int64(rounds * kills))
			for round := range rounds {
				rng := rand.New(rand.NewPCG(in.seed, uint64(round)))
				if err := oneRound(h, round, runs, kills, rng); err != nil {
					t.Errorf("seed %d, round %d: %v", in.seed, round, err)
				}
				in.made.Add(kills)
			}
		})
	}
}

// oneRound is one round of together.
func oneRound(h *host, round, runs, kills int, rng *rand.Rand) error {
	s, err := build(h.Home, 2*rng.IntN(24)+round%2, "", "")
	if err != nil {
		return err
	}
	faults := make([]fault, runs)
	for i := range faults {
		faults[i] = never
		if i < kills {
			faults[i].signal, faults[i].group = syscall.SIGKILL, rng.IntN(2) == 0
			faults[i].after = time.Duration(rng.Int64N(int64(150 * time.Millisecond)))
		}
	}
	errs := make([]error, runs)
	once := func(f func(i int) fault) {
		together(runs, func(i int) { _, errs[i] = (&rig{host: h}).install(f(i), install(i)) })
	}
	once(func(i int) fault { return faults[i] })
	have, err := h.whole(s, runs)
	for i, failed := range errs {
		var e *RemoteError
		if failed == nil && have[i] == 0 || have[i] > 1 || i >= kills && failed != nil {
			err = errors.Join(err, fmt.Errorf("key %d is there %d times, error %v", i, have[i], failed))
		} else if failed != nil && have[i] == 1 && (!errors.As(failed, &e) || !e.Unsure) {
			err = errors.Join(err, fmt.Errorf("key %d is there, but the error says it is not: %w", i, failed))
		}
	}
	once(func(int) fault { return never })
	err = errors.Join(append(errs, err)...)
	have, wrong := h.whole(s, runs)
	for i, n := range have {
		if n != 1 {
			wrong = errors.Join(wrong, fmt.Errorf("key %d is there %d times in the end", i, n))
		}
	}
	got, _ := os.ReadFile(h.KeysFile())
	s.after = string(got)
	return errors.Join(err, wrong, s.right())
}

// whole counts each of n keys, and tells what else there is behind the old
// content.
func (h *host) whole(s *site, n int) ([]int, error) {
	have := make([]int, n)
	got, err := os.ReadFile(h.KeysFile())
	if err != nil && !(s.absent && errors.Is(err, fs.ErrNotExist)) {
		return have, err
	}
	added, ok := strings.CutPrefix(string(got), s.before)
	if !ok {
		return have, fmt.Errorf("the old content has changed: %q", got)
	}
	if s.before != "" && !strings.HasSuffix(s.before, "\n") {
		added = strings.TrimPrefix(added, "\n")
	}
	for line := range strings.Lines(added) {
		i := slices.IndexFunc(sequence(n), func(i int) bool { return line == testLine(i)+"\n" })
		if i < 0 {
			return have, fmt.Errorf("not a whole line: %q in %q", line, got)
		}
		have[i]++
	}
	return have, s.same()
}
