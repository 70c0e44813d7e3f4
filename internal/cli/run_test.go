//go:build unix

package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/sshtest"
)

// world is a home directory with a key and a password file, and a server with the
// account alice, which ssh_config calls box.
type world struct {
	t      *testing.T
	home   string
	remote string // alice's home
	agent  *sshtest.Agent
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, home: filepath.Join(dir, "home"), remote: filepath.Join(dir, "remote", "alice")}
	server, err := sshtest.StartAccount(filepath.Join(dir, "remote"), "alice", "secret")
	w.must(err)
	t.Cleanup(func() { server.Close() })
	w.agent, err = sshtest.StartAgent()
	w.must(err)
	t.Cleanup(func() { w.agent.Close() })
	w.write("known_hosts", server.KnownHosts(false))
	w.write("secret", "secret\n")
	w.write("config", fmt.Sprintf("Host box\nHostName 127.0.0.1\nPort %d\nUser alice\n"+
		"UserKnownHostsFile %s/known_hosts\nGlobalKnownHostsFile none\n", server.Port(), w.home))
	t.Setenv("HOME", w.home)
	t.Setenv("SSH_AUTH_SOCK", "")
	t.Setenv("SSH_ASKPASS", "")
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// write makes a file in the home directory.
func (w *world) write(name, text string) string {
	w.t.Helper()
	path := filepath.Join(w.home, name)
	w.must(os.MkdirAll(filepath.Dir(path), 0o700))
	w.must(os.WriteFile(path, []byte(text), 0o600))
	return path
}

// key makes a key pair in the home directory.
func (w *world) key(name, passphrase string) string {
	w.t.Helper()
	key, err := sshtest.GenerateKey("ed25519")
	w.must(err)
	path := filepath.Join(w.home, name)
	w.must(sshtest.WriteKey(path, key, "me@"+name, passphrase))
	return path
}

// installed is alice's authorized_keys file.
func (w *world) installed() string {
	content, err := os.ReadFile(filepath.Join(w.remote, ".ssh", "authorized_keys"))
	if err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
	return string(content)
}

// result is what one call of the command came to.
type result struct {
	status   int
	out, err string
}

// call runs the command with the world's configuration.
func (w *world) call(args ...string) result {
	var out, errs bytes.Buffer
	args = append([]string{"./ssh-copy-id", "-F", filepath.Join(w.home, "config")}, args...)
	status := Run(args, "1.2", Streams{Out: &out, Err: &errs})
	return result{status, out.String(), errs.String()}
}

// expect checks a call's status, and that both streams together have every text.
func (w *world) expect(r result, status int, texts ...string) {
	w.t.Helper()
	if r.status != status {
		w.t.Errorf("status %d, want %d", r.status, status)
	}
	for _, text := range texts {
		if !strings.Contains(r.out+r.err, text) {
			w.t.Errorf("no %q", text)
		}
	}
	if w.t.Failed() {
		w.t.Fatalf("standard output:\n%s\nstandard error:\n%s", r.out, r.err)
	}
}

// TestInstall goes the whole way of an installation, twice.
func TestInstall(t *testing.T) {
	w := newWorld(t)
	key := w.key(".ssh/id_new", "")
	password := "--password-file=" + filepath.Join(w.home, "secret")
	w.expect(w.call("-n", "-i", key, password, "box"), 0, "Would have added", "me@.ssh/id_new")
	w.expect(w.call("--diagnose", "-i", key, password, "box"), 1, "refused, and not in ")
	w.expect(w.call("-v", "-x", "--comment", "new", "--from", "127.0.0.1", "-i", key, password, "box"), 0,
		"Source of key(s) to be installed", "1 key(s) remain to be installed", "key to install: 256 SHA256:",
		"verified: logged in with 1 key", "Number of key(s) added: 1", `"ssh -i `+key+" -F '", "debug1: ", "+ ")
	if got := w.installed(); !strings.HasPrefix(got, `from="127.0.0.1" ssh-ed25519 `) || !strings.HasSuffix(got, " new\n") {
		t.Fatalf("the file has %q", got)
	}
	w.expect(w.call("-i", key, "box"), 0, "All keys were skipped")
	w.expect(w.call("-s", "-f", "-i", key, "box"), 0, "with the options", "sftp -i ")
	w.expect(w.call("--diagnose", "-i", key, "box"), 0, "accepted: 256")
	w.expect(w.call("--verify", "-t", "other", "-i", key, "box"), 0, "Number of key(s) added: 1")
}

// TestAgentKeys installs what the agent holds, and says what is odd about it.
func TestAgentKeys(t *testing.T) {
	w := newWorld(t)
	t.Setenv("SSH_AUTH_SOCK", w.agent.Socket())
	w.expect(w.call("-n", "box"), 1, "No identities found", "the agent of SSH_AUTH_SOCK", "holds no keys", "there is no ")
	w.must(w.agent.AddFile(w.key("one", ""), ""))
	w.must(w.agent.AddFile(w.key("two", ""), ""))
	password := "--password-file=" + filepath.Join(w.home, "secret")
	r := w.call("-v", password, "box")
	w.expect(r, 0, "Source of key(s) to be installed: ssh-add -L", "debug1: agent: it holds 2 keys", "Number of key(s) added: 2", `"ssh -F '`)
	w.expect(w.call("-v", "box"), 0, "All keys were skipped")
	t.Setenv("SSH_AUTH_SOCK", `"`+w.agent.Socket()+`"`)
	w.expect(w.call("-n", "box"), 0, "the value of SSH_AUTH_SOCK has quotes around it")
	w.agent.Close()
	w.expect(w.call("-n", "box"), 1, "no keys are taken from the agent of SSH_AUTH_SOCK", "cannot be reached")
	w.expect(w.call("-n", "-o", "IdentityAgent=none", "box"), 1, "no agent: IdentityAgent is none")
	w.expect(w.call("-n", "-o", "IdentityAgent="+w.home+"/none", "box"), 1, "no keys are taken from the agent of IdentityAgent")
	t.Setenv("SSH_AUTH_SOCK", "")
	w.expect(w.call("-n", "-o", "IdentityAgent=none", "box"), 1, "No identities found")
	w.key(".ssh/id_rsa", "")
	w.must(os.Remove(filepath.Join(w.home, ".ssh", "id_rsa.pub")))
	w.expect(w.call("-n", "box"), 1, "has no .pub file beside it")
}

// TestKeyFromDefaults takes the newest default identity that can be used.
func TestKeyFromDefaults(t *testing.T) {
	w := newWorld(t)
	w.key(".ssh/id_ed25519", "")
	broken := w.write(".ssh/id_broken.pub", "no key\n")
	w.expect(w.call("-n", "-f", "box"), 0, "passed over: "+broken, "Would have added")
	w.expect(w.call("-n", "-f", "-i", "--", "box"), 0, "Would have added")
	w.must(os.Remove(filepath.Join(w.home, ".ssh", "id_ed25519.pub")))
	w.expect(w.call("-n", "-f", "box"), 1, broken)
}

// TestKeyFiles has the files that -i may name, and those that it may not.
func TestKeyFiles(t *testing.T) {
	w := newWorld(t)
	key := w.key("k", "")
	public, err := os.ReadFile(key + ".pub")
	w.must(err)
	w.key("locked", "secret")
	alone := w.key("alone", "")
	w.must(os.Remove(alone + ".pub"))
	w.write("text.pub", string(public))
	w.write("only.pub", string(public))
	w.write("only.pub.txt", "")
	w.write("words", "Host x\n")
	w.write("hosts", "box,1.2.3.4 "+string(public))
	w.write("known_hosts2", "box "+string(public))
	w.write("bom.pub", "\xff\xfe"+strings.Join(strings.SplitAfter(string(public), ""), "\x00")+"\x00")
	w.write("bom", "")
	w.write("bad.pub", strings.TrimSpace(string(public))+"\x1b[31m\n")
	w.write("bad", "")
	w.write("lines.pub", "restrict "+string(public))
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"-i k", 0, "Would have added"},
		{"-i k.pub", 0, "Would have added"},
		{"-i alone", 0, "the public half of the private key is used"},
		{"-i locked", 0, "Would have added"},
		{"-f -i lines", 0, "restrict ssh-ed25519"},
		{"-f -i lines --no-passphrase --keygen", 1, "--keygen makes a key"},
		{"-i none", 1, "failed to open ID file"},
		{"-i only", 1, "look at the -f option"},
		{"-f -i only", 0, "Would have added"},
		{"-i only.pub.txt", 1, "no public key in this file"},
		{"-f -i hosts", 1, "is a known_hosts file"},
		{"-i known_hosts2", 1, "is a known_hosts file"},
		{"-i words", 1, "is an ssh_config file"},
		{"-i bom.pub", 0, "is in UTF-16, which ssh cannot read"},
		{"-i bad.pub", 1, "the comment holds control characters"},
		{"-i bad.pub --comment x", 0, "Would have added"},
		{"-i k --expiry-time 20200101", 1, "is over"},
		{"-i k --key-option no-pty", 0, "no-pty ssh-ed25519"},
		{"-i k --command x --command y", 1, "the options of "},
	} {
		t.Run(c.args, func(t *testing.T) {
			args := strings.Fields(c.args)
			for i := range args {
				if i > 0 && args[i-1] == "-i" {
					args[i] = filepath.Join(w.home, args[i])
				}
			}
			sub := *w
			sub.t = t
			sub.expect(w.call(append(args, "-n", "box")...), c.status, c.want)
		})
	}
}

// TestKeygen makes a key where there is none.
func TestKeygen(t *testing.T) {
	w := newWorld(t)
	password := "--password-file=" + filepath.Join(w.home, "secret")
	w.expect(w.call("--keygen", "-o", "BatchMode=yes", password, "box"), 1, "BatchMode is on")
	w.expect(w.call("--keygen", "--no-passphrase", "--host-key", "SHA256:x", password, "box"), 1, "--host-key wants")
	w.expect(w.call("--keygen", "--no-passphrase", password, "box"), 0, "made a new key", "the key has no passphrase", "Number of key(s) added: 1")
	if info, err := os.Stat(filepath.Join(w.home, ".ssh", "id_ed25519")); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	w.expect(w.call("--keygen", "box"), 0, "--keygen has nothing to do", "All keys were skipped")
	other := filepath.Join(w.home, "other")
	w.expect(w.call("--keygen", "--no-passphrase", "-i", other, "-o", "IdentityFile=none", "--password-file", w.write("wrong", "wrong\n"), "box"), 1,
		"The password that was given is not accepted", "the new key '"+other+"' stays")
	w.expect(w.call("--keygen", "--no-passphrase", "-i", filepath.Join(w.home, "none", "k"), "box"), 1, "was not made: No such file or directory")
	w.expect(w.call("--keygen", "--no-passphrase", "-i", w.write("taken", ""), "box"), 1, "no public key in this file")
}

// TestInsteadOfWork has the options that show something and do nothing.
func TestInsteadOfWork(t *testing.T) {
	w := newWorld(t)
	key := w.key("k", "")
	w.expect(w.call("--help"), 0, "Adds your public keys")
	w.expect(w.call("--version"), 0, "ssh-copy-id 1.2\n")
	w.expect(w.call("-h"), 1, "Usage: ./ssh-copy-id")
	w.expect(w.call("--print-commands", "list"), 0, "mikrotik")
	w.expect(w.call("-G", "box"), 0, "user alice\n", "hostname 127.0.0.1\n")
	w.expect(w.call("-G", "-o", "No=such", "box"), 1, "Bad configuration option")
	w.expect(w.call("--print-commands", "mikrotik", "-i", key, "box"), 0, "/user ssh-keys", "alice")
	w.expect(w.call("--print-commands", "mikrotik", "--restrict", "-i", key, "box"), 1, "the device cannot take", "It takes none of these keys")
	w.expect(w.call("--print-commands", "mikrotik", "-i", key, "a b@box"), 1, "ERROR: ")
	w.expect(w.call("--print-commands", "toaster", "box"), 1, "--print-commands knows no 'toaster', but ")
	w.expect(w.call("one", "two"), 1, "Too many arguments", "got: 2: one two")
	w.expect(w.call("one", key), 1, "put -i before its name: -i "+key)
	var errs bytes.Buffer
	if status := Run([]string{"./x", "--version"}, "1", Streams{Out: fullDisk{}, Err: &errs}); status != 1 || !strings.Contains(errs.String(), "write error on standard output") {
		t.Errorf("status %d: %s", status, errs.String())
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, os.ErrClosed }

// TestWithoutHome has what needs a home directory, and what does not.
func TestWithoutHome(t *testing.T) {
	usual, named := []string{"~/.ssh/known_hosts"}, []string{"/etc/known_hosts"}
	for _, c := range []struct {
		name  string
		flags Flags
		host  copyid.Host
		want  string
	}{
		{"known_hosts of ssh_config", Flags{}, copyid.Host{User: "alice", UserKnownHostsFiles: named}, ""},
		{"known_hosts of the user", Flags{}, copyid.Host{User: "alice", UserKnownHostsFiles: usual}, "UserKnownHostsFile"},
		{"no connection", Flags{Force: true, DryRun: true}, copyid.Host{UserKnownHostsFiles: usual}, ""},
	} {
		err := (&run{flags: &c.flags}).needHome(&c.host)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := new(run).fromDefaults(errNoIDFile, nil); err == nil {
		t.Error("default identities without a home directory")
	}
}

// TestPasswords reads a password from where the options point to.
func TestPasswords(t *testing.T) {
	w := newWorld(t)
	key := w.key("k", "")
	t.Setenv("SECRET", "secret")
	open := w.write("open", "secret\n")
	w.must(os.Chmod(open, 0o644))
	w.expect(w.call("-i", key, "--password-env", "SECRET", "box"), 0, "Number of key(s) added: 1")
	if os.Getenv("SECRET") != "" {
		t.Error("the variable is still set")
	}
	for _, c := range []struct{ args, want string }{
		{"--password-env SECRET", "the environment has no such variable"},
		{"--password-env=", "is empty"},
		{"--password-env A --password-env B", "must not be specified more than once"},
		{"--password-env A --password-fd 3", "--password-fd and --password-env exclude each other"},
		{"--password-fd x", "wants the number of a file descriptor"},
		{"--password-fd 1", "is standard output or standard error"},
		{"--password-fd 987", "no such file descriptor is open"},
		{"--password-file " + w.home, "is a directory"},
		{"--password-file " + w.home + "/none", "No such file or directory"},
		{"--password-file /dev/null", "the first line is empty"},
	} {
		t.Run(c.args, func(t *testing.T) {
			sub := *w
			sub.t = t
			sub.expect(w.call(append(strings.Fields(c.args), "-i", key, "box")...), 1, c.want)
		})
	}
	w.expect(w.call("-i", key, "--password-file", open, "box"), 0, "can be read by others (mode 0644)")
}

// TestOptionErrors has what the options themselves refuse.
func TestOptionErrors(t *testing.T) {
	for line, want := range map[string]string{
		"--for-user bob -s host":               "--for-user needs a shell",
		"--key-format rfc4716 --restrict host": "RFC 4716 have no options",
		"--key-format pem host":                "--key-format knows openssh and rfc4716",
		"--diagnose -n host":                   "--diagnose changes nothing",
		"--no-passphrase host":                 "goes with it only",
		"--keygen --print-commands esxi host":  "--keygen makes a key",
		"-t ~bob/x host":                       "only ~/ is known",
		"-J '' host":                           "the jump host of -J is empty",
		"--host-key x host":                    "--host-key wants a fingerprint",
		"--key-option nonsense host":           "--key-option: nonsense: ",
		"--from a,,b host":                     "--from: not a pattern",
		"--expiry-time tomorrow host":          "--expiry-time: not a date",
		"--comment \x1b host":                  "--comment: ",
		"http://host":                          "of URLs only ssh:// is known",
		"--for-user '' host":                   "the argument of --for-user is empty",
	} {
		_, err := ParseFlags(words(line), keyFile)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
	f, err := ParseFlags(words("--key-format ssh2 --key-format openssh --print-commands ESXI host"), keyFile)
	if err != nil || f.RFC4716 || f.Platform.Name != "esxi" {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestUnquotedEnvironment: quotes that cmd.exe keeps are no part of a value.
func TestUnquotedEnvironment(t *testing.T) {
	there := filepath.Join(t.TempDir(), `"quoted"`)
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, value, want string
		said              remark
	}{
		{"SSH_AUTH_SOCK", `"/a b"`, "/a b", nil},
		{"SSH_AUTH_SOCK", `'/a'`, "/a", nil},
		{"SSH_AUTH_SOCK", `"/a`, `"/a`, nil},
		{"SSH_AUTH_SOCK", there, there, nil},
		{"OTHER", `"x"`, `"x"`, nil},
		{"SSH_ASKPASS", "", "", nil},
		{"SSH_ASKPASS", "/bin/sh", "/bin/sh", nil},
		{"SSH_ASKPASS", `"/bin/sh"`, "/bin/sh", askpassQuoted{"/bin/sh"}},
	} {
		var said []remark
		getenv := unquotedEnv(func(string) string { return c.value }, func(r remark) { said = append(said, r) })
		for range 2 {
			if got := getenv(c.name); got != c.want {
				t.Errorf("%s=%s: %s, want %s", c.name, c.value, got, c.want)
			}
		}
		if c.said == nil && len(said) > 0 || c.said != nil && (len(said) != 1 || said[0] != c.said) {
			t.Errorf("%s=%s: said %v, want %v once", c.name, c.value, said, c.said)
		}
	}
	var said []remark
	unquotedEnv(func(string) string { return "/no/such" }, func(r remark) { said = append(said, r) })("SSH_ASKPASS")
	if len(said) != 1 || said[0].words().level != warning {
		t.Errorf("said %v", said)
	}
}
