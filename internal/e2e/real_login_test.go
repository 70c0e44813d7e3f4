//go:build unix

package e2e

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"ssh-copy-id/internal/sshtest"
	"ssh-copy-id/internal/sshtest/realsshd"
)

// keygen runs ssh-keygen in the client's ~/.ssh.
func (c *client) keygen(args ...string) {
	c.t.Helper()
	cmd := exec.Command("ssh-keygen", append([]string{"-q"}, args...)...)
	cmd.Dir = filepath.Join(c.home, ".ssh")
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("ssh-keygen %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (c *client) read(name string) string {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.home, name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

// agent starts an agent that holds these files of ~/.ssh.
func (c *client) agent(files ...string) *sshtest.Agent {
	c.t.Helper()
	a, err := sshtest.StartAgent()
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { a.Close() })
	for _, file := range files {
		if err := a.AddFile(filepath.Join(c.home, ".ssh", file), ""); err != nil {
			c.t.Fatal(err)
		}
	}
	return a
}

// TestRealCertificates: certificates log in from beside the key, from
// CertificateFile and from the agent, with each kind of key.
func TestRealCertificates(t *testing.T) {
	ca := &client{t: t, home: t.TempDir()}
	ca.write(".ssh/config", "")
	ca.keygen("-t", "ed25519", "-N", "", "-f", "ca")
	trusted := "cert-authority " + strings.TrimSpace(ca.read(".ssh/ca.pub"))
	s := start(t, realsshd.Config{Accounts: []realsshd.Account{{Name: "alice", Keys: []string{trusted}}}})
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		for _, c := range []struct {
			name, place string
			options     []string
			held        []string
		}{
			{"beside the key", "login-cert.pub", []string{"-o", "IdentityFile=~/.ssh/login"}, nil},
			{"CertificateFile", "elsewhere.pub", []string{"-o", "IdentityFile=~/.ssh/login", "-o", "CertificateFile=~/.ssh/elsewhere.pub"}, nil},
			{"in the agent", "login-cert.pub", []string{"-o", "IdentityFile=none"}, []string{"login"}},
			{"key in the agent", "elsewhere.pub", []string{"-o", "IdentityFile=none", "-o", "CertificateFile=~/.ssh/elsewhere.pub"}, []string{"login"}},
			{"IdentitiesOnly", "login-cert.pub", []string{"-o", "IdentitiesOnly=yes", "-o", "IdentityFile=~/.ssh/login"}, []string{"login"}},
		} {
			t.Run(kind+" "+c.name, func(t *testing.T) {
				cl := newClient(t, s)
				cl.keygen("-t", kind, "-N", "", "-f", "login")
				cl.keygen("-s", filepath.Join(ca.home, ".ssh/ca"), "-I", "alice", "-n", "alice", "login.pub")
				if err := os.Rename(filepath.Join(cl.home, ".ssh/login-cert.pub"), filepath.Join(cl.home, ".ssh", c.place)); err != nil {
					t.Fatal(err)
				}
				line := cl.key("new")
				args := append(cl.port(), "-o", "BatchMode=yes", "-o", "PreferredAuthentications=publickey", "-i", ".ssh/new")
				if c.held != nil {
					args = append(args, "-o", "IdentityAgent="+cl.agent(c.held...).Socket())
				}
				cl.run(cl.program(), append(append(args, c.options...), "alice@127.0.0.1")...).want(t, 0, "Number of key(s) added: 1")
				if got := cl.remote("alice"); !strings.HasSuffix(got, line) {
					t.Errorf("the file is %q, which does not end in %q", got, line)
				}
			})
		}
	}
}

// securityKey is an agent with one sk-ssh-ed25519 key, made in software: what
// is signed is as PROTOCOL.u2f of OpenSSH has it.
type securityKey struct {
	agent.ExtendedAgent
	public  ssh.PublicKey
	private ed25519.PrivateKey
}

const skApplication = "ssh:"

func newSecurityKey(t *testing.T) *securityKey {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.ParsePublicKey(ssh.Marshal(struct {
		Type, Key, Application string
	}{ssh.KeyAlgoSKED25519, string(public), skApplication}))
	if err != nil {
		t.Fatal(err)
	}
	return &securityKey{ExtendedAgent: agent.NewKeyring().(agent.ExtendedAgent), public: key, private: private}
}

func (k *securityKey) List() ([]*agent.Key, error) {
	return []*agent.Key{{Format: k.public.Type(), Blob: k.public.Marshal(), Comment: "token"}}, nil
}

func (k *securityKey) Sign(key ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	return k.SignWithFlags(key, data, 0)
}

func (k *securityKey) SignWithFlags(key ssh.PublicKey, data []byte, _ agent.SignatureFlags) (*ssh.Signature, error) {
	if string(key.Marshal()) != string(k.public.Marshal()) {
		return nil, errors.New("no such key")
	}
	application, message := sha256.Sum256([]byte(skApplication)), sha256.Sum256(data)
	const userPresent, count = 1, 7
	rest := binary.BigEndian.AppendUint32([]byte{userPresent}, count)
	signed := append(append(append([]byte{}, application[:]...), rest...), message[:]...)
	return &ssh.Signature{Format: ssh.KeyAlgoSKED25519, Blob: ed25519.Sign(k.private, signed), Rest: rest}, nil
}

// TestRealSecurityKey: a key on a token logs in through the agent, is installed
// from it, and is verified.
func TestRealSecurityKey(t *testing.T) {
	token := newSecurityKey(t)
	s := start(t, realsshd.Config{Accounts: append(accounts("bob"), realsshd.Account{
		Name: "alice", Keys: []string{strings.TrimSpace(sshtest.PublicLine(token.public, "token"))}})})
	cl := newClient(t, s)
	a, err := sshtest.ServeAgent(token)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	line := cl.key("new")
	cl.run(cl.program(), append(cl.port(), "-o", "BatchMode=yes", "-o", "IdentityAgent="+a.Socket(), "-i", ".ssh/new", "alice@127.0.0.1")...).
		want(t, 0, "Number of key(s) added: 1")
	if got := cl.remote("alice"); !strings.HasSuffix(got, line) {
		t.Errorf("the file is %q", got)
	}
	cl.run("env", append([]string{"SSH_AUTH_SOCK=" + a.Socket(), "sshpass", "-p", "secret", cl.program()}, append(cl.port(), "bob@127.0.0.1")...)...).
		want(t, 0, "Number of key(s) added: 1", "verified: the server now accepts 1 key", "(ED25519-SK)")
}

// TestRealAddKeysToAgent: a key that logs in is handed to the agent, where
// ssh_config wants that.
func TestRealAddKeysToAgent(t *testing.T) {
	owner := &client{t: t, home: t.TempDir()}
	owner.write(".ssh/config", "")
	owner.keygen("-t", "ed25519", "-N", "open sesame", "-C", "work key", "-f", "login")
	s := start(t, realsshd.Config{Accounts: []realsshd.Account{{Name: "alice", Keys: []string{strings.TrimSpace(owner.read(".ssh/login.pub"))}}}})
	for _, c := range []struct {
		setting string
		held    int
	}{{"yes", 1}, {"no", 0}, {"1h", 1}, {"ask", 1}} {
		t.Run(c.setting, func(t *testing.T) {
			cl := newClient(t, s)
			for _, name := range []string{".ssh/login", ".ssh/login.pub"} {
				cl.write(name, owner.read(name))
			}
			cl.key("new")
			askpass := cl.write("askpass", "#!/bin/sh\ncase $SSH_ASKPASS_PROMPT in confirm) echo \"$1\" >asked;; *) echo open sesame;; esac\n")
			if err := os.Chmod(askpass, 0o700); err != nil {
				t.Fatal(err)
			}
			a := cl.agent()
			args := []string{"SSH_AUTH_SOCK=" + a.Socket(), "SSH_ASKPASS=" + askpass, "SSH_ASKPASS_REQUIRE=force", cl.program()}
			args = append(append(args, cl.port()...), "-o", "AddKeysToAgent="+c.setting, "-o", "IdentityFile=~/.ssh/login", "-i", ".ssh/new", "alice@127.0.0.1")
			cl.run("env", args...).want(t, 0, "Number of key(s) added: 1")
			keys, err := a.List()
			if err != nil || len(keys) != c.held {
				t.Fatalf("the agent holds %v, %v", keys, err)
			}
			if c.held > 0 && keys[0].Comment != "work key" {
				t.Errorf("the agent's comment is %q", keys[0].Comment)
			}
			if c.setting == "ask" && !strings.Contains(cl.read("asked"), "Add key "+filepath.Join(cl.home, ".ssh/login")+" (work key) to agent?") {
				t.Errorf("asked %q", cl.read("asked"))
			}
		})
	}
}

// TestRealUpdateHostKeys: a known server's other host keys are learned, such
// that ssh finds nothing left to learn; and not where a pattern names it.
func TestRealUpdateHostKeys(t *testing.T) {
	s := start(t, realsshd.Config{Accounts: accounts("alice")})
	if len(s.HostKeys) < 2 {
		t.Fatalf("the server has %d host keys", len(s.HostKeys))
	}
	all := strings.SplitAfter(strings.TrimSpace(string(s.KnownHosts())), "\n")
	cl := newClient(t, s)
	cl.key("id_ed25519")
	for _, c := range []struct {
		name, before string
		lines        int
	}{
		{"learned", "# mine\n" + all[0], 1 + len(all)},
		{"pattern", strings.Replace(all[0], "[127.0.0.1]", "[127.0.0.*]", 1), 1},
		{"other name", all[0] + "elsewhere" + all[1][strings.Index(all[1], " "):], 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl.write(".ssh/known_hosts", strings.TrimRight(c.before, "\n")+"\n")
			cl.install("alice@127.0.0.1").want(t, 0)
			after := cl.read(".ssh/known_hosts")
			if !strings.HasPrefix(after, strings.TrimRight(c.before, "\n")) || strings.Count(after, "\n") != c.lines {
				t.Fatalf("known_hosts was\n%sis\n%s", c.before, after)
			}
			if c.name != "learned" {
				return
			}
			r := cl.run("ssh", "-v", "-i", ".ssh/id_ed25519", "-o", "UserKnownHostsFile=.ssh/known_hosts", "-o", "UpdateHostKeys=yes",
				"-o", "BatchMode=yes", "-p", cl.port()[1], "alice@127.0.0.1", "true")
			r.want(t, 0, "no new or deprecated keys from server")
			if cl.read(".ssh/known_hosts") != after {
				t.Errorf("ssh changed the file to\n%s", cl.read(".ssh/known_hosts"))
			}
		})
	}
}

// TestRealPasswordDescriptor: --password-fd reads a descriptor that the shell
// opened, and nothing that the program opened itself.
func TestRealPasswordDescriptor(t *testing.T) {
	s := start(t, realsshd.Config{Accounts: accounts("alice")})
	cl := newClient(t, s)
	cl.key("id_ed25519")
	cl.write("pw", "secret\n")
	cl.run("sh", "-c", `exec "$0" "$@" 7<pw`, cl.program(), "-p", cl.port()[1], "--password-fd", "7", "alice@127.0.0.1").
		want(t, 0, "Number of key(s) added: 1")
	for _, number := range []string{"3", "4", "5", "6", "8"} {
		cl.run(cl.program(), "-p", cl.port()[1], "--password-fd", number, "alice@127.0.0.1").
			want(t, 1, "ERROR: --password-fd "+number+": no such file descriptor is open")
	}
}

// TestRealDiagnose: why a key that stands in the file is refused, and what
// mends it; nothing is changed.
func TestRealDiagnose(t *testing.T) {
	s := start(t, realsshd.Config{Accounts: accounts("alice", "root"), ConfigLines: []string{"PermitRootLogin yes",
		"Match User root", "AuthorizedKeysFile /etc/ssh/keys/%u"}})
	cl := newClient(t, s)
	line := cl.key("id_ed25519")
	diagnose := func(user string) result {
		return cl.install("--diagnose", user+"@127.0.0.1")
	}
	r := diagnose("alice")
	r.want(t, 1, "refused, and not in /home/alice/.ssh/authorized_keys", "likely cause: /home/alice/.ssh/authorized_keys does not hold")
	cl.install("alice@127.0.0.1").want(t, 0, "verified")
	diagnose("alice").want(t, 0, "accepted: 256 SHA256:")
	if err := os.Chmod(s.Home("alice"), 0o777); err != nil {
		t.Fatal(err)
	}
	r = diagnose("alice")
	r.want(t, 1, "refused, though on line 1 of /home/alice/.ssh/authorized_keys", "likely cause: /home/alice has mode 0777", "chmod go-w")
	if info, err := os.Stat(s.Home("alice")); err != nil || info.Mode().Perm() != 0o777 || cl.remote("alice") != line {
		t.Errorf("something was changed: %v, %v, %q", info.Mode(), err, cl.remote("alice"))
	}
	cl.install("root@127.0.0.1").want(t, 0, "Number of key(s) added: 1", "the server still refuses", "sshd reads keys from /etc/ssh/keys/root, not from /root/.ssh/authorized_keys")
}
