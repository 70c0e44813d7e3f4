//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ssh-copy-id/internal/sshtest/realsshd"
	"ssh-copy-id/internal/sshtest/wine"
)

// TestWineConfig: ssh_config as it is written on Windows, with CR LF and
// backslashes, in %USERPROFILE%\.ssh and by -F; and a known_hosts that OpenSSH
// can read afterwards.
func TestWineConfig(t *testing.T) {
	s := startForWindows(t, realsshd.Config{Accounts: accounts("alice", "bob")})
	w := newWindows(t, s)
	line, other := w.key("work keys/box"), w.key("id_ed25519")
	known := filepath.Join(w.home, "hosts of mine", "known")
	if err := os.Mkdir(filepath.Dir(known), 0o700); err != nil {
		t.Fatal(err)
	}
	home := wine.Path(w.home)
	w.write(".ssh/config", crlf(`Include conf.d\*.conf
Include "`+home+`\.ssh\more of it\any.conf"
`))
	w.write(".ssh/more of it/any.conf", crlf("Host *\n\tStrictHostKeyChecking accept-new\n"))
	w.write(".ssh/conf.d/box.conf", crlf(fmt.Sprintf(`Host box
	HostName 127.0.0.1
	Port %d
	User alice
	IdentityFile "%s\.ssh\work keys\box"
	UserKnownHostsFile "%s"
`, s.Port, home, wine.Path(known))))

	c := w.command()
	c.Args = []string{"--password-file", w.passwordFile(), "-i", `.ssh\work keys\box.pub`, "box"}
	w.start(c).want(t, 0, "Number of key(s) added: 1", "verified: logged in with 1 key")
	w.installed(t, "alice", line)

	// Now the key of the file logs in, without a password.
	c.Args = []string{"-i", `.ssh\id_ed25519`, "box"}
	w.start(c).want(t, 0, "Number of key(s) added: 1", "verified: logged in with 1 key")
	w.installed(t, "alice", line+other)

	// -F in place of the file in the home.
	elsewhere := w.write("other config", crlf(fmt.Sprintf("Host box\n\tHostName 127.0.0.1\n\tUser bob\n\tPort %d\n", s.Port)))
	c.Args = []string{"-F", wine.Path(elsewhere), "--password-file", w.passwordFile(), "box"}
	w.start(c).want(t, 0, "Number of key(s) added: 1")
	w.installed(t, "bob", other)

	out, err := exec.Command("ssh-keygen", "-F", fmt.Sprintf("[127.0.0.1]:%d", s.Port), "-f", known).Output()
	if err != nil || !strings.Contains(string(out), "ssh-ed25519 ") {
		t.Errorf("ssh-keygen finds %q, %v", out, err)
	}
}

func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

// TestWineHostKey: a changed key stops everything, whatever is asked for.
func TestWineHostKey(t *testing.T) {
	s, other := startForWindows(t, realsshd.Config{Accounts: accounts("alice")}), startForWindows(t, realsshd.Config{Accounts: accounts("alice")})
	w := newWindows(t, s)
	w.key("id_ed25519")
	text := strings.ReplaceAll(string(other.KnownHosts()), fmt.Sprint(other.Port), fmt.Sprint(s.Port))
	w.write(".ssh/known_hosts", crlf(text))
	w.run("--password-file", w.passwordFile(), "alice@127.0.0.1").want(t, 1, "REMOTE HOST IDENTIFICATION HAS CHANGED", wine.Path(w.home)+"/.ssh/known_hosts")
	w.write(".ssh/known_hosts", "")
	w.run("--password-file", w.passwordFile(), "-o", "StrictHostKeyChecking=yes", "alice@127.0.0.1").want(t, 1, "Host key verification failed")
	if got := w.remote("alice"); got != "" {
		t.Errorf("the file is %q", got)
	}
}

// TestWineIdentity: which key is meant, by default and by the ways a path is
// written on Windows.
func TestWineIdentity(t *testing.T) {
	s := startForWindows(t, realsshd.Config{Accounts: accounts("alice")})
	w := newWindows(t, s)
	newest := w.key("id_ecdsa")
	for i, name := range []string{"id_ed25519", "id_rsa", "id_work"} {
		w.key(name)
		old := time.Now().Add(-time.Duration(i+1) * time.Hour)
		if err := os.Chtimes(filepath.Join(w.home, ".ssh", name+".pub"), old, old); err != nil {
			t.Fatal(err)
		}
	}
	want := func(t *testing.T, key string, args ...string) {
		t.Helper()
		w.t = t
		r := w.run(append(args, "-n", "--password-file", w.passwordFile(), "alice@127.0.0.1")...)
		r.want(t, 0, "Would have added the following key(s):")
		if !strings.Contains(r.out, "\n"+key) {
			t.Errorf("%s is not among\n%s", key, r.out)
		}
	}
	t.Run("newest", func(t *testing.T) { want(t, newest) })
	key := w.key("My Keys/box")
	path := wine.Path(filepath.Join(w.home, ".ssh", "My Keys", "box"))
	for _, spelling := range []string{
		path, path + ".pub", strings.ReplaceAll(path, `\`, "/"), strings.ToLower(path[:1]) + path[1:],
		`.ssh\My Keys\box`, `.\.ssh\My Keys\box.pub`, ".ssh/My Keys/box", `.SSH\MY KEYS\BOX`, path[2:],
	} {
		t.Run(spelling, func(t *testing.T) { want(t, key, "-i", spelling) })
	}
}

// TestWineProxyCommand: cmd.exe runs it, quotes and blanks and all.
func TestWineProxyCommand(t *testing.T) {
	s := startForWindows(t, realsshd.Config{Accounts: accounts("alice")})
	w := newWindows(t, s)
	line := w.key("id_ed25519")
	saw := filepath.Join(w.home, "saw")
	w.env = []string{"RELAY_SAW=" + wine.Path(saw)}
	relay := wine.Path(w.guest("relay", "Program Files/My Tools/relay.exe"))
	config := w.write(".ssh/config", crlf(fmt.Sprintf(`Host box
	HostName 127.0.0.1
	HostKeyAlias [127.0.0.1]:%d
	User alice
	ProxyCommand "%s" %%h %%p "two words" %%%%USERNAME%%%% a^&b
`, s.Port, relay)))
	w.run("-F", wine.Path(config), "--password-file", w.passwordFile(), "box").want(t, 0, "Number of key(s) added: 1", "verified: logged in")
	w.installed(t, "alice", line)
	text, err := os.ReadFile(saw)
	if want := fmt.Sprintf(`["127.0.0.1" "%d" "two words" "client" "a&b"]`, s.Port); err != nil || strings.TrimSpace(string(text)) != want {
		t.Errorf("the relay saw %s, %v; want %s", text, err, want)
	}
	w.env = nil
	w.run("-o", `ProxyCommand="Z:\no such\relay.exe" %h %p`, "--password-file", w.passwordFile(), "alice@127.0.0.1").want(t, 1, "ERROR: ")
}
