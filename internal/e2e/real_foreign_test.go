//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ssh-copy-id/internal/sshtest/realsshd"
)

// TestRealForeign: root writes nowhere where another account decides what the
// path leads to, unless forced.
func TestRealForeign(t *testing.T) {
	s := start(t, realsshd.Config{Accounts: accounts("root", "alice"), ConfigLines: []string{"PermitRootLogin yes"},
		Setup: "mkdir -p /home/alice/.ssh /root/own /srv/shared; chown alice /home/alice/.ssh; ln -s /home/alice/linked /root/link; " +
			"ln -s /home/alice/.ssh /root/linkdir; ln -s own/real /root/ownlink; chmod 777 /srv/shared\n"})
	cl := newClient(t, s)
	line := cl.key("id_ed25519")
	tree := func() string {
		out, err := exec.Command("find", s.Home("alice"), s.Home("root"), s.Path("/srv"), "-printf", "%p %y %U %m %l %s\n").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	before := tree()
	for _, c := range []struct{ target, place string }{
		{"/home/alice/.ssh/authorized_keys", "/home/alice (user id "},
		{"/home/alice/new", "/home/alice (user id "},
		{"/home/alice/made/keys", "/home/alice (user id "},
		{"/root/link", "/home/alice (user id "},
		{"~/link", "/home/alice (user id "},
		{"linkdir/authorized_keys", "/home/alice (user id "},
		{"/root/own/../../home/alice/new", "/home/alice (user id "},
		{"/srv/shared/keys", "/srv/shared (user id 0, mode "},
	} {
		for _, flags := range [][]string{nil, {"-s"}, {"-n"}, {"-n", "-s"}} {
			t.Run(strings.Join(append(flags, c.target), " "), func(t *testing.T) {
				cl := &client{t: t, home: cl.home, server: s}
				args := append(flags, "-t", c.target, "root@127.0.0.1")
				r := cl.installUnattended(args...)
				r.want(t, 1, "ERROR: another account can change what "+c.place, "--for-user", "-f to write all the same", "No key was added")
				if strings.Contains(r.out+r.stderr, "key to install") || strings.Contains(r.out, "added") || strings.Count(r.stderr, "ERROR") != 1 {
					t.Errorf("it says\n%s%s", r.out, r.stderr)
				}
				if after := tree(); after != before {
					t.Errorf("changed:\n%s\nwas\n%s", after, before)
				}
			})
		}
	}
	cl.installUnattended("-n", "-t", "/root/ownlink", "root@127.0.0.1").want(t, 0, "Would have added")
	cl.installUnattended("-t", "/root/ownlink", "root@127.0.0.1").want(t, 0, "Number of key(s) added: 1")
	cl.installUnattended("-f", "-t", "/root/link", "root@127.0.0.1").want(t, 0, "Number of key(s) added: 1", "another account can change what /home/alice (user id ")
	// What is there already is no write.
	cl.installUnattended("-t", "/root/link", "root@127.0.0.1").want(t, 0, "All keys were skipped")
	cl.installUnattended("-n", "-t", "/root/link", "root@127.0.0.1").want(t, 0)
	for _, name := range []string{filepath.Join(s.Home("root"), "own/real"), filepath.Join(s.Home("alice"), "linked")} {
		if got, err := os.ReadFile(name); err != nil || string(got) != line {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	// Accounts that are not root work in their own name.
	cl.installUnattended("-t", "/srv/shared/keys", "alice@127.0.0.1").want(t, 0, "Number of key(s) added: 1")
}
