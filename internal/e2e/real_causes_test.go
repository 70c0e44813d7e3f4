//go:build unix

package e2e

import (
	"os"
	"strings"
	"testing"

	"ssh-copy-id/internal/sshtest/realsshd"
)

// readableConfig lets accounts read sshd's configuration, as they may on most
// systems.
const readableConfig = "chmod 755 /run/realsshd && chmod 644 /run/realsshd/sshd_config; "

// TestRealSettingsNamed: settings of sshd that keep keys out are named as what
// they are, after an install and by --diagnose; where the configuration cannot be
// read nothing is claimed about it.
func TestRealSettingsNamed(t *testing.T) {
	for _, c := range []struct {
		name     string
		config   []string
		readable bool
		install  string // what an install says
		diagnose string
	}{
		{"AuthorizedKeysFile none", []string{"AuthorizedKeysFile none"}, true,
			"sshd reads no file of keys for this account (AuthorizedKeysFile none); put at the top of the server's sshd_config: AuthorizedKeysFile .ssh/authorized_keys",
			"sshd reads no file of keys for this account (AuthorizedKeysFile none)"},
		{"AuthorizedKeysFile none unread", []string{"AuthorizedKeysFile none"}, false,
			"likely cause: the server may read another file than /home/alice/.ssh/authorized_keys",
			"likely cause: the server may read another file than /home/alice/.ssh/authorized_keys"},
		{"PubkeyAuthentication no", []string{"PubkeyAuthentication no"}, true,
			"the server does not look at keys (PubkeyAuthentication no)", "the server does not look at keys (PubkeyAuthentication no)"},
		{"PubkeyAuthentication no for a user", []string{"Match User alice", "PubkeyAuthentication no"}, true,
			"the server does not look at keys (PubkeyAuthentication no)", "the server does not look at keys (PubkeyAuthentication no)"},
		{"PubkeyAuthentication no unread", []string{"PubkeyAuthentication no"}, false,
			"the server does not offer publickey authentication (PubkeyAuthentication or AuthenticationMethods in its sshd_config)",
			"the server does not offer publickey authentication (PubkeyAuthentication or AuthenticationMethods in its sshd_config)"},
		{"RevokedKeys", []string{"RevokedKeys /run/revoked"}, true,
			"possible cause: the server refuses keys that its RevokedKeys file /run/revoked lists", "possible cause: the server refuses keys that its RevokedKeys file /run/revoked lists"},
		{"RevokedKeys missing", []string{"RevokedKeys /run/nothing"}, true,
			"possible cause: the server refuses keys that its RevokedKeys file /run/nothing lists, and every key where it cannot read that file",
			"every key where it cannot read that file"},
		{"RevokedKeys unread", []string{"RevokedKeys /run/revoked"}, false,
			"or have revoked it (RevokedKeys)", "or have revoked it (RevokedKeys)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			setup := ""
			if c.readable {
				setup = readableConfig
			}
			s := start(t, realsshd.Config{Accounts: accounts("alice"), ConfigLines: c.config, Setup: setup})
			cl := newClient(t, s)
			line := cl.key("id_ed25519")
			if err := os.WriteFile(s.Path("/run/revoked"), []byte(line), 0o644); err != nil {
				t.Fatal(err)
			}
			r := cl.install("alice@127.0.0.1")
			r.want(t, 0, "Number of key(s) added: 1", c.install)
			if n := strings.Count(r.stderr, "cause: "); n != 1 {
				t.Errorf("%d causes in\n%s", n, r.stderr)
			}
			r = cl.install("--diagnose", "alice@127.0.0.1")
			r.want(t, 1, "refused, though on line 1", c.diagnose)
			if strings.Contains(r.stderr+r.out, "verified") {
				t.Errorf("verified:\n%s", r.stderr)
			}
		})
	}
}

// TestRealClosedAccounts: an account that a password or a date shuts out is
// named so, and no shell or SFTP is promised; the password was right.
func TestRealClosedAccounts(t *testing.T) {
	const changeIt = "ERROR: the account's password has expired, and the server runs nothing until it is changed: log in with ssh, change it, and run this again; the server said: "
	for _, c := range []struct {
		name, setup string
		config      []string
		status      int
		want        string
		not         []string
	}{
		{"password expired, PAM", "chage -d 0 alice", []string{"UsePAM yes"}, 1, changeIt, []string{"-s may work"}},
		{"password expired", "chage -d 0 alice", []string{"UsePAM no"}, 1, changeIt, []string{"-s may work"}},
		{"password too old", "chage -M 1 alice", []string{"UsePAM no"}, 1, changeIt, []string{"-s may work"}},
		{"nologin", "echo closed for cleaning >/etc/nologin", []string{"UsePAM no"}, 1,
			"ERROR: the server lets only root log in at present (nologin); the server said: ", []string{"-s may work"}},
		// The server says no more than that: neither is claimed.
		{"locked", "usermod -L alice", []string{"UsePAM no"}, 5, "Permission denied", []string{"locked", "not accepted"}},
		{"AllowUsers", "", []string{"AllowUsers bob"}, 5, "Permission denied", []string{"AllowUsers", "not accepted"}},
		{"DenyUsers", "", []string{"DenyUsers alice"}, 5, "Permission denied", []string{"DenyUsers", "not accepted"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, realsshd.Config{Accounts: accounts("alice", "bob"), ConfigLines: c.config, Setup: c.setup})
			cl := newClient(t, s)
			cl.key("id_ed25519")
			for _, args := range [][]string{{}, {"-s"}, {"--diagnose"}} {
				r := cl.install(append(args, "alice@127.0.0.1")...)
				r.want(t, c.status, c.want)
				for _, not := range append(c.not, "added: ", "already exist", "packet", "EOF") {
					if strings.Contains(strings.ReplaceAll(r.out+r.stderr, cl.home, ""), not) {
						t.Errorf("%q: says %q\n%s", args, not, r.stderr)
					}
				}
			}
			if got := cl.remote("alice"); got != "" {
				t.Errorf("the file is %q", got)
			}
		})
	}
}
