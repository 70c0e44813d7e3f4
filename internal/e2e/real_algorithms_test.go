//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshtest/realsshd"
)

// TestRealAlgorithms has a real sshd offer one algorithm after the other, and
// logs in with ssh and with this program: by default it takes what ssh takes and
// the ssh package has, and with + what else that package has.
func TestRealAlgorithms(t *testing.T) {
	realsshd.Need(t, realsshd.OpenSSH)
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []struct{ keyword, query string }{
		{"KexAlgorithms", "kex"}, {"Ciphers", "cipher"}, {"MACs", "mac"}, {"HostKeyAlgorithms", "HostKeyAlgorithms"},
	} {
		out, err := exec.Command(ssh, "-Q", kind.query).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Fields(string(out)) {
			if kind.query == "HostKeyAlgorithms" && (strings.Contains(name, "cert") || strings.Contains(name, "sk-") || name == "ssh-dss" || strings.Contains(name, "mldsa")) {
				continue // keys of these kinds are not made here
			}
			t.Run(kind.keyword+" "+name, func(t *testing.T) {
				t.Parallel()
				oneAlgorithm(t, ssh, kind.keyword, name)
			})
		}
	}
}

// oneAlgorithm compares ssh and this program on a server with one algorithm.
func oneAlgorithm(t *testing.T, ssh, keyword, name string) {
	c := newClient(t, nil)
	line := c.key("id_ed25519")
	config := []string{keyword + " " + name}
	if keyword == "MACs" {
		config = append(config, "Ciphers aes128-ctr") // others have a MAC of their own
	}
	hostKeys, err := makeHostKeys(t, c, name)
	if err != nil {
		t.Fatal(err)
	}
	box, err := realsshd.Inetd(realsshd.SandboxConfig{Dir: t.TempDir(), Keys: []string{line}, ConfigLines: append(config, hostKeys...)})
	if err != nil {
		t.Skip(err)
	}
	options := []string{"-F", box.SSHConfig, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=" + c.home + "/known", "-o", "BatchMode=yes"}
	sshArgs := append(slices.Clone(options), "-i", c.home+"/.ssh/id_ed25519", "box", "true")
	ourArgs := append(slices.Clone(options), "-i", c.home+"/.ssh/id_ed25519.pub", "-n", "box")
	has := slices.Contains(sshclient.Supported(keyword), name)
	for _, extra := range [][]string{nil, {"-o", keyword + "=+" + name}} {
		theirs := c.run(ssh, append(slices.Clone(extra), sshArgs...)...)
		if extra == nil && theirs.status != 0 && !strings.Contains(theirs.stderr, "no matching ") {
			t.Fatalf("ssh: %s", theirs.stderr)
		}
		ours := c.run(c.program(), append(slices.Clone(extra), ourArgs...)...)
		want := theirs.status == 0 && has
		if (ours.status == 0) != want {
			t.Errorf("%q: exit status %d, ssh %d\n%s\n%s", extra, ours.status, theirs.status, ours.stderr, theirs.stderr)
		}
		if !want && (!strings.Contains(ours.stderr, "no matching ") || !strings.Contains(ours.stderr, name)) {
			t.Errorf("%q: said\n%s", extra, ours.stderr)
		}
	}
}

// makeHostKeys gives the server an RSA key besides its own, where an RSA
// algorithm is asked for.
func makeHostKeys(t *testing.T, c *client, name string) ([]string, error) {
	t.Helper()
	var kind []string
	switch {
	case strings.Contains(name, "rsa"):
		kind = []string{"-t", "rsa", "-b", "2048"}
	case strings.HasPrefix(name, "ecdsa-sha2-nistp"):
		kind = []string{"-t", "ecdsa", "-b", strings.TrimPrefix(name, "ecdsa-sha2-nistp")}
	default:
		return nil, nil
	}
	path := c.home + "/hostkey"
	keygen := exec.Command("ssh-keygen", append(kind, "-q", "-N", "", "-f", path)...)
	keygen.Stderr = os.Stderr
	return []string{"HostKey " + path}, keygen.Run()
}
