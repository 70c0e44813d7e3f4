//go:build unix

package e2e

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"ssh-copy-id/internal/sshtest/realsshd"
)

// TestRealForUser: root installs a key for another account, which owns what is
// made, and the key is verified there.
func TestRealForUser(t *testing.T) {
	s := start(t, realsshd.Config{Accounts: accounts("root", "alice", "bob"), ConfigLines: []string{"PermitRootLogin yes"}})
	cl := newClient(t, s)
	line := cl.key("id_ed25519")
	r := cl.install("--for-user", "alice", "root@127.0.0.1")
	r.want(t, 0, "Number of key(s) added: 1", "verified: logged in with 1 key", "'alice@127.0.0.1'")
	if got := cl.remote("alice"); got != line {
		t.Errorf("the file is %q, want %q", got, line)
	}
	if got := cl.remote("root"); got != "" {
		t.Errorf("root's own file is %q", got)
	}
	home, err := os.Stat(s.Home("alice"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".ssh", ".ssh/authorized_keys"} {
		info, err := os.Stat(filepath.Join(s.Home("alice"), name))
		if err != nil {
			t.Fatal(err)
		}
		if owner(info) != owner(home) {
			t.Errorf("%s belongs to %d, the home to %d", name, owner(info), owner(home))
		}
	}
	cl.install("--for-user", "alice", "root@127.0.0.1").want(t, 0, "All keys were skipped")
	cl.install("--for-user", "nosuch", "root@127.0.0.1").want(t, 1, "no account of the name")
	cl.install("--for-user", "alice", "bob@127.0.0.1").want(t, 1, "--for-user needs a login as root")
}

func owner(info os.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }
