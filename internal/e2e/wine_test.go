//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ssh-copy-id/internal/sshtest/realsshd"
	"ssh-copy-id/internal/sshtest/script"
	"ssh-copy-id/internal/sshtest/wine"
)

// The tests named TestWine run the .exe, as it is built for Windows, under Wine
// against a real sshd on loopback.

// windows is a person's Windows machine: a home with keys, and the way to one
// server.
type windows struct {
	*client
	prefix *wine.Prefix
	env    []string
}

// startForWindows runs a real server, or says why it or Wine cannot be.
func startForWindows(t *testing.T, cfg realsshd.Config) *realsshd.Server {
	t.Helper()
	wine.Need(t)
	return start(t, cfg)
}

func newWindows(t *testing.T, s *realsshd.Server) *windows {
	t.Helper()
	prefix, err := wine.Shared()
	if err != nil {
		t.Fatal(err)
	}
	return &windows{client: newClient(t, s), prefix: prefix}
}

// command is a call of the .exe in the home, with the server's port.
func (w *windows) command(args ...string) wine.Command {
	w.t.Helper()
	file, err := w.prefix.Build("ssh-copy-id", "ssh-copy-id")
	if err != nil {
		w.t.Fatal(err)
	}
	return wine.Command{Program: file, Args: append(w.port(), args...), Home: w.home, Dir: w.home, Env: w.env}
}

// run runs the .exe without a console. No answer of the password may be shown.
func (w *windows) run(args ...string) result {
	w.t.Helper()
	return w.start(w.command(args...))
}

func (w *windows) start(c wine.Command) result {
	w.t.Helper()
	r, err := w.prefix.Run(c)
	if err != nil {
		w.t.Fatal(err)
	}
	if strings.Contains(r.Stdout+r.Stderr, "secret") {
		w.t.Error("the password was shown")
	}
	return result{r.Status, r.Stdout, r.Stderr}
}

// talk runs the .exe on a console and talks to it there: see script.Dialogue.
// Guest options are those of launch. What the console showed is in result.out.
func (w *windows) talk(steps string, options []string, args ...string) result {
	w.t.Helper()
	dialogue, err := script.Dialogue(steps)
	if err != nil {
		w.t.Fatal(err)
	}
	cmd, err := w.prefix.Command(w.command(args...), options...)
	if err != nil {
		w.t.Fatal(err)
	}
	shown, err := script.Talk(dialogue, cmd, 30*time.Second)
	if err != nil {
		w.t.Fatal(err)
	}
	return result{status: cmd.ProcessState.ExitCode(), out: shown}
}

// guest is a program of the harness under a name in the home.
func (w *windows) guest(name, at string) string {
	w.t.Helper()
	file, err := w.prefix.Guest(name)
	if err != nil {
		w.t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.write(at, string(data))
}

// passwordFile is the password of every account, as Notepad writes it.
func (w *windows) passwordFile() string { return wine.Path(w.write("pw.txt", "secret\r\n")) }

// TestWineInstall: a first install by the ways a password is given without a
// console, what it leaves on the server, and the second run.
func TestWineInstall(t *testing.T) {
	s := startForWindows(t, realsshd.Config{Accounts: accounts("file", "variable", "input", "askpass", "batch")})
	for _, c := range []struct {
		account string
		prepare func(w *windows) []string
	}{
		{"file", func(w *windows) []string { return []string{"--password-file", w.passwordFile()} }},
		{"variable", func(w *windows) []string {
			w.env = []string{"PW=secret"}
			return []string{"--password-env", "PW"}
		}},
		{"input", func(w *windows) []string { return []string{"--password-file", "-"} }},
		{"askpass", func(w *windows) []string {
			asked := filepath.Join(w.home, "asked")
			w.env = []string{"SSH_ASKPASS=" + wine.Path(w.guest("askpass", "Program Files (x86)/My Tools/askpass.exe")),
				"ASKPASS_ANSWER=secret", "ASKPASS_ASKED=" + wine.Path(asked)}
			w.t.Cleanup(func() {
				if text, err := os.ReadFile(asked); err != nil || string(text) != "askpass@127.0.0.1's password: \n" {
					w.t.Errorf("askpass was asked %q, %v", text, err)
				}
			})
			return nil
		}},
		{"batch", func(w *windows) []string {
			w.env = []string{"SSH_ASKPASS=" + wine.Path(w.write("My Tools/ask pass.bat", "@echo off\r\necho secret\r\n"))}
			return nil
		}},
	} {
		t.Run(c.account, func(t *testing.T) {
			w := newWindows(t, s)
			line := w.key("id_ed25519")
			cmd := w.command(append(c.prepare(w), c.account+"@127.0.0.1")...)
			cmd.Input, cmd.Env = "secret\r\n", w.env
			w.start(cmd).want(t, 0, "Number of key(s) added: 1", "INFO: verified: logged in with 1 key",
				`Source of key(s) to be installed: "`+wine.Path(w.home)+`\.ssh\id_ed25519.pub"`)
			w.installed(t, c.account, line)
			w.run(c.account+"@127.0.0.1").want(t, 0, "All keys were skipped")
			w.installed(t, c.account, line)
		})
	}
}

// installed looks at what an account has on the server.
func (w *windows) installed(t *testing.T, account, want string) {
	t.Helper()
	if got := w.remote(account); got != want {
		t.Errorf("the file is %q, want %q", got, want)
	}
	for path, want := range map[string]os.FileMode{".ssh": 0o700, ".ssh/authorized_keys": 0o600} {
		if info, err := os.Stat(filepath.Join(w.server.Home(account), path)); err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != want {
			t.Errorf("%s: mode %v", path, info.Mode())
		}
	}
}

// TestWineErrors: what is wrong is told in words, with exit status 1, and
// nothing waits for a console that is not there.
func TestWineErrors(t *testing.T) {
	s := startForWindows(t, realsshd.Config{Accounts: accounts("alice")})
	w := newWindows(t, s)
	key := w.write("other.txt", "hunter7\r\n")
	w.run("alice@127.0.0.1").want(t, 1, "ERROR: No identities found")
	w.key("id_ed25519")
	for name, c := range map[string]struct {
		args []string
		want string
		env  string
	}{
		"no host":           {nil, "Usage: ", ""},
		"unknown option":    {[]string{"--nonsense", "alice@127.0.0.1"}, "nonsense", ""},
		"no such file":      {[]string{"-i", `keys\missing`, "alice@127.0.0.1"}, `keys\missing`, ""},
		"no such password":  {[]string{"--password-file", `C:\missing.txt`, "alice@127.0.0.1"}, `ERROR: --password-file C:\missing.txt`, ""},
		"wrong password":    {[]string{"--password-file", wine.Path(key), "alice@127.0.0.1"}, "Permission denied", ""},
		"nobody to ask":     {[]string{"alice@127.0.0.1"}, "There is no terminal to ask for a password on", ""},
		"nobody, unasked":   {[]string{"-o", "BatchMode=yes", "alice@127.0.0.1"}, "Permission denied", ""},
		"no such host name": {[]string{"alice@host.invalid"}, "host.invalid", ""},
		"no such askpass":   {[]string{"alice@127.0.0.1"}, `askpass Z:\missing.exe: `, `SSH_ASKPASS=Z:\missing.exe`},
		"quoted askpass":    {[]string{"alice@127.0.0.1"}, `WARNING: the value of SSH_ASKPASS has quotes around it`, `SSH_ASKPASS="` + wine.Path(w.write("declines too.cmd", "@exit 3\r\n")) + `"`},
		"dead askpass":      {[]string{"alice@127.0.0.1"}, `WARNING: SSH_ASKPASS names no program that can be run: "Z:\missing.exe": `, `SSH_ASKPASS="Z:\missing.exe"`},
		// What the program is given of: -i "C:\keys\" alice@127.0.0.1
		"quoted quote":     {[]string{"-i", `C:\keys" alice@127.0.0.1`}, `"C:\\keys\" alice@127.0.0.1"` + "\n\t(a backslash before a closing quote", ""},
		"PuTTY's port":     {[]string{"-P", "22", "alice@127.0.0.1"}, "ssh-copy-id.exe: illegal option -- P\n\t(a port is given with -p: -p 22)", ""},
		"PuTTY's user":     {[]string{"-l", "alice", "127.0.0.1"}, "(the user is given with the host: alice@hostname)", ""},
		"PuTTY's password": {[]string{"-pw", "hunter2", "alice@127.0.0.1"}, "(-pw is PuTTY's: ", ""},
		"askpass declines": {[]string{"alice@127.0.0.1"}, "askpass declined to answer", "SSH_ASKPASS=" + wine.Path(w.write("declines.cmd", "@exit 3\r\n"))},
	} {
		t.Run(name, func(t *testing.T) {
			w.t, w.env = t, nil
			if c.env != "" {
				w.env = []string{c.env}
			}
			r := w.run(c.args...)
			r.want(t, 1, c.want)
			if r.out != "" {
				t.Errorf("standard output %q", r.out)
			}
		})
	}
	w.t, w.env = t, nil
	t.Run("nobody listens", func(t *testing.T) {
		c := w.command()
		c.Args = []string{"-p", fmt.Sprint(closedPort(t)), "alice@127.0.0.1"}
		w.start(c).want(t, 1, "ERROR: ", "onnection refused")
	})
	t.Run("help", func(t *testing.T) {
		w.run("-h").want(t, 1, `ssh-copy-id.exe [-h|-?|-f`)
		w.run("--help").want(t, 0, `[option ...] [user@]hostname`)
		w.run("/?").want(t, 1, `Usage: ssh-copy-id.exe [-h|-?|-f`)
	})
	t.Run("dry run", func(t *testing.T) {
		w.run("-n", "--password-file", w.passwordFile(), "alice@127.0.0.1").want(t, 0, "Would have added the following key(s):", "ssh-ed25519 ")
		w.run("-n", "alice@127.0.0.1").want(t, 0, "Would have added the following key(s):")
	})
	if got := w.remote("alice"); got != "" {
		t.Errorf("the file is %q", got)
	}
}
