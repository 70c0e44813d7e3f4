//go:build unix

package remote

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

// actingHost is a host whose accounts are played: programs in front of the real
// ones say that the login is root and that there is an account "tester", and
// runuser switches by word alone.
func actingHost(t testing.TB, sh shells.Shell) *host {
	t.Helper()
	h := newHost(t, sh)
	bin := filepath.Dir(h.Sh)
	for name, text := range map[string]string{
		"id": `case $2,$ACTS in
		?*,*) case $1 in -P) exit 1 ;; -G) echo 1234 99 ;; *) echo 1234 ;; esac ;;
		,1) case $1 in -G) echo 99 1234 ;; *) echo 1234 ;; esac ;;
		*) echo 0 ;;
		esac`,
		"getent":  `[ "$2" = tester ] && echo "tester:x:1234:1234:A, B:` + h.Home + `:/usr/sbin/nologin"`,
		"runuser": `shift 3; ACTS=1; export ACTS; exec "$@"`,
	} {
		file := filepath.Join(bin, name)
		os.Remove(file)
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h.Env = []string{"HOME=/nonexistent", "PATH=" + bin + ":/usr/bin:/bin", "USER=root", "LOGNAME=root"}
	return h
}

// TestAccountShells: the way into another account in every shell that may be sh.
func TestAccountShells(t *testing.T) {
	each(t, shells.All, func(t *testing.T, h *host) {
		h = actingHost(t, shells.Shell{Name: h.name(), Busybox: h.name() == "busybox"})
		s := h.session(Options{Account: "tester"})
		r := add(t, s, install(1))
		if r.State.User != "tester" || r.State.Home != h.Home {
			t.Errorf("state %+v", r.State)
		}
		add(t, s, install(2))
		h.want(".ssh/authorized_keys", testLine(1)+"\n"+testLine(2)+"\n")
		for account, want := range map[string]Reason{
			"nosuch": NoAccount, "-x": NoAccount, "a;b": NoAccount, `a\b`: NoAccount, "$(touch x)": NoAccount,
			"": "", "teste": NoAccount, "tester:x": NoAccount, "t*": NoAccount, " tester": NoAccount,
		} {
			if want == "" {
				continue // the login's own
			}
			wantReason(t, h.session(Options{Account: account}), want)
		}
		if list, _ := os.ReadDir(h.Home); len(list) != 1 {
			t.Errorf("the home holds %v", list)
		}
	})
}

// name is what the host's sh really is.
func (h *host) name() string {
	to, _ := os.Readlink(h.Sh)
	return filepath.Base(to)
}

// wantReason makes two changes, of which each must fail for one reason.
func wantReason(t testing.TB, s Session, want Reason) *RemoteError {
	t.Helper()
	var e *RemoteError
	for range 2 {
		_, err := s.Edit(shells.Timeout(t), install(7))
		if !errors.As(err, &e) || e.Reason != want || e.Unsure {
			t.Errorf("error %v, want %s", err, want)
			return &RemoteError{}
		}
		if slices.Contains([]Reason{NotRoot, NoAccount, IsRoot, CannotSwitch}, want) && (e.Stage != StageStart || e.State != nil || e.Detail == "") {
			t.Errorf("error %+v", e)
		}
	}
	return e
}

// TestAccountLoginShells: root's login shell may be any.
func TestAccountLoginShells(t *testing.T) {
	for _, login := range []string{"bash", "rbash", "dash", "zsh", "ksh93", "mksh", "yash", "csh", "tcsh", "fish"} {
		t.Run(login, func(t *testing.T) {
			h := actingHost(t, shells.Shell{Name: "dash"})
			h.Login = shells.Need(t, login)
			add(t, h.session(Options{Account: "tester"}), install(1))
			h.want(".ssh/authorized_keys", testLine(1)+"\n")
		})
	}
}

// TestAccountStartUpFiles: the rules about start-up files hold here too.
func TestAccountStartUpFiles(t *testing.T) {
	shells.SetLimits(t, func(l *scriptrun.Limits) { l.Notice = 700 * time.Millisecond })
	for _, tt := range []struct {
		rc     string
		reason Reason // empty: it works
	}{
		{rc: `echo Welcome; echo "You have mail" >&2; printf 'no newline';`},
		{rc: `printf 'x begin\nx fail start no account\nx end failed\n';`},
		{rc: `set -u; set -e; set -f; IFS=/; CDPATH=/tmp; export IFS CDPATH;`},
		{rc: `umask 0; POSIXLY_CORRECT=1; export POSIXLY_CORRECT;`},
		{rc: `row=x; name=root; boot=id; why=x; list=0; export row name boot why list;`},
		{rc: `sleep 1.5;`},
		{rc: `read x;`, reason: Eaten},
		{rc: `cat >/dev/null;`, reason: Eaten},
		{rc: `dd bs=1 count=40 >/dev/null 2>&1;`, reason: Eaten},
		{rc: `dd bs=1 count=5000 >/dev/null 2>&1;`, reason: Eaten},
		{rc: `exit 7;`, reason: NoAnswer},
	} {
		t.Run(tt.rc, func(t *testing.T) {
			h := actingHost(t, shells.Shell{Name: "dash"})
			h.RC = tt.rc
			if tt.reason != "" {
				wantReason(t, h.session(Options{Account: "tester"}), tt.reason)
				if list, _ := os.ReadDir(h.Home); len(list) > 0 {
					t.Errorf("something was made: %v", list)
				}
				return
			}
			s := h.session(Options{Account: "tester"})
			add(t, s, install(1))
			add(t, s, install(2))
			h.want(".ssh/authorized_keys", testLine(1)+"\n"+testLine(2)+"\n")
			h.wantMode(".ssh", 0o700)
			h.wantMode(".ssh/authorized_keys", 0o600)
		})
	}
}

// TestAccountTrace: -x shows both scripts, also where they fail.
func TestAccountTrace(t *testing.T) {
	each(t, shells.All, func(t *testing.T, h *host) {
		h = actingHost(t, shells.Shell{Name: h.name(), Busybox: h.name() == "busybox"})
		var trace bytes.Buffer
		s := h.session(Options{Account: "tester", Trace: true, Stderr: &trace})
		if r := add(t, s, install(1)); !r.Applied || len(r.Notes) > 0 {
			t.Errorf("%+v", r)
		}
		s.Close()
		h.want(".ssh/authorized_keys", testLine(1)+"\n")
		for _, want := range []string{"runuser", "mkdir", "dd "} {
			if !strings.Contains(trace.String(), want) {
				t.Errorf("no %q in the trace: %.2000s", want, trace.String())
			}
		}
		s = h.session(Options{Account: "nosuch", Trace: true, Stderr: &scriptrun.Excerpt{}})
		wantReason(t, s, NoAccount)
		s.Close()
	})
}

// TestAccountRefused: what does not get as far as the server's shell.
func TestAccountRefused(t *testing.T) {
	client := shells.Sessions(t, func(ch ssh.Channel, _ <-chan *ssh.Request) { ch.Close() })
	var e *RemoteError
	for _, account := range []string{"a\nb", "a\x00b", strings.Repeat("a", 257)} {
		if _, err := OpenShell(shells.Timeout(t), client, Options{Account: account}); !errors.As(err, &e) || e.Reason != Invalid {
			t.Errorf("%q: error %v", account, err)
		}
	}
	if _, err := OpenSFTP(shells.Timeout(t), client, Options{Account: "tester"}); !errors.As(err, &e) || e.Reason != CannotSwitch {
		t.Errorf("SFTP: error %v", err)
	}
}
