//go:build unix

package remote

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ssh-copy-id/internal/sshtest/shells"
)

// stub puts a program in front of a host's own. Its text is for sh.
func (h *host) stub(name, text string) {
	h.T.Helper()
	path := filepath.Join(filepath.Dir(h.Sh), name)
	os.Remove(path) // it may be a link to busybox
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		h.T.Fatal(err)
	}
}

// below makes paths of the machine in the script ones below the home. The
// script must hold them all.
func (h *host) below(paths ...string) {
	own := h.Edit
	h.Edit = func(script string) string {
		if own != nil {
			script = own(script)
		}
		for _, path := range paths {
			if !strings.Contains(script, path) {
				h.T.Errorf("no %s in the script", path)
			}
			// Only where a path begins: ".../etc/ssh" may follow "$home".
			for _, before := range []string{" ", "=", ":"} {
				script = strings.ReplaceAll(script, before+path, before+h.Path(path[1:]))
			}
		}
		return script
	}
}

// rooted makes the script take the account for root, or for nobody special,
// whoever runs the test.
func (h *host) rooted(root bool) {
	uid := map[bool]string{true: ":", false: "false"}[root]
	own := h.Edit
	h.Edit = func(script string) string {
		if own != nil {
			script = own(script)
		}
		return strings.Replace(script, `[ "$uid" = 0 ]`, uid, 1)
	}
}

// logname sets what the shell knows of the account's name.
func (h *host) logname(variables ...string) {
	h.Env = slices.DeleteFunc(h.Env, func(v string) bool { return strings.HasPrefix(v, "USER=") })
	h.Env = append(h.Env, variables...)
}

// TestESXi: the account's own file is below /etc/ssh, and keeps the modes that
// the system gave its directory.
func TestESXi(t *testing.T) {
	for _, tt := range []struct {
		name      string
		variables []string
		mode      os.FileMode // of a directory that is there; 0: there is none
		user      string      // empty: refused
	}{
		{"root", []string{"LOGNAME=root", "USER=root"}, 0o755, "root"},
		{"no directory", []string{"LOGNAME=al"}, 0, "al"},
		{"only USER", []string{"USER=al"}, 0o700, "al"},
		{"domain account", []string{`LOGNAME=LAB\al b`}, 0, `LAB\al b`},
		{"no name", nil, 0, ""},
		{"empty name", []string{"LOGNAME=", "USER="}, 0, ""},
		{"slash", []string{"LOGNAME=../../tmp/x"}, 0, ""},
		{"newline", []string{"LOGNAME=a\nb"}, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, shells.All, func(t *testing.T, h *host) {
				if strings.HasSuffix(t.Name(), "/zsh") && !slices.ContainsFunc(tt.variables, isLogname) {
					t.Skip("zsh sets LOGNAME by the user id")
				}
				h.stub("uname", "echo VMkernel box\n")
				h.below("/etc/ssh")
				h.logname(tt.variables...)
				dir := "etc/ssh/keys-" + tt.user
				if tt.mode != 0 {
					os.MkdirAll(h.Path(dir), 0o700)
					os.Chmod(h.Path(dir), tt.mode)
				}
				c := install(1)
				c.Repair = true
				r, err := h.session(Options{}).Edit(shells.Timeout(t), c)
				if tt.user == "" {
					h.wantNoAccount(err)
					h.wantByName()
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				h.want(dir+"/authorized_keys", testLine(1)+"\n")
				h.wantMode(dir+"/authorized_keys", 0o600)
				if tt.mode == 0 {
					tt.mode = 0o700
				}
				h.wantMode(dir, tt.mode)
				if r.State.OS != "VMkernel" || len(r.Repaired) > 0 {
					t.Errorf("%+v", r)
				}
				h.wantByName()
			})
		})
	}
}

func isLogname(variable string) bool { return strings.HasPrefix(variable, "LOGNAME=") }

// wantNoAccount checks the refusal of an account without a name.
func (h *host) wantNoAccount(err error) {
	h.T.Helper()
	var e *RemoteError
	if !errors.As(err, &e) || e.Stage != StageTarget || e.Reason != Failed || e.Unsure || !strings.Contains(e.Detail, "account name") {
		h.T.Errorf("error %#v", err)
	}
	if list, _ := os.ReadDir(h.Home); len(list) > 0 {
		h.T.Errorf("something was made: %v", list)
	}
}

// TestPlaces: systems where root's own file is elsewhere, and what looks like
// them. The directories there keep their modes; -t wins everywhere.
func TestPlaces(t *testing.T) {
	const netscaler, openwrt, usual = "nsconfig/ssh/authorized_keys", "etc/dropbear/authorized_keys", ".ssh/authorized_keys"
	for _, tt := range []struct {
		name   string
		dirs   []string
		nscli  bool // there is a program of that name
		nobody bool // the account is not root
		file   string
	}{
		{"NetScaler by directory", []string{"nsconfig", "netscaler"}, false, false, netscaler},
		{"NetScaler by program", []string{"nsconfig"}, true, false, netscaler},
		{"NetScaler's other accounts", []string{"nsconfig", "netscaler"}, true, true, usual},
		{"no configuration of NetScaler", []string{"netscaler"}, true, false, usual},
		{"only a configuration", []string{"nsconfig"}, false, false, usual},
		{"OpenWrt", []string{"etc/openwrt_release"}, false, false, openwrt},
		{"OpenWrt's other accounts", []string{"etc/openwrt_release"}, false, true, usual},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, shells.All, func(t *testing.T, h *host) {
				h.below("/nsconfig", "/netscaler", "/etc/dropbear", "/etc/openwrt_release")
				h.rooted(!tt.nobody)
				for _, dir := range tt.dirs {
					if dir == "etc/openwrt_release" {
						h.Write(dir, "DISTRIB_ID='OpenWrt'\n", 0o644)
					} else {
						os.Mkdir(h.Path(dir), 0o755)
					}
				}
				if tt.nscli {
					h.stub("nscli", "exit 1\n")
				}
				c := install(1)
				c.Repair = true
				r := add(t, h.session(Options{}), c)
				if r.State.Path != h.Path(tt.file) {
					t.Errorf("path %s", r.State.Path)
				}
				h.want(tt.file, testLine(1)+"\n")
				if tt.file != netscaler && len(r.Notes) > 0 || tt.file == netscaler && (len(r.Notes) != 1 ||
					r.Notes[0].Kind != NoteEveryAccount || r.Notes[0].Path != h.Path(netscaler)) {
					t.Errorf("notes %q", r.Notes)
				}
				if tt.file == netscaler {
					os.Chmod(h.Path("nsconfig/ssh"), 0o755)
					if r := add(t, h.session(Options{}), Change{Repair: true}); len(r.Repaired) > 0 {
						t.Errorf("repaired %v", r.Repaired)
					}
				}
				h.wantByName()
			})
		})
	}
}

// wantByName checks that -t means the file it names, without more ado.
func (h *host) wantByName() {
	h.T.Helper()
	r := add(h.T, h.session(Options{Target: "~/by name"}), install(2))
	h.want("by name", testLine(2)+"\n")
	if r.State.Path != h.Path("by name") || len(r.Notes) > 0 {
		h.T.Errorf("%s, notes %q", r.State.Path, r.Notes)
	}
	h.wantClean()
}

// TestProxmox: the file is a link into a file system that refuses chmod. The
// link stays, and a refused chmod is a remark.
func TestProxmox(t *testing.T) {
	const refused = `case $* in
*pve*|*authorized_keys*|*.ssh*) echo "chmod: changing permissions of '$2': Operation not permitted" >&2; exit 1 ;;
esac
echo "chmod $*" >&2; exit 1
`
	for _, tt := range []struct {
		name  string
		link  string
		pve   string // below the home
		notes int
	}{
		// As it is: nothing out there is touched, .ssh is refused.
		{"outside the home", "../../pve/priv/authorized_keys", "../pve/priv", 1},
		{"in the home", "../pve/priv/authorized_keys", "pve/priv", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, shells.All, func(t *testing.T, h *host) {
				h.stub("chmod", refused)
				h.Write(tt.pve+"/authorized_keys", "# cluster\n"+testLine(9), 0o640)
				os.Mkdir(h.Path(".ssh"), 0o755)
				if err := os.Symlink(tt.link, h.KeysFile()); err != nil {
					t.Fatal(err)
				}
				c := install(1)
				c.Repair = true
				r := add(t, h.session(Options{}), c)
				h.want(tt.pve+"/authorized_keys", "# cluster\n"+testLine(9)+"\n"+testLine(1)+"\n")
				if got, _ := os.Readlink(h.KeysFile()); got != tt.link {
					t.Errorf("link is now %q", got)
				}
				if !r.Applied || len(r.Repaired) > 0 || len(r.Notes) != tt.notes {
					t.Errorf("%+v", r)
				}
				for _, note := range r.Notes {
					if note.Kind != NoteChmod || !strings.Contains(note.Detail, "Operation not permitted") {
						t.Errorf("note %q", note)
					}
				}
				if want := filepath.Join(h.Home, tt.pve, "authorized_keys"); r.State.Real != want {
					t.Errorf("real %s, want %s", r.State.Real, want)
				}
				h.wantMode(tt.pve+"/authorized_keys", 0o640)
				h.wantClean()
			})
		})
	}
}

// TestKeysDirectory: files in the directory that Fedora CoreOS reads as well
// are worth a remark, an empty one is not.
func TestKeysDirectory(t *testing.T) {
	for _, tt := range []struct {
		name   string
		target string
		file   string // in authorized_keys.d; "-": there is no such directory
		note   bool
	}{
		{"none", "", "-", false},
		{"empty", "", "", false},
		{"with a file", "", "ignition", true},
		{"with a hidden file", "", ".x", true},
		{"the file by name", ".ssh/authorized_keys", "ignition", true},
		{"another file", "keys", "ignition", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, shells.All, func(t *testing.T, h *host) {
				switch tt.file {
				case "-":
				case "":
					os.MkdirAll(h.Path(".ssh/authorized_keys.d"), 0o700)
				default:
					h.Write(".ssh/authorized_keys.d/"+tt.file, testLine(1)+"\n", 0o600)
				}
				s := h.session(Options{Target: tt.target})
				if _, err := s.Read(shells.Timeout(t), nil); err != nil {
					t.Fatal(err)
				}
				r := add(t, s, install(1))
				if !r.Applied || (len(r.Notes) == 1 && r.Notes[0].Kind == NoteMoreFiles) != tt.note || len(r.Notes) > 1 {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

// strict makes a program that takes no other options than POSIX gives it,
// before the operands, and writes down what else it was called with. after is
// put behind the call, such as a pipe.
func (h *host) strict(log, name, options, check, after string) {
	real, err := exec.LookPath(name)
	if err != nil {
		h.T.Fatal(err)
	}
	h.stub(name, fmt.Sprintf(`case $1 in -[0-9+]*) echo %[1]s "$@" >>'%[2]s';; esac
n=$#
while getopts :%[3]s o "$@"; do
	case $o in '?'|:) echo %[1]s "$OPTARG" >>'%[2]s'; exit 64;; esac
done
for a do %[4]s :; done
POSIXLY_CORRECT=1 %[5]s "$@" %[6]s
`, name, log, options, check, real, after))
}

// posixTools are the options that POSIX.1-2008 gives the tools the script
// uses, which the BSDs, macOS and Solaris share. Of them wc prints blanks before
// a number and sleep takes whole seconds only; there is no other sum than that
// of cksum, and no stat.
func (h *host) posixTools() (log string) {
	h.T.Helper()
	log = filepath.Join(h.T.TempDir(), "log")
	for name, options := range map[string]string{
		"ls": "ikqrsglnoACmxFpHLRdSftcua1", "grep": "EFce:f:ilnqsvx", "tail": "fc:n:", "head": "n:", "sed": "ne:f:",
		"tr": "Ccds", "id": "Ggnru", "uname": "amnrsv", "mkdir": "pm:", "rmdir": "p", "rm": "fiRr", "cat": "u", "cksum": "",
	} {
		h.strict(log, name, options, "", "")
	}
	h.strict(log, "wc", "cmlw", "", `| sed 's/^/       /'`)
	h.strict(log, "sleep", "", `case $a in *[!0-9]*) echo "sleep: $a: not an integer" >&2; exit 1;; esac;`, "")
	h.strict(log, "chmod", "R", "", "")
	h.strict(log, "dd", "", fmt.Sprintf(`case $a in if=*|of=*|bs=*|count=*|seek=*|skip=*|conv=notrunc) ;; *) echo dd "$a" >>'%s'; exit 1;; esac;`, log), "")
	h.Env = slices.DeleteFunc(h.Env, func(v string) bool { return strings.HasPrefix(v, "PATH=") })
	h.Env = append(h.Env, "PATH="+filepath.Dir(h.Sh), "POSIXLY_CORRECT=1")
	for _, name := range []string{"stat", "sha256sum", "readlink", "restorecon"} {
		os.Remove(filepath.Join(filepath.Dir(h.Sh), name)) // links to busybox
	}
	own := h.Edit
	h.Edit = func(script string) string {
		return strings.Replace(own(script), ":/usr/bin:/bin", "", 1)
	}
	return log
}

// TestPOSIXTools: the script needs no option that the BSDs and macOS lack.
func TestPOSIXTools(t *testing.T) {
	list := []shells.Shell{{Name: "dash"}, {Name: "busybox", Busybox: true}, {Name: "ksh93"}}
	each(t, list, func(t *testing.T, h *host) {
		log := h.posixTools()
		s := h.session(Options{})
		state, err := s.Read(shells.Timeout(t), []string{testBlob(1)})
		if err != nil || state.Exists || len(state.Facts) == 0 {
			t.Fatalf("%+v, %v", state, err)
		}
		h.Write("dot/keys", "# mine\n"+testLine(1), 0o664)
		os.Mkdir(h.Path(".ssh"), 0o775)
		os.Chmod(h.Path(".ssh"), 0o775)
		os.Symlink("../dot/keys", h.KeysFile())
		if state, err = s.Read(shells.Timeout(t), []string{testBlob(1), testBlob(2)}); err != nil {
			t.Fatal(err)
		}
		if !state.NoFinalNewline || state.NotText || len(state.Candidates) != 1 || state.Candidates[0].Number != 2 ||
			len(state.Repairs) != 2 || !strings.HasPrefix(state.Sum, "cksum:") || state.Real != h.Path("dot/keys") {
			t.Errorf("%+v", state)
		}
		c := install(2, 3)
		c.Repair, c.Expect = true, state.Sum
		// Waiting for a lock, with a sleep that knows whole seconds only.
		h.Write(".ssh/authorized_keys.ssh-copy-id.lock/owner", "elsewhere 1 x\n", 0o600)
		add(t, h.session(Options{Waiting: func(Wait) { os.RemoveAll(h.Path(".ssh/authorized_keys.ssh-copy-id.lock")) }}), c)
		h.want("dot/keys", "# mine\n"+testLine(1)+"\n"+testLine(2)+"\n"+testLine(3)+"\n")
		h.wantMode("dot/keys", 0o600)
		h.wantMode(".ssh", 0o700)
		h.wantClean()
		if text, err := os.ReadFile(log); err == nil {
			t.Errorf("beyond POSIX:\n%s", text)
		}
	})
}

// TestPOSIXToolsCatch: the tools of TestPOSIXTools do refuse what is not POSIX.
func TestPOSIXToolsCatch(t *testing.T) {
	for _, line := range []string{
		"ls --full-time /", "grep -P x", "tail -1c /dev/null", "head -c 1", "sed -i x /dev/null", "chmod -v 600 /dev/null",
		"dd if=/dev/null status=none", "dd iflag=fullblock", "id --user", "rm --one-file-system x", "uname -o", "cksum -a x", "mkdir -v x",
	} {
		t.Run(line, func(t *testing.T) {
			h := newHost(t, shells.Shell{Name: "dash"})
			log := h.posixTools()
			h.Command(h.Sh, "-c", line).Run()
			if text, err := os.ReadFile(log); err != nil || len(text) == 0 {
				t.Errorf("%s went unnoticed", line)
			}
		})
	}
	h := newHost(t, shells.Shell{Name: "dash"})
	h.posixTools()
	if out, err := h.Command(h.Sh, "-c", "wc -c </dev/null; sleep 0.1").Output(); err == nil || !strings.HasPrefix(string(out), "   ") {
		t.Errorf("wc says %q; sleep 0.1: %v", out, err)
	}
}
