//go:build unix

package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ssh-copy-id/internal/sshtest"
	"ssh-copy-id/internal/sshtest/realsshd"
)

// stop is one server on a way: its name in ssh_config, the accounts it has and
// further lines of its sshd_config.
type stop struct {
	alias    string
	accounts []string
	lines    []string
}

// route is a client whose ssh_config knows servers. Each has a key and a
// known_hosts file of its own, that no other server is reached with.
type route struct {
	*client
	servers map[string]*realsshd.Server
	line    string // of .ssh/new, the key to install
}

// everyHost ends an ssh_config: nothing but what the file says logs in.
const everyHost = "Host *\n\tIdentitiesOnly yes\n\tIdentityAgent none\n\tBatchMode yes\n\tGlobalKnownHostsFile none\n\tConnectTimeout 60\n"

func newRoute(t *testing.T, stops ...stop) *route {
	t.Helper()
	r := &route{client: &client{t: t, home: t.TempDir()}, servers: map[string]*realsshd.Server{}}
	r.line = r.key("new")
	text := ""
	for _, stop := range stops {
		key := r.key("key_" + stop.alias)
		cfg := realsshd.Config{ConfigLines: stop.lines}
		for _, name := range stop.accounts {
			cfg.Accounts = append(cfg.Accounts, realsshd.Account{Name: name, Password: "secret", Keys: []string{key}})
		}
		s := start(t, cfg)
		r.servers[stop.alias] = s
		r.write(".ssh/known_"+stop.alias, string(s.KnownHosts()))
		text += r.block(stop.alias, s.Port, "User "+stop.accounts[0])
	}
	r.write("ssh_config", text+everyHost)
	return r
}

// in is the same route in a subtest.
func (r *route) in(t *testing.T) *route {
	return &route{client: &client{t: t, home: r.home}, servers: r.servers, line: r.line}
}

// block is the ssh_config of one server, with further lines.
func (r *route) block(alias string, port int, more ...string) string {
	ssh := filepath.Join(r.home, ".ssh")
	lines := append([]string{
		"HostName 127.0.0.1", fmt.Sprint("Port ", port),
		"IdentityFile " + filepath.Join(ssh, "key_"+alias), "UserKnownHostsFile " + filepath.Join(ssh, "known_"+alias),
	}, more...)
	return "Host " + alias + "\n\t" + strings.Join(lines, "\n\t") + "\n"
}

// replace changes ssh_config.
func (r *route) replace(old, with string) {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.home, "ssh_config"))
	if err != nil || !strings.Contains(string(text), old) {
		r.t.Fatalf("%q is not in ssh_config: %v", old, err)
	}
	r.write("ssh_config", strings.Replace(string(text), old, with, 1))
}

// copyID installs .ssh/new.
func (r *route) copyID(args ...string) result {
	r.t.Helper()
	return r.run(r.program(), append([]string{"-F", "ssh_config", "-i", ".ssh/new"}, args...)...)
}

// ask installs .ssh/new with a shell script that answers the questions.
func (r *route) ask(script string, args ...string) result {
	r.t.Helper()
	file := r.write("askpass", "#!/bin/sh\n"+script+"\n")
	if err := os.Chmod(file, 0o700); err != nil {
		r.t.Fatal(err)
	}
	return r.run("env", append([]string{"SSH_ASKPASS=" + file, "SSH_ASKPASS_REQUIRE=force", r.program(), "-F", "ssh_config", "-i", ".ssh/new"}, args...)...)
}

// wantFile checks that an account has the key it was set up with, and the new
// one if it was installed.
func (r *route) wantFile(alias, account string, installed bool) {
	r.t.Helper()
	want, err := os.ReadFile(filepath.Join(r.home, ".ssh", "key_"+alias+".pub"))
	if err != nil {
		r.t.Fatal(err)
	}
	if installed {
		want = append(want, r.line...)
	}
	got, err := os.ReadFile(filepath.Join(r.servers[alias].Home(account), ".ssh", "authorized_keys"))
	if err != nil || string(got) != string(want) {
		r.t.Errorf("%s on %s has\n%swant\n%s%v", account, alias, got, want, err)
	}
}

// tree is everything in a directory: names, owners, modes, times and content.
func (c *client) tree(dir string) string {
	c.t.Helper()
	r := c.run("tar", "-C", dir, "--sort=name", "-cf", "-", ".")
	r.want(c.t, 0)
	return r.out
}

// closedPort is a loopback port that nobody listens on.
func closedPort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// TestReachJump: every way to name jump hosts leads through exactly those, the
// key lands on the target, and the accounts on the way stay what they were.
func TestReachJump(t *testing.T) {
	accounts := []string{"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"}
	r := newRoute(t, stop{alias: "one", accounts: []string{"ann"}}, stop{alias: "two", accounts: []string{"bob"}}, stop{alias: "box", accounts: accounts})
	one, two, box := r.servers["one"].Port, r.servers["two"].Port, r.servers["box"].Port
	r.write("ssh_config", r.block("one", one, "User ann")+r.block("two", two, "User bob")+r.block("box", box)+
		strings.ReplaceAll(r.block("box", box, "ProxyJump one,two"), "Host box", "Host deep")+
		strings.ReplaceAll(r.block("two", two, "User bob", "ProxyJump one"), "Host two", "Host behind")+everyHost)
	for i, c := range []struct {
		name string
		args []string
		host string
		hops []string
	}{
		{"one", []string{"-J", "one"}, "box", []string{"one"}},
		{"one,two", []string{"-J", "one,two"}, "box", []string{"one", "two"}},
		{"ProxyJump option", []string{"-o", "ProxyJump=two"}, "box", []string{"two"}},
		{"ProxyJump in the file", nil, "deep", []string{"one", "two"}},
		{"the hop has a hop", []string{"-J", "behind"}, "box", []string{"one", "two"}},
		{"none wins over the file", []string{"-o", "ProxyJump=none"}, "deep", nil},
		{"-J wins over the file", []string{"-J", "two"}, "deep", []string{"two"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := r.in(t)
			account := accounts[i]
			homes := map[string]string{"one": r.servers["one"].Home("ann"), "two": r.servers["two"].Home("bob")}
			before, connections := map[string]string{}, map[string]int{}
			for alias, home := range homes {
				before[alias], connections[alias] = r.tree(home), r.servers[alias].Connections()
			}
			r.copyID(append(c.args, account+"@"+c.host)...).want(t, 0, "Number of key(s) added: 1", "verified")
			r.wantFile("box", account, true)
			for alias, home := range homes {
				if after := r.tree(home); after != before[alias] {
					t.Errorf("the account on %s was\n%q, is\n%q", alias, before[alias], after)
				}
				n := r.servers[alias].Connections() - connections[alias]
				if used := n > 0; used != slices.Contains(c.hops, alias) {
					t.Errorf("%d connections to %s", n, alias)
				}
			}
		})
	}
}

// TestReachJumpFaults: what stops at a hop is told with the hop's name, and
// nothing arrives at the target.
func TestReachJumpFaults(t *testing.T) {
	r := newRoute(t,
		stop{"one", []string{"ann"}, nil},
		stop{"closed", []string{"ann"}, []string{"AllowTcpForwarding no"}},
		stop{"box", []string{"carl"}, nil})
	dead, one := closedPort(t), r.servers["one"].Port
	r.key("key_stranger")
	r.write(".ssh/known_stranger", string(r.servers["one"].KnownHosts()))
	r.write(".ssh/known_new", "")
	silent, err := sshtest.StartFault("silent")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r.replace("Host *\n", r.block("dead", dead)+r.block("stranger", one, "User ann")+r.block("new", one, "User ann")+
		r.block("strict", one, "StrictHostKeyChecking yes")+r.block("silent", silent.Port(), "ConnectTimeout 1")+"Host *\n")
	for _, c := range []struct {
		jump  string
		parts []string
	}{
		{"dead", []string{"jump host dead", fmt.Sprintf("127.0.0.1 port %d: Connection refused", dead)}},
		{"one,dead", []string{"jump host dead", fmt.Sprintf("127.0.0.1 port %d: ", dead)}},
		{"dead,one", []string{"jump host dead", fmt.Sprintf("127.0.0.1 port %d: Connection refused", dead)}},
		{"no.such.host.invalid", []string{"jump host no.such.host.invalid", "Could not resolve hostname"}},
		{"closed", []string{"jump host closed", fmt.Sprintf("127.0.0.1 port %d: ", r.servers["box"].Port)}},
		{"new", []string{"Host key verification failed."}},
		{"strict", []string{fmt.Sprintf("No ED25519 host key is known for [127.0.0.1]:%d", one), "Host key verification failed."}},
		{"silent", []string{"jump host silent", fmt.Sprintf("127.0.0.1 port %d: Connection timed out during banner exchange", silent.Port())}},
		{"stranger", []string{"jump host stranger", "ann@127.0.0.1: Permission denied"}},
	} {
		t.Run(c.jump, func(t *testing.T) {
			got := r.copyID("-J", c.jump, "box")
			got.want(t, 1, c.parts...)
			if n := strings.Count(got.stderr, "ERROR"); n != 1 || got.out != "" {
				t.Errorf("%d ERROR lines, standard output %q", n, got.out)
			}
			r.wantFile("box", "carl", false)
		})
	}
}

// TestReachJumpPasswords: each server on the way asks for its own account's
// password, the first one first.
func TestReachJumpPasswords(t *testing.T) {
	r := newRoute(t, stop{alias: "one", accounts: []string{"ann"}}, stop{alias: "box", accounts: []string{"carl"}})
	r.replace("BatchMode yes", "BatchMode no\n\tPreferredAuthentications password")
	asked := filepath.Join(r.home, "asked")
	r.ask("printf '%s\\n' \"$1\" >>"+asked+"\necho secret", "--no-verify", "-J", "one", "box").want(t, 0, "Number of key(s) added: 1")
	got, err := os.ReadFile(asked)
	if want := "ann@127.0.0.1's password: \ncarl@127.0.0.1's password: \n"; err != nil || string(got) != want {
		t.Errorf("asked %q, want %q, %v", got, want, err)
	}
	r.wantFile("box", "carl", true)
	r.wantFile("one", "ann", false)
}

// relay connects standard input and output to a server, as nc does, and notes
// its process and its arguments first.
const relay = `use IO::Socket::INET; use IO::Select;
my ($log, @to) = @ARGV;
open(my $f, '>>', $log) or die; print $f "$$ @to\n"; close $f;
my $s = IO::Socket::INET->new(PeerAddr => $to[0], PeerPort => $to[1]) or die "relay: $!\n";
my $all = IO::Select->new(\*STDIN, $s);
while (1) { for my $from ($all->can_read) {
	sysread($from, my $data, 65536) or ($ENV{STAY} ? sleep 600 : exit);
	my $to = $from == $s ? \*STDOUT : $s;
	while (length $data) { my $n = syswrite($to, $data) // exit; substr($data, 0, $n, '') }
} }
`

// wantGone checks what a ProxyCommand noted, one line a connection, and that
// none of its processes is left.
func (r *route) wantGone(log, args string) {
	r.t.Helper()
	text, err := os.ReadFile(log)
	if err != nil || len(text) == 0 {
		r.t.Fatalf("the ProxyCommand noted %q, %v", text, err)
	}
	for line := range strings.Lines(string(text)) {
		pid, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if rest != args {
			r.t.Errorf("the ProxyCommand got %q, want %q", rest, args)
		}
		if _, err := os.Stat("/proc/" + pid); err == nil {
			r.t.Errorf("the ProxyCommand still runs as process %s", pid)
		}
	}
}

// TestReachProxyCommand: a connection over a program's standard input and
// output, and that program's end, whatever the run came to.
func TestReachProxyCommand(t *testing.T) {
	r := newRoute(t, stop{alias: "one", accounts: []string{"ann"}}, stop{alias: "box", accounts: []string{"carl", "dora", "emil", "fritz", "gina"}})
	script := r.write("relay.pl", relay)
	address := fmt.Sprint("127.0.0.1 ", r.servers["box"].Port)
	stay := "env STAY=1 perl " + script + " LOG %h %p %%" // does not end by itself
	for _, c := range []struct {
		name, account, command, args string
		options                      []string
		status                       int
	}{
		{"tokens", "carl", "perl " + script + " LOG %h %p %r %n", address + " carl box", nil, 0},
		{"stays", "dora", stay, address + " %", nil, 0},
		{"minds no hangup", "emil", "sh -c 'trap \"\" HUP; STAY=1 exec perl " + script + " LOG %h %p'", address, nil, 0},
		{"ssh -W", "fritz", "sh -c 'echo $$ %h %p >>LOG; exec ssh -F " + filepath.Join(r.home, "ssh_config") + " -W %h:%p one'", address, nil, 0},
		{"nothing to do", "dora", stay, address + " %", nil, 0},
		{"dry run", "gina", stay, address + " %", []string{"-n"}, 0},
		{"key refused", "gina", stay, address + " %", []string{"-o", "PubkeyAuthentication=no"}, 1},
		{"unknown host", "gina", stay, address + " %", []string{"-o", "UserKnownHostsFile=none"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, log := r.in(t), filepath.Join(t.TempDir(), "log")
			r.copyID(append(c.options, "-o", "ProxyCommand="+strings.ReplaceAll(c.command, "LOG", log), c.account+"@box")...).want(t, c.status)
			r.wantFile("box", c.account, c.account != "gina")
			r.wantGone(log, c.args)
		})
	}
	t.Run("none", func(t *testing.T) {
		r.replace("Host box\n", "Host box\n\tProxyCommand none\n")
		r.replace("Host *\n", "Host *\n\tProxyCommand false\n")
		r.copyID("gina@box").want(t, 0, "Number of key(s) added: 1", "verified")
		r.wantFile("box", "gina", true)
	})
}

// TestReachProxyCommandFaults: what a ProxyCommand says before it dies is
// shown, harmlessly.
func TestReachProxyCommandFaults(t *testing.T) {
	r := newRoute(t, stop{alias: "box", accounts: []string{"carl"}})
	for _, c := range []struct {
		name, command string
		parts         []string
	}{
		{"words", "sh -c 'echo the bridge is out >&2; exit 3'", []string{"the bridge is out\n"}},
		{"two lines", "sh -c 'echo first >&2; echo second >&2'", []string{"first\nsecond\n"}},
		{"control characters", `sh -c 'printf "a\033[2Jb\n" >&2; exit 3'`, []string{`a\033[2Jb`}},
		{"refused", "perl " + r.write("relay.pl", relay) + " /dev/null %h " + fmt.Sprint(closedPort(t)), []string{"relay: Connection refused"}},
		{"no such program", "no-such-program-here", []string{"no-such-program-here"}},
		{"no token", "echo %z", []string{"%z"}},
		{"killed", "kill -9 $$", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := r.copyID("-o", "ProxyCommand="+c.command, "box")
			got.want(t, 1, append(c.parts, "ERROR: ")...)
			if strings.Contains(got.stderr, "\033") || got.out != "" {
				t.Errorf("standard error %q, standard output %q", got.stderr, got.out)
			}
			r.wantFile("box", "carl", false)
		})
	}
}

// TestReachAddress: AddressFamily, BindAddress and BindInterface decide what
// sshd sees as the client's address.
func TestReachAddress(t *testing.T) {
	accounts := []string{"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"}
	r := newRoute(t, stop{"box", accounts, []string{"ListenAddress ::1"}})
	s := r.servers["box"]
	six := false
	if probe, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		probe.Close()
		six = true
		awaitLog(t, s, "Server listening on ::1 port")
	}
	r.replace("HostName 127.0.0.1\n", fmt.Sprintf("HostName localhost\n\tHostKeyAlias [127.0.0.1]:%d\n", s.Port))
	for i, c := range []struct {
		options []string
		from    string // "": it fails
		six     bool
	}{
		{[]string{"AddressFamily=inet"}, "127.0.0.1", false},
		{[]string{"AddressFamily=inet6", "HostName=::1"}, "::1", true},
		{[]string{"AddressFamily=inet", "BindAddress=127.0.0.2"}, "127.0.0.2", false},
		{[]string{"HostName=127.0.0.1", "BindInterface=lo"}, "127.0.0.1", false},
		{[]string{"HostName=::1", "AddressFamily=inet6", "BindInterface=lo"}, "::1", true},
		{[]string{"BindAddress=127.0.0.2"}, "127.0.0.2", true},
		{[]string{"AddressFamily=inet6", "HostName=127.0.0.1"}, "", false},
		{[]string{"HostName=127.0.0.1", "BindInterface=no-such-if"}, "", false},
		{[]string{"HostName=127.0.0.1", "BindAddress=198.51.100.77"}, "", false},
	} {
		t.Run(strings.Join(c.options, " "), func(t *testing.T) {
			if c.six && !six {
				t.Skip("no IPv6 here")
			}
			r := r.in(t)
			account, before := accounts[i], len(s.Log())
			var args []string
			for _, option := range c.options {
				args = append(args, "-o", option)
			}
			got := r.copyID(append(args, account+"@box")...)
			r.wantFile("box", account, c.from != "")
			if c.from == "" {
				got.want(t, 1, "ERROR: ")
				return
			}
			got.want(t, 0, "Number of key(s) added: 1", "verified")
			for line := range strings.Lines(s.Log()[before:]) {
				if from, ok := strings.CutPrefix(line, "Connection from "); ok && !strings.HasPrefix(from, c.from+" ") {
					t.Errorf("sshd says %q", line)
				}
			}
			if !strings.Contains(s.Log()[before:], "Connection from "+c.from+" ") {
				t.Errorf("no connection from %s:\n%s", c.from, s.Log()[before:])
			}
		})
	}
}

// awaitLog waits for the second address of a server, which the first one's
// readiness does not tell about.
func awaitLog(t *testing.T, s *realsshd.Server, text string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(s.Log(), text); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%q is not in the log:\n%s", text, s.Log())
		}
	}
}
