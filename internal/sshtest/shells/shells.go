//go:build unix

package shells

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ssh-copy-id/internal/scriptrun"
)

// Shell is something a server may call sh.
type Shell struct {
	Name string
	// Busybox: the tools are busybox's too.
	Busybox bool
	SFTP    bool // no shell, but SFTP
}

// All are the shells.
var All = []Shell{
	{Name: "dash"}, {Name: "bash"}, {Name: "busybox", Busybox: true},
	{Name: "ksh93"}, {Name: "mksh"}, {Name: "yash"}, {Name: "zsh"},
}

// Fast are enough where a test is about a script's logic.
var Fast = []Shell{{Name: "dash"}, {Name: "busybox", Busybox: true}}

// Need skips a test that wants a program this machine has not got, unless the
// run is meant to be complete.
func Need(t testing.TB, program string) string {
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

// Each runs a test once for each of some shells.
func Each(t *testing.T, shells []Shell, f func(t *testing.T, h *Host)) {
	for _, sh := range shells {
		t.Run(sh.Name, func(t *testing.T) {
			t.Parallel()
			f(t, New(t, sh))
		})
	}
}

// Host is an account on a machine without SSH: what would be an exec request
// starts a process.
type Host struct {
	T    testing.TB
	Home string
	Env  []string
	Sh   string // a link named sh
	// Edit changes the script before it is sent.
	Edit func(string) string
	// Prefix is put before every command, such as nsenter with its options.
	Prefix []string
	// UID runs the account as another user than the test; 0 does not.
	UID uint32
	// RC is shell text that runs before the command, as a start-up file would.
	RC string
	// Login is the account's shell; empty means sh.
	Login string
}

// New makes a host with a home.
func New(t testing.TB, sh Shell) *Host {
	t.Helper()
	bin, parent := t.TempDir(), t.TempDir()
	for dir := parent; dir != os.TempDir(); dir = filepath.Dir(dir) {
		os.Chmod(dir, 0o755) // for hosts with another uid
	}
	h := &Host{T: t, Home: filepath.Join(parent, "home")}
	if err := os.Mkdir(h.Home, 0o755); err != nil {
		t.Fatal(err)
	}
	if sh.SFTP {
		return h
	}
	path := Need(t, sh.Name)
	search := bin + ":/usr/bin:/bin"
	if sh.Busybox {
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
	h.Sh = filepath.Join(bin, "sh")
	// The test's tools come first, and with busybox there are no others.
	h.Edit = func(script string) string { return strings.Replace(script, scriptrun.SystemPath, search, 1) }
	h.Env = []string{"HOME=" + h.Home, "PATH=" + search, "USER=tester", "TMPDIR=" + t.TempDir()}
	return h
}

// Start is a [scriptrun.Starter]: it applies Edit and runs the command.
func (h *Host) Start(o scriptrun.Options) scriptrun.Starter {
	return func(_ context.Context, command, first string, _ *scriptrun.Clock) (*scriptrun.Process, error) {
		if h.Edit != nil {
			command, first = h.Edited(o, first)
		}
		return h.Run(o, command, first)
	}
}

// Edited is the exec request, and what it reads first, with Edit applied to the
// script, or to both and the loader in between for another account.
func (h *Host) Edited(o scriptrun.Options, first string) (command, text string) {
	marker, _, _ := strings.Cut(strings.TrimPrefix(first, "M="), "\n")
	end := "# " + marker
	if o.Account != "" {
		return h.editedForAccount(marker, first)
	}
	old, requests, _ := strings.Cut(first, end)
	now := h.Edit(old)
	if now == old {
		h.T.Error("the edit did not change the script")
	}
	// The loader looks for dd where the script looks for its tools.
	_, path, _ := strings.Cut(now, "\nPATH=")
	path, _, _ = strings.Cut(path, "${PATH:+")
	return strings.Replace(scriptrun.Bootstrap(marker, now+end), scriptrun.SystemPath, path, 1), now + end + requests
}

func (h *Host) editedForAccount(marker, first string) (command, text string) {
	end := "# " + marker
	way, rest, _ := strings.Cut(first, end)
	account, rest, _ := strings.Cut(strings.TrimPrefix(rest, "\n"), "\n")
	_, rest, _ = strings.Cut(rest, "\n") // the loader
	install, requests, _ := strings.Cut(rest, end)
	way, install = h.Edit(way)+end, h.Edit(install)+end
	boot := strings.TrimSuffix(strings.TrimPrefix(h.Edit(scriptrun.Bootstrap(marker, install)), "sh -c '"), "'")
	return h.Edit(scriptrun.Bootstrap(marker, way)), way + "\n" + account + "\n" + boot + "\n" + install + requests
}

// Command is a process on the host, in a process group of its own.
func (h *Host) Command(arg ...string) *exec.Cmd {
	arg = append(slices.Clone(h.Prefix), arg...)
	cmd := exec.Command(arg[0], arg[1:]...)
	cmd.Env, cmd.Dir = h.Env, h.Home
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if h.Prefix != nil {
		cmd.Dir = "/"
	}
	if h.UID != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: h.UID, Gid: h.UID}
	}
	return cmd
}

// Run starts command as sshd would.
func (h *Host) Run(o scriptrun.Options, command, first string) (*scriptrun.Process, error) {
	login := h.Login
	if login == "" {
		login = h.Sh
	}
	cmd := h.Command(login, "-c", h.RC+command)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &scriptrun.Process{In: in, CloseIn: in.Close, Out: outRead, Errs: &scriptrun.Excerpt{}, Ended: make(chan struct{}), Status: -1}
	if o.Trace {
		p.Errs.To = o.Stderr
	}
	cmd.Stdout, cmd.Stderr = outWrite, p.Errs
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	outWrite.Close()
	p.Kill = func() { in.Close(); outRead.Close() }
	go func() {
		cmd.Wait()
		p.Status = cmd.ProcessState.ExitCode()
		close(p.Ended)
	}()
	go io.WriteString(in, first)
	return p, nil
}

// Path returns the path of a file in the home.
func (h *Host) Path(name string) string { return filepath.Join(h.Home, name) }

// KeysFile returns the default target.
func (h *Host) KeysFile() string { return h.Path(".ssh/authorized_keys") }

// Write makes a file in the home, with its directory, of the given mode.
func (h *Host) Write(name, content string, mode os.FileMode) {
	h.T.Helper()
	path := h.Path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		h.T.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		h.T.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		h.T.Fatal(err)
	}
}

// Timeout returns a context that ends a test that hangs.
func Timeout(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// SetLimits changes how long things may take, for one test.
func SetLimits(t testing.TB, change func(*scriptrun.Limits)) {
	t.Helper()
	own := scriptrun.UsualLimits
	change(&own)
	scriptrun.TestLimits.Store(&own)
	t.Cleanup(func() { scriptrun.TestLimits.Store(nil) })
}
