//go:build linux

package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshtest/realsshd"
)

// world is a real server with accounts of its own.
type world struct {
	*realsshd.Server
	t testing.TB
}

const worldPassword = "a throw-away word"

// newWorld starts a server with root and some accounts, each with the shell
// that follows its name after a colon. setup runs inside before it starts.
func newWorld(t testing.TB, setup string, accounts ...string) *world {
	t.Helper()
	realsshd.Need(t, realsshd.OpenSSH)
	cfg := realsshd.Config{Setup: setup, Accounts: []realsshd.Account{
		{Name: "root", Password: worldPassword, Shell: "/bin/bash", Keys: []string{testLine(900)}}}}
	for _, a := range accounts {
		name, shell, _ := strings.Cut(a, ":")
		cfg.Accounts = append(cfg.Accounts, realsshd.Account{Name: name, Password: worldPassword, Shell: shell})
	}
	s, err := realsshd.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &world{s, t}
}

// login logs in as root, or as who is given.
func (w *world) login(user ...string) *ssh.Client {
	w.t.Helper()
	name := append(user, "root")[0]
	client, err := ssh.Dial("tcp", w.Addr, &ssh.ClientConfig{User: name,
		Auth: []ssh.AuthMethod{ssh.Password(worldPassword)}, HostKeyCallback: ssh.FixedHostKey(w.HostKeys[0]), HostKeyAlgorithms: []string{ssh.KeyAlgoED25519}})
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.Log())
	}
	w.t.Cleanup(func() { client.Close() })
	return client
}

func (w *world) session(client *ssh.Client, o Options) Session {
	w.t.Helper()
	s, err := OpenShell(timeout(w.t), client, o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { s.Close() })
	return s
}

// tree describes everything below the places where something could be changed.
func (w *world) tree() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	for _, top := range []string{"/etc", "/root", "/home", "/run", "/var/log"} {
		root := w.Path("")
		err := filepath.WalkDir(root+top, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := os.Lstat(path)
			if err != nil {
				return err
			}
			name := strings.TrimPrefix(path, root)
			// Logins are noted there by sshd.
			if strings.HasPrefix(name, "/var/log/") || name == "/run/utmp" {
				return nil
			}
			all[name] = w.describe(path, info)
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return all
}

func (w *world) describe(path string, info fs.FileInfo) string {
	w.t.Helper()
	stat := info.Sys().(*syscall.Stat_t)
	text := fmt.Sprintf("%v %d:%d %d", info.Mode(), stat.Uid, stat.Gid, stat.Ino)
	switch {
	case info.Mode().IsRegular():
		data, err := os.ReadFile(path)
		if err != nil {
			w.t.Fatal(err)
		}
		text += fmt.Sprintf(" %d bytes %x", len(data), sha256.Sum256(data))
	case info.Mode()&fs.ModeSymlink != 0:
		to, _ := os.Readlink(path)
		text += " -> " + to
	}
	return text
}

// changed are the paths that differ between two trees.
func changed(before, after map[string]string) []string {
	var list []string
	for path := range before {
		if before[path] != after[path] {
			list = append(list, path)
		}
	}
	for path := range after {
		if _, ok := before[path]; !ok {
			list = append(list, path)
		}
	}
	slices.Sort(list)
	return list
}

// wantOwner checks mode, owner and group of a path of the world.
func (w *world) wantOwner(path string, mode fs.FileMode, id uint32) {
	w.t.Helper()
	info, err := os.Lstat(w.Path(path))
	if err != nil {
		w.t.Error(err)
		return
	}
	stat := info.Sys().(*syscall.Stat_t)
	if info.Mode().Perm() != mode || stat.Uid != id || stat.Gid != id {
		w.t.Errorf("%s: mode %o, owner %d:%d, want %o, %d", path, info.Mode().Perm(), stat.Uid, stat.Gid, mode, id)
	}
}

func (w *world) wantFile(path, content string) {
	w.t.Helper()
	if got, err := os.ReadFile(w.Path(path)); err != nil || string(got) != content {
		w.t.Errorf("%s holds %q (%v), want %q", path, got, err, content)
	}
}

// ownerOf is the user id of an account's home.
func (w *world) ownerOf(name string) uint32 {
	w.t.Helper()
	info, err := os.Stat(w.Path("/home/" + name))
	if err != nil {
		w.t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Uid
}

// TestAccount: what is made in another account is the account's, whatever its
// login shell.
func TestAccount(t *testing.T) {
	w := newWorld(t, "", "alice:/bin/sh", "bob:/bin/bash", "carol:/usr/sbin/nologin", "dave:/bin/false", "erin:/no/such/shell")
	client := w.login()
	for _, name := range []string{"alice", "bob", "carol", "dave", "erin"} {
		t.Run(name, func(t *testing.T) {
			w := &world{w.Server, t}
			home, id := "/home/"+name, w.ownerOf(name)
			// Were they read, it would show in the tree.
			for _, rc := range []string{".profile", ".bashrc", ".bash_profile", ".zshenv", ".kshrc"} {
				if err := os.WriteFile(w.Path(home+"/"+rc), []byte("echo >ran"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			before := w.tree()
			s := w.session(client, Options{Account: name})
			state, err := s.Read(timeout(t), []string{testBlob(1)})
			if err != nil || state.Exists || state.Path != home+"/.ssh/authorized_keys" {
				t.Fatalf("%+v, %v", state, err)
			}
			if got := changed(before, w.tree()); got != nil {
				t.Errorf("Read changed %v", got)
			}
			r := add(t, s, install(1))
			if !r.Applied || r.State.User != name || r.State.Home != home || !slices.Equal(r.Created, []string{home + "/.ssh", home + "/.ssh/authorized_keys"}) {
				t.Errorf("result %+v", r)
			}
			add(t, s, install(2))
			if r := add(t, s, install(2)); r.Applied {
				t.Error("a key is there twice")
			}
			add(t, w.session(client, Options{Account: name, Target: "more/keys"}), install(3))
			add(t, w.session(client, Options{Account: name, Target: "~/keys"}), install(4))
			w.wantFile(home+"/.ssh/authorized_keys", testLine(1)+"\n"+testLine(2)+"\n")
			w.wantFile(home+"/more/keys", testLine(3)+"\n")
			w.wantFile(home+"/keys", testLine(4)+"\n")
			for path, mode := range map[string]fs.FileMode{".ssh": 0o700, ".ssh/authorized_keys": 0o600, "more": 0o700, "more/keys": 0o600, "keys": 0o600} {
				w.wantOwner(home+"/"+path, mode, id)
			}
			want := []string{home + "/.ssh", home + "/.ssh/authorized_keys", home + "/keys", home + "/more", home + "/more/keys"}
			if got := changed(before, w.tree()); !slices.Equal(got, want) {
				t.Errorf("changed: %v", got)
			}
		})
	}
}

// TestAccountExisting: a file that is there keeps all but its modes, and those
// where asked.
func TestAccountExisting(t *testing.T) {
	w := newWorld(t, `mkdir -m 770 /home/alice/.ssh
		echo old >/home/alice/.ssh/authorized_keys
		chmod 664 /home/alice/.ssh/authorized_keys
		chown -R alice:mail /home/alice/.ssh`, "alice")
	s := w.session(w.login(), Options{Account: "alice"})
	c := install(1)
	add(t, s, c)
	w.wantFile("/home/alice/.ssh/authorized_keys", "old\n"+testLine(1)+"\n")
	info, _ := os.Stat(w.Path("/home/alice/.ssh/authorized_keys"))
	if stat := info.Sys().(*syscall.Stat_t); stat.Uid != w.ownerOf("alice") || stat.Gid != 8 || stat.Mode&0o777 != 0o664 {
		t.Errorf("owner %d:%d, mode %o", stat.Uid, stat.Gid, stat.Mode&0o777)
	}
	c = install(2)
	c.Repair = true
	if r := add(t, s, c); len(r.Repaired) != 2 {
		t.Errorf("repaired %v", r.Repaired)
	}
	info, _ = os.Stat(w.Path("/home/alice/.ssh/authorized_keys"))
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o", info.Mode().Perm())
	}
}

// TestAccountTraps: what an account may have laid out to catch root.
func TestAccountTraps(t *testing.T) {
	traps := []struct {
		name   string
		setup  string // in the home
		target string
		ok     string // the file that gets the key; empty: it fails
	}{
		{name: "dirroot", setup: `ln -s /root/.ssh .ssh`},
		{name: "diretc", setup: `ln -s /etc .ssh`},
		{name: "dirother", setup: `ln -s /home/victim/.ssh .ssh`},
		{name: "dirnew", setup: `ln -s /root/new .ssh`},
		{name: "dirup", setup: `ln -s ../victim/.ssh .ssh`},
		{name: "fileshadow", setup: `mkdir -m 700 .ssh; ln -s /etc/shadow .ssh/authorized_keys`},
		{name: "filepasswd", setup: `mkdir -m 700 .ssh; ln -s /etc/passwd .ssh/authorized_keys`},
		{name: "fileroot", setup: `mkdir -m 700 .ssh; ln -s /root/.ssh/authorized_keys .ssh/authorized_keys`},
		{name: "fileother", setup: `mkdir -m 700 .ssh; ln -s /home/victim/.ssh/authorized_keys .ssh/authorized_keys`},
		{name: "filenew", setup: `mkdir -m 700 .ssh; ln -s /etc/cron.d/new .ssh/authorized_keys`},
		{name: "hardroot", setup: `mkdir -m 700 .ssh; ln /home/rootfile .ssh/authorized_keys`},
		{name: "hardother", setup: `mkdir -m 700 .ssh; ln /home/victim/.ssh/authorized_keys .ssh/authorized_keys`},
		{name: "fifo", setup: `mkdir -m 700 .ssh; mkfifo .ssh/authorized_keys`},
		{name: "device", setup: `mkdir -m 700 .ssh; ln -s /dev/kmsg .ssh/authorized_keys`},
		{name: "rootgroup", setup: `ln -s /home/groupzero .ssh`},
		{name: "homeroot", setup: `chown root:root .`},
		{name: "homeother", setup: `chown victim:victim .`},
		{name: "homelink", setup: `cd /; rmdir /home/homelink; ln -s /root /home/homelink`},
		{name: "homegone", setup: `cd /; rmdir /home/homegone`},
		{name: "target", setup: `:`, target: "/root/.ssh/authorized_keys"},
		{name: "targetup", setup: `:`, target: "../../root/.ssh/authorized_keys"},
		// The account's own power is not lessened.
		{name: "inside", setup: `mkdir -m 700 dot; ln -s dot .ssh`, ok: "dot/authorized_keys"},
		{name: "group", setup: `ln -s /home/team .ssh`, ok: "../team/authorized_keys"},
	}
	setup := `mkdir -m 700 /home/victim/.ssh; echo theirs >/home/victim/.ssh/authorized_keys; chown -R victim:victim /home/victim/.ssh
		echo root >/home/rootfile; mkdir -m 770 /home/groupzero; mkdir -m 2770 /home/team; chgrp 61500 /home/team
		echo 'team:x:61500:group' >>/etc/group
		`
	accounts := []string{"victim"}
	for _, tt := range traps {
		accounts = append(accounts, tt.name)
		setup += fmt.Sprintf("cd /home/%s; %s; cd /; chown -h %[1]s:%[1]s /home/%[1]s/.ssh || :\n", tt.name, tt.setup)
		setup += fmt.Sprintf("if [ -d /home/%s/.ssh ] && ! [ -h /home/%[1]s/.ssh ]; then chown %[1]s:%[1]s /home/%[1]s/.ssh; fi\n", tt.name)
		if strings.Contains(tt.setup, "dot") {
			setup += fmt.Sprintf("chown %s:%[1]s /home/%[1]s/dot\n", tt.name)
		}
	}
	w := newWorld(t, setup, accounts...)
	client := w.login()
	for _, tt := range traps {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{w.Server, t}
			before := w.tree()
			c := install(1)
			c.Repair, c.Force = true, true
			_, err := w.session(client, Options{Account: tt.name, Target: tt.target}).Add(timeout(t), c)
			var e *RemoteError
			if (err == nil) != (tt.ok != "") || err != nil && (!errors.As(err, &e) || e.Unsure || e.State == nil) {
				t.Errorf("error %v", err)
			}
			var want []string
			if tt.ok != "" {
				want = []string{filepath.Join("/home", tt.name, tt.ok)}
			}
			if got := changed(before, w.tree()); !slices.Equal(got, want) {
				t.Errorf("changed: %v (error %v)", got, err)
			}
			if tt.ok != "" {
				w.wantFile(want[0], testLine(1)+"\n")
			}
		})
	}
}

// TestAccountRace: links that come and go while root is at work.
func TestAccountRace(t *testing.T) {
	w := newWorld(t, `mkdir -m 700 /home/alice/real; chown alice:alice /home/alice/real`, "alice")
	client := w.login()
	before := w.tree()
	ctx, cancel := context.WithCancel(context.Background())
	swapped := make(chan int)
	go func() {
		n, link := 0, w.Path("/home/alice/.ssh")
		for ; ctx.Err() == nil; n++ {
			os.Symlink([]string{"real", "/root/.ssh"}[n%2], link+".new")
			os.Rename(link+".new", link)
		}
		swapped <- n
	}()
	for i := range 15 {
		c := install(i)
		c.Repair = true
		s := w.session(client, Options{Account: "alice"})
		s.Add(timeout(t), c) // goes as chance has it
		s.Close()
	}
	cancel()
	if n := <-swapped; n < 15 {
		t.Fatalf("only %d links", n)
	}
	for _, path := range changed(before, w.tree()) {
		if !strings.HasPrefix(path, "/home/alice/") {
			t.Errorf("changed: %s", path)
		}
	}
}

// TestAccountNames: what is no account, and what is root.
func TestAccountNames(t *testing.T) {
	w := newWorld(t, `echo toor:x:0:0::/home/toor:/bin/sh >>/etc/passwd; echo 'al ice:x:61400:61400::/home/alice:/bin/sh' >>/etc/passwd
		echo homeless:x:61401:61401:::/bin/sh >>/etc/passwd; echo halfway:x:61402:61402::home:/bin/sh >>/etc/passwd
		echo wrapped:x:4294967296:61403::/home/alice:/bin/sh >>/etc/passwd`, "alice", "x.y_z-1")
	client := w.login()
	add(t, w.session(client, Options{Account: "x.y_z-1"}), install(1))
	before := w.tree()
	for name, want := range map[string]Reason{
		"-x": NoAccount, "--help": NoAccount, "a;b": NoAccount, "../x": NoAccount, "..": NoAccount, ".": NoAccount,
		"nosuch": NoAccount, "al ice": NoAccount, "alice ": NoAccount, "alice:x": NoAccount, "Alice": NoAccount,
		"61002": NoAccount, "0": NoAccount, "+0": NoAccount, "#0": NoAccount, "*": NoAccount, "alice/": NoAccount,
		"$(touch /etc/x)": NoAccount, "`touch /etc/x`": NoAccount, "'": NoAccount, `"`: NoAccount, `\`: NoAccount, "$USER": NoAccount, "~": NoAccount,
		"\x1b[31m": NoAccount, "\xff": NoAccount, "ålice": NoAccount, strings.Repeat("a", 256): NoAccount,
		"homeless": NoAccount, "halfway": NoAccount,
		"root": CannotSwitch, "toor": CannotSwitch,
	} {
		e := wantReason(t, w.session(client, Options{Account: name}), want)
		if strings.ContainsFunc(e.Detail, func(r rune) bool { return r < ' ' }) {
			t.Errorf("%q: detail %q", name, e.Detail)
		}
	}
	var e *RemoteError
	if _, err := w.session(client, Options{Account: "wrapped"}).Add(timeout(t), install(1)); !errors.As(err, &e) {
		t.Errorf("user id 1<<32: error %v", err)
	}
	// For who is not root there is no other account, and no own one either.
	for _, name := range []string{"alice", "x.y_z-1", "root", "nosuch"} {
		if e := wantReason(t, w.session(w.login("alice"), Options{Account: name}), NotRoot); !strings.Contains(e.Detail, "6100") {
			t.Errorf("detail %q", e.Detail)
		}
	}
	if got := changed(before, w.tree()); got != nil {
		t.Errorf("changed: %v", got)
	}
}

// hide takes every program away that can become another account, and puts some
// in /usr/local/bin instead, which switch with the hidden setpriv: real NAME COMMAND.
func hide(keep string, programs map[string]string) string {
	text := `mount -t tmpfs -o mode=755 tools /usr/local/bin; mkdir -p /run/tools; cp /usr/bin/setpriv /run/tools/setpriv
		`
	for _, name := range []string{"runuser", "setpriv", "su", "sudo", "doas", "start-stop-daemon", "chroot"} {
		if name != keep {
			text += fmt.Sprintf("for f in /usr/bin/%s /usr/sbin/%[1]s; do if [ -e $f ]; then mount --bind /dev/null $f; fi; done\n", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		text += fmt.Sprintf("cat >/usr/local/bin/%s <<'END'\n#!/bin/sh\nreal() { u=$(id -u \"$1\"); shift; exec /run/tools/setpriv --reuid=$u --regid=$u --init-groups \"$@\"; }\n%s\nEND\nchmod 755 /usr/local/bin/%[1]s\n", name, programs[name])
	}
	return text
}

// TestAccountWays: each program that can become another account, alone.
func TestAccountWays(t *testing.T) {
	const noGetent = "mount --bind /dev/null /usr/bin/getent\n"
	for name, setup := range map[string]string{
		"runuser":             hide("runuser", nil),
		"setpriv":             hide("setpriv", nil),
		"su":                  hide("su", nil),
		"chroot":              hide("chroot", nil),
		"start-stop-daemon":   hide("start-stop-daemon", nil),
		"start-stop-daemon 2": hide("", nil) + "ln -s /bin/busybox /usr/local/bin/start-stop-daemon\n",
		"no getent":           hide("setpriv", nil) + noGetent,
		// Played: each takes only the options that its manual names.
		"busybox su": hide("", map[string]string{"su": `s= c=
			while getopts lmps:c: o; do case $o in s) s=$OPTARG ;; c) c=$OPTARG ;; ?) exit 1 ;; esac; done
			shift $((OPTIND - 1)); HOME=/home/$1 USER=$1 real "$1" "$s" -c "$c"`}),
		"BSD su": hide("", map[string]string{"su": `[ "$1" = -m ] || { echo "usage: su [-] [-flm] [login [args]]" >&2; exit 1; }
			shift; n=$1; shift; real "$n" "$SHELL" "$@"`}),
		"sudo": hide("", map[string]string{"sudo": `[ "$1$2$3$5" = -n-H-u-- ] || exit 1; n=$4; shift 5
			real "$n" env -i PATH=/usr/bin:/bin HOME=/home/$n LOGNAME=$n USER=$n "$@"`}),
		"doas": hide("", map[string]string{"doas": `[ "$1$2" = -n-u ] || exit 1; n=$3; shift 3
			real "$n" env -i PATH=/usr/bin:/bin HOME=/home/$n LOGNAME=$n USER=$n "$@"`}),
		"second choice": hide("setpriv", map[string]string{"runuser": `echo "runuser: may not" >&2; exit 1`}),
		"keeps root":    hide("setpriv", map[string]string{"runuser": `shift 3; exec "$@"`}),
		"keeps groups":  hide("chroot", map[string]string{"runuser": `u=$(id -u alice); shift 3; exec /run/tools/setpriv --reuid=$u --regid=$u --groups=0,$u "$@"`}),
		"talks":         hide("", map[string]string{"runuser": `echo "Last login: never"; n=$2; shift 3; real "$n" "$@"`}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup+`mkdir /home/groupzero; chmod 770 /home/groupzero`, "alice:/usr/sbin/nologin")
			before := w.tree()
			s := w.session(w.login(), Options{Account: "alice"})
			r := add(t, s, install(1))
			add(t, s, install(2))
			if r.State.User != "alice" || r.State.Home != "/home/alice" || len(r.Notes) > 0 {
				t.Errorf("%+v", r)
			}
			w.wantFile("/home/alice/.ssh/authorized_keys", testLine(1)+"\n"+testLine(2)+"\n")
			w.wantOwner("/home/alice/.ssh", 0o700, w.ownerOf("alice"))
			w.wantOwner("/home/alice/.ssh/authorized_keys", 0o600, w.ownerOf("alice"))
			// With a group of root's left, this would be writable.
			wantReason(t, w.session(w.login(), Options{Account: "alice", Target: "/home/groupzero/keys"}), Denied)
			want := []string{"/home/alice/.ssh", "/home/alice/.ssh/authorized_keys"}
			if got := changed(before, w.tree()); !slices.Equal(got, want) {
				t.Errorf("changed: %v", got)
			}
		})
	}
}

// TestAccountNoWay: where nothing becomes the account, nothing is done.
func TestAccountNoWay(t *testing.T) {
	for name, tt := range map[string]struct{ setup, detail string }{
		"none":         {hide("", nil), "there is none of runuser"},
		"refuses":      {hide("", map[string]string{"runuser": `echo "runuser: so sorry: no" >&2; exit 1`, "sudo": "exit 1"}), "runuser: so sorry: no; sudo: failed"},
		"keeps root":   {hide("", map[string]string{"runuser": `shift 3; exec "$@"`}), "runuser: failed"},
		"keeps groups": {hide("", map[string]string{"runuser": `u=$(id -u "$2"); shift 3; exec /run/tools/setpriv --reuid=$u --regid=$u --keep-groups "$@"`}), "leaves group 0"},
		// The trial switches, and then it does not.
		"changes its mind": {hide("", map[string]string{"runuser": `n=$2; shift 3; case $* in *M\ is*|*" is "*) real "$n" "$@" ;; esac; exec "$@"`}), "still user id 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tt.setup, "alice")
			before := w.tree()
			for _, trace := range []bool{false, true} {
				var stderr bytes.Buffer
				e := wantReason(t, w.session(w.login(), Options{Account: "alice", Trace: trace, Stderr: &stderr}), CannotSwitch)
				if !strings.Contains(e.Detail, tt.detail) {
					t.Errorf("detail %q", e.Detail)
				}
			}
			if got := changed(before, w.tree()); got != nil {
				t.Errorf("changed: %v", got)
			}
		})
	}
}

// TestAccountRootStartUp: root's start-up files, and variables that name files
// of the account to run.
func TestAccountRootStartUp(t *testing.T) {
	w := newWorld(t, `echo 'echo ran >>/root/ran' >/home/alice/evil
		echo 'echo Hello; export ENV=/home/alice/evil BASH_ENV=/home/alice/evil CDPATH=/home/alice; umask 0' >/root/.bashrc`, "alice")
	before := w.tree()
	client := w.login()
	add(t, w.session(client, Options{Account: "alice"}), install(1))
	w.wantFile("/home/alice/.ssh/authorized_keys", testLine(1)+"\n")
	w.wantOwner("/home/alice/.ssh/authorized_keys", 0o600, w.ownerOf("alice"))
	if got := changed(before, w.tree()); len(got) != 2 {
		t.Errorf("changed: %v", got)
	}
	var e *RemoteError
	if _, err := OpenSFTP(timeout(t), client, Options{Account: "alice"}); !errors.As(err, &e) || e.Reason != CannotSwitch {
		t.Errorf("SFTP: error %v", err)
	}
}
