//go:build linux

package sshconfig

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// privateHome is set in the process that runs inside its own mount namespace:
// the directory that is the home of root there.
const privateHome = "SSHCONFIG_TEST_PRIVATE_HOME"

// TestAgainstSSH gives every case to `ssh -G` and compares all that it prints.
//
// ssh takes the home from the passwd file, so the cases run where a passwd file
// and an /etc/ssh of the test's own cover the real ones: in a mount namespace
// which only the processes of this test see. Where the system does not allow
// that, the cases that read nothing but -F files run, in an ordinary directory.
func TestAgainstSSH(t *testing.T) {
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		missing(t, "ssh is not installed")
	}
	againstSSH(t, ssh)
}

func againstSSH(t *testing.T, ssh string) {
	if os.Getenv(privateHome) != "" {
		compareCases(t, ssh, true)
		return
	}
	if out, ok := runPrivately(t); ok {
		if strings.Contains(out, "--- FAIL") || !strings.Contains(out, "--- PASS: "+t.Name()) {
			t.Fatalf("in the private namespace:\n%s", out)
		}
		t.Log(lastLines(out, 4))
		return
	}
	if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
		t.Fatal("no private mount namespace: the cases about the default files cannot run")
	}
	compareCases(t, ssh, false)
}

// missing skips a test for want of a program, or fails it where all must run.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// runPrivately runs this test again in namespaces of its own: mounts, no
// network, and for an ordinary user also user ids, as root of which ssh sees
// itself there.
func runPrivately(t *testing.T) (output string, ok bool) {
	base := resolved(t, t.TempDir())
	home := filepath.Join(base, "home")
	for _, dir := range []string{home, filepath.Join(base, "ssh")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	passwd := filepath.Join(base, "passwd")
	text := "root:x:0:0:root:" + home + ":/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
	if err := os.WriteFile(passwd, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"--mount", "--net", "--propagation", "private"}
	if os.Getuid() != 0 {
		args = append(args, "--user", "--map-root-user")
	}
	cover := `mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/ssh" /etc/ssh && echo covered && shift && exec "$@"`
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args = append(args, "sh", "-c", cover, "sh", base, self, "-test.run=^"+t.Name()+"$", "-test.v")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", args...)
	cmd.Env = append(os.Environ(), privateHome+"="+home, "HOME="+home)
	out, _ := cmd.CombinedOutput()
	if !bytes.Contains(out, []byte("covered")) {
		t.Logf("no namespace: %s", out)
		return "", false
	}
	return string(out), true
}

func compareCases(t *testing.T, ssh string, private bool) {
	home, etc := os.Getenv(privateHome), "/etc/ssh"
	if !private {
		home, etc = resolved(t, t.TempDir()), resolved(t, t.TempDir())
	}
	compared, version := 0, versionOf(t, ssh)
	for _, c := range readCases(t) {
		if before(version, c.since) || c.until != "" && !before(version, c.until) || !private && !c.portable() || c.needsRoot() && !realRoot() {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			empty(t, home)
			if private {
				empty(t, etc)
			}
			c.layOut(t, home, etc)
			t.Chdir(home)
			t.Setenv("SHELL", "/bin/sh")
			c.compare(t, ssh, version, home)
		})
		compared++
	}
	t.Logf("%d cases compared with %s, OpenSSH %s", compared, ssh, version)
	if compared < 150 && private {
		t.Errorf("only %d cases were compared", compared)
	}
}

// portable reports whether the case reads nothing but a file named by -F and
// says nothing about the account, so that it can run as anybody anywhere.
func (c *testCase) portable() bool {
	if !slices.Contains(c.args, "-F") || c.passwd {
		return false
	}
	for _, f := range c.files {
		if strings.HasPrefix(f.path, "/etc/") {
			return false
		}
		for _, line := range f.lines {
			word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if asciiLower(word) == "include" {
				return false
			}
		}
	}
	for _, text := range append(slices.Clone(c.want), c.args...) {
		if strings.Contains(text, "@HOME@") || strings.Contains(text, "root") {
			return false
		}
	}
	return true
}

// realRoot reports whether files can be given to other users.
func realRoot() bool {
	probe := filepath.Join(os.TempDir(), fmt.Sprintf("sshconfig-chown-%d", os.Getpid()))
	defer os.Remove(probe)
	return os.WriteFile(probe, nil, 0o600) == nil && os.Chown(probe, 65534, 65534) == nil
}

func empty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

// compare runs both and compares exit status and every line.
func (c *testCase) compare(t *testing.T, ssh, version, home string) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, ssh, append([]string{"-G"}, c.args...)...)
	cmd.Env = os.Environ()
	for name, value := range c.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	real := account(t, home)
	ours, ourErr := c.resolve(real, "/etc/ssh/ssh_config")
	if (err != nil) != (ourErr != nil) {
		t.Fatalf("%s: ssh: %v %s; we: %v", c.where, err, &stderr, ourErr)
	}
	if (err != nil) != c.fails {
		t.Fatalf("%s: ssh: %v %s; the case says otherwise", c.where, err, &stderr)
	}
	if err != nil {
		c.compareMessages(t, quiet(stderr.String()), ourErr)
		return
	}
	theirs := tidy(c, version, strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"))
	ours = tidy(c, version, ours)
	if !slices.Equal(theirs, ours) {
		for _, line := range ours {
			if !slices.Contains(theirs, line) {
				t.Errorf("%s: ours alone: %q", c.where, line)
			}
		}
		for _, line := range theirs {
			if !slices.Contains(ours, line) {
				t.Errorf("%s: ssh alone: %q", c.where, line)
			}
		}
		if !t.Failed() {
			t.Errorf("%s: order or number of lines differs", c.where)
		}
	}
}

// compareMessages compares what is said about a bad line: each of our messages
// that names a file must be among ssh's.
func (c *testCase) compareMessages(t *testing.T, stderr string, err error) {
	for _, message := range strings.Split(err.Error(), "\n") {
		ascii := !strings.ContainsFunc(message, func(r rune) bool { return r > '~' }) // ssh escapes the rest
		if ascii && strings.Contains(message, " line ") && !strings.Contains(stderr, message) {
			t.Errorf("%s: we say %q, ssh says %q", c.where, message, stderr)
		}
	}
}

// account is the home that ssh takes from the passwd file.
func account(t *testing.T, private string) string {
	if os.Getenv(privateHome) != "" {
		return private
	}
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	return home
}

// tidy drops what is not comparable: what releases differ about, the user where
// it is the account's own, and the default key files of several releases.
func tidy(c *testCase, version string, lines []string) (out []string) {
	for _, line := range comparable(version, lines) {
		keyword, _, _ := strings.Cut(line, " ")
		if slices.Contains(c.ignore, keyword) {
			continue
		}
		if slices.Contains([]string{"~/.ssh/id_xmss", "~/.ssh/id_dsa", newestIdentity}, strings.TrimPrefix(line, "identityfile ")) {
			continue
		}
		if keyword == "user" && os.Getenv(privateHome) == "" && !slices.Contains(c.want, line) {
			continue
		}
		out = append(out, line)
	}
	return out
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
