//go:build unix

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"ssh-copy-id/internal/sshtest/realsshd"
)

// matrixShells are login shells, by name and place. /home/ash is made by
// matrixSetup: busybox goes by the name it is called.
var matrixShells = []struct{ name, path string }{
	{"bash", "/bin/bash"}, {"dash", "/bin/dash"}, {"ash", "/home/ash"}, {"zsh", "/usr/bin/zsh"}, {"tcsh", "/bin/tcsh"}, {"csh", "/bin/csh"},
	{"fish", "/usr/bin/fish"}, {"ksh", "/usr/bin/ksh"}, {"mksh", "/bin/mksh"}, {"yash", "/usr/bin/yash"}, {"rbash", "/bin/rbash"},
}

const matrixSetup = "ln -s \"$(command -v busybox)\" /home/ash\n"

// An old key, and what else there may be in a file.
const (
	oldKey      = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDYr0k1sTSkBgfaH1V0i3dNRrJ9sPCcEJ7bSKE0a1l9s old@there"
	oldComments = "# mine\n\n   # indented\n"
)

// startState is what an account is like before an install, and how it differs
// afterwards from a file that has one line more. KEY in a text is the key that
// is to be installed.
type startState struct {
	name   string
	file   string // content, mode 0600
	none   bool   // there is no .ssh
	noFile bool
	link   bool        // the file is a link to ../keys/mine
	ssh    os.FileMode // of .ssh; 0: 0700
	home   os.FileMode // 0: 0755
	kept   bool        // nothing is to be added
}

var startStates = []startState{
	{name: "none", none: true},
	{name: "empty"},
	{name: "unended", file: oldKey},
	{name: "crlf", file: oldKey + "\r\n" + strings.Replace(oldKey, "YDr", "YDs", 1) + "\r\n"},
	{name: "comments", file: oldComments + oldKey + "\n" + oldComments},
	{name: "options", file: oldKey + "\nno-pty,no-X11-forwarding KEY\n", kept: true},
	{name: "link", file: oldKey + "\n", link: true},
	{name: "readonly", noFile: true, ssh: 0o500},
	{name: "openhome", file: oldKey + "\n", home: 0o777},
	{name: "300lines", file: strings.Repeat(oldKey+"\n", 300)},
}

// build makes the state in a home.
func (st startState) build(t *testing.T, home, line string) (before string) {
	t.Helper()
	info, err := os.Stat(home)
	if err != nil {
		t.Fatal(err)
	}
	uid := int(info.Sys().(*syscall.Stat_t).Uid)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	before = strings.ReplaceAll(st.file, "KEY", strings.TrimSpace(line))
	dir := filepath.Join(home, ".ssh")
	if !st.none {
		check(os.Mkdir(dir, 0o700))
		file := filepath.Join(dir, "authorized_keys")
		if st.link {
			check(os.Mkdir(filepath.Join(home, "keys"), 0o700))
			check(os.Symlink("../keys/mine", file))
			file = filepath.Join(home, "keys/mine")
		}
		if !st.noFile {
			check(os.WriteFile(file, []byte(before), 0o600))
		}
		check(filepath.WalkDir(home, func(path string, _ os.DirEntry, err error) error {
			check(err)
			return os.Lchown(path, uid, uid)
		}))
		if st.ssh != 0 {
			check(os.Chmod(dir, st.ssh))
		}
	}
	if st.home != 0 {
		check(os.Chmod(home, st.home))
	}
	return before
}

// after is what the file has to be.
func (st startState) after(before, line string) string {
	switch {
	case st.kept:
		return before
	case before != "" && !strings.HasSuffix(before, "\n"):
		return before + "\n" + line
	}
	return before + line
}

// wantModes checks modes and owners, the link, and that nothing else is there.
func (st startState) wantModes(t *testing.T, home string) {
	t.Helper()
	info, err := os.Stat(home)
	if err != nil {
		t.Fatal(err)
	}
	uid := info.Sys().(*syscall.Stat_t).Uid
	want := map[string]os.FileMode{".": os.ModeDir | 0o755, ".ssh": os.ModeDir | 0o700, ".ssh/authorized_keys": 0o600}
	if st.link {
		want[".ssh/authorized_keys"] = os.ModeSymlink | 0o777
		want["keys"], want["keys/mine"] = os.ModeDir|0o700, 0o600
		if to, err := os.Readlink(filepath.Join(home, ".ssh/authorized_keys")); to != "../keys/mine" {
			t.Errorf("the link leads to %q, %v", to, err)
		}
	}
	for name, mode := range want {
		info, err := os.Lstat(filepath.Join(home, name))
		if err != nil {
			t.Error(err)
		} else if info.Mode() != mode || info.Sys().(*syscall.Stat_t).Uid != uid {
			t.Errorf("%s: mode %v, owner %d, want %v, %d", name, info.Mode(), info.Sys().(*syscall.Stat_t).Uid, mode, uid)
		}
	}
	for _, dir := range []string{".ssh", "."} {
		entries, err := os.ReadDir(filepath.Join(home, dir))
		for _, entry := range entries {
			name := filepath.Join(dir, entry.Name())
			// Some shells leave a history, or settings of their own.
			if _, known := want[name]; !known && strings.Contains(name, "ssh") {
				t.Errorf("%s is there as well", name)
			}
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// installUnattended runs the program with the password in the environment.
func (c *client) installUnattended(args ...string) result {
	c.t.Helper()
	return c.run(c.program(), append(append(c.port(), "--password-env", "SSHPASS"), args...)...)
}

// TestRealMatrix: every login shell, on two servers, with every state the
// account may be in.
func TestRealMatrix(t *testing.T) {
	for _, server := range []string{realsshd.OpenSSH, realsshd.Dropbear} {
		t.Run(server, func(t *testing.T) {
			cfg := realsshd.Config{Server: server, Setup: matrixSetup}
			if server == realsshd.OpenSSH {
				cfg.ConfigLines = []string{"MaxStartups 100"}
			}
			for _, shell := range matrixShells {
				for _, st := range startStates {
					cfg.Accounts = append(cfg.Accounts, realsshd.Account{Name: shell.name + "-" + st.name, Password: "secret", Shell: shell.path})
				}
			}
			s := start(t, cfg)
			for _, shell := range matrixShells {
				t.Run(shell.name, func(t *testing.T) {
					if _, err := os.Stat(s.Path(shell.path)); err != nil && os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
						t.Fatal(err)
					} else if err != nil {
						t.Skip(err)
					}
					for _, st := range startStates {
						t.Run(st.name, func(t *testing.T) {
							t.Parallel()
							matrixCase(t, s, shell.name+"-"+st.name, st)
						})
					}
				})
			}
		})
	}
}

func matrixCase(t *testing.T, s *realsshd.Server, account string, st startState) {
	c := newClient(t, s)
	line := c.key("id_ed25519")
	before := st.build(t, s.Home(account), line)
	r := c.installUnattended(account + "@127.0.0.1")
	if st.kept {
		r.want(t, 0, "All keys were skipped")
	} else {
		r.want(t, 0, "Number of key(s) added: 1", "verified: logged in with 1 key")
	}
	if got, want := c.remote(account), st.after(before, line); got != want {
		t.Errorf("the file is\n%q\nwant\n%q", got, want)
	}
	st.wantModes(t, s.Home(account))
}

// effective are the lines of a file that sshd looks at, sorted.
func effective(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		line = strings.Trim(line, " \t\r\n")
		if line != "" && line[0] != '#' {
			list = append(list, line)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// TestRealMatrixOfTheScript: where the stock script and the program succeed,
// they leave the same keys.
func TestRealMatrixOfTheScript(t *testing.T) {
	stock := *oracle
	if _, err := os.Stat(stock); err != nil {
		if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	cfg := realsshd.Config{}
	for _, st := range startStates {
		cfg.Accounts = append(cfg.Accounts, realsshd.Account{Name: "stock-" + st.name, Password: "secret", Shell: "/bin/bash"},
			realsshd.Account{Name: "ours-" + st.name, Password: "secret", Shell: "/bin/bash"})
	}
	s := start(t, cfg)
	var tried, both atomic.Int64
	t.Cleanup(func() {
		if tried.Load()-both.Load() > 2 {
			t.Errorf("both succeed with %d states of %d", both.Load(), tried.Load())
		}
	})
	for _, st := range startStates {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			tried.Add(1)
			c := newClient(t, s)
			line := c.key("id_ed25519")
			st.build(t, s.Home("stock-"+st.name), line)
			st.build(t, s.Home("ours-"+st.name), line)
			key := filepath.Join(c.home, ".ssh/id_ed25519")
			theirs := c.run("sshpass", append(append([]string{"-e", stock}, c.port()...), "-i", key+".pub",
				"-o", "UserKnownHostsFile="+filepath.Join(c.home, ".ssh/known_hosts"), "-o", "IdentityFile="+key, "-o", "IdentitiesOnly=yes",
				"-o", "IdentityAgent=none", "stock-"+st.name+"@127.0.0.1")...)
			ours := c.installUnattended("ours-" + st.name + "@127.0.0.1")
			ours.want(t, 0)
			if theirs.status != 0 {
				t.Logf("the script fails: %s", theirs.stderr)
				return
			}
			both.Add(1)
			if got, want := effective(c.remote("ours-"+st.name)), effective(c.remote("stock-"+st.name)); !slices.Equal(got, want) {
				t.Errorf("the keys are\n%s\nand those of the script\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}
