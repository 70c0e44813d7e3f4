//go:build unix

package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ssh-copy-id/internal/sshtest/realsshd"
)

// nobodysID is a user ID that no passwd entry names.
const nobodysID = 54321

// containerUser is an account as a container image or a CI runner has it: an
// arbitrary user ID, and of the environment what the test gives it.
type containerUser struct {
	*client
	dir, program, key string
}

func newContainerUser(t *testing.T, s *realsshd.Server) *containerUser {
	t.Helper()
	c := &containerUser{client: newClient(t, s), dir: t.TempDir()}
	text, err := os.ReadFile(c.client.program())
	if err != nil {
		t.Fatal(err)
	}
	c.program = filepath.Join(c.dir, "ssh-copy-id")
	c.key = filepath.Join(c.dir, "key.pub")
	err = errors.Join(
		os.Chmod(filepath.Dir(c.dir), 0o755), os.Chmod(c.dir, 0o755),
		os.WriteFile(c.program, text, 0o755),
		os.WriteFile(c.key, []byte(c.client.key("id_ed25519")), 0o644),
		os.WriteFile(filepath.Join(c.dir, "known_hosts"), s.KnownHosts(), 0o644),
		os.Mkdir(filepath.Join(c.dir, "locked"), 0o700),
	)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *containerUser) run(env []string, args ...string) result {
	c.t.Helper()
	cmd := exec.Command(c.program, append(c.port(), args...)...)
	cmd.Dir, cmd.Env = "/", append([]string{"SSHPASS=secret"}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: nobodysID, Gid: nobodysID}}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		c.t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// TestRealContainer: a user ID without passwd entry needs no more of HOME and USER
// than the run itself does, and an error names what that is.
func TestRealContainer(t *testing.T) {
	s := start(t, realsshd.Config{Accounts: []realsshd.Account{{Name: "alice", Password: "secret"}}})
	c := newContainerUser(t, s)
	known := "UserKnownHostsFile=" + filepath.Join(c.dir, "known_hosts")
	locked := "HOME=" + filepath.Join(c.dir, "locked")
	for _, test := range []struct {
		name   string
		env    []string
		args   []string
		status int
		out    string
		stderr string
	}{
		{"dry run without login", nil, []string{"-i", c.key, "-n", "-f", "host"}, 0, "Would have added", ""},
		{"no user name", nil, []string{"-i", c.key, "-f", "127.0.0.1"}, 1, "", "give it as user@127.0.0.1"},
		{"no user name, -G", nil, []string{"-G", "127.0.0.1"}, 1, "", "give it as user@127.0.0.1"},
		{"USER", []string{"USER=alice"}, []string{"-G", "127.0.0.1"}, 0, "\nuser alice\n", ""},
		{"LOGNAME", []string{"LOGNAME=alice"}, []string{"-G", "127.0.0.1"}, 0, "\nuser alice\n", ""},
		{"host keys", nil, []string{"-i", c.key, "-f", "alice@127.0.0.1"}, 1, "", "no home directory to look for ~/.ssh/known_hosts (UserKnownHostsFile): set HOME"},
		{"default identities", nil, []string{"alice@127.0.0.1"}, 1, "", "no home directory to look for ~/.ssh/id*.pub, the default identities: set HOME"},
		{"locked home, default identities", []string{locked}, []string{"alice@127.0.0.1"}, 1, "", "Permission denied"},
		{"locked home, unknown host", []string{locked}, []string{"-i", c.key, "-f", "-o", "StrictHostKeyChecking=yes", "alice@127.0.0.1"}, 1, "", "No ED25519 host key is known for"},
		{"nothing of it needed", nil, []string{"-i", c.key, "-f", "--password-env", "SSHPASS", "-o", known, "alice@127.0.0.1"}, 0, "Number of key(s) added: 1", ""},
		{"locked home, not needed", []string{locked}, []string{"-i", c.key, "-f", "--password-env", "SSHPASS", "-o", "StrictHostKeyChecking=no", "alice@127.0.0.1"}, 0, "Number of key(s) added: 1", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := c.run(test.env, test.args...)
			if r.status != test.status || !strings.Contains("\n"+r.out, test.out) || !strings.Contains(r.stderr, test.stderr) {
				t.Errorf("exit status %d\n%s%s", r.status, r.out, r.stderr)
			}
			if n := strings.Count(r.stderr, "ERROR"); n != test.status {
				t.Errorf("%d ERROR lines", n)
			}
			if n := strings.Count(strings.ToLower(r.stderr), "permission denied"); n > 1 {
				t.Errorf("permission denied is said %d times\n%s", n, r.stderr)
			}
		})
	}
}
