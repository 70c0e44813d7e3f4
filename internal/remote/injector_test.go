//go:build linux

package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

// injectorFaults is the least number of faults TestInjector must have made.
const injectorFaults = 3000

// injection is one run of TestInjector: its seed, and what was done.
type injection struct {
	seed          uint64
	made, planned atomic.Int64
	parts         atomic.Int64
}

// TestInjector breaks the work off at thousands of points, by every means
// there is. After each fault the file holds all of the new lines or is byte
// for byte what it was; one more run then leaves exactly the right file, its
// mode, owner, link and hard links as before, and nothing else.
//
// SSHCOPYID_SEED chooses other random faults than the usual ones.
func TestInjector(t *testing.T) {
	in := &injection{seed: 20}
	if text := os.Getenv("SSHCOPYID_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		in.seed = n
	}
	// Nobody else is at work: a lock is waited for only as long as it takes to
	// see that it does not change.
	lockStale = 20 * time.Millisecond
	t.Cleanup(func() { lockStale = 20 * time.Second })
	// Everything else takes as long as it does on a busy machine.
	shells.SetLimits(t, func(l *scriptrun.Limits) {
		l.Close, l.Single, l.Total = 100*time.Millisecond, 5*time.Minute, 5*time.Minute
	})
	parts := []struct {
		name string
		run  func(*testing.T)
	}{
		{"input cut", in.inputCut}, {"signals", in.signals}, {"full disk", in.fullDisk},
		{"together", in.together}, {"connection cut", in.connectionCut},
	}
	start := time.Now()
	t.Run("all", func(t *testing.T) {
		for _, part := range parts {
			t.Run(part.name, func(t *testing.T) {
				in.parts.Add(1)
				part.run(t)
			})
		}
	})
	t.Logf("%d faults in %v, seed %d", in.made.Load(), time.Since(start).Round(time.Second), in.seed)
	if made, planned := in.made.Load(), in.planned.Load(); made < planned {
		t.Errorf("%d faults of %d", made, planned)
	} else if int(in.parts.Load()) == len(parts) && !testing.Short() && made < injectorFaults {
		t.Errorf("%d faults, want %d", made, injectorFaults)
	}
}

// site is an account's home in one of several start states.
type site struct {
	home   string
	before string // the file; "" where there is none
	after  string // what it has to become
	absent bool
	link   bool // authorized_keys is a link to ../store/keys
	loose  bool // a new file may be readable by others
	stat   syscall.Stat_t
	tree   []string // what has to be in the home in the end
	start  string   // every entry of the home before the fault
}

// build makes the n-th of the start states, for an install of some lines. A
// text that is not "" is the file's content.
func build(home string, n int, text, added string) (*site, error) {
	s, err := buildState(home, n, text, added)
	s.start = s.entries()
	return s, err
}

func buildState(home string, n int, text, added string) (*site, error) {
	s := &site{home: home, link: n%2 == 0}
	switch n % 6 {
	case 0, 5:
		s.before = "# mine\n"
	case 1, 4:
		s.before = "# mine\nssh-rsa AAAA last"
	default:
		s.absent = text == ""
	}
	if text != "" {
		s.before = text
	}
	s.after = s.before + added
	if s.before != "" && !strings.HasSuffix(s.before, "\n") {
		s.after = s.before + "\n" + added
	}
	entries, err := os.ReadDir(home)
	for _, entry := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(home, entry.Name())))
	}
	s.tree = []string{".ssh", ".ssh/authorized_keys"}
	if s.absent && !s.link {
		return s, err
	}
	err = errors.Join(err, os.Mkdir(filepath.Join(home, ".ssh"), 0o700))
	file := s.file()
	if s.link {
		s.tree = append(s.tree, "store", "store/keys")
		file = filepath.Join(home, "store/keys")
		err = errors.Join(err, os.Mkdir(filepath.Dir(file), 0o700), os.Symlink("../store/keys", s.file()))
	}
	if s.absent || err != nil {
		return s, err
	}
	mode := []os.FileMode{0o600, 0o640}[n/6%2]
	err = errors.Join(os.WriteFile(file, []byte(s.before), mode), os.Chmod(file, mode))
	if n/12%2 == 1 {
		s.tree = append(s.tree, "twin")
		err = errors.Join(err, os.Link(file, filepath.Join(home, "twin")))
	}
	if n/24%2 == 1 && os.Getuid() == 0 {
		err = errors.Join(err, os.Chown(file, 65534, 65533))
	}
	return s, errors.Join(err, syscall.Stat(file, &s.stat))
}

// entries describes every entry of the home. The times of the directories tell of
// a lock that came and went.
func (s *site) entries() string {
	var b strings.Builder
	filepath.WalkDir(s.home, func(path string, _ fs.DirEntry, _ error) error {
		var stat syscall.Stat_t
		err := syscall.Lstat(path, &stat)
		stat.Atim = syscall.Timespec{} // whoever looks changes it
		fmt.Fprintf(&b, "%s %+v %v\n", path, stat, err)
		return nil
	})
	return b.String()
}

func (s *site) file() string { return filepath.Join(s.home, ".ssh/authorized_keys") }

// look tells whether the file is old or new. With journal it may also be a
// beginning of the new text that the lock knows to take back.
func (s *site) look(journal bool) (isNew bool, err error) {
	got, err := os.ReadFile(s.file())
	text := string(got)
	switch {
	case err != nil && !(s.absent && errors.Is(err, fs.ErrNotExist)):
		return false, err
	case text == s.after:
		return true, s.same()
	case text == s.before:
		return false, s.same()
	}
	note, _ := os.ReadFile(s.file() + ".ssh-copy-id.lock/journal")
	size, _, ok := parseJournal(string(note))
	if journal && ok && size == int64(len(s.before)) && strings.HasPrefix(s.after, text) {
		return false, s.same()
	}
	return false, fmt.Errorf("%d bytes of a file that had %d and should have %d: …%q; journal %q", len(got), len(s.before), len(s.after), text[max(0, len(text)-200):], note)
}

// same tells what else about the file has changed.
func (s *site) same() error {
	if link, err := os.Readlink(s.file()); s.link && (err != nil || link != "../store/keys") {
		return fmt.Errorf("the link is gone: %q, %v", link, err)
	}
	if s.absent {
		return nil
	}
	var now syscall.Stat_t
	if err := syscall.Stat(s.file(), &now); err != nil {
		return err
	}
	if now.Ino != s.stat.Ino || now.Mode != s.stat.Mode || now.Uid != s.stat.Uid || now.Gid != s.stat.Gid || now.Nlink != s.stat.Nlink {
		return fmt.Errorf("inode, mode, owner, group or links were %d %o %d %d %d, are %d %o %d %d %d", s.stat.Ino, s.stat.Mode,
			s.stat.Uid, s.stat.Gid, s.stat.Nlink, now.Ino, now.Mode, now.Uid, now.Gid, now.Nlink)
	}
	return nil
}

// right tells what is wrong after a run without a fault.
func (s *site) right() error {
	isNew, err := s.look(false)
	if err == nil && !isNew {
		err = errors.New("the run without a fault installed nothing")
	}
	var have []string
	filepath.WalkDir(s.home, func(path string, _ fs.DirEntry, _ error) error {
		if name, _ := filepath.Rel(s.home, path); name != "." {
			have = append(have, name)
		}
		return nil
	})
	slices.Sort(s.tree)
	if !slices.Equal(have, s.tree) {
		err = errors.Join(err, fmt.Errorf("the home holds %q, want %q", have, s.tree))
	}
	if info, statErr := os.Stat(s.file()); s.absent && (statErr != nil || info.Mode().Perm() != 0o600 && !s.loose) {
		err = errors.Join(err, fmt.Errorf("the new file: %v, %v", info, statErr))
	}
	return err
}

// settle checks the file after a fault that ended with err, installs once more
// with again, and checks that all is right. Where nothing in the home was touched
// another run would be the same as on any such home.
func (s *site) settle(err error, journal bool, again func() (*Result, error)) error {
	isNew, wrong := s.look(journal)
	var e *RemoteError
	switch {
	case wrong != nil:
	case err == nil && !isNew:
		wrong = errors.New("success is told, and nothing installed")
	case isNew && err != nil && (!errors.As(err, &e) || !e.Unsure):
		wrong = fmt.Errorf("the lines are there, but the error says they are not: %v", err)
	}
	if wrong == nil && err != nil && s.entries() == s.start {
		return nil
	}
	r, err := again()
	switch {
	case err != nil:
		wrong = errors.Join(wrong, fmt.Errorf("next run: %w", err))
	case r.Applied == isNew:
		wrong = errors.Join(wrong, fmt.Errorf("next run: the file was new: %v, applied: %v", isNew, r.Applied))
	}
	return errors.Join(wrong, s.right())
}

// fault is what breaks one run of the script. -1 stands for never.
type fault struct {
	input, output int // bytes after which the script's standard input ends, its output is closed
	signal        syscall.Signal
	group         bool // to all processes, not only to the one sshd would know
	after         time.Duration
}

// rig is a host, and what the last run on it was like.
type rig struct {
	*host
	total, head int // bytes of standard input, and those of the script alone
	took        time.Duration
}

// install makes one run with a fault, and waits for the end of every process.
func (g *rig) install(f fault, c Change) (r *Result, err error) {
	var gone *os.File
	s := &shell{script: scriptrun.New(program, scriptrun.Options{}, func(_ context.Context, command, first string, _ *scriptrun.Clock) (*scriptrun.Process, error) {
		plain := len(scriptrun.Framed(scriptrun.NewMarker(), program, false))
		if g.Edit != nil {
			old := len(first)
			command, first = g.Edited(scriptrun.Options{}, first)
			plain += len(first) - old
		}
		g.total, g.head = len(first), plain
		p, alive, err := g.start(f, command, first)
		gone = alive
		return p, err
	})}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	start := time.Now()
	r, err = s.Edit(ctx, c)
	g.took = time.Since(start)
	s.Close()
	if gone != nil {
		io.Copy(io.Discard, gone)
		gone.Close()
	}
	return r, err
}

// start runs a command as host.run does. Every process of it holds a pipe
// open, the end of which is alive.
func (g *rig) start(f fault, command, first string) (p *scriptrun.Process, alive *os.File, err error) {
	cmd := g.Command(g.Sh, "-c", command)
	in, err1 := cmd.StdinPipe()
	outRead, outWrite, err2 := os.Pipe()
	alive, held, err3 := os.Pipe()
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, nil, err
	}
	p = &scriptrun.Process{In: in, CloseIn: in.Close, Out: outRead, Errs: &scriptrun.Excerpt{}, Ended: make(chan struct{}), Status: -1}
	if f.output >= 0 {
		p.Out = &hangup{outRead, f.output}
	}
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = outWrite, p.Errs, []*os.File{held}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	outWrite.Close()
	held.Close()
	p.Kill = func() { in.Close(); outRead.Close() }
	timer := &time.Timer{}
	if f.signal != 0 {
		timer = time.AfterFunc(f.after, func() {
			if f.group {
				syscall.Kill(-cmd.Process.Pid, f.signal)
			} else {
				cmd.Process.Signal(f.signal)
			}
		})
	}
	go func() {
		cmd.Wait()
		if f.signal != 0 {
			timer.Stop()
		}
		p.Status = cmd.ProcessState.ExitCode()
		close(p.Ended)
	}()
	go func() {
		if f.input < 0 || f.input > len(first) {
			io.WriteString(in, first)
			return
		}
		io.WriteString(in, first[:f.input])
		in.Close()
	}()
	return p, alive, nil
}

// hangup reads some bytes and then closes what it reads from.
type hangup struct {
	*os.File
	left int
}

func (h *hangup) Read(p []byte) (int, error) {
	if h.left <= 0 {
		h.Close()
		return 0, io.EOF
	}
	n, err := h.File.Read(p[:min(len(p), h.left)])
	h.left -= n
	return n, err
}

// never is no fault.
var never = fault{input: -1, output: -1}

// again is a run without a fault.
func (g *rig) again(c Change) func() (*Result, error) {
	return func() (*Result, error) { return g.install(never, c) }
}

// rigs are some hosts with each of the fast shells.
func rigs(t *testing.T, each int) []*rig {
	t.Helper()
	var list []*rig
	for _, sh := range shells.Fast {
		for range each {
			h := newHost(t, sh)
			own := h.Edit
			h.Edit = func(script string) string {
				if own != nil {
					script = own(script)
				}
				// A lock that nobody signed is given up sooner, as lockStale is.
				return strings.ReplaceAll(script, "-lt 200", "-lt 3")
			}
			list = append(list, &rig{host: h})
		}
	}
	return list
}

// each makes faults number 0 to n-1, several at a time: worker w makes those
// that make(w, …) is called for, one after the other.
func (in *injection) each(t *testing.T, workers, n int, make func(w, i int, rng *rand.Rand) error) {
	t.Helper()
	in.planned.Add(int64(n))
	var wrong atomic.Int64
	together(workers, func(w int) {
		for i := w; i < n && wrong.Load() < 5; i += workers {
			err := make(w, i, rand.New(rand.NewPCG(in.seed, uint64(i))))
			in.made.Add(1)
			if err != nil {
				wrong.Add(1)
				t.Errorf("seed %d, fault %d: %v", in.seed, i, err)
			}
		}
	})
}
