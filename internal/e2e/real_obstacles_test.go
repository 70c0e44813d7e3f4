//go:build unix

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"ssh-copy-id/internal/sshtest/realsshd"
)

// TestRealLimits: servers with few tries, few sessions, little time.
func TestRealLimits(t *testing.T) {
	type limited struct {
		name  string
		lines []string
	}
	list := []limited{
		{"MaxSessions 1", []string{"MaxSessions 1"}},
		{"LoginGraceTime 10", []string{"LoginGraceTime 10"}},
	}
	for n := range 6 {
		list = append(list, limited{fmt.Sprintf("MaxAuthTries %d", n+1), []string{fmt.Sprintf("MaxAuthTries %d", n+1)}})
	}
	for _, l := range list {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, realsshd.Config{Accounts: accounts("one", "five"), ConfigLines: l.lines})
			c := newClient(t, s)
			line := c.key("id_ed25519")
			c.installUnattended("one@127.0.0.1").want(t, 0, "Number of key(s) added: 1", "verified")
			if got := c.remote("one"); got != line {
				t.Errorf("the file is %q, want %q", got, line)
			}
			c.installUnattended("one@127.0.0.1").want(t, 0, "All keys were skipped")

			want, names := line, []string{"id_ed25519"}
			for i := range 4 {
				names = append(names, fmt.Sprint("k", i))
				want += c.key(names[i+1])
			}
			a := c.agent(names...)
			args := append([]string{"SSH_AUTH_SOCK=" + a.Socket(), c.program(), "--password-env", "SSHPASS"}, c.port()...)
			c.run("env", append(args, "five@127.0.0.1")...).want(t, 0, "Number of key(s) added: 5")
			if got := c.remote("five"); got != want {
				t.Errorf("the file is\n%s\nwant\n%s", got, want)
			}
			if s.Penalties() > 0 {
				t.Errorf("the address was punished:\n%s", s.Log())
			}
		})
	}
}

// TestRealChroot: SFTP and nothing else, in a directory that is the root.
func TestRealChroot(t *testing.T) {
	s := start(t, realsshd.Config{
		Accounts:    accounts("alice"),
		ConfigLines: []string{"ForceCommand internal-sftp", "ChrootDirectory /home/jail"},
		Setup:       "mkdir -p /home/jail/home/alice; mount --bind /home/alice /home/jail/home/alice\n",
	})
	c := newClient(t, s)
	line := c.key("id_ed25519")
	c.installUnattended("alice@127.0.0.1").want(t, 0, "Number of key(s) added: 1", "verified")
	if got := c.remote("alice"); got != line {
		t.Errorf("the file is %q, want %q", got, line)
	}
	c.installUnattended("alice@127.0.0.1").want(t, 0, "All keys were skipped")
}

// TestRealChrootHome: the home itself is the root of SFTP, and so is not the
// account's; .ssh and the file are.
func TestRealChrootHome(t *testing.T) {
	s := start(t, realsshd.Config{
		Accounts:    accounts("alice", "bob"),
		ConfigLines: []string{"ForceCommand internal-sftp", "ChrootDirectory %h"},
		Setup: "for u in alice bob; do mkdir -p /home/$u/.ssh; : >/home/$u/.ssh/authorized_keys; chown -R $u /home/$u/.ssh; " +
			"chown root:root /home/$u; chmod 755 /home/$u; done\n",
	})
	for account, flags := range map[string][]string{"alice": {"-s"}, "bob": nil} {
		c := newClient(t, s)
		line := c.key("id_ed25519")
		c.installUnattended(append(flags, account+"@127.0.0.1")...).want(t, 0, "Number of key(s) added: 1", "verified")
		if got := c.remote(account); got != line {
			t.Errorf("the file is %q, want %q", got, line)
		}
		c.installUnattended(append(flags, account+"@127.0.0.1")...).want(t, 0, "All keys were skipped")
		if left, _ := os.ReadDir(filepath.Join(s.Home(account), ".ssh")); len(left) != 1 {
			t.Errorf("left behind: %v", left)
		}
	}
}

// TestRealTinySSH: a server that knows no passwords and one type of key. It
// says of every such key that it would accept it (packet_auth.c asks only when
// there is a signature), so only a login counts as its word.
func TestRealTinySSH(t *testing.T) {
	c := &client{t: t, home: t.TempDir()}
	c.write(".ssh/config", "")
	old := c.key("old")
	c.server = start(t, realsshd.Config{Server: realsshd.TinySSH, Accounts: []realsshd.Account{{Name: "alice", Keys: []string{old}}}})
	c.write(".ssh/known_hosts", string(c.server.KnownHosts()))
	line := c.key("new")
	args := append([]string{"-i", ".ssh/new", "-o", "IdentityFile=~/.ssh/old"}, c.port()...)
	c.run(c.program(), append(args, "alice@127.0.0.1")...).want(t, 0, "Number of key(s) added: 1", "verified: logged in with 1 key")
	if got := c.remote("alice"); got != old+line {
		t.Errorf("the file is %q, want %q", got, old+line)
	}
	c.run(c.program(), append(args, "alice@127.0.0.1")...).want(t, 0, "All keys were skipped")
	if got := c.remote("alice"); got != old+line {
		t.Errorf("the file is %q, want %q", got, old+line)
	}
}

// obstacles are accounts with start-up files that stand in the way, and with a
// shell that is none. want is what the program has to say.
var obstacles = []struct {
	name, shell, rc string
	status          int
	want            string
}{
	{"prints", "/bin/bash", `i=0; while [ $i -lt 4000 ]; do echo "$i and more words than anybody wants"; echo noise >&2; i=$((i+1)); done`, 0, "verified"},
	{"reads", "/bin/bash", "read -r line; read -r line", 0, "SFTP was used"},
	{"redirects", "/bin/bash", `exec >"$HOME/log"`, 0, "SFTP was used"},
	{"noneinpath", "/bin/bash", "PATH=/nowhere", 0, "SFTP was used"},
	{"owndd", "/bin/bash", `mkdir -p "$HOME/bin"; printf "#!/bin/sh\nsleep 60\n" >"$HOME/bin/dd"; chmod +x "$HOME/bin/dd"; PATH=$HOME/bin:$PATH`, 0, "verified"},
	{"readsall", "/bin/bash", "cat >/dev/null", 0, "SFTP was used"},
	{"runs", "/bin/bash", `[ -n "$Z" ] || Z=1 exec zsh -c "$BASH_EXECUTION_STRING"`, 0, "verified"},
	{"execsfish", "/bin/bash", "exec fish", 0, "SFTP was used"},
	{"execstcsh", "/bin/bash", "exec tcsh", 1, "no usable shell"},
	{"execszsh", "/bin/bash", "exec zsh", 0, "verified"},
	{"execsmksh", "/bin/bash", "exec mksh", 0, "verified"},
	{"sleeps", "/bin/bash", "sleep 3", 0, "verified"},
	{"execsdash", "/bin/bash", "exec dash", 0, "SFTP was used"},
	{"exits", "/bin/bash", "exit 7", 1, "no usable shell"},
	{"git", "/usr/bin/git-shell", "", 1, "no usable shell"},
}

// TestRealUnheard: a start-up file sends all output elsewhere, that of the SFTP
// server included. What the server says of the key decides; where it was not
// asked before, nothing is claimed.
func TestRealUnheard(t *testing.T) {
	s := start(t, realsshd.Config{Server: realsshd.OpenSSH, ConfigLines: []string{"Match User alice,bob", "ForceCommand exec >$HOME/log; eval \"$SSH_ORIGINAL_COMMAND\""},
		Accounts: accounts("alice", "bob")})
	c := newClient(t, s)
	line := c.key("id_ed25519")
	c.installUnattended("alice@127.0.0.1").want(t, 0, "Number of key(s) added: 1", "the server refused them before and accepts them now")
	if got := c.remote("alice"); got != line {
		t.Errorf("the file is %q, want %q", got, line)
	}
	c.installUnattended("-f", "bob@127.0.0.1").want(t, 1, "ERROR: ")
	if got := c.remote("bob"); got != "" {
		t.Errorf("the file is %q", got)
	}
}

// TestRealObstacles: what works leaves the whole line, and what does not one
// error and no change.
func TestRealObstacles(t *testing.T) {
	var cfg realsshd.Config
	for _, o := range obstacles {
		cfg.Accounts = append(cfg.Accounts, realsshd.Account{Name: o.name, Password: "secret", Shell: o.shell})
	}
	s := start(t, cfg)
	results, want := make([]result, len(obstacles)), make([]string, len(obstacles))
	var all sync.WaitGroup
	for i, o := range obstacles {
		rc := filepath.Join(s.Home(o.name), ".bashrc")
		if err := os.WriteFile(rc, []byte(o.rc+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		c := newClient(t, s)
		c.key("id_ed25519")
		want[i] = strings.Replace(c.read(".ssh/id_ed25519.pub"), "@client\n", ";touch ~/pwned;x\n", 1)
		c.write(".ssh/id_ed25519.pub", want[i])
		all.Go(func() { results[i] = c.installUnattended(o.name + "@127.0.0.1") })
	}
	all.Wait()
	for i, o := range obstacles {
		t.Run(o.name, func(t *testing.T) {
			if _, err := os.Stat(s.Path(o.shell)); err != nil && os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
				t.Fatal(err)
			} else if err != nil {
				t.Skip(err)
			}
			r := results[i]
			if n := strings.Count(r.stderr, "ERROR: "); n != o.status {
				t.Errorf("%d errors", n)
			}
			got := (&client{t: t, server: s}).remote(o.name)
			if o.status == 0 && got != want[i] || o.status != 0 && got != "" {
				t.Errorf("the file is %q", got)
			}
			if _, err := os.Stat(filepath.Join(s.Home(o.name), "pwned")); err == nil {
				t.Error("the comment of a key was run as a command")
			}
			r.want(t, o.status, o.want)
		})
	}
}
