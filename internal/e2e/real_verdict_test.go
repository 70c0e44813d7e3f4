//go:build unix

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ssh-copy-id/internal/sshtest/realsshd"
)

// verdicts are accounts whose authorized_keys holds the key on a line of its
// own. script is the exit status of the stock script, which logs in to find out;
// ours must be the same where the server lets both see the same. KEY in a line
// stands for the key.
var verdicts = []struct {
	name, line, shell string
	args              []string
	status, script    int
	want              []string
	unwanted          string
}{
	{name: "plain", line: "KEY", want: []string{"All keys were skipped"}},
	{name: "cloud", line: `no-port-forwarding,command="echo Please log in as ubuntu;exit 142" KEY`, status: 1, script: 1,
		want: []string{"ERROR: Please log in as ubuntu", "exit status 142"}, unwanted: "already exist"},
	{name: "stderr", line: `command="echo use the portal >&2;exit 1" KEY`, status: 1, script: 1,
		want: []string{"ERROR: use the portal"}, unwanted: "already exist"},
	// The script takes silence for success.
	{name: "silent", line: `command="exit 7" KEY`, status: 1, script: 0, want: []string{"ERROR: the login with 256 SHA256:", "exit status 7"}, unwanted: "already exist"},
	{name: "true", line: `command="true" KEY`, want: []string{"All keys were skipped"}},
	{name: "before", line: "KEY\ncommand=\"exit 3\" KEY", want: []string{"All keys were skipped", "line 1 comes first and decides, without options; remove line 1, or line 2"}},
	{name: "options", line: "no-port-forwarding,no-pty KEY", want: []string{"All keys were skipped", "line 1 of /home/options/.ssh/authorized_keys, with the options no-port-forwarding,no-pty"}},
	{name: "nologin", line: "KEY", shell: "/usr/sbin/nologin", status: 1, script: 1, want: []string{"ERROR: This account is currently not available."}, unwanted: "already exist"},
	{name: "git", line: "KEY", shell: "/usr/bin/git-shell", status: 1, script: 1, want: []string{"exit status"}, unwanted: "already exist"},
	{name: "expired", line: "KEY", status: 1, script: 1, want: []string{"ERROR: ", "password"}, unwanted: "already exist"},
	{name: "sftponly", line: "KEY", want: []string{"All keys were skipped"}, script: 1},
	{name: "sftps", line: "KEY", args: []string{"-s"}, want: []string{"All keys were skipped"}},
	{name: "nologins", line: "KEY", shell: "/usr/sbin/nologin", args: []string{"-s"}, want: []string{"All keys were skipped"}, script: 1},
	{name: "root", line: "KEY", status: 1, script: 1, want: []string{"closed the connection after the login"}, unwanted: "already exist"},
}

// TestRealVerdicts: a key counts as there only where its login leads somewhere,
// on a real sshd and beside the stock script.
func TestRealVerdicts(t *testing.T) {
	cfg := realsshd.Config{ConfigLines: []string{"UsePAM yes", "PermitRootLogin forced-commands-only",
		"Match User sftponly,sftps", "ForceCommand internal-sftp"},
		Setup: "awk -F: 'BEGIN{OFS=\":\"} $1==\"expired\"{$3=0} {print}' /etc/shadow >/run/shadow && cat /run/shadow >/etc/shadow\n"}
	keys := &client{t: t, home: t.TempDir()}
	line := strings.TrimSpace(keys.key("id_ed25519"))
	for _, v := range verdicts {
		cfg.Accounts = append(cfg.Accounts, realsshd.Account{Name: v.name, Password: "secret", Shell: v.shell,
			Keys: []string{strings.ReplaceAll(v.line, "KEY", line)}})
	}
	s := start(t, cfg)
	keys.server = s
	keys.write(".ssh/known_hosts", string(s.KnownHosts()))
	for _, v := range verdicts {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			c := &client{t: t, home: keys.home, server: s}
			before := c.remote(v.name)
			args := append(append(c.port(), "-o", "BatchMode=yes", "-o", "UserKnownHostsFile="+filepath.Join(c.home, ".ssh/known_hosts"), "-i", filepath.Join(c.home, ".ssh/id_ed25519")), v.args...)
			args = append(args, v.name+"@127.0.0.1")
			r := c.run(c.program(), args...)
			r.want(t, v.status, v.want...)
			if v.unwanted != "" && strings.Contains(r.out+r.stderr, v.unwanted) {
				t.Errorf("it says %q:\n%s", v.unwanted, r.stderr)
			}
			if got := c.remote(v.name); got != before {
				t.Errorf("the file is %q, was %q", got, before)
			}
			if script := c.run("/usr/bin/ssh-copy-id", args...); script.status != v.script {
				t.Errorf("the stock script ends with %d, not %d:\n%s", script.status, v.script, script.stderr)
			}
		})
	}
}

// TestRealForcedLineDecides: with a password the file can be read, and the line
// that forces a command is named.
func TestRealForcedLineDecides(t *testing.T) {
	keys := &client{t: t, home: t.TempDir()}
	line := keys.key("id_ed25519")
	forced := `command="echo Please log in as ubuntu;exit 142" ` + line
	s := start(t, realsshd.Config{Accounts: []realsshd.Account{{Name: "alice", Password: "secret", Keys: []string{forced}}}})
	c := &client{t: t, home: keys.home, server: s}
	c.write(".ssh/known_hosts", string(s.KnownHosts()))
	const where = "line 1 of /home/alice/.ssh/authorized_keys"

	c.install("-t", ".ssh/authorized_keys", "-o", "PreferredAuthentications=password", "alice@127.0.0.1").
		want(t, 0, where, "another line would not help")
	if got := c.remote("alice"); got != forced {
		t.Errorf("the file is %q", got)
	}
	r := c.install("-f", "-o", "PreferredAuthentications=password", "alice@127.0.0.1")
	r.want(t, 0, "Number of key(s) added: 1", where, `command="echo Please log in as ubuntu;exit 142": the server uses that line`, "leads nowhere: it ended with exit status 142")
	if strings.Contains(r.stderr, "verified") {
		t.Errorf("it says verified:\n%s", r.stderr)
	}
	c.install("-f", "--verify", "-o", "PreferredAuthentications=password", "alice@127.0.0.1").want(t, 1, "leads nowhere")
}

// TestRealForcedSuccess: a forced command that ends well is no login with the new
// line.
func TestRealForcedSuccess(t *testing.T) {
	keys := &client{t: t, home: t.TempDir()}
	forced := `command="cat" ` + keys.key("id_ed25519")
	s := start(t, realsshd.Config{Accounts: []realsshd.Account{{Name: "alice", Password: "secret", Keys: []string{forced}}}})
	c := &client{t: t, home: keys.home, server: s}
	c.write(".ssh/known_hosts", string(s.KnownHosts()))
	r := c.install("-f", "-o", "PreferredAuthentications=password", "alice@127.0.0.1")
	r.want(t, 0, "Number of key(s) added: 1", `command="cat": the server uses that line`, "verified: the server now accepts 1 key")
	if strings.Contains(r.stderr, "logged in") {
		t.Errorf("it says logged in:\n%s", r.stderr)
	}
}

// TestRealStartupStatus: bash reads .bashrc for sshd, and "exit" ends with the
// status of its last command. That says nothing about the login.
func TestRealStartupStatus(t *testing.T) {
	s := start(t, realsshd.Config{Accounts: []realsshd.Account{{Name: "alice", Password: "secret", Shell: "/bin/bash"}}})
	if err := os.WriteFile(filepath.Join(s.Home("alice"), ".bashrc"), []byte("[ -f ~/.more ] && . ~/.more\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, s)
	c.key("id_ed25519")
	c.install("alice@127.0.0.1").want(t, 0, "Number of key(s) added: 1", "verified: logged in with 1 key")
	c.install("alice@127.0.0.1").want(t, 0, "All keys were skipped")
	c.install("--diagnose", "alice@127.0.0.1").want(t, 0, "accepted: ")
}

// TestRealEmptyPassword: the account gets in on the method "none".
func TestRealEmptyPassword(t *testing.T) {
	s := start(t, realsshd.Config{Accounts: accounts("alice"), ConfigLines: []string{"PermitEmptyPasswords yes"},
		Setup: "awk -F: 'BEGIN{OFS=\":\"} $1==\"alice\"{$2=\"\"} {print}' /etc/shadow >/run/shadow && cat /run/shadow >/etc/shadow\n"})
	c := newClient(t, s)
	line := c.key("id_ed25519")
	args := append(c.port(), "alice@127.0.0.1")
	c.run(c.program(), args...).want(t, 0, "Number of key(s) added: 1", "not verified: the server lets this account in without asking for a key")
	c.run(c.program(), append([]string{"--verify"}, args...)...).want(t, 0, "All keys were skipped")
	if got := c.remote("alice"); got != line {
		t.Errorf("the file is %q, want %q", got, line)
	}
	r := c.run(c.program(), append([]string{"--diagnose"}, args...)...)
	r.want(t, 0, "without asking for a key", "on line 1 of")
	if strings.Contains(r.stderr, "cause") {
		t.Errorf("it makes up a cause:\n%s", r.stderr)
	}
}

// TestRealBackground: what a start-up file leaves in the background keeps the
// session open, and not the run from its verdict.
func TestRealBackground(t *testing.T) {
	s := start(t, realsshd.Config{Accounts: []realsshd.Account{{Name: "alice", Password: "secret", Shell: "/bin/bash"}}})
	if err := os.WriteFile(filepath.Join(s.Home("alice"), ".bashrc"), []byte("sleep 300 &\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, s)
	c.key("id_ed25519")
	c.install("alice@127.0.0.1").want(t, 0, "Number of key(s) added: 1", "verified: logged in with 1 key")
	c.install("alice@127.0.0.1").want(t, 0, "All keys were skipped")
}
