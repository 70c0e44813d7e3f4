//go:build unix

package remote

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

// scriptTools are the programs install.sh may call.
var scriptTools = []string{"cat", "chmod", "cksum", "dd", "grep", "head", "id", "ln", "ls", "mkdir", "readlink", "rm", "rmdir", "sed", "sleep",
	"tail", "tr", "truncate", "uname", "wc"}

// without leaves a host with scriptTools alone, but for some of them.
func (h *host) without(missing ...string) {
	h.T.Helper()
	bin := filepath.Dir(h.Sh)
	links, err := os.ReadDir(bin)
	if err != nil {
		h.T.Fatal(err)
	}
	busybox := len(links) > 1
	for _, link := range links {
		if name := link.Name(); name != "sh" && (!slices.Contains(scriptTools, name) || slices.Contains(missing, name)) {
			os.Remove(filepath.Join(bin, name))
		}
	}
	for _, name := range scriptTools {
		if path, err := exec.LookPath(name); !busybox && err == nil && !slices.Contains(missing, name) {
			os.Symlink(path, filepath.Join(bin, name))
		}
	}
	h.Env = slices.DeleteFunc(h.Env, func(v string) bool { return strings.HasPrefix(v, "PATH=") })
	h.Env = append(h.Env, "PATH="+bin)
	h.Edit = func(script string) string {
		script = strings.Replace(script, scriptrun.SystemPath, "/nowhere", 1)
		if slices.Contains(missing, "/dev/null") {
			script = strings.ReplaceAll(script, "/dev/null", h.Path("null"))
		}
		return script
	}
}

// TestSmallUserland: without any one program the keys are installed all the same,
// and found the next time.
func TestSmallUserland(t *testing.T) {
	for _, missing := range append(slices.Clone(scriptTools), "/dev/null", "dd tail", "tr head", "rm rmdir", "ls id uname", "wc id uname") {
		t.Run(missing, func(t *testing.T) {
			// busybox runs its own tools without looking for them.
			list := []shells.Shell{{Name: "dash"}, {Name: "ksh93"}, {Name: "bash"}}
			each(t, list, func(t *testing.T, h *host) {
				h.without(strings.Fields(missing)...)
				h.Write(".ssh/authorized_keys", "# mine\nssh-rsa AAAA last", 0o600)
				h.Write("null", "", 0o600)
				h.installsTwice("# mine\nssh-rsa AAAA last\n")
				h.want("null", "")
			})
		})
	}
}

// TestNothingCounts: where no program tells how long a file is, it is left alone.
func TestNothingCounts(t *testing.T) {
	each(t, []shells.Shell{{Name: "dash"}, {Name: "ksh93"}, {Name: "bash"}}, func(t *testing.T, h *host) {
		h.without("ls", "wc")
		h.Write(".ssh/authorized_keys", "# mine\nssh-rsa AAAA last", 0o600)
		_, err := h.session(Options{}).Edit(shells.Timeout(t), install(1))
		var e *RemoteError
		if !errors.As(err, &e) || e.Reason != NoTool || e.Detail != "wc: not found" || e.Unsure {
			t.Errorf("error %v", err)
		}
		h.want(".ssh/authorized_keys", "# mine\nssh-rsa AAAA last")
	})
}

// installsTwice adds two keys, and then finds them there.
func (h *host) installsTwice(before string) {
	h.T.Helper()
	c := install(1, 2)
	c.Repair = true
	r := add(h.T, h.session(Options{}), c)
	after := before + testLine(1) + "\n" + testLine(2) + "\n"
	h.want(".ssh/authorized_keys", after)
	if !r.Applied || r.State.Size != int64(len(after)) {
		h.T.Errorf("%+v", r)
	}
	r = add(h.T, h.session(Options{}), c)
	h.want(".ssh/authorized_keys", after)
	if r.Applied || len(r.State.Candidates) != 2 {
		h.T.Errorf("second run: %+v", r)
	}
	h.wantClean()
}

// TestNoMkdir: what cannot be done without a program is refused with its name,
// and nothing is left.
func TestNoMkdir(t *testing.T) {
	each(t, []shells.Shell{{Name: "dash"}, {Name: "ksh93"}, {Name: "mksh"}, {Name: "bash"}, {Name: "zsh"}}, func(t *testing.T, h *host) {
		h.without("mkdir")
		_, err := h.session(Options{}).Edit(shells.Timeout(t), install(1))
		var e *RemoteError
		if !errors.As(err, &e) || e.Reason != NoTool || e.Stage != StageMkdir || e.Unsure || !strings.Contains(e.Detail, "mkdir") {
			t.Errorf("error %+v", e)
		}
		if list, _ := os.ReadDir(h.Home); len(list) > 0 {
			t.Errorf("made: %v", list)
		}
	})
}

// TestEnvironment: nothing that a start-up file exports changes what is seen and
// done.
func TestEnvironment(t *testing.T) {
	for _, tt := range []struct{ name, rc string }{
		{"sizes", "export BLOCK_SIZE=human-readable LS_BLOCK_SIZE=1K BLOCKSIZE=1M POSIXLY_CORRECT=1 DF_BLOCK_SIZE=si"},
		{"listings", `export TIME_STYLE=+%s%n%N QUOTING_STYLE=c LS_COLORS="di=1" CLICOLOR_FORCE=1 CLICOLOR=1 COLUMNS=5 LS_OPTIONS=-h TZ=x`},
		{"patterns", `export GREP_OPTIONS="-v --color=always" GREP_COLORS=mt=1 GREP_COLOR=1`},
		{"languages", "export LC_ALL=tr_TR.UTF-8 LC_MESSAGES=de_DE.UTF-8 LANG=ja_JP.SJIS LANGUAGE=de"},
		{"words", `IFS=0123456789/; export IFS; CDPATH=/:/tmp; export CDPATH; ENV=/etc/passwd; export ENV; BASH_ENV=/etc/passwd; export BASH_ENV; ` +
			`FPATH=/etc; export FPATH; PS4="x: "; export PS4; TMPDIR=/nonexistent; export TMPDIR`},
		{"own tools", `mkdir "$HOME/bin"; for t in ls wc tail id grep dd; do printf "#!/bin/sh\necho 17 lies\n" >"$HOME/bin/$t"; chmod +x "$HOME/bin/$t"; done; ` +
			`PATH=$HOME/bin:$PATH; export PATH`},
		{"umask", "umask 777"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, shells.All, func(t *testing.T, h *host) {
				if tt.name == "own tools" && h.name() == "busybox" {
					t.Skip("its shell runs its own tools")
				}
				h.RC = strings.Replace(tt.rc, "mkdir ", "mkdir -p ", 1) + ";"
				h.Write(".ssh/authorized_keys", "# mine\nssh-rsa AAAA last", 0o600)
				h.installsTwice("# mine\nssh-rsa AAAA last\n")
			})
		})
	}
}

// TestFunctions: functions and options that bash hands down to its children.
func TestFunctions(t *testing.T) {
	h := newHost(t, shells.Shell{Name: "bash"})
	h.Login = shells.Need(t, "bash")
	h.RC = `for f in ls wc tail dd cd pwd printf read kill test echo grep id mkdir chmod has say command; do eval "$f() { builtin echo lies; }"; export -f $f; done; ` +
		`set -o noclobber -o allexport -o nounset; export SHELLOPTS;`
	h.Write(".ssh/authorized_keys", "# mine\nssh-rsa AAAA last", 0o600)
	h.installsTwice("# mine\nssh-rsa AAAA last\n")
}

// TestRedirected: a start-up file sends the output elsewhere. The script runs,
// and nothing is heard of it.
func TestRedirected(t *testing.T) {
	for name, rc := range map[string]string{
		"file": `exec >"$HOME/log";`, "nowhere": "exec >/dev/null;", "both": `exec >"$HOME/log" 2>&1;`, "closed": "exec >&-;",
		// The pipe stays open, and nobody writes to it.
		"kept": `exec 9>&1 >"$HOME/log";`,
	} {
		t.Run(name, func(t *testing.T) {
			shells.SetLimits(t, func(l *scriptrun.Limits) { l.Notice, l.Close = 2*time.Second, time.Second })
			h := newHost(t, shells.Shell{Name: "dash"})
			h.RC = rc
			_, err := h.session(Options{}).Edit(shells.Timeout(t), install(1))
			var e *RemoteError
			if !errors.As(err, &e) || e.Reason != Unheard || !e.Unsure {
				t.Errorf("error %+v", e)
			}
			if rc != "exec >&-;" {
				h.want(".ssh/authorized_keys", testLine(1)+"\n")
			}
			if _, err := h.session(Options{}).Read(shells.Timeout(t), nil); !errors.As(err, &e) || e.Reason != Unheard || e.Unsure {
				t.Errorf("error %+v", e)
			}
			h.wantClean()
		})
	}
}

// TestNoHome: a home that does not exist is named, and not made.
func TestNoHome(t *testing.T) {
	each(t, shells.All, func(t *testing.T, h *host) {
		gone := h.Path("gone")
		h.RC = "HOME=" + gone + "; export HOME;"
		_, err := h.session(Options{}).Edit(shells.Timeout(t), install(1))
		var e *RemoteError
		if !errors.As(err, &e) || e.Reason != NoHome || e.Detail != gone || e.Unsure {
			t.Errorf("error %+v", e)
		}
		if _, err := os.Stat(gone); err == nil {
			t.Error("the home was made")
		}
	})
}
