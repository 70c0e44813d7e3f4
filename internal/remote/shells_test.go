//go:build unix

package remote

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/sftp"
)

// testShell is something a server may call sh.
type testShell struct {
	name string
	// busybox: the tools are busybox's too.
	busybox bool
	sftp    bool // no shell, but SFTP
}

var allShells = []testShell{
	{name: "dash"}, {name: "bash"}, {name: "busybox", busybox: true},
	{name: "ksh93"}, {name: "mksh"}, {name: "yash"}, {name: "zsh"},
}

// allRoads are the shells, and SFTP.
var allRoads = append(slices.Clone(allShells), testShell{name: "sftp", sftp: true})

// fastShells are enough where a test is about the script's logic.
var fastShells = []testShell{{name: "dash"}, {name: "busybox", busybox: true}}

// need skips a test that wants a program this machine has not got, unless the
// run is meant to be complete.
func need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil && os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
		t.Fatalf("%s is needed and not installed", program)
	}
	if err != nil {
		t.Skipf("%s is not installed", program)
	}
	return path
}

// each runs a test once for each of some shells.
func each(t *testing.T, shells []testShell, f func(t *testing.T, h *host)) {
	for _, sh := range shells {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			f(t, newHost(t, sh))
		})
	}
}

// host is an account on a machine without SSH: what would be an exec request
// starts a process.
type host struct {
	t    testing.TB
	home string
	env  []string
	sh   string // a link named sh
	// edit changes the script before it is sent.
	edit func(string) string
	// prefix is put before every command, such as nsenter with its options.
	prefix []string
	// uid runs the account as another user than the test; 0 does not.
	uid uint32
	// rc is shell text that runs before the command, as a start-up file would.
	rc string
	// login is the account's shell; empty means sh.
	login string
	sftp  bool // sessions are over SFTP
	// inner is the home as the host itself sees it, where that differs.
	inner string

	mu      sync.Mutex
	started []*exec.Cmd
}

func newHost(t testing.TB, sh testShell) *host {
	t.Helper()
	bin, parent := t.TempDir(), t.TempDir()
	for dir := parent; dir != os.TempDir(); dir = filepath.Dir(dir) {
		os.Chmod(dir, 0o755) // for hosts with another uid
	}
	h := &host{t: t, home: filepath.Join(parent, "home"), sftp: sh.sftp}
	if err := os.Mkdir(h.home, 0o755); err != nil {
		t.Fatal(err)
	}
	if sh.sftp {
		return h
	}
	path := need(t, sh.name)
	search := bin + ":/usr/bin:/bin"
	if sh.busybox {
		out, err := exec.Command(path, "--list").Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, applet := range strings.Fields(string(out)) {
			if err := os.Symlink(path, filepath.Join(bin, applet)); err != nil {
				t.Fatal(err)
			}
		}
		search = bin
	} else if err := os.Symlink(path, filepath.Join(bin, "sh")); err != nil {
		t.Fatal(err)
	}
	h.sh = filepath.Join(bin, "sh")
	// The test's tools come first, and with busybox there are no others.
	h.edit = func(script string) string { return strings.Replace(script, systemPath, search, 1) }
	h.env = []string{"HOME=" + h.home, "PATH=" + search, "USER=tester", "TMPDIR=" + t.TempDir()}
	return h
}

// session opens a session with the script.
func (h *host) session(o Options) Session {
	s := &shell{o: o}
	s.start = func(ctx context.Context, command, first string) (*process, error) {
		switch {
		case h.edit != nil && o.Account != "":
			command, first = h.editedForAccount(s.marker, first)
		case h.edit != nil:
			command, first = h.edited(s.marker, o.Trace, first)
		}
		return h.run(o, command, first)
	}
	if h.sftp {
		return h.sftpSession(o)
	}
	h.t.Cleanup(func() { s.Close() })
	return s
}

// edited is a first request with h.edit applied to the script.
func (h *host) edited(marker string, trace bool, first string) (command, text string) {
	old := script(marker, trace)
	now := h.edit(old)
	if now == old {
		h.t.Error("the edit did not change the script")
	}
	// The loader looks for dd where the script looks for its tools.
	_, path, _ := strings.Cut(now, "\nPATH=")
	path, _, _ = strings.Cut(path, "${PATH:+")
	return strings.Replace(bootstrap(marker, now), systemPath, path, 1), now + strings.TrimPrefix(first, old)
}

// editedForAccount is a first request for another account with h.edit applied
// to both scripts, and to the loader that is sent with the second.
func (h *host) editedForAccount(marker, first string) (command, text string) {
	end := "# " + marker
	way, rest, _ := strings.Cut(first, end)
	account, rest, _ := strings.Cut(strings.TrimPrefix(rest, "\n"), "\n")
	_, rest, _ = strings.Cut(rest, "\n") // the loader
	install, requests, _ := strings.Cut(rest, end)
	way, install = h.edit(way)+end, h.edit(install)+end
	boot := strings.TrimSuffix(strings.TrimPrefix(h.edit(bootstrap(marker, install)), "sh -c '"), "'")
	return h.edit(bootstrap(marker, way)), way + "\n" + account + "\n" + boot + "\n" + install + requests
}

// command is a process on the host, in a process group of its own.
func (h *host) command(arg ...string) *exec.Cmd {
	arg = append(slices.Clone(h.prefix), arg...)
	cmd := exec.Command(arg[0], arg[1:]...)
	cmd.Env, cmd.Dir = h.env, h.home
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if h.prefix != nil {
		cmd.Dir = "/"
	}
	if h.uid != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: h.uid, Gid: h.uid}
	}
	return cmd
}

// run starts command as sshd would.
func (h *host) run(o Options, command, first string) (*process, error) {
	login := h.login
	if login == "" {
		login = h.sh
	}
	cmd := h.command(login, "-c", h.rc+command)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &process{in: in, closeIn: in.Close, out: outRead, errs: &excerpt{}, ended: make(chan struct{}), status: -1}
	if o.Trace {
		p.errs.to = o.Stderr
	}
	cmd.Stdout, cmd.Stderr = outWrite, p.errs
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	outWrite.Close()
	h.mu.Lock()
	h.started = append(h.started, cmd)
	h.mu.Unlock()
	p.kill = func() { in.Close(); outRead.Close() }
	go func() {
		cmd.Wait()
		p.status = cmd.ProcessState.ExitCode()
		close(p.ended)
	}()
	go io.WriteString(in, first)
	return p, nil
}

// sftpSession opens a session with OpenSSH's sftp-server.
func (h *host) sftpSession(o Options) Session {
	cmd := h.command(sftpServer(h.t), "-d", cmp.Or(h.inner, h.home))
	in, err := cmd.StdinPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	s := &sftpSession{o: o, user: "tester"}
	c, err := sftp.NewClientPipe(&replies{Reader: out, s: s}, in)
	if err != nil {
		h.t.Fatal(err)
	}
	s.client = c
	if err := s.locate(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		c.Close()
		cmd.Wait()
	})
	return s
}

func sftpServer(t testing.TB) string {
	t.Helper()
	for _, path := range []string{"/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return need(t, "sftp-server")
}

func (h *host) path(name string) string { return filepath.Join(h.home, name) }

// keysFile is the default target.
func (h *host) keysFile() string { return h.path(".ssh/authorized_keys") }

// write makes a file, with its directory, of the given mode.
func (h *host) write(name, content string, mode os.FileMode) {
	h.t.Helper()
	path := h.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		h.t.Fatal(err)
	}
}

// want checks the content of a file below the home.
func (h *host) want(name, content string) {
	h.t.Helper()
	got, err := os.ReadFile(h.path(name))
	if err != nil {
		h.t.Error(err)
	} else if string(got) != content {
		h.t.Errorf("%s holds\n%q\nwant\n%q", name, got, content)
	}
}

// wantMode checks the permissions of something below the home.
func (h *host) wantMode(name string, mode os.FileMode) {
	h.t.Helper()
	info, err := os.Lstat(h.path(name))
	if err != nil {
		h.t.Error(err)
	} else if info.Mode().Perm() != mode {
		h.t.Errorf("%s has mode %o, want %o", name, info.Mode().Perm(), mode)
	}
}

// wantClean checks that no lock or scratch file is left beside the target.
func (h *host) wantClean() {
	h.t.Helper()
	filepath.WalkDir(h.home, func(path string, _ os.DirEntry, _ error) error {
		if strings.Contains(path, "ssh-copy-id") {
			h.t.Errorf("left behind: %s", path)
		}
		return nil
	})
}

// testBlob makes something that looks like the base64 blob of key number n.
func testBlob(n int) string {
	return fmt.Sprintf("AAAAC3NzaC1lZDI1NTE5AAAAI%043d", n)
}

// testLine is an authorized_keys line with testBlob(n).
func testLine(n int) string { return fmt.Sprintf("ssh-ed25519 %s key %d", testBlob(n), n) }

// install is the Change that adds keys without having read the file.
func install(keys ...int) Change {
	var c Change
	for _, n := range keys {
		c.Lines = append(c.Lines, testLine(n))
		c.Blobs = append(c.Blobs, testBlob(n))
	}
	return c
}

// add makes a change that has to succeed.
func add(t testing.TB, s Session, c Change) *Result {
	t.Helper()
	r, err := s.Add(timeout(t), c)
	if err != nil {
		t.Fatalf("Add: %v", err)
	}
	return r
}

func timeout(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// setLimits changes how long things may take, for one test.
func setLimits(t testing.TB, change func(*waitLimits)) {
	t.Helper()
	own := usualLimits
	change(&own)
	testLimits.Store(&own)
	t.Cleanup(func() { testLimits.Store(nil) })
}
