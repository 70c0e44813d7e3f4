//go:build unix

package diagnose

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

// host is an account on a machine without SSH.
type host struct{ *shells.Host }

// each runs a test once for each of some shells.
func each(t *testing.T, list []shells.Shell, f func(t *testing.T, h *host)) {
	shells.Each(t, list, func(t *testing.T, h *shells.Host) { f(t, &host{h}) })
}

func newHost(t testing.TB, sh shells.Shell) *host { return &host{shells.New(t, sh)} }

// diagnose runs a diagnosis on the host. edits are pairs for a replacer on the
// script, each of which must occur.
func (h *host) diagnose(o remote.Options, edits ...string) (*Diagnosis, error) {
	h.T.Helper()
	own := h.Edit
	defer func() { h.Edit = own }()
	h.Edit = func(script string) string {
		for i := 0; i < len(edits); i += 2 {
			if !strings.Contains(script, edits[i]) {
				h.T.Errorf("the script does not hold %q", edits[i])
			}
		}
		return own(strings.NewReplacer(edits...).Replace(script))
	}
	run := o.Run()
	run.Account = ""
	return ask(shells.Timeout(h.T), scriptrun.New(program, run, h.Start(run)), o)
}

// mustDiagnose is diagnose where it has to succeed.
func (h *host) mustDiagnose(o remote.Options, edits ...string) *Diagnosis {
	h.T.Helper()
	d, err := h.diagnose(o, edits...)
	if err != nil {
		h.T.Fatalf("Diagnose: %v", err)
	}
	return d
}

// noSSHD keeps the host's own sshd and its configuration out of a diagnosis.
var noSSHD = []string{"for dir in /usr/sbin /usr/local/sbin /sbin /usr/bin /usr/local/bin /run/current-system/sw/bin",
	"for dir in /nowhere", "/etc/ssh/sshd_config /usr/local/etc/ssh/sshd_config /usr/etc/ssh/sshd_config /etc/sshd_config", ""}

// find is the finding of a kind about path; nil for none. "" is any path.
func find(found []Cause, kind CauseKind, path string) *Cause {
	for i, f := range found {
		if f.Kind == kind && (path == "" || f.Path == path) {
			return &found[i]
		}
	}
	return nil
}

// TestDiagnoseScriptText: what the loader and the bootstrap line count on.
func TestDiagnoseScriptText(t *testing.T) {
	text := scriptrun.Framed("0123", program, true)
	for i, c := range []byte(text) {
		if c != '\n' && (c < ' ' || c > '~') && c != '\t' {
			t.Errorf("byte %#x at %d: the bootstrap counts characters", c, i)
		}
	}
	if strings.Contains(program, "\n#") || len(text) > 16<<10 {
		t.Errorf("the script is sent with comments, or has %d bytes", len(text))
	}
	// Nothing of install.sh that writes comes along.
	for _, part := range []string{"mkdir", "rm -", "dd of", ">>", "chmod", "restorecon", "digest"} {
		if strings.Contains(text, part) {
			t.Errorf("the script holds %q", part)
		}
	}
	for _, part := range []string{"\nsayfacts() {", "\nsurvey() {", "\nlocate() {"} {
		if !strings.Contains(text, part) {
			t.Errorf("the script lacks %q", part)
		}
	}
}

// fingerprint is all that is below dir: names, modes, owners, times, content.
func fingerprint(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %v %d %d", path, info.Mode(), info.Size(), info.ModTime().UnixNano())
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %q", content)
		}
		b.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestDiagnoseShells: every shell finds the same, and changes nothing.
func TestDiagnoseShells(t *testing.T) {
	each(t, shells.All, func(t *testing.T, h *host) {
		h.Write(".ssh/authorized_keys", "ssh-ed25519 AAAA\n", 0o664)
		h.Write("elsewhere/it's here", "x\n", 0o600)
		if err := os.Symlink("../elsewhere/it's here", h.Path(".ssh/link")); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(h.Path(".ssh"), 0o770); err != nil {
			t.Fatal(err)
		}
		tmp := strings.TrimPrefix(h.Env[len(h.Env)-1], "TMPDIR=")
		before := fingerprint(t, h.Home) + fingerprint(t, tmp)
		for _, trace := range []bool{false, true} {
			var log bytes.Buffer
			d := h.mustDiagnose(remote.Options{Trace: trace, Stderr: &log}, noSSHD...)
			if d.Home != h.Home || d.RealHome != h.Home || d.Path != h.KeysFile() || d.Real != "" || d.OS == "" {
				t.Errorf("%+v", d)
			}
			if d.UID != fmt.Sprint(os.Getuid()) || d.Account == "" || d.Account == "tester" || len(d.Groups) == 0 || d.Today.IsZero() {
				t.Errorf("%+v", d)
			}
			if d.Shell == "" || d.ShellRuns != Yes || d.AccountHome == "" || d.Readable != Yes {
				t.Errorf("%+v", d)
			}
			found := d.Causes("", nil)
			for _, path := range []string{h.Path(".ssh"), h.KeysFile()} {
				if f := find(found, CauseMode, path); f == nil || f.Fix != "chmod go-w '"+path+"'" {
					t.Errorf("%s: %+v", path, f)
				}
			}
			if f := find(found, CauseMode, h.Home); f != nil {
				t.Errorf("%+v", f)
			}
			if trace != (log.Len() > 0) {
				t.Errorf("a trace of %d bytes", log.Len())
			}
		}
		d := h.mustDiagnose(remote.Options{Target: "~/.ssh/link"}, noSSHD...)
		if d.Real != h.Path("elsewhere/it's here") {
			t.Errorf("real %q", d.Real)
		}
		if f := find(d.Causes("", nil), CauseMode, h.Path(".ssh")); f != nil {
			t.Errorf("sshd does not look at the directory of a link: %+v", f)
		}
		if after := fingerprint(t, h.Home) + fingerprint(t, tmp); after != before {
			t.Errorf("changed:\n%s\nwas\n%s", after, before)
		}
	})
}

// standIn puts a program into the host's PATH, before all others.
func (h *host) standIn(name, text string) {
	h.T.Helper()
	path := filepath.Join(filepath.Dir(h.Sh), name)
	os.Remove(path) // it may be a link to busybox
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		h.T.Fatal(err)
	}
}

// TestDiagnoseTools: what the tools say that this machine has not got.
func TestDiagnoseTools(t *testing.T) {
	each(t, shells.All, func(t *testing.T, h *host) {
		h.Write(".ssh/authorized_keys", "", 0o660)
		h.standIn("getenforce", "echo Enforcing")
		h.standIn("ls", `case $1 in
-dZ) case $2 in
	*authorized_keys) echo "unconfined_u:object_r:user_home_t:s0:c0,c1 $2" ;;
	*.ssh) echo "drwx------. root root system_u:object_r:default_t:s0 $2" ;;
	*) echo "? $2" ;; esac ;;
*) exec /bin/ls "$@" ;; esac`)
		h.standIn("getfacl", `case $2 in
*.ssh) printf '# file: x\nuser::rwx\nuser:4711:rwx\t\t#effective:r-x\ngroup::r-x\nmask::r-x\nother::---\n\n' ;;
*authorized_keys) printf 'user::rw-\ngroup:100:rw-\ngroup::r--\nmask::rw-\nother::---\n' ;;
*) exit 1 ;; esac`)
		h.standIn("lsattr", `case $2 in
*authorized_keys) echo "----i---------e------- $2" ;;
*home) echo "---------E----e------- $2" ;;
*) exit 1 ;; esac`)
		h.standIn("fscrypt", `echo "\"$2\" is encrypted with fscrypt."`)
		if err := os.Symlink("/nowhere", h.Path(".Private")); err != nil {
			t.Fatal(err)
		}
		d := h.mustDiagnose(remote.Options{}, noSSHD...)
		found := d.Causes("alice", nil)
		for _, want := range []struct {
			kind             CauseKind
			path, value, fix string
			note, unsure     bool
		}{
			{CauseLabel, h.KeysFile(), "unconfined_u:object_r:user_home_t:s0:c0,c1", "restorecon -Rv '" + h.KeysFile() + "'", false, false},
			{CauseLabel, h.Path(".ssh"), "system_u:object_r:default_t:s0", "restorecon -Rv '" + h.Path(".ssh") + "'", false, false},
			{CauseACL, h.KeysFile(), "group:100:rw-", "setfacl -b '" + h.KeysFile() + "'", false, false},
			{CauseImmutable, h.KeysFile(), "----i---------e-------", "chattr -i '" + h.KeysFile() + "'", true, false},
			{CauseEncrypted, h.Home, "ecryptfs", "AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u .ssh/authorized_keys", false, false},
		} {
			f := find(found, want.kind, want.path)
			if f == nil {
				t.Errorf("no %s of %s in %+v", want.kind, want.path, found)
			} else if f.Value != want.value || f.Fix != want.fix || f.Informational != want.note || f.Unsure != want.unsure {
				t.Errorf("%+v, want %+v", f, want)
			}
		}
		if f := find(found, CauseACL, h.Path(".ssh")); f != nil {
			t.Errorf("masked: %+v", f)
		}
		if !slices.Contains(d.Encrypted, Encryption{"fscrypt", true}) {
			t.Errorf("encrypted: %v", d.Encrypted)
		}
		// SELinux that only watches keeps nobody out.
		h.standIn("getenforce", "echo Permissive")
		if f := find(h.mustDiagnose(remote.Options{}, noSSHD...).Causes("", nil), CauseLabel, ""); f != nil {
			t.Errorf("%+v", f)
		}
	})
}

// TestDiagnoseSSHD: what an sshd says, and how it is asked.
func TestDiagnoseSSHD(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		source       string
	}{
		{"-T", `[ "$1" = -T ] || exit 1`, FromSSHD},
		{"-G", `[ "$1" = -G ] || { echo "sshd: no hostkeys available -- exiting." >&2; exit 1; }`, FromSSHD},
		{"neither", `echo "sshd: no" >&2; exit 255`, ""},
		{"other words", `echo "usage: sshd"; exit 0`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, shells.All, func(t *testing.T, h *host) {
				bin := filepath.Dir(h.Sh)
				h.Env = append(h.Env, "SSH_CONNECTION=192.0.2.7 40000 192.0.2.1 2222")
				h.standIn("sshd", tt.script+`
case "$*" in *" -C user="*,host=192.0.2.7,addr=192.0.2.7,laddr=192.0.2.1,lport=2222) ;; *) exit 1 ;; esac
echo port 22
echo pubkeyauthentication no
echo "authorizedkeysfile /keys/%u/%%x .ssh/other none"
echo allowusers a; echo allowusers b`)
				edits := slices.Clone(noSSHD)
				edits[1] = "for dir in " + bin
				d := h.mustDiagnose(remote.Options{}, edits...)
				if d.Server.Source != tt.source {
					t.Fatalf("%+v", d.Server)
				}
				if d.Server.Client != "192.0.2.7" || d.Server.Address != "192.0.2.1" || d.Server.Port != "2222" {
					t.Errorf("%+v", d.Server)
				}
				if tt.source == "" {
					if len(d.Server.Problems) < 2 || d.Server.Options != nil {
						t.Errorf("%+v", d.Server)
					}
					return
				}
				if _, ok := d.Server.Options["port"]; ok || len(d.Server.Options["allowusers"]) != 2 {
					t.Errorf("%v", d.Server.Options)
				}
				found := d.Causes("alice", nil)
				f := find(found, CauseOtherFile, h.KeysFile())
				if f == nil || !slices.Equal(f.Files, []string{"/keys/alice/%x", filepath.Join(d.AccountHome, ".ssh/other")}) || f.Unsure {
					t.Errorf("%+v", f)
				}
				if found[0].Kind != CausePubkey || found[0].Fix != "PubkeyAuthentication yes" || !found[0].InConfig {
					t.Errorf("%+v", found[0])
				}
				if f := find(found, CauseUsers, ""); f == nil || f.Option != "allowusers" || f.Fix != "AllowUsers alice" {
					t.Errorf("%+v", f)
				}
			})
		})
	}
}

// TestDiagnoseConfigFiles: a configuration that is only read.
func TestDiagnoseConfigFiles(t *testing.T) {
	each(t, shells.All, func(t *testing.T, h *host) {
		h.Env = append(h.Env, "SSH_CONNECTION=192.0.2.7 40000 192.0.2.1 2222")
		h.Write("etc/sshd_config", "# a comment\n\n  Include "+h.Path("etc")+"/sshd_config.d/*.conf\nauthorizedkeysfile=.ssh/late\n"+
			"Match address 192.0.2.0/24,!192.0.2.9 user *\n\tPubkeyAuthentication no # why\nMatch address 198.51.100.0/24\nPermitRootLogin no\n", 0o600)
		h.Write("etc/sshd_config.d/10-x.conf", "AuthorizedKeysFile \"/etc/keys/%u\"\r\nAllowUsers a b@192.0.2.7\nAllowUsers c\n", 0o600)
		h.Write("etc/sshd_config.d/20-y.off", "PermitRootLogin no\n", 0o600)
		edits := slices.Clone(noSSHD)
		edits[3] = h.Path("etc/sshd_config")
		d := h.mustDiagnose(remote.Options{}, edits...)
		s := d.Server
		if s.Source != FromFiles || s.Path != h.Path("etc/sshd_config") || s.Unsure {
			t.Errorf("%+v", s)
		}
		want := map[string][]string{"authorizedkeysfile": {"/etc/keys/%u"}, "allowusers": {"a b@192.0.2.7", "c"}, "pubkeyauthentication": {"no"}}
		if len(s.Options) != len(want) {
			t.Errorf("%v", s.Options)
		}
		for keyword, values := range want {
			if !slices.Equal(s.Options[keyword], values) {
				t.Errorf("%s: %v", keyword, s.Options[keyword])
			}
		}
		for _, f := range d.Causes("b", nil) {
			if (f.Option != "") != f.Unsure {
				t.Errorf("%+v", f)
			}
			if f.Kind == CauseUsers {
				t.Errorf("%+v", f)
			}
		}
	})
}

// TestDiagnoseAccounts: what the account's files and tools tell.
func TestDiagnoseAccounts(t *testing.T) {
	h := newHost(t, shells.Shell{Name: "dash"})
	h.standIn("getent", `echo "$2:x:0:0:a:b:`+h.Home+`:/usr/sbin/nologin"`)
	h.standIn("passwd", `[ "$1" = -S ] && echo "$2 L 1970-01-01 0 99999 7 -1"`)
	h.standIn("chage", `printf 'Last password change\t: never\nPassword expires\t: password must be changed\nAccount expires\t\t: Jan 02, 2020\n'`)
	none := append(slices.Clone(noSSHD), "/etc/shadow", "/nowhere/shadow")
	d := h.mustDiagnose(remote.Options{}, none...)
	if d.Shell != "/usr/sbin/nologin" || d.PasswordStatus != "L" || !d.MustChange || d.Expires.Format(time.DateOnly) != "2020-01-02" {
		t.Errorf("%+v", d)
	}
	found := d.Causes("it's", nil)
	for kind, fix := range map[CauseKind]string{CauseShell: `chsh -s /bin/sh 'it'\''s'`, CauseLocked: `usermod -U 'it'\''s'`, CauseExpired: `chage -E -1 'it'\''s'`} {
		if f := find(found, kind, ""); f == nil || f.Fix != fix {
			t.Errorf("%s: %+v", kind, f)
		}
	}
	// The hash itself never leaves the server, not even in a trace.
	h.Write("shadow", "x:*:1::::::\n"+d.Account+":!$6$secret$hash:0:0:99999:7::18000:\n"+d.Account+":$6$more:1::::::\n", 0o600)
	none[len(none)-1] = h.Path("shadow")
	for _, login := range []string{"dash", "bash", "zsh"} {
		h.Login = shells.Need(t, login)
		var trace bytes.Buffer
		d = h.mustDiagnose(remote.Options{Trace: true, Stderr: &trace}, none...)
		if d.Password != "locked" || !d.MustChange || d.Expires.Format(time.DateOnly) != "2019-04-14" || d.PasswordStatus != "" {
			t.Errorf("%+v", d)
		}
		if strings.Contains(trace.String(), "secret") || strings.Contains(fmt.Sprintf("%+v", d), "secret") {
			t.Error("a hash is shown")
		}
	}
}

// TestDiagnoseSudo: sudo is asked by members of the administrators' groups,
// who need no password, and by nobody else.
func TestDiagnoseSudo(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("it takes root to be somebody else")
	}
	each(t, shells.Fast, func(t *testing.T, h *host) {
		h.UID = 61234
		bin := filepath.Dir(h.Sh)
		asked := filepath.Join(t.TempDir(), "asked")
		if err := os.WriteFile(asked, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(asked, 0o666); err != nil {
			t.Fatal(err)
		}
		h.standIn("sudo", `echo asked >>`+asked+`; [ "$1" = -n ] || exit 1; shift; SUDO=1 "$@"`)
		h.standIn("sshd", `[ -n "$SUDO" ] || exit 1; echo authorizedkeysfile none; echo pubkeyauthentication yes`)
		edits := slices.Clone(noSSHD)
		edits[1] = "for dir in " + bin
		for group, want := range map[string]string{"wheel": FromSSHD, "users": ""} {
			if err := os.WriteFile(asked, nil, 0o666); err != nil {
				t.Fatal(err)
			}
			h.standIn("id", `case $1 in -u) echo 61234 ;; -Gn) echo "a `+group+`" ;; *) echo alice ;; esac`)
			d := h.mustDiagnose(remote.Options{}, edits...)
			text, err := os.ReadFile(asked)
			if err != nil {
				t.Fatal(err)
			}
			if d.Server.Source != want || (len(text) > 0) != (want != "") {
				t.Errorf("%s: %+v, asked %q", group, d.Server, text)
			}
		}
	})
}
