//go:build linux

package e2e

import (
	"bufio"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ssh-copy-id/internal/sshtest/realsshd"
	"ssh-copy-id/internal/sshtest/wine"
)

// agent starts an agent with keys of ~/.ssh, in its own directory so that they
// are no identity files, for as long as the test runs.
func (w *windows) agent(t *testing.T, options []string, keys ...string) {
	t.Helper()
	file, err := w.prefix.Guest("agent")
	if err != nil {
		t.Fatal(err)
	}
	args := options
	for _, key := range keys {
		args = append(args, wine.Path(filepath.Join(w.home, ".ssh", key)))
	}
	cmd, err := w.prefix.Command(wine.Command{Program: file, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopAgent(t, cmd, input.Close) })
	if line, err := bufio.NewReader(said).ReadString('\n'); err != nil || line != "ready\r\n" && line != "ready\n" {
		t.Fatalf("the agent said %q, %v", line, err)
	}
}

// stopAgent ends it, and waits: the next one has the same name.
func stopAgent(t *testing.T, cmd *exec.Cmd, hangUp func() error) {
	if err := hangUp(); err != nil {
		t.Error(err)
	}
	late := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer late.Stop()
	if err := cmd.Wait(); err != nil {
		t.Errorf("the agent: %v", err)
	}
}

// TestWineAgent: the keys of an agent where Windows has one, and logins with
// them.
func TestWineAgent(t *testing.T) {
	s := startForWindows(t, realsshd.Config{Accounts: accounts("service", "pageant", "named", "none", "quoted")})
	const named = `\\.\pipe\my agent`
	for _, c := range []struct {
		account string
		options []string // of the agent
		env     []string
		told    []string // by -v
	}{
		{"service", nil, nil, []string{`debug1: agent: using \\.\pipe\openssh-ssh-agent`}},
		{"pageant", []string{"-pageant"}, nil, []string{`debug1: agent: not \\.\pipe\openssh-ssh-agent: `, "debug1: agent: using Pageant"}},
		{"named", []string{"-pipe", named}, []string{"SSH_AUTH_SOCK=" + named}, []string{"debug1: agent: using " + named}},
	} {
		t.Run(c.account, func(t *testing.T) {
			w := newWindows(t, s)
			w.env = c.env
			one, two := w.key("held/one"), w.key("held/two")
			w.agent(t, c.options, "held/one", "held/two")
			w.run("-n", "-f", "-v", c.account+"@127.0.0.1").want(t, 0, c.told...)
			// ssh.exe asks every agent but Pageant.
			hint := []string{fmt.Sprintf(`with: "ssh -p %d %s@127.0.0.1"`, s.Port, c.account)}
			if c.account == "pageant" {
				hint = []string{fmt.Sprintf(`with: "putty -P %d %s@127.0.0.1"`, s.Port, c.account), "only Pageant has the private key"}
			}
			w.run("--password-file", w.passwordFile(), c.account+"@127.0.0.1").
				want(t, 0, append(hint, "Source of key(s) to be installed: ssh-add -L", "Number of key(s) added: 2", "verified: the server now accepts 2 keys")...)
			w.installed(t, c.account, one+two)
			third := w.key("id_ed25519")
			w.run("-i", `.ssh\id_ed25519`, c.account+"@127.0.0.1").want(t, 0, "Number of key(s) added: 1")
			w.installed(t, c.account, one+two+third)
		})
	}
	t.Run("quoted", func(t *testing.T) {
		w := newWindows(t, s)
		w.key("held/one")
		w.agent(t, []string{"-pipe", named}, "held/one")
		w.env = []string{`SSH_AUTH_SOCK="` + named + `"`}
		r := w.run("-n", "-f", "quoted@127.0.0.1")
		r.want(t, 0, "Source of key(s) to be installed: ssh-add -L", "WARNING: the value of SSH_AUTH_SOCK has quotes around it, which are left out")
		if strings.Contains(r.stderr, "winapi") {
			t.Errorf("%s", r.stderr)
		}
	})
	t.Run("IdentityAgent", func(t *testing.T) {
		w := newWindows(t, s)
		w.key("held/one")
		w.key("id_ed25519")
		w.agent(t, []string{"-pipe", named}, "held/one")
		w.write(".ssh/config", crlf("Host box\n\tHostName 127.0.0.1\n\tIdentityAgent \""+named+"\"\n"))
		w.run("-n", "-f", "box").want(t, 0, "Source of key(s) to be installed: ssh-add -L")
		w.write(".ssh/config", crlf("Host box\n\tHostName 127.0.0.1\n\tIdentityAgent none\n"))
		w.run("-n", "-f", "box").want(t, 0, `id_ed25519.pub"`)
	})
	t.Run("none", func(t *testing.T) {
		w := newWindows(t, s)
		w.env = []string{`SSH_AUTH_SOCK=\\.\pipe\nobody`}
		line := w.key("id_ed25519")
		w.run("-n", "-f", "-v", "none@127.0.0.1").want(t, 0, `debug1: agent: cannot reach an agent: \\.\pipe\nobody: `,
			`WARNING: no keys are taken from the agent of SSH_AUTH_SOCK (\\.\pipe\nobody): `)
		w.env = nil
		w.run("-n", "-f", "-v", "none@127.0.0.1").want(t, 0, `debug1: agent: cannot reach an agent: \\.\pipe\openssh-ssh-agent: `, "Pageant: not running")
		w.run("--password-file", w.passwordFile(), "none@127.0.0.1").want(t, 0, `id_ed25519.pub"`, "Number of key(s) added: 1")
		w.installed(t, "none", line)
	})
}
