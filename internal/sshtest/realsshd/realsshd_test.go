//go:build unix

package realsshd

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// client runs one of the system's SSH programs with a HOME of its own and no
// agent.
type client struct {
	t    *testing.T
	home string
}

// newClient has an Ed25519 key without a passphrase and trusts the hosts of
// known.
func newClient(t *testing.T, known []byte) *client {
	t.Helper()
	c := &client{t: t, home: t.TempDir()}
	if err := os.Mkdir(filepath.Join(c.home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	// ssh takes ~ from the passwd entry, not from HOME: all goes by options.
	if err := os.WriteFile(c.path("known_hosts"), known, 0o600); err != nil {
		t.Fatal(err)
	}
	c.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a key", "-f", c.path("id_ed25519"))
	return c
}

func (c *client) path(name string) string { return filepath.Join(c.home, ".ssh", name) }

func (c *client) publicKey() string {
	c.t.Helper()
	data, err := os.ReadFile(c.path("id_ed25519.pub"))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(data)
}

// options of ssh, sftp and ssh-copy-id that keep them away from the caller's
// own files.
func (c *client) options(port int) []string {
	return []string{
		"-p", strconv.Itoa(port), "-F", "none",
		"-o", "UserKnownHostsFile=" + c.path("known_hosts"), "-o", "GlobalKnownHostsFile=none",
		"-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes",
	}
}

func (c *client) run(name string, args ...string) (string, error) {
	c.t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
			c.t.Fatalf("%s is not installed", name)
		}
		c.t.Skipf("%s is not installed", name)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = []string{"HOME=" + c.home, "PATH=" + os.Getenv("PATH"), "SSHPASS=" + secret}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c *client) must(name string, args ...string) string {
	c.t.Helper()
	out, err := c.run(name, args...)
	if err != nil {
		c.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return out
}

const secret = "correct horse: $battery"

func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	Need(t, cfg.Server)
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(s.Log())
		}
	})
	return s
}

func accounts() []Account {
	return []Account{
		{Name: "alice", Password: secret},
		{Name: "bob", Password: secret, Shell: "/bin/bash"},
		{Name: "root", Password: secret},
	}
}

// A password, and only the right one, logs in to the account's own home.
func TestPasswordLogin(t *testing.T) {
	for _, server := range []string{OpenSSH, Dropbear} {
		t.Run(server, func(t *testing.T) {
			s := start(t, Config{Server: server, Accounts: accounts()})
			c := newClient(t, s.KnownHosts())
			for user, want := range map[string]string{"alice": "alice /home/alice", "bob": "bob /home/bob", "root": "root /root"} {
				args := append([]string{"-e", "ssh"}, c.options(s.Port)...)
				out := c.must("sshpass", append(args, user+"@127.0.0.1", `echo "$(id -un) $(pwd)"; : >made`)...)
				if !strings.Contains(out, want+"\n") {
					t.Errorf("%s: got %q, want %q", user, out, want)
				}
				if _, err := os.Stat(filepath.Join(s.Home(user), "made")); err != nil {
					t.Error(err)
				}
			}
			args := append([]string{"-p", "wrong", "ssh"}, c.options(s.Port)...)
			if out, err := c.run("sshpass", append(args, "alice@127.0.0.1", "true")...); err == nil {
				t.Errorf("a wrong password logs in: %s", out)
			}
			if got := s.Connections(); got != 4 {
				t.Errorf("%d connections, want 4", got)
			}
			if server == OpenSSH && s.Failures("password") == 0 {
				t.Error("the log tells of no refused password")
			}
		})
	}
}

// A key that stands in authorized_keys logs in; another does not.
func TestKeyLogin(t *testing.T) {
	for _, server := range []string{OpenSSH, Dropbear, TinySSH} {
		t.Run(server, func(t *testing.T) {
			c := newClient(t, nil)
			s := start(t, Config{Server: server, Accounts: []Account{
				{Name: "alice", Keys: []string{"# hers", c.publicKey()}},
				{Name: "bob", Keys: []string{}},
			}})
			if err := os.WriteFile(c.path("known_hosts"), s.KnownHosts(), 0o600); err != nil {
				t.Fatal(err)
			}
			args := append(c.options(s.Port), "-i", c.path("id_ed25519"), "-o", "BatchMode=yes")
			if out := c.must("ssh", append(args, "alice@127.0.0.1", "id -un")...); !strings.Contains(out, "alice\n") {
				t.Errorf("got %q", out)
			}
			if out, err := c.run("ssh", append(args, "bob@127.0.0.1", "true")...); err == nil {
				t.Errorf("a foreign key logs in: %s", out)
			}
			if got := s.Connections(); got != 2 {
				t.Errorf("%d connections, want 2", got)
			}
		})
	}
}

// The stock script finds in here all that it needs of a host.
func TestStockScriptInstallsKey(t *testing.T) {
	homes := t.TempDir()
	s := start(t, Config{Accounts: accounts(), Homes: homes})
	c := newClient(t, s.KnownHosts())
	args := []string{"-e", "ssh-copy-id", "-i", c.path("id_ed25519.pub"), "-p", strconv.Itoa(s.Port)}
	for _, o := range []string{"UserKnownHostsFile=" + c.path("known_hosts"), "IdentitiesOnly=yes", "BatchMode=no"} {
		args = append(args, "-o", o)
	}
	out := c.must("sshpass", append(args, "alice@127.0.0.1")...)
	if !strings.Contains(out, "Number of key(s) added: 1") {
		t.Errorf("ssh-copy-id said\n%s", out)
	}
	file := filepath.Join(homes, "alice", ".ssh", "authorized_keys")
	if got, err := os.ReadFile(file); err != nil || string(got) != c.publicKey() {
		t.Errorf("authorized_keys: %q, %v", got, err)
	}
	args = append(c.options(s.Port), "-i", c.path("id_ed25519"), "-o", "BatchMode=yes")
	c.must("ssh", append(args, "alice@127.0.0.1", "true")...)
	if got := s.Connections(); got < 3 {
		t.Errorf("%d connections, want at least 3: two or more of the script, one login", got)
	}
}

// The caller's sshd_config lines win over the package's own, also those that
// need a Match block.
func TestConfigLines(t *testing.T) {
	s := start(t, Config{Accounts: accounts(), ConfigLines: []string{
		"PasswordAuthentication no",
		"Match User bob",
		"PasswordAuthentication yes",
		"ForceCommand echo forced",
	}})
	c := newClient(t, s.KnownHosts())
	args := append([]string{"-e", "ssh"}, c.options(s.Port)...)
	if out, err := c.run("sshpass", append(args, "alice@127.0.0.1", "true")...); err == nil {
		t.Errorf("alice logs in by password: %s", out)
	}
	if out := c.must("sshpass", append(args, "bob@127.0.0.1", "true")...); !strings.Contains(out, "forced\n") {
		t.Errorf("bob's command was not replaced: %q", out)
	}
}

// StrictModes is on, as on a stock server: a writable home keeps keys out.
func TestStrictModes(t *testing.T) {
	c := newClient(t, nil)
	s := start(t, Config{Accounts: []Account{{Name: "alice", Keys: []string{c.publicKey()}}}})
	if err := os.WriteFile(c.path("known_hosts"), s.KnownHosts(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.Home("alice"), 0o777); err != nil {
		t.Fatal(err)
	}
	args := append(c.options(s.Port), "-i", c.path("id_ed25519"), "-o", "BatchMode=yes", "alice@127.0.0.1", "true")
	if out, err := c.run("ssh", args...); err == nil {
		t.Errorf("the key logs in: %s", out)
	}
	if !strings.Contains(s.Log(), "bad ownership or modes") {
		t.Error("sshd does not say why")
	}
}

// What Setup and the accounts change is seen inside only, and nothing of the
// server outlives Close.
func TestNothingOutsideChanges(t *testing.T) {
	before := map[string][]byte{}
	for _, file := range []string{"/etc/passwd", "/etc/shadow", "/etc/group", "/proc/mounts"} {
		before[file], _ = os.ReadFile(file)
	}
	s := start(t, Config{Accounts: accounts(), Setup: `: >/etc/openwrt_release; mkdir /etc/dropbear; mount -t tmpfs -o size=16k full /home/alice`})
	if _, err := os.Stat(s.Path("/etc/openwrt_release")); err != nil {
		t.Errorf("inside: %v", err)
	}
	if _, err := os.Stat("/etc/openwrt_release"); err == nil {
		t.Error("/etc/openwrt_release exists outside")
	}
	if err := os.WriteFile(filepath.Join(s.Home("alice"), "big"), make([]byte, 64<<10), 0o600); err == nil {
		t.Error("alice's small disk holds 64 KiB")
	}
	for file, want := range before {
		if got, _ := os.ReadFile(file); !bytes.Equal(got, want) {
			t.Errorf("%s changed", file)
		}
	}

	c := newClient(t, s.KnownHosts())
	args := append([]string{"-e", "ssh"}, c.options(s.Port)...)
	session := exec.Command("sshpass", append(args, "alice@127.0.0.1", "echo here; exec sleep 61")...)
	session.Env = []string{"HOME=" + c.home, "PATH=" + os.Getenv("PATH"), "SSHPASS=" + secret}
	out, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.must("sshpass", "-V")
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- session.Wait() }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		_ = session.Process.Kill()
		t.Error("a session outlives its server")
	}
	if _, err := os.Stat(s.Path("/")); err == nil {
		t.Error("the namespace outlives Close")
	}
}

// A server ends with the process that started it, however that ends.
func TestEndsWithItsParent(t *testing.T) {
	if os.Getenv("REALSSHD_TEST_PARENT") == "1" {
		s, err := Start(Config{})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("%s\n", s.Path("/run"))
		select {}
	}
	Need(t, OpenSSH)
	parent := exec.Command(os.Args[0], "-test.run=^TestEndsWithItsParent$")
	parent.Env = append(os.Environ(), "REALSSHD_TEST_PARENT=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	inside := strings.TrimSpace(line)
	if _, err := os.Stat(inside); err != nil {
		t.Fatalf("the server does not run: %v", err)
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(inside); err != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server outlives its parent")
		}
	}
}

// A sandbox needs no root and touches no home but its own.
func TestInetd(t *testing.T) {
	if _, err := find("sshd"); err != nil {
		if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	c := newClient(t, nil)
	dir := t.TempDir()
	s, err := Inetd(SandboxConfig{Dir: dir, Keys: []string{c.publicKey()}})
	if err != nil {
		t.Fatal(err)
	}
	c.must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "another", "-f", c.path("second"))
	login := []string{"-F", s.SSHConfig, "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", c.path("id_ed25519")}
	if out := c.must("ssh", append(login, "box", `echo "$HOME"`)...); !strings.Contains(out, s.Home()+"\n") {
		t.Errorf("HOME is %q, want %q\n%s", out, s.Home(), s.Log())
	}
	second, err := os.ReadFile(c.path("second.pub"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ssh", append(login, "box", "cat >>$HOME/.ssh/authorized_keys")...)
	cmd.Stdin = bytes.NewReader(second)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	login[len(login)-1] = c.path("second")
	c.must("ssh", append(login, "box", "true")...)
	if got := s.Connections(); got != 3 {
		t.Errorf("%d connections, want 3", got)
	}
}
