//go:build unix

package remote

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

// TestLoginShells: the exec request means the same to every login shell.
func TestLoginShells(t *testing.T) {
	for _, login := range []string{"bash", "rbash", "dash", "zsh", "ksh93", "mksh", "yash", "csh", "tcsh", "fish"} {
		t.Run(login, func(t *testing.T) {
			h := newHost(t, shells.Shell{Name: "dash"})
			h.Login = shells.Need(t, login)
			s := h.session(Options{})
			add(t, s, install(1))
			add(t, s, install(2))
			h.want(".ssh/authorized_keys", testLine(1)+"\n"+testLine(2)+"\n")
		})
	}
}

// TestStartUpFiles: start-up files that print, read, wait and end.
func TestStartUpFiles(t *testing.T) {
	shells.SetLimits(t, func(l *scriptrun.Limits) { l.Notice = 700 * time.Millisecond })
	for _, tt := range []struct {
		rc     string
		reason Reason // empty: it works
		status int
	}{
		{rc: `echo Welcome; echo "You have mail" >&2;`},
		{rc: `printf 'no newline';`},
		{rc: `printf 'x begin\nx end applied\n';`},
		{rc: `sleep 1.5;`},
		{rc: `set -u; set -e; IFS=/; PATH=; CDPATH=/tmp; export IFS PATH CDPATH; PATH=/usr/bin:/bin;`},
		{rc: `umask 0;`},
		{rc: `read x;`, reason: Eaten},
		{rc: `cat >/dev/null;`, reason: Eaten},
		{rc: `exit 7;`, reason: NoAnswer, status: 7},
		{rc: `exec false;`, reason: NoAnswer, status: 1},
		{rc: `echo nope; exit 0;`, reason: NoAnswer},
	} {
		t.Run(tt.rc, func(t *testing.T) {
			h := newHost(t, shells.Shell{Name: "dash"})
			h.RC = tt.rc
			s := h.session(Options{})
			_, err := s.Edit(shells.Timeout(t), install(1))
			if tt.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				add(t, s, install(2)) // where the first took too long, in a new shell
				h.want(".ssh/authorized_keys", testLine(1)+"\n"+testLine(2)+"\n")
				h.wantMode(".ssh", 0o700)
				h.wantMode(".ssh/authorized_keys", 0o600)
				return
			}
			var e *RemoteError
			if !errors.As(err, &e) || e.Reason != tt.reason || e.Unsure {
				t.Errorf("error %v", err)
			} else if tt.reason == NoAnswer && e.Status != tt.status {
				t.Errorf("status %d", e.Status)
			}
			if list, _ := os.ReadDir(h.Home); len(list) > 0 {
				t.Errorf("something was made: %v", list)
			}
		})
	}
}

// TestEatenBytes: wherever the input is cut, the script is run whole or not at
// all, and a request is carried out whole or not at all.
func TestEatenBytes(t *testing.T) {
	shells.SetLimits(t, func(l *scriptrun.Limits) { l.Notice = 400 * time.Millisecond })
	text := len(scriptrun.Framed("", program, false)) + 48
	for _, eaten := range []int{1, 2, 27, 28, 30, 500, 4096, text - 30, text - 1, text, text + 1, text + 5, text + 30, text + 100} {
		t.Run(fmt.Sprint(eaten), func(t *testing.T) {
			t.Parallel()
			h := newHost(t, shells.Shell{Name: "dash"})
			h.RC = fmt.Sprintf("dd bs=1 count=%d >/dev/null 2>&1;", eaten)
			_, err := h.session(Options{}).Edit(shells.Timeout(t), install(1))
			var e *RemoteError
			if !errors.As(err, &e) || e.Reason != Eaten && e.Reason != NoAnswer {
				t.Errorf("error %v", err)
			}
			if list, _ := os.ReadDir(h.Home); len(list) > 0 {
				t.Errorf("something was made: %v", list)
			}
		})
	}
}

// TestTrace: -x shows what the script does, and changes nothing else.
func TestTrace(t *testing.T) {
	each(t, shells.All, func(t *testing.T, h *host) {
		var trace bytes.Buffer
		s := h.session(Options{Trace: true, Stderr: &trace})
		r := add(t, s, install(1))
		if !r.Applied || len(r.Notes) > 0 {
			t.Errorf("%+v", r)
		}
		s.Close()
		h.want(".ssh/authorized_keys", testLine(1)+"\n")
		if !strings.Contains(trace.String(), "mkdir") || !strings.Contains(trace.String(), "dd ") {
			t.Errorf("trace: %.2000s", trace.String())
		}
		h.Write(".ssh/authorized_keys", "", 0o600)
		os.Remove(h.KeysFile())
		os.Mkdir(h.KeysFile(), 0o700)
		var e *RemoteError
		if _, err := h.session(Options{Trace: true, Stderr: &trace}).Edit(shells.Timeout(t), install(1)); !errors.As(err, &e) || e.Reason != Directory {
			t.Errorf("error %v", err)
		}
	})
}

// TestSpecialPaths: OpenWrt's root and Haiku have a file of their own, and -t
// wins over both.
func TestSpecialPaths(t *testing.T) {
	each(t, shells.Fast, func(t *testing.T, h *host) {
		own := h.Edit
		h.Edit = func(script string) string {
			if own != nil {
				script = own(script)
			}
			script = strings.ReplaceAll(script, "/etc/dropbear", h.Path("etc/dropbear"))
			script = strings.ReplaceAll(script, "/etc/openwrt_release", h.Path("etc/openwrt_release"))
			return strings.Replace(script, `[ "$uid" = 0 ]`, `:`, 1)
		}
		h.Write("etc/openwrt_release", "", 0o644)
		os.Mkdir(h.Path("etc/dropbear"), 0o755)
		c := install(1)
		c.Repair = true
		r := add(t, h.session(Options{}), c)
		h.want("etc/dropbear/authorized_keys", testLine(1)+"\n")
		h.wantMode("etc/dropbear", 0o700)
		if len(r.Repaired) != 1 {
			t.Errorf("repaired %v", r.Repaired)
		}
		add(t, h.session(Options{Target: ".ssh/authorized_keys"}), c)
		h.want(".ssh/authorized_keys", testLine(1)+"\n")

		h.Edit = func(script string) string {
			if own != nil {
				script = own(script)
			}
			return strings.Replace(script, "uname -sn", "echo Haiku box", 1)
		}
		add(t, h.session(Options{}), c)
		h.want("config/settings/ssh/authorized_keys", testLine(1)+"\n")
	})
}
