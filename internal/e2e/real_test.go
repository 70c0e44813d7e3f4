//go:build unix

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"ssh-copy-id/internal/sshtest"
	"ssh-copy-id/internal/sshtest/realsshd"
)

// programDir is what program has built in; TestMain removes it.
var programDir string

// program builds the command once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "ssh-copy-id-test")
	if err != nil {
		return "", err
	}
	programDir = dir
	file := filepath.Join(dir, "ssh-copy-id")
	out, err := exec.Command("go", "build", "-o", file, "ssh-copy-id").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%v\n%s", err, out)
	}
	return file, nil
})

// client is a person's machine: a home with keys, and the way to one server.
type client struct {
	t      *testing.T
	home   string
	server *realsshd.Server
}

func newClient(t *testing.T, s *realsshd.Server) *client {
	t.Helper()
	c := &client{t: t, home: t.TempDir(), server: s}
	if s != nil {
		c.write(".ssh/known_hosts", string(s.KnownHosts()))
	}
	return c
}

func (c *client) write(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// key makes a key pair in ~/.ssh and gives the line of its public half.
func (c *client) key(name string) string {
	c.t.Helper()
	key, err := sshtest.GenerateKey("ed25519")
	if err != nil {
		c.t.Fatal(err)
	}
	path := filepath.Join(c.home, ".ssh", name)
	if err := sshtest.WriteKey(path, key, name+"@client", ""); err != nil {
		c.t.Fatal(err)
	}
	line, err := os.ReadFile(path + ".pub")
	if err != nil {
		c.t.Fatal(err)
	}
	return string(line)
}

type result struct {
	status      int
	out, stderr string
}

// run runs a command in the client's home, without a terminal.
func (c *client) run(name string, args ...string) result {
	c.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = c.home
	cmd.Env = []string{"HOME=" + c.home, "PATH=" + os.Getenv("PATH"), "USER=client", "SSHPASS=secret"}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		c.t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// install runs our program under sshpass, with the password of every account.
func (c *client) install(args ...string) result {
	c.t.Helper()
	return c.run("sshpass", append(append([]string{"-p", "secret", c.program()}, c.port()...), args...)...)
}

func (c *client) program() string {
	c.t.Helper()
	file, err := program()
	if err != nil {
		c.t.Fatal(err)
	}
	return file
}

func (c *client) port() []string { return []string{"-p", fmt.Sprint(c.server.Port)} }

// remote reads the account's authorized_keys; "" where there is none.
func (c *client) remote(account string) string {
	text, err := os.ReadFile(filepath.Join(c.server.Home(account), ".ssh", "authorized_keys"))
	if err != nil && !os.IsNotExist(err) {
		c.t.Fatal(err)
	}
	return string(text)
}

func (r result) want(t *testing.T, status int, parts ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("exit status %d, want %d", r.status, status)
	}
	for _, part := range parts {
		if !strings.Contains(r.out+r.stderr, part) {
			t.Errorf("%q is missing", part)
		}
	}
	if t.Failed() {
		t.Logf("stdout:\n%s\nstderr:\n%s", r.out, r.stderr)
	}
}

// start runs a real server, or says why it cannot.
func start(t *testing.T, cfg realsshd.Config) *realsshd.Server {
	t.Helper()
	if cfg.Server == "" {
		cfg.Server = realsshd.OpenSSH
	}
	realsshd.Need(t, cfg.Server)
	for _, name := range []string{"sshpass", "expect"} {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	s, err := realsshd.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func accounts(names ...string) []realsshd.Account {
	var list []realsshd.Account
	for _, name := range names {
		list = append(list, realsshd.Account{Name: name, Password: "secret"})
	}
	return list
}

// TestRealInstall: a first install on a real sshd, by the ways people and
// scripts answer the password, and what it leaves there.
func TestRealInstall(t *testing.T) {
	s := start(t, realsshd.Config{Accounts: accounts("pass", "file", "env", "talk", "ask")})
	for _, c := range []struct {
		account string
		command func(c *client, args []string) (string, []string)
	}{
		{"pass", func(c *client, args []string) (string, []string) {
			return "sshpass", append([]string{"-p", "secret"}, args...)
		}},
		{"file", func(c *client, args []string) (string, []string) {
			return "sshpass", append([]string{"-f", c.write("pw", "secret\n")}, args...)
		}},
		{"env", func(c *client, args []string) (string, []string) { return "sshpass", append([]string{"-e"}, args...) }},
		{"talk", func(c *client, args []string) (string, []string) {
			return "expect", []string{c.write("talk", "set timeout 20\nspawn -noecho {*}$argv\nexpect \"assword: \"\nsend \"secret\\r\"\n"+
				"expect eof\nlassign [wait] pid id err status\nexit $status\n"), "--", args[0], args[1], args[2], args[3]}
		}},
		{"ask", func(c *client, args []string) (string, []string) {
			askpass := c.write("askpass", "#!/bin/sh\necho secret\n")
			if err := os.Chmod(askpass, 0o700); err != nil {
				c.t.Fatal(err)
			}
			return "env", append([]string{"SSH_ASKPASS=" + askpass, "SSH_ASKPASS_REQUIRE=force"}, args...)
		}},
	} {
		t.Run(c.account, func(t *testing.T) {
			cl := newClient(t, s)
			line := cl.key("id_ed25519")
			name, args := c.command(cl, append(append([]string{cl.program()}, cl.port()...), c.account+"@127.0.0.1"))
			r := cl.run(name, args...)
			r.want(t, 0, "Number of key(s) added: 1", "INFO: verified: logged in with 1 key")
			if strings.Contains(r.out+r.stderr, "secret") {
				t.Error("the password was shown")
			}
			if got := cl.remote(c.account); got != line {
				t.Errorf("the file is %q, want %q", got, line)
			}
			for path, want := range map[string]os.FileMode{".ssh": 0o700, ".ssh/authorized_keys": 0o600} {
				if info, err := os.Stat(filepath.Join(s.Home(c.account), path)); err != nil {
					t.Error(err)
				} else if info.Mode().Perm() != want {
					t.Errorf("%s: mode %v", path, info.Mode())
				}
			}
			cl.install(c.account+"@127.0.0.1").want(t, 0, "All keys were skipped")
		})
	}
}

// TestRealFaults: what stands in the way is told in one error, and the file
// stays what it was.
func TestRealFaults(t *testing.T) {
	s := start(t, realsshd.Config{
		Accounts: append(accounts("wrong", "full", "folder", "fixed"), realsshd.Account{Name: "nobodyhome", Password: "secret", Shell: "/usr/sbin/nologin"}),
		Setup: "u=$(id -u full); mount -t tmpfs -o size=16k,mode=755,uid=$u full /home/full; mkdir -m 700 /home/full/.ssh; " +
			"yes '# padding' | head -c 20000 >/home/full/.ssh/authorized_keys 2>/dev/null || :; chmod 600 /home/full/.ssh/*; chown -R $u /home/full/.ssh\n" +
			"mkdir -p /home/folder/.ssh/authorized_keys; chown -R $(id -u folder) /home/folder/.ssh; chmod 700 /home/folder/.ssh\n" +
			"mount -t tmpfs -o mode=755,uid=$(id -u fixed) fixed /home/fixed; mount -o remount,ro /home/fixed\n",
	})
	for _, c := range []struct{ account, password, want string }{
		{"wrong", "hunter7", "Permission denied"},
		{"full", "secret", "no space left on the disk"},
		{"folder", "secret", "is a directory"},
		{"fixed", "secret", "read-only file system"},
		{"nobodyhome", "secret", "the account has no usable shell"},
	} {
		t.Run(c.account, func(t *testing.T) {
			cl := newClient(t, s)
			cl.key("id_ed25519")
			var before string
			if c.account == "full" {
				before = cl.remote(c.account)
			}
			r := cl.run("sshpass", append(append([]string{"-p", c.password, cl.program()}, cl.port()...), "-o", "NumberOfPasswordPrompts=1", c.account+"@127.0.0.1")...)
			r.want(t, 1, "ERROR: ", c.want)
			if n := strings.Count(r.stderr, "ERROR"); n != 1 || r.out != "" {
				t.Errorf("%d ERROR lines, standard output %q", n, r.out)
			}
			if c.account != "folder" && cl.remote(c.account) != before {
				t.Errorf("the file was %d bytes, is %d", len(before), len(cl.remote(c.account)))
			}
		})
	}
}

// TestRealAgent: twenty keys in the agent, which the stock script fails with.
func TestRealAgent(t *testing.T) {
	s := start(t, realsshd.Config{Accounts: accounts("alice")})
	cl := newClient(t, s)
	var want string
	script := "eval $(ssh-agent -s) >/dev/null; trap 'kill $SSH_AGENT_PID' EXIT; ssh-add -q"
	for i := range 20 {
		want += cl.key(fmt.Sprintf("k%02d", i))
		script += fmt.Sprintf(" .ssh/k%02d", i)
	}
	before := s.Connections()
	cl.run("sh", "-c", script+`; sshpass -p secret "$@"`, "sh", cl.program(), "-p", fmt.Sprint(s.Port), "alice@127.0.0.1").
		want(t, 0, "Number of key(s) added: 20")
	if got := cl.remote("alice"); got != want {
		t.Errorf("the file is\n%swant\n%s", got, want)
	}
	if n := s.Connections() - before; n != 2 {
		t.Errorf("%d connections for an install and its verification", n)
	}
}

// TestRealRepair: a home that everybody may write to would make sshd ignore
// the key.
func TestRealRepair(t *testing.T) {
	s := start(t, realsshd.Config{Accounts: accounts("alice")})
	if err := os.Chmod(s.Home("alice"), 0o777); err != nil {
		t.Fatal(err)
	}
	cl := newClient(t, s)
	cl.key("id_ed25519")
	cl.install("--no-repair", "--verify", "alice@127.0.0.1").want(t, 1, "still refuses", "likely cause", "has mode 0777")
	cl.install("alice@127.0.0.1").want(t, 0, "changed the mode of /home/alice from 0777 to 0755", "All keys were skipped", "verified: logged in")
}

// TestRealSandbox: an sshd behind ProxyCommand, as an ordinary user has it.
func TestRealSandbox(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("sshd -i is tried on Linux")
	}
	dir := t.TempDir()
	cl := &client{t: t, home: dir}
	old := cl.keyIn(t)
	sandbox, err := realsshd.Inetd(realsshd.SandboxConfig{Dir: t.TempDir(), Keys: []string{old}})
	if err != nil {
		if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	line := cl.key("new")
	r := cl.run(cl.program(), "-F", sandbox.SSHConfig, "-o", "IdentityFile="+filepath.Join(dir, ".ssh", "old"), "-i", ".ssh/new", "box")
	r.want(t, 0, "Number of key(s) added: 1", "verified: logged in with 1 key")
	text, err := os.ReadFile(filepath.Join(sandbox.Home(), ".ssh", "authorized_keys"))
	if err != nil || !strings.HasSuffix(string(text), line) {
		t.Errorf("%q, %v", text, err)
	}
}

// keyIn makes the key that already logs in.
func (c *client) keyIn(t *testing.T) string {
	t.Helper()
	c.write(".ssh/config", "")
	return strings.TrimSpace(c.key("old"))
}
