package diagnose

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/serverid"
	"ssh-copy-id/internal/sshdconfig"
	"ssh-copy-id/internal/sshtest/shells"
)

// parseDiagnosis reads an answer whose marker is M.
func parseDiagnosis(text string) (*Diagnosis, error) {
	a := &answer{}
	err := shells.Answer(text, scriptrun.Request{Line: a.line, Limit: maxDiagnosis, Longest: maxDiagnosisLine})
	if err != nil {
		return nil, err
	}
	return a.finish()
}

// answerOf is an answer about alice's file, with more lines in it.
func answerOf(lines ...string) string {
	all := []string{"noise", "", "M begin", "M account alice", "M uid 1000", "M groups alice users", "M home /home/alice", "M pwhome /home/alice",
		"M realhome /home/alice", "M os Linux", "M path /home/alice/.ssh/authorized_keys", "M date 2026-01-02",
		"M fact drwxr-xr-x 2 0 0 4096 Jan 1 00:00 /", "M fact drwxr-xr-x 2 0 0 4096 Jan 1 00:00 /home",
		"M fact drwxr-xr-x 2 1000 0 4096 Jan 1 00:00 /home/alice", "M fact drwx------ 2 1000 0 4096 Jan 1 00:00 /home/alice/.ssh",
		"M fact -rw------- 1 1000 0 80 Jan 1 00:00 /home/alice/.ssh/authorized_keys"}
	return strings.Join(append(append(all, "M "+strings.Join(lines, "\nM ")), "M end diagnosis", ""), "\n")
}

// said is a finding in short.
func said(f Cause) string {
	text := string(f.Kind)
	if f.Path != "" {
		text += " " + f.Path
	}
	if f.Unsure {
		text += " ?"
	}
	if f.Informational {
		text += " (note)"
	}
	if f.Fix != "" {
		text += ": " + f.Fix
	}
	return text
}

// The paths answerOf tells of.
const (
	testHome = "/home/alice"
	testDir  = testHome + "/.ssh"
	testFile = testDir + "/authorized_keys"
)

// findingsCases are lines of an answer, and what they come to.
var findingsCases = []struct{ lines, want []string }{
	{[]string{"readable yes"}, nil},
	// SELinux
	{[]string{"selinux Enforcing", "label system_u:object_r:ssh_home_t:s0 " + testFile, "label u:r:ssh_home_t:s0 " + testDir, "label u:r:user_home_dir_t:s0 " + testHome}, nil},
	{[]string{"selinux 1", "label u:r:user_home_t:s0 " + testDir}, []string{"SELinux label " + testDir + ": restorecon -Rv '" + testDir + "'"}},
	{[]string{"selinux 0", "label u:r:user_home_t:s0 " + testDir}, nil},
	{[]string{"label u:r:unlabeled_t:s0 " + testHome}, []string{"SELinux label " + testHome + " ?: restorecon -Rv '" + testHome + "'"}},
	{[]string{"selinux Enforcing", "label u:r:nfs_t:s0 " + testFile}, []string{"SELinux label " + testFile + ": setsebool -P use_nfs_home_dirs 1"}},
	{[]string{"selinux Enforcing", "label nonsense " + testFile}, nil},
	// Access control lists
	{[]string{"aclof " + testFile, "acl user::rw-", "acl group::rw-", "acl other::rw-", "acl default:user:7:rwx", "acl user:1000:rwx", "acl user:0:rwx"}, nil},
	{[]string{"aclof " + testFile, "acl user:bob:rw-"}, []string{"access control list " + testFile + " (note): setfacl -b '" + testFile + "'"}},
	{[]string{"aclof " + testFile, "acl user:bob:rw-   #effective:r--"}, nil},
	{[]string{"aclof " + testFile, "acl everyone@:rw-p--aARWcCos:-------:allow", "acl user:bob:rw-p--aARWcCos:-------:deny", "acl user:bob:r-----:-------:allow"}, nil},
	{[]string{"aclof " + testFile, "acl group:bob:r--p--aARWcCos:-------:allow"}, []string{"access control list " + testFile + " (note): setfacl -b '" + testFile + "'"}},
	{[]string{"os Darwin", "aclof " + testFile, "acl 0: user:alice allow write", "acl 1: user:bob allow read,append"},
		[]string{"access control list " + testFile + " (note): chmod -N '" + testFile + "'"}},
	{[]string{"fact drwxrwxr-x+ 2 1000 0 80 Jan 1 00:00 /home/alice/keys", "path /home/alice/keys/k", "fact -rw------- 2 1000 0 80 Jan 1 00:00 /home/alice/keys/k"},
		[]string{"mode /home/alice/keys: chmod go-w '/home/alice/keys'", "access control list /home/alice/keys ?: setfacl -b '/home/alice/keys'"}},
	// Attributes
	{[]string{"attr -----a-------e------- " + testFile}, nil},
	{[]string{"attr uchg,hidden " + testFile}, []string{"immutable " + testFile + " (note): chflags nouchg '" + testFile + "'"}},
	{[]string{"attr schg " + testFile}, []string{"immutable " + testFile + " (note): chflags noschg '" + testFile + "'"}},
	{[]string{"attr ---------E----e------- " + testHome}, []string{"encrypted home " + testHome + " ?: AuthorizedKeysFile /etc/ssh/authorized_keys.d/%u .ssh/authorized_keys"}},
	{[]string{"crypt ecryptfs open", "path /etc/keys"}, []string{"missing /etc/keys"}},
	// The account
	{[]string{"passwd alice L 2025-05-20 0 99999 7 -1"}, []string{"locked ?: usermod -U 'alice'"}},
	{[]string{"passwd alice LK 2025-05-20 0 99999 7 -1", "sshd T default", "opt usepam yes"}, nil},
	{[]string{"passwd bob L 2025-05-20 0 99999 7 -1"}, nil},
	{[]string{"shadow locked:1:99999:", "sshd T default", "opt strictmodes yes"}, []string{"locked: usermod -U 'alice'"}},
	{[]string{"shadow none:1:99999:", "shadow locked:0:1:1"}, nil},
	{[]string{"shadow set:20000:99999:20455"}, []string{"expired: chage -E -1 'alice'"}},
	{[]string{"shadow set:20000:99999:20456"}, nil},
	{[]string{"shadow set:20000:454:", "sshd T default", "opt usepam yes"}, []string{"expired: passwd 'alice'"}},
	{[]string{"shadow set:20000:455:"}, nil},
	{[]string{"chage Account expires : never", "chage Password expires : Dec 31, 2025"}, []string{"expired ?: passwd 'alice'"}},
	{[]string{"chage Account expires : 2026-01-03", "chage Password expires : never"}, nil},
	{[]string{"shell /opt/fish", "shellruns yes", "shelllisted no"}, []string{"shell /etc/shells (note): echo '/opt/fish' >>/etc/shells"}},
	{[]string{"shell /bin/zsh", "shellruns no", "shelllisted yes"}, []string{"shell: chsh -s /bin/sh 'alice'"}},
	{[]string{"shell /usr/bin/false", "shellruns yes", "shelllisted yes"}, []string{"shell: chsh -s /bin/sh 'alice'"}},
	// What is at the path
	{[]string{"readable no"}, []string{"unreadable " + testFile + ": chown 'alice' '" + testFile + "'"}},
	{[]string{"path /home/alice/.ssh"}, []string{"missing /home/alice/.ssh"}},
	{[]string{"fact drwxrwxrwx 2 7 0 4096 Jan 1 00:00 /etc", "fact -rw-rw-rw- 2 7 0 4096 Jan 1 00:00 /etc/k%", "path /etc/k%"},
		[]string{"mode /etc/k%: chmod go-w '/etc/k%'", "mode /etc: chmod go-w '/etc'", "owner /etc/k%: chown 'alice' '/etc/k%'", "owner /etc: chown 'alice' '/etc'"}},
	{[]string{"fact drwxrwxrwx 2 7 0 4096 Jan 1 00:00 /etc", "fact -rw-rw-rw- 2 7 0 4096 Jan 1 00:00 /etc/k%", "path /etc/k%", "sshd T default", "opt strictmodes no", "opt authorizedkeysfile none"},
		[]string{"AuthorizedKeysFile /etc/k%: AuthorizedKeysFile /etc/k%%"}},
	// The home: what is above it does not matter, and it may be a link.
	{[]string{"home /srv/a", "pwhome /srv/a", "realhome /srv/a", "path /srv/a/k", "fact drwxrwxrwx 2 7 0 4096 Jan 1 00:00 /srv",
		"fact drwxr-xr-x 2 1000 0 4096 Jan 1 00:00 /srv/a", "fact -rw------- 2 1000 0 4096 Jan 1 00:00 /srv/a/k"}, nil},
	{[]string{"home /h", "pwhome /h", "sshd T default", "opt authorizedkeysfile .ssh/authorized_keys"}, nil},
	{[]string{"home /h", "pwhome /h", "realhome /other", "sshd T default", "opt authorizedkeysfile .ssh/authorized_keys"},
		[]string{"AuthorizedKeysFile " + testFile + ": AuthorizedKeysFile .ssh/authorized_keys " + testFile}},
	// Configuration files
	{[]string{"conf /c", "cl PubkeyAuthentication yes", "cl Match User alice", "cl Include /d", "cl PubkeyAuthentication no", "conf /d", "cl Match User bob", "cl StrictModes no"},
		[]string{"PubkeyAuthentication /c ?: PubkeyAuthentication yes"}},
	{[]string{"conf /c", "cl Match User bob", "cl Include /d", "conf /d", "cl PubkeyAuthentication no"}, nil},
	{[]string{"client ::ffff:192.0.2.7 x 22", "conf /c", "cl Match Address 192.0.2.0/24 LocalPort 22 Group us* all", "cl PubkeyAuthentication no"},
		[]string{"PubkeyAuthentication /c ?: PubkeyAuthentication yes"}},
	{[]string{"listener sshd: /usr/sbin/sshd -D -oPort=22 [listener]", "sshd T /c", "opt pubkeyauthentication no"},
		[]string{"PubkeyAuthentication /c ?: PubkeyAuthentication yes"}},
}

// TestCauses: what a line of the answer comes to.
func TestCauses(t *testing.T) {
	for _, tt := range findingsCases {
		d, err := parseDiagnosis(answerOf(tt.lines...))
		if err != nil {
			t.Errorf("%q: %v", tt.lines, err)
			continue
		}
		var got []string
		for _, f := range d.Causes("", nil) {
			got = append(got, said(f))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q\n%q\nwant\n%q", tt.lines, got, tt.want)
		}
	}
}

// TestCausesOptions: what the options of sshd come to.
func TestCausesOptions(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	ed, _, _, _, err := ssh.ParseAuthorizedKey([]byte("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"))
	if err != nil {
		t.Fatal(err)
	}
	for options, want := range map[string]string{
		"pubkeyauthentication yes":                                  "",
		"authorizedkeysfile .ssh/authorized_keys":                   "",
		"authorizedkeysfile /home/%u/.ssh//../.ssh/authorized_keys": "",
		"authorizedkeysfile %h/.ssh/authorized_keys":                "",
		"authorizedkeyscommand none":                                "",
		"authorizedkeyscommand /usr/bin/sss_ssh %u":                 "AuthorizedKeysCommand (note)",
		"permitrootlogin no":                                        "", // not root
		"authenticationmethods any":                                 "",
		"authenticationmethods publickey,password publickey":        "",
		"authenticationmethods publickey,password":                  "AuthenticationMethods (note)",
		"authenticationmethods password keyboard-interactive:pam":   "AuthenticationMethods: AuthenticationMethods publickey password keyboard-interactive:pam",
		"denyusers bob al*@198.51.100.0/24":                         "",
		"denyusers bob a?ice":                                       "users",
		"denyusers alice@!192.0.2.7,192.0.2.*":                      "",
		"denyusers alice@192.0.2.*":                                 "users",
		"allowusers alice@192.0.2.0/28 bob":                         "",
		"allowusers bob":                                            "users: AllowUsers alice",
		"denygroups wheel us*":                                      "users: gpasswd -d 'alice' 'users'",
		"allowgroups ssh-users wheel":                               "users: usermod -aG 'ssh-users' 'alice'",
		"allowgroups ssh-*":                                         "users: AllowGroups alice",
		"allowgroups users":                                         "",
		"pubkeyacceptedalgorithms ssh-*":                            "",
		"pubkeyacceptedalgorithms rsa-sha2-512":                     "key type: PubkeyAcceptedAlgorithms +ssh-ed25519",
		"pubkeyacceptedalgorithms ssh-ed25519":                      "key type: PubkeyAcceptedAlgorithms +rsa-sha2-512,rsa-sha2-256",
		"pubkeyacceptedalgorithms -ssh-*":                           "key type: PubkeyAcceptedAlgorithms +ssh-ed25519",
		"pubkeyacceptedalgorithms +ssh-dss":                         "",
		"pubkeyacceptedkeytypes ssh-rsa":                            "key type: PubkeyAcceptedKeyTypes +ssh-ed25519",
		"requiredrsasize 1025":                                      "RequiredRSASize: RequiredRSASize 1024",
		"requiredrsasize 1024":                                      "",
	} {
		d, err := parseDiagnosis(answerOf("client 192.0.2.7 192.0.2.1 22", "sshd G default", "opt "+options))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range d.Causes("alice", []ssh.PublicKey{ed, public}) {
			got = append(got, said(f))
		}
		if text := strings.Join(got, "\n"); text != want {
			t.Errorf("%s: %q, want %q", options, text, want)
		}
	}
}

// TestCausesOrder: sure before unsure, remarks last, and by likelihood.
func TestCausesOrder(t *testing.T) {
	d, err := parseDiagnosis(answerOf("attr ----i---- /home/alice", "readable no", "crypt ecryptfs closed", "crypt fscrypt open",
		"fact drwxrwxrwx 2 7 0 4096 Jan 1 00:00 /home/alice/.x", "real /home/alice/.x", "passwd alice L", "conf /etc/ssh/sshd_config", "cl PubkeyAuthentication no",
		"cl AuthorizedKeysFile none"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range d.Causes("", nil) {
		got = append(got, string(f.Kind)+" "+f.Value)
	}
	want := []string{"missing dir", "mode ", "owner ", "unreadable ", "encrypted home ecryptfs", "PubkeyAuthentication no",
		"AuthorizedKeysFile none", "encrypted home fscrypt", "locked ", "immutable ----i----"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
}

// TestServedBy: the sshd on the disk may not be what answers.
func TestServedBy(t *testing.T) {
	for version, want := range map[string]string{"SSH-2.0-OpenSSH_9.2p1 Debian-2": "sshd false", "SSH-2.0-dropbear_2022.83": " false", "SSH-2.0-x": "sshd true"} {
		s := Server{Source: FromSSHD, Config: sshdconfig.Config{Options: map[string][]string{}}}
		s.servedBy(serverid.Parse(version).Software)
		if got := fmt.Sprint(s.Source, " ", s.Unsure); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
}

// TestDiagnosisBounds: answers that would take long to think about.
func TestDiagnosisBounds(t *testing.T) {
	long := strings.Repeat("a", 60<<10)
	group := strings.TrimSpace(strings.Repeat(strings.Repeat("a", 63)+" ", 900))
	for name, lines := range map[string][]string{
		"patterns":   {"groups " + group, "sshd T default", strings.Repeat("opt allowgroups "+strings.Repeat("*a", 30000)+"b\nM ", 12) + "note x"},
		"conditions": {"groups " + group, "conf /c", strings.Repeat("cl Match group "+strings.Repeat("*a", 30000)+"b\nM ", 12) + "note x"},
		"includes": {"conf /c", "cl Include /c /d /c /d", "conf /c", strings.Repeat("cl Include /c /d /c /d\nM ", 100) + "note x", "conf /d",
			strings.Repeat("cl Include /c /d /c /d\nM ", 100) + "note x"},
		"path": {"path /" + strings.Repeat("a/", 4000), strings.Repeat("attr ----i /a\nM ", 4000) + "note x", "label " + long + " /x"},
	} {
		d, err := parseDiagnosis(answerOf(lines...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		d.Causes("", nil)
		if strings.HasPrefix(name, "con") && !d.Server.Unsure {
			t.Errorf("%s: as if all was looked at", name)
		}
	}
	for name, line := range map[string]string{
		"a long line": "note " + long + long,
		"a long path": "path /" + strings.Repeat("a/", 5000),
		"many rows":   strings.Repeat("fact drwxr-xr-x 2 0 0 4096 Jan 1 00:00 /\nM ", maxPathNotes+2) + "note x",
		"many files":  strings.Repeat("conf /x\nM ", maxConfFiles+2) + "note x",
		"many bytes":  strings.Repeat("note "+long[:1000]+"\nM ", 1100) + "note x",
	} {
		var e *scriptrun.Error
		if _, err := parseDiagnosis(answerOf(line)); !errors.As(err, &e) || e.Reason != scriptrun.TooMuch {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDiagnosis: whatever a server says, it is understood or refused, in
// bounds, and what is to be typed holds no quote that ends early.
func FuzzDiagnosis(f *testing.F) {
	f.Add(answerOf("readable no", "selinux Enforcing", "label u:r:user_home_t:s0 /home/alice/.ssh", "attr ----i--- /home/alice"))
	f.Add(answerOf("aclof /home/alice", "acl user:5:rwx #effective:r-x", "crypt ecryptfs closed", "shadow locked:1:2:3", "shell /bin/false", "shellruns yes"))
	f.Add(answerOf("client 192.0.2.7 192.0.2.1 22", "listener x -o", "sshd T /etc/x", "opt allowusers a@*", "opt pubkeyacceptedalgorithms -ssh-*"))
	f.Add(answerOf("conf /etc/ssh/sshd_config", "cl Include *.conf", "cl Match User a,!b Address ::1", "conf /etc/ssh/a.conf", "cl DenyGroups=u*"))
	f.Add(answerOf("passwd alice L 1", "chage Account expires: Jan 1, 2020", "fact lrwxrwxrwx 1 5 5 1 Jan 1 00:00 /home -> '", "real /'/x"))
	f.Add("M begin\nM fail start no account\nM detail x\nM end failed\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDiagnosis(text)
		if err != nil {
			return
		}
		if !strings.HasPrefix(d.Path, "/") || (d.Server.Source == "") != (d.Server.Options == nil) {
			t.Errorf("%+v", d)
		}
		for _, found := range d.Causes("it's", nil) {
			if !slices.Contains(causeOrder, found.Kind) {
				t.Errorf("%+v", found)
			}
			if !found.InConfig && strings.Count(strings.ReplaceAll(found.Fix, `'\''`, ""), "'")%2 != 0 {
				t.Errorf("unbalanced: %s", found.Fix)
			}
		}
	})
}
