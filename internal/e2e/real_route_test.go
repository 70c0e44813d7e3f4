//go:build unix

package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReachJumpForms: a hop may be named with a user, a port and as a URI.
func TestReachJumpForms(t *testing.T) {
	accounts := []string{"c0", "c1", "c2"}
	r := newRoute(t, stop{alias: "one", accounts: []string{"ann"}}, stop{alias: "two", accounts: []string{"bob"}}, stop{alias: "box", accounts: accounts})
	one, two := r.servers["one"].Port, r.servers["two"].Port
	ssh := filepath.Join(r.home, ".ssh")
	// Hops that are not named by an alias find their keys here.
	r.replace("Host *\n", fmt.Sprintf("Host 127.0.0.1\n\tUserKnownHostsFile %[1]s/known_one %[1]s/known_two\n"+
		"\tIdentityFile %[1]s/key_one\n\tIdentityFile %[1]s/key_two\nHost *\n", ssh))
	for i, jump := range []string{
		fmt.Sprintf("ann@127.0.0.1:%d", one),
		fmt.Sprintf("ssh://ann@127.0.0.1:%d", one),
		fmt.Sprintf("ann@127.0.0.1:%d,ssh://bob@127.0.0.1:%d", one, two),
	} {
		t.Run(jump, func(t *testing.T) {
			r := r.in(t)
			r.copyID("-J", jump, accounts[i]+"@box").want(t, 0, "Number of key(s) added: 1", "verified")
			r.wantFile("box", accounts[i], true)
		})
	}
	if n := r.servers["one"].Connections(); n != 3 {
		t.Errorf("%d connections to the first hop", n)
	}
}

// TestReachJumpIPv6: an address in brackets is a hop too, and a target.
func TestReachJumpIPv6(t *testing.T) {
	probe, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip(err)
	}
	probe.Close()
	six := []string{"ListenAddress ::1"}
	r := newRoute(t, stop{"one", []string{"ann"}, six}, stop{"box", []string{"carl"}, six})
	config := ""
	for alias, user := range map[string]string{"one": "ann", "box": "carl"} {
		s := r.servers[alias]
		awaitLog(t, s, "Server listening on ::1 port")
		r.write(".ssh/known_"+alias, strings.ReplaceAll(string(s.KnownHosts()), "127.0.0.1", "::1"))
		config += fmt.Sprintf("Match host ::1 user %s\n\tIdentityFile %s\n\tUserKnownHostsFile %[3]s/known_one %[3]s/known_box\n",
			user, filepath.Join(r.home, ".ssh", "key_"+alias), filepath.Join(r.home, ".ssh"))
	}
	r.write("ssh_config", config+everyHost)
	jump, port := fmt.Sprintf("ann@[::1]:%d", r.servers["one"].Port), fmt.Sprint(r.servers["box"].Port)
	r.run("ssh", "-F", "ssh_config", "-p", port, "-J", jump, "carl@::1", "true").want(t, 0)
	r.copyID("-p", port, "-J", jump, "carl@::1").want(t, 0, "Number of key(s) added: 1", "verified")
	r.wantFile("box", "carl", true)
	r.wantFile("one", "ann", false)
	if !strings.Contains(r.servers["one"].Log(), "Connection from ::1 ") {
		t.Error("the hop was not reached by its IPv6 address")
	}
}

// TestReachJumpUnknownKey: under BatchMode the refusal names the hop.
func TestReachJumpUnknownKey(t *testing.T) {
	r := newRoute(t, stop{alias: "one", accounts: []string{"ann"}}, stop{alias: "box", accounts: []string{"carl"}})
	r.write(".ssh/known_one", "")
	r.copyID("-J", "one", "box").want(t, 1, "Host key verification failed.", fmt.Sprintf("[127.0.0.1]:%d", r.servers["one"].Port))
}

// TestReachProxyCommandNoNewline: the last line needs no newline.
func TestReachProxyCommandNoNewline(t *testing.T) {
	r := newRoute(t, stop{alias: "box", accounts: []string{"carl"}})
	r.copyID("-o", "ProxyCommand=sh -c 'printf the-bridge-is-out >&2; exit 3'", "box").want(t, 1, "the-bridge-is-out")
}

// TestReachBindInterfaceFamily: the interface's address is of the family that
// is dialled.
func TestReachBindInterfaceFamily(t *testing.T) {
	r := newRoute(t, stop{"box", []string{"carl"}, []string{"ListenAddress ::1"}})
	s := r.servers["box"]
	awaitLog(t, s, "Server listening on ::1 port")
	r.replace("HostName 127.0.0.1\n", fmt.Sprintf("HostName ::1\n\tBindInterface lo\n\tHostKeyAlias [127.0.0.1]:%d\n", s.Port))
	r.run("ssh", "-F", "ssh_config", "box", "true").want(t, 0)
	r.copyID("box").want(t, 0, "Number of key(s) added: 1", "verified")
}

// TestReachPartialVerified: no false reason is given for a key that could not
// be checked.
func TestReachPartialVerified(t *testing.T) {
	r := newRoute(t, stop{"box", []string{"carl"}, []string{"AuthenticationMethods password,publickey"}})
	r.replace("BatchMode yes", "BatchMode no")
	got := r.ask("echo secret", "box")
	got.want(t, 0, "Number of key(s) added: 1")
	if strings.Contains(got.stderr, "refused too many keys") {
		t.Error(got.stderr)
	}
}

// TestReachPartialTwoKeys: a key that is accepted as one of two is not refused.
func TestReachPartialTwoKeys(t *testing.T) {
	r := newRoute(t, stop{"box", []string{"carl"}, []string{"AuthenticationMethods publickey,publickey"}})
	second := r.key("key_second")
	file := filepath.Join(r.servers["box"].Home("carl"), ".ssh", "authorized_keys")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, second...), 0o600); err != nil {
		t.Fatal(err)
	}
	r.replace("Host *\n", "Host *\n\tIdentityFile "+filepath.Join(r.home, ".ssh", "key_second")+"\n")
	got := r.copyID("box")
	got.want(t, 0, "Number of key(s) added: 1")
	if strings.Contains(got.stderr, "still refuses") {
		t.Error(got.stderr)
	}
}

// TestHostKeyPrincipalPattern: a principal is a name, not a pattern.
func TestHostKeyPrincipalPattern(t *testing.T) {
	certified{"", "-n 127.0.0.*", "@cert-authority NAME CA\n", nil, false}.run(t)
}
