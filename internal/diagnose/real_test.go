//go:build unix

package diagnose

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshtest/realsshd"

	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

const diagnosePassword = "correct horse"

// diagnoseWorld is a real sshd with an account alice, whose keys are key.
type diagnoseWorld struct {
	t      *testing.T
	server *realsshd.Server
	key    ssh.Signer
}

// newDiagnoseWorld starts one. PATH of setup holds what the host has.
func newDiagnoseWorld(t *testing.T, key ssh.Signer, setup string, config ...string) *diagnoseWorld {
	t.Helper()
	realsshd.Need(t, realsshd.OpenSSH)
	lines := []string{string(ssh.MarshalAuthorizedKey(key.PublicKey()))}
	s, err := realsshd.Start(realsshd.Config{
		Accounts: []realsshd.Account{
			{Name: "alice", Password: diagnosePassword, Keys: lines},
			{Name: "root", Password: diagnosePassword, Keys: lines},
		},
		ConfigLines: config, Setup: setup,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if t.Failed() {
			t.Log(s.Log())
		}
	})
	return &diagnoseWorld{t, s, key}
}

func (w *diagnoseWorld) dial(user string, auth ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", w.server.Addr, &ssh.ClientConfig{User: user, Auth: []ssh.AuthMethod{auth},
		HostKeyCallback: ssh.FixedHostKey(w.server.HostKeys[0]), HostKeyAlgorithms: []string{w.server.HostKeys[0].Type()}})
}

// diagnose logs in with the password.
func (w *diagnoseWorld) diagnose(user string, o remote.Options) *Diagnosis {
	w.t.Helper()
	client, err := w.dial(user, ssh.Password(diagnosePassword))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	d, err := Diagnose(shells.Timeout(w.t), client, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// admits tells whether sshd takes the key.
func (w *diagnoseWorld) admits(user string) bool {
	client, err := w.dial(user, ssh.PublicKeys(w.key))
	if err == nil {
		client.Close()
	}
	return err == nil
}

// run runs a command inside, as root.
func (w *diagnoseWorld) run(script string) {
	w.t.Helper()
	client, err := w.dial("root", ssh.Password(diagnosePassword))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		w.t.Fatal(err)
	}
	if out, err := session.CombinedOutput(script); err != nil {
		w.t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// diagnoseCase is a world in which sshd refuses the key, and its reason.
type diagnoseCase struct {
	name   string
	user   string // who logs in; empty: alice
	setup  string
	config []string
	want   CauseKind
	path   string
	fix    string
	files  []string
	// mends: the command is run, and the key is admitted then.
	mends bool
	// also are other kinds that are true of this world.
	also []CauseKind
	// unsure: an ordinary account cannot ask sshd.
	unsure bool
	// doubtful: some builds of sshd let that pass.
	doubtful bool
	key      ssh.Signer
}

// readable lets alice read the configuration that sshd is started with.
const readable = "chmod 644 /run/realsshd/sshd_config; chmod 755 /run/realsshd\n"

func diagnoseCases(t *testing.T) []diagnoseCase {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := ssh.NewSignerFromKey(short)
	if err != nil {
		t.Fatal(err)
	}
	return []diagnoseCase{
		{name: "mode of the home", setup: "chmod 777 /home/alice", want: CauseMode, path: "/home/alice", fix: "chmod go-w '/home/alice'", mends: true},
		{name: "mode of the file", setup: "chmod 666 /home/alice/.ssh/authorized_keys", want: CauseMode,
			path: "/home/alice/.ssh/authorized_keys", fix: "chmod go-w '/home/alice/.ssh/authorized_keys'", mends: true},
		{name: "mode for a group", setup: "chmod 770 /home/alice; chgrp games /home/alice", want: CauseMode, path: "/home/alice",
			fix: "chmod go-w '/home/alice'", mends: true, doubtful: true},
		{name: "owner", setup: "chown 4711 /home/alice/.ssh; chmod 755 /home/alice/.ssh", want: CauseOwner, path: "/home/alice/.ssh",
			fix: "chown 'alice' '/home/alice/.ssh'", mends: true},
		{name: "root's file", setup: "chown root /home/alice/.ssh/authorized_keys", want: CauseUnreadable,
			path: "/home/alice/.ssh/authorized_keys", fix: "chown 'alice' '/home/alice/.ssh/authorized_keys'", mends: true},
		{name: "directory behind a link", setup: `mkdir "/home/it's"; mv /home/alice/.ssh "/home/it's/x"; ln -s "/home/it's/x" /home/alice/.ssh; chmod 777 "/home/it's"`,
			want: CauseMode, path: "/home/it's", fix: `chmod go-w '/home/it'\''s'`, mends: true},
		{name: "no file", setup: "rm /home/alice/.ssh/authorized_keys", want: CauseMissing, path: "/home/alice/.ssh/authorized_keys"},
		{name: "another file, asked", user: "root", config: []string{"AuthorizedKeysFile /etc/ssh/keys/%u.%U%% other"}, want: CauseOtherFile,
			path: "/root/.ssh/authorized_keys", fix: "AuthorizedKeysFile /etc/ssh/keys/%u.%U%% other .ssh/authorized_keys",
			files: []string{"/etc/ssh/keys/root.0%", "/root/other"}},
		{name: "another file, read", setup: readable, config: []string{"AuthorizedKeysFile %h/../keys/%u"}, want: CauseOtherFile,
			path: "/home/alice/.ssh/authorized_keys", fix: "AuthorizedKeysFile %h/../keys/%u .ssh/authorized_keys",
			files: []string{"/home/keys/alice"}, unsure: true},
		{name: "another file in a Match block", setup: readable, config: []string{"Match User alice", "AuthorizedKeysFile none"}, want: CauseOtherFile,
			path: "/home/alice/.ssh/authorized_keys", fix: "AuthorizedKeysFile .ssh/authorized_keys", unsure: true},
		{name: "no keys", setup: readable, config: []string{"PubkeyAuthentication no"}, want: CausePubkey, path: "/run/realsshd/sshd_config",
			fix: "PubkeyAuthentication yes", unsure: true},
		{name: "no keys, root", user: "root", config: []string{"Match Address 127.0.0.0/8", "PubkeyAuthentication no"}, want: CausePubkey,
			path: "/run/realsshd/sshd_config", fix: "PubkeyAuthentication yes"},
		{name: "key type", user: "root", config: []string{"PubkeyAcceptedAlgorithms ecdsa-*,rsa-*"}, want: CauseKeyType,
			path: "/run/realsshd/sshd_config", fix: "PubkeyAcceptedAlgorithms +ssh-ed25519"},
		{name: "short key", user: "root", config: []string{"RequiredRSASize 2048"}, want: CauseRSASize,
			path: "/run/realsshd/sshd_config", fix: "RequiredRSASize 1024", key: rsaKey},
		{name: "methods", user: "root", config: []string{"AuthenticationMethods password"}, want: CauseMethods,
			path: "/run/realsshd/sshd_config", fix: "AuthenticationMethods publickey password"},
		{name: "encrypted home", setup: "mkdir -p /home/.ecryptfs/alice; mv /home/alice/.ssh/authorized_keys /home/.ecryptfs/alice/",
			want: CauseEncrypted, path: "/home/alice", fix: "AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u .ssh/authorized_keys", also: []CauseKind{CauseMissing}},
	}
}

// TestDiagnoseWorlds: sshd refuses the key, the diagnosis tells why, and
// nothing else; what is to fix it does.
func TestDiagnoseWorlds(t *testing.T) {
	realsshd.Need(t, realsshd.OpenSSH)
	for _, tt := range diagnoseCases(t) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			key, user := tt.key, tt.user
			if key == nil {
				key = shells.Signer(t)
			}
			if user == "" {
				user = "alice"
			}
			w := newDiagnoseWorld(t, key, tt.setup, tt.config...)
			if w.admits(user) {
				t.Fatal("sshd takes the key")
			}
			d := w.diagnose(user, remote.Options{})
			found := d.Causes(user, []ssh.PublicKey{key.PublicKey()})
			f := find(found, tt.want, tt.path)
			if f == nil {
				t.Fatalf("found %+v\n%+v", found, d)
			}
			if f.Fix != tt.fix || f.Unsure != (tt.unsure || tt.doubtful && d.Program.PrivateGroups) || f.Informational || !slices.Equal(f.Files, tt.files) {
				t.Errorf("%+v", f)
			}
			for _, other := range found {
				if other.Kind != tt.want && !other.Informational && !slices.Contains(tt.also, other.Kind) {
					t.Errorf("found also %+v", other)
				}
			}
			if tt.mends {
				w.run(f.Fix)
				if !w.admits(user) {
					t.Errorf("%s mends nothing", f.Fix)
				}
			}
		})
	}
}

// TestDiagnoseNothing: where the key logs in there is nothing to tell, and no
// file of the server is touched.
func TestDiagnoseNothing(t *testing.T) {
	key := shells.Signer(t)
	w := newDiagnoseWorld(t, key, readable)
	state := func() string {
		var b strings.Builder
		// Logins themselves write to /run and /var/log.
		for _, dir := range []string{"/home", "/root", "/etc", "/run/realsshd"} {
			b.WriteString(fingerprint(t, w.server.Path(dir)+"/"))
		}
		return b.String()
	}
	before := state()
	for _, user := range []string{"alice", "root"} {
		if !w.admits(user) {
			t.Fatalf("%s cannot log in", user)
		}
		d := w.diagnose(user, remote.Options{})
		if found := d.Causes(user, []ssh.PublicKey{key.PublicKey()}); len(found) > 0 {
			t.Errorf("%s: %+v", user, found)
		}
		s := d.Server
		want := map[string]string{"alice": FromFiles, "root": FromSSHD}[user]
		if s.Source != want || s.Path != "/run/realsshd/sshd_config" || s.Client != "127.0.0.1" || !strings.Contains(s.Listener, "sshd -D -e -f") {
			t.Errorf("%s: %+v", user, s)
		}
		if d.Account != user || d.AccountHome != d.Home || d.Shell != "/bin/sh" || d.ShellRuns != Yes || d.ShellListed != Yes {
			t.Errorf("%+v", d)
		}
		if user == "root" && (d.Password != "set" || s.Options["usepam"] == nil) {
			t.Errorf("%q %v", d.Password, s.Options)
		}
	}
	if after := state(); after != before {
		t.Error("files changed")
	}
}

// TestDiagnoseLocked: accounts nobody logs in to, seen by root.
func TestDiagnoseLocked(t *testing.T) {
	key := shells.Signer(t)
	w := newDiagnoseWorld(t, key, "passwd -q -l alice")
	for _, step := range []struct {
		kind CauseKind
		fix  string
		next string // what locks the account in another way
	}{
		{CauseLocked, "usermod -U 'alice'", "usermod -s /usr/sbin/nologin alice"},
		{CauseShell, "chsh -s /bin/sh 'alice'", "chage -E 2020-01-02 alice"},
		{CauseExpired, "chage -E -1 'alice'", "true"},
	} {
		if step.kind != CauseShell && w.admits("alice") {
			t.Fatalf("%s: the key logs in", step.kind)
		}
		d := w.diagnose("root", remote.Options{Account: "alice"})
		if d.Account != "alice" || d.Path != "/home/alice/.ssh/authorized_keys" || d.UID == "0" {
			t.Fatalf("%+v", d)
		}
		found := d.Causes("", []ssh.PublicKey{key.PublicKey()})
		if len(found) != 1 || found[0].Kind != step.kind || found[0].Fix != step.fix || found[0].Unsure {
			t.Fatalf("%s: %+v", step.kind, found)
		}
		w.run(step.fix)
		if !w.admits("alice") {
			t.Errorf("%s mends nothing", step.fix)
		}
		w.run(step.next)
	}
}

// TestDiagnoseRootLogin: what refuses root is found by another administrator.
func TestDiagnoseRootLogin(t *testing.T) {
	key := shells.Signer(t)
	w := newDiagnoseWorld(t, key, readable+"useradd -o -u 0 -g 0 -M -d /root toor; echo toor:'"+diagnosePassword+"' | chpasswd",
		"DenyUsers nobody@127.0.0.1 al?ce@127.0.0.0/8", "Match User root", "PermitRootLogin no")
	if w.admits("root") || w.admits("alice") {
		t.Fatal("the key logs in")
	}
	found := w.diagnose("toor", remote.Options{Account: "root"}).Causes("root", []ssh.PublicKey{key.PublicKey()})
	if f := find(found, CauseRoot, ""); f == nil || f.Value != "no" || f.Unsure || f.Fix != "PermitRootLogin prohibit-password" {
		t.Errorf("%+v", found)
	}
	found = w.diagnose("toor", remote.Options{Account: "alice"}).Causes("alice", nil)
	if f := find(found, CauseUsers, ""); f == nil || f.Value != "al?ce@127.0.0.0/8" || f.Option != "denyusers" || f.Unsure {
		t.Errorf("%+v", found)
	}
	if d := w.diagnose("toor", remote.Options{}); d.Account != "toor" || d.UID != "0" {
		t.Errorf("%+v", d)
	}
}

// TestDiagnoseNoAccount: an account the server has not got is an error, not the
// diagnosis of the login's own.
func TestDiagnoseNoAccount(t *testing.T) {
	w := newDiagnoseWorld(t, shells.Signer(t), "")
	client, err := w.dial("root", ssh.Password(diagnosePassword))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, name := range []string{"nosuch", "0", "$(id)", "al ice", ".*"} {
		var e *scriptrun.Error
		if d, err := Diagnose(shells.Timeout(t), client, remote.Options{Account: name}); !errors.As(err, &e) || e.Reason != scriptrun.NoAccount || e.Detail != name {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

// TestDiagnoseImmutable: a file no program can add keys to.
func TestDiagnoseImmutable(t *testing.T) {
	h := newHost(t, shells.Shell{Name: "dash"})
	h.Write(".ssh/authorized_keys", "", 0o600)
	shells.Need(t, "lsattr")
	if out, err := exec.Command(shells.Need(t, "chattr"), "+i", h.KeysFile()).CombinedOutput(); err != nil {
		t.Skipf("no such attribute here: %s", out)
	}
	undo := exec.Command("chattr", "-i", h.KeysFile())
	t.Cleanup(func() { undo.Run() })
	found := h.mustDiagnose(remote.Options{}, noSSHD...).Causes("", nil)
	f := find(found, CauseImmutable, h.KeysFile())
	if f == nil || !f.Informational || f.Fix != "chattr -i '"+h.KeysFile()+"'" {
		t.Fatalf("%+v", found)
	}
	if err := os.Remove(h.KeysFile()); !errors.Is(err, os.ErrPermission) {
		t.Errorf("removed: %v", err)
	}
}
