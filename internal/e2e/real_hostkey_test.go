//go:build unix

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshtest/realsshd"
)

// certified is a server that shows a host certificate: how it was signed, and
// what the client knows of it.
type certified struct {
	name    string
	sign    string   // ssh-keygen -s ca -h, further arguments
	known   string   // known_hosts; CA, OTHER and HOST stand for keys, NAME for the host, PLAIN for the host's lines
	options []string // ssh_config of the client
	accept  bool
}

// TestHostKeyCertificates: a certificate vouches for a host exactly where ssh
// says so of the same files, and where it does not, the plain key counts.
func TestHostKeyCertificates(t *testing.T) {
	const good = "-n 127.0.0.1,box.example -V -1h:+1h"
	for _, c := range []certified{
		{"right", good, "@cert-authority NAME CA\n", nil, true},
		{"bare name", good, "@cert-authority 127.0.0.1 CA\n", nil, true},
		{"pattern", good, "@cert-authority [127.0.0.*]:* CA\n", nil, true},
		{"any host", good, "# all of ours\n@cert-authority * CA ours\n", nil, true},
		{"valid for ever", "-n 127.0.0.1", "@cert-authority NAME CA\n", nil, true},
		{"one of two authorities", good, "@cert-authority NAME OTHER\n@cert-authority NAME CA\n", nil, true},
		{"alias", good, "@cert-authority *.example CA\n", []string{"HostKeyAlias=box.example"}, true},
		{"strict", good, "@cert-authority NAME CA\n", []string{"StrictHostKeyChecking=yes"}, true},
		{"plain key of another host", good, "NAME OTHER\n@cert-authority NAME CA\n", nil, true},
		{"accept-new, expired", "-n 127.0.0.1 -V -2h:-1h", "@cert-authority NAME CA\n", []string{"StrictHostKeyChecking=accept-new"}, true},
		{"unchecked, wrong principal", "-n other.example", "@cert-authority NAME CA\n", []string{"StrictHostKeyChecking=no"}, true},
		{"alias in capitals", "-n box.example", "@cert-authority * CA\n", []string{"HostKeyAlias=BOX.example"}, true},

		{"wrong principal", "-n other.example -V -1h:+1h", "@cert-authority NAME CA\n", nil, false},
		{"wrong alias", good, "@cert-authority *.example CA\n", []string{"HostKeyAlias=other.example"}, false},
		{"expired", "-n 127.0.0.1 -V -2h:-1h", "@cert-authority NAME CA\n", nil, false},
		{"not yet valid", "-n 127.0.0.1 -V +1h:+2h", "@cert-authority NAME CA\n", nil, false},
		{"other authority", good, "@cert-authority NAME OTHER\n", nil, false},
		{"authority of another host", good, "@cert-authority other.example CA\n", nil, false},
		{"no marker", good, "NAME CA\n", nil, false},
		{"negated", good, "@cert-authority *,!NAME,!127.0.0.1 CA\n", nil, false},
		{"nothing known", good, "", nil, false},
		{"authority revoked", good, "@cert-authority NAME CA\n@revoked NAME CA\n", nil, false},
		{"host key revoked", good, "@cert-authority NAME CA\n@revoked * HOST\n", nil, false},
		{"serial revoked", good + " -z 7", "@cert-authority NAME CA\n", []string{"RevokedHostKeys=KRL"}, false},
		{"other serial revoked", good + " -z 8", "@cert-authority NAME CA\n", []string{"RevokedHostKeys=KRL"}, true},
		{"authority in a list of revoked keys", good, "@cert-authority NAME CA\n", []string{"RevokedHostKeys=LIST"}, false},
		{"accept-new, authority revoked", good, "@revoked NAME CA\n", []string{"StrictHostKeyChecking=accept-new"}, false},
		{"no certificates wanted", good, "@cert-authority NAME CA\n", []string{"HostKeyAlgorithms=ssh-ed25519"}, false},
		{"principal in capitals", "-n BOX.example", "@cert-authority * CA\n", []string{"HostKeyAlias=BOX.example"}, false},
		{"authority's algorithm", good, "@cert-authority NAME CA\n", []string{"CASignatureAlgorithms=rsa-sha2-512"}, false},
		{"host key marked as authority", good, "@cert-authority NAME HOST\n", nil, false},

		{"wrong principal, plain key known", "-n other.example -V -1h:+1h", "@cert-authority NAME CA\nPLAIN", nil, true},
		{"expired, plain key known", "-n 127.0.0.1 -V -2h:-1h", "PLAIN@cert-authority NAME CA\n", nil, true},
		{"other authority, plain key known", good, "@cert-authority NAME OTHER\nPLAIN", nil, true},
		{"plain key known", good, "PLAIN", nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // a world of its own, and a second to build it
			c.run(t)
		})
	}
}

func (c certified) run(t *testing.T) {
	r := &route{client: &client{t: t, home: t.TempDir()}, servers: map[string]*realsshd.Server{}}
	r.line = r.key("new")
	key, ca, other := r.key("key_box"), r.key("ca"), r.key("other")
	file := filepath.Join(r.home, ".ssh", "ca")
	krl := filepath.Join(r.home, "krl")
	r.run("ssh-keygen", "-q", "-k", "-f", krl, "-s", file, r.write("serials", "serial: 7\n")).want(t, 0)
	s := start(t, realsshd.Config{
		Accounts:    []realsshd.Account{{Name: "carl", Keys: []string{key}}},
		ConfigLines: []string{"HostCertificate /run/realsshd/hostkey0-cert.pub"},
		Setup: "cd /run/realsshd; ssh-keygen -y -f hostkey0 >hostkey0.pub; " +
			"set -f; ssh-keygen -q -s " + file + " -I box -h " + c.sign + " hostkey0.pub; cd /",
	})
	r.servers["box"] = s
	text := func(line string) string { return strings.Join(strings.Fields(line)[:2], " ") }
	r.write(".ssh/known_box", strings.NewReplacer("NAME", fmt.Sprintf("[127.0.0.1]:%d", s.Port), "CA", text(ca), "OTHER", text(other),
		"HOST", strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.HostKeys[0]))), "PLAIN", string(s.KnownHosts())).Replace(c.known))
	options := ""
	for _, option := range c.options {
		name, value, _ := strings.Cut(option, "=")
		options += name + " " + strings.NewReplacer("KRL", krl, "LIST", file+".pub").Replace(value) + "\n"
	}
	r.write("ssh_config", options+r.block("box", s.Port, "User carl")+everyHost)

	theirs := r.run("ssh", "-F", "ssh_config", "box", "true")
	ours := r.copyID("box")
	if (theirs.status == 0) != c.accept {
		t.Errorf("ssh: exit status %d\n%s", theirs.status, theirs.stderr)
	}
	if c.accept {
		ours.want(t, 0, "Number of key(s) added: 1", "verified")
	} else {
		ours.want(t, 1, "ERROR: Host key verification failed.")
	}
	r.wantFile("box", "carl", c.accept)
}

// known is a known_hosts file as it stands before a new host is added.
type known struct {
	name string
	text string // "": there is no file
	mode os.FileMode
}

var knownFiles = []known{
	{"no file", "", 0o600},
	{"comments", "# mine\n\nother.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqhmv1noP9p3AjUMfWqXWsrHul4/mLaGW5RFN1ueNMF\n", 0o644},
	{"CRLF", "# mine\r\nother.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqhmv1noP9p3AjUMfWqXWsrHul4/mLaGW5RFN1ueNMF\r\n", 0o640},
	{"no last newline", "# mine\n# the last line", 0o660},
	{"damaged lines", "no such line\n\x00\xff\n@cert-authority\n", 0o600},
}

// writeKnown writes the file a test begins with.
func (r *route) writeKnown(k known) string {
	r.t.Helper()
	file := filepath.Join(r.home, ".ssh", "known_box")
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	if k.text != "" {
		r.write(".ssh/known_box", k.text)
		if err := os.Chmod(file, k.mode); err != nil {
			r.t.Fatal(err)
		}
	}
	return file
}

// wantAdded checks that a file is what it was and, behind it, lines for one
// key. It gives their number.
func wantAdded(t *testing.T, file string, k known, key ssh.PublicKey) int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != k.mode {
		t.Errorf("mode %v, want %v, %v", info.Mode(), k.mode, err)
	}
	before := k.text
	if before != "" && !strings.HasSuffix(before, "\n") {
		before += "\n"
	}
	added, ok := strings.CutPrefix(string(text), before)
	if !ok || !strings.HasSuffix(added, "\n") {
		t.Fatalf("the file was\n%q, is\n%q", k.text, text)
	}
	want := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	n := 0
	for line := range strings.Lines(added) {
		if _, rest, _ := strings.Cut(line, " "); rest != want+"\n" {
			t.Errorf("added %q, want a name and %q", line, want)
		}
		n++
	}
	return n
}

// names are the ways known_hosts writes one server, with the ssh_config that
// leads to it under that name.
func (r *route) names(s *realsshd.Server) map[string]string {
	script := r.write("relay.pl", relay)
	proxied := func(port int) string {
		block := r.block("box", port, "User carl", fmt.Sprintf("ProxyCommand perl %s /dev/null 127.0.0.1 %d", script, s.Port))
		return strings.Replace(block, "HostName 127.0.0.1", "HostName box.example", 1)
	}
	return map[string]string{
		fmt.Sprintf("[127.0.0.1]:%d", s.Port): r.block("box", s.Port, "User carl"),
		"[box.example]:2022":                  proxied(2022),
		"box.example":                         proxied(22),
		"alias.example":                       r.block("box", s.Port, "User carl", "HostKeyAlias Alias.example"),
	}
}

// TestHostKeyWritten: what we note about a new host, asked or not, hashed or
// plain, is what ssh and ssh-keygen read, and nothing else in the file changes.
func TestHostKeyWritten(t *testing.T) {
	r := newRoute(t, stop{alias: "box", accounts: []string{"carl"}})
	s := r.servers["box"]
	for name, block := range r.names(s) {
		for i, k := range knownFiles {
			for _, hash := range []string{"no", "yes"} {
				asked := (i+len(hash))%2 == 0
				t.Run(fmt.Sprintf("%s/%s/hash %s/asked %v", name, k.name, hash, asked), func(t *testing.T) {
					r := r.in(t)
					r.write("ssh_config", "HashKnownHosts "+hash+"\nUpdateHostKeys no\n"+block+everyHost)
					file := r.writeKnown(k)
					if asked {
						questions := filepath.Join(t.TempDir(), "asked")
						r.ask("printf '%s\\n' \"$1\" >>"+questions+"; echo yes", "-n", "-o", "BatchMode=no", "box").want(t, 0)
						text, err := os.ReadFile(questions)
						if n := strings.Count(string(text), "(yes/no/[fingerprint])?"); n != 1 || !strings.Contains(string(text), ssh.FingerprintSHA256(s.HostKeys[0])) {
							t.Errorf("%d questions: %s, %v", n, text, err)
						}
					} else {
						r.copyID("-n", "-o", "StrictHostKeyChecking=accept-new", "box").want(t, 0, "Warning: Permanently added")
					}
					if n := wantAdded(t, file, k, s.HostKeys[0]); n != 1 {
						t.Errorf("%d lines were added", n)
					}
					if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), name) == (hash == "yes") {
						t.Errorf("hashed or not? %s %v", text, err)
					}
					r.run("ssh-keygen", "-F", name, "-f", file).want(t, 0, "# Host "+name+" found")
					r.run("ssh", "-F", "ssh_config", "-o", "StrictHostKeyChecking=yes", "box", "true").want(t, 0)
				})
			}
		}
	}
}

// TestHostKeyCommand: KnownHostsCommand knows hosts too, and nothing is noted.
func TestHostKeyCommand(t *testing.T) {
	r := newRoute(t, stop{alias: "box", accounts: []string{"carl"}})
	file := r.write("from-command", string(r.servers["box"].KnownHosts()))
	empty := r.write(".ssh/known_box", "")
	r.replace("Host *\n", "Host *\n\tKnownHostsCommand /bin/cat "+file+"\n")
	r.run("ssh", "-F", "ssh_config", "box", "true").want(t, 0)
	r.copyID("box").want(t, 0, "Number of key(s) added: 1", "verified")
	if text, err := os.ReadFile(empty); err != nil || len(text) > 0 {
		t.Errorf("noted %q, %v", text, err)
	}
	r.copyID("-o", "KnownHostsCommand=/bin/cat "+empty, "box").want(t, 1, "Host key verification failed.")
}

// TestHostKeyJump: each server on the way is asked about once, the first one
// first, and noted in its own file; a yes for one is none for the other.
func TestHostKeyJump(t *testing.T) {
	r := newRoute(t, stop{alias: "one", accounts: []string{"ann"}}, stop{alias: "box", accounts: []string{"carl"}})
	r.replace("BatchMode yes", "BatchMode no")
	asked := filepath.Join(r.home, "asked")
	r.write(".ssh/known_one", "")
	r.write(".ssh/known_box", "")
	note := "printf '%s\\n' \"$1\" >>" + asked + "\n"
	one, box := fmt.Sprintf("[127.0.0.1]:%d", r.servers["one"].Port), fmt.Sprintf("[127.0.0.1]:%d", r.servers["box"].Port)
	r.ask(note+"case $1 in *'"+box+"'*) echo no;; *) echo yes;; esac", "-J", "one", "box").want(t, 1, "Host key verification failed.")
	r.wantFile("box", "carl", false)
	wantAdded(t, filepath.Join(r.home, ".ssh", "known_one"), known{mode: 0o600}, r.servers["one"].HostKeys[0])
	if text, err := os.ReadFile(filepath.Join(r.home, ".ssh", "known_box")); err != nil || len(text) > 0 {
		t.Errorf("a key that was refused is noted: %q, %v", text, err)
	}
	r.ask(note+"echo yes", "-J", "one", "box").want(t, 0, "Number of key(s) added: 1", "verified")
	wantAdded(t, filepath.Join(r.home, ".ssh", "known_box"), known{mode: 0o600}, r.servers["box"].HostKeys[0])
	text, err := os.ReadFile(asked)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, question := range strings.Split(string(text), "The authenticity of host '")[1:] {
		name, _, _ := strings.Cut(question, " ")
		names = append(names, name)
	}
	if want := one + " " + box + " " + box; strings.Join(names, " ") != want {
		t.Errorf("asked about %q, want %q\n%s", names, want, text)
	}
}

// TestHostKeyRead: what ssh notes about a new host we take without a question,
// and the file stays as it is.
func TestHostKeyRead(t *testing.T) {
	r := newRoute(t, stop{alias: "box", accounts: []string{"carl"}})
	for name, block := range r.names(r.servers["box"]) {
		for i, hash := range []string{"no", "yes"} {
			t.Run(name+"/hash "+hash, func(t *testing.T) {
				r := r.in(t)
				r.write("ssh_config", "HashKnownHosts "+hash+"\n"+block+everyHost)
				file := r.writeKnown(knownFiles[i])
				r.run("ssh", "-F", "ssh_config", "-o", "StrictHostKeyChecking=accept-new", "box", "true").want(t, 0, "Permanently added")
				before, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				got := r.copyID("-n", "-o", "StrictHostKeyChecking=yes", "box")
				got.want(t, 0)
				after, err := os.ReadFile(file)
				if err != nil || string(after) != string(before) || strings.Contains(got.stderr, "Permanently") {
					t.Errorf("the file was\n%s, is\n%s, %v\n%s", before, after, err, got.stderr)
				}
			})
		}
	}
}

// TestHostKeyConcurrent: copies that meet a new host at the same time leave
// whole lines, and no more than one each.
func TestHostKeyConcurrent(t *testing.T) {
	r := newRoute(t, stop{alias: "box", accounts: []string{"carl"}})
	s := r.servers["box"]
	for _, k := range knownFiles[:4] {
		for _, hash := range []string{"no", "yes"} {
			t.Run(k.name+"/hash "+hash, func(t *testing.T) {
				r := r.in(t)
				file := r.writeKnown(k)
				results := make([]result, 6)
				var wait sync.WaitGroup
				for i := range results {
					wait.Go(func() {
						results[i] = r.copyID("-n", "-o", "StrictHostKeyChecking=accept-new", "-o", "HashKnownHosts="+hash, "box")
					})
				}
				wait.Wait()
				for _, got := range results {
					got.want(t, 0)
				}
				if n := wantAdded(t, file, k, s.HostKeys[0]); n < 1 || n > len(results) {
					t.Errorf("%d lines from %d copies", n, len(results))
				}
				r.run("ssh", "-F", "ssh_config", "-o", "StrictHostKeyChecking=yes", "-o", "UpdateHostKeys=no", "box", "true").want(t, 0)
			})
		}
	}
}

// TestReachPartial: a server that wants a key and then a password gets both,
// the password from one prompt.
func TestReachPartial(t *testing.T) {
	for _, methods := range []string{"publickey,password", "password,publickey"} {
		t.Run(methods, func(t *testing.T) {
			r := newRoute(t, stop{"box", []string{"carl"}, []string{"AuthenticationMethods " + methods}})
			r.replace("BatchMode yes", "BatchMode no")
			asked := filepath.Join(r.home, "asked")
			r.ask("echo wrong", "-o", "NumberOfPasswordPrompts=1", "box").want(t, 1, "Permission denied (password)")
			r.copyID("-o", "BatchMode=yes", "box").want(t, 1, "Permission denied (")
			r.wantFile("box", "carl", false)
			r.ask("printf '%s\\n' \"$1\" >>"+asked+"\necho secret", "box").want(t, 0, "Number of key(s) added: 1")
			got, err := os.ReadFile(asked)
			if want := "carl@127.0.0.1's password: \n"; err != nil || string(got) != want {
				t.Errorf("asked %q, want %q, %v", got, want, err)
			}
			r.wantFile("box", "carl", true)
			r.ask("echo secret", "box").want(t, 0, "All keys were skipped")
		})
	}
}
