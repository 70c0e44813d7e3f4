//go:build linux

package remote

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

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
			state, err := s.Read(shells.Timeout(t), []string{testBlob(1)})
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
	accounts, setup := layTraps()
	w := newWorld(t, setup, accounts...)
	client := w.login()
	for _, tt := range accountTraps {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{w.Server, t}
			before := w.tree()
			c := install(1)
			c.Repair, c.Force = true, true
			_, err := w.session(client, Options{Account: tt.name, Target: tt.target}).Edit(shells.Timeout(t), c)
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
		s.Edit(shells.Timeout(t), c) // goes as chance has it
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
		echo wrapped:x:4294967296:61403::/home/alice:/bin/sh >>/etc/passwd
		echo nobody1:x:4294967295:61404::/home/alice:/bin/sh >>/etc/passwd
		n=61410; for name in 'DOM\ann' ann@example.org 'box$' 007; do
			printf '%s:x:%d:%d::/home/of %s:/bin/sh\n' "$name" $n $n "$name" >>/etc/passwd
			mkdir "/home/of $name"; chown $n "/home/of $name"; n=$((n + 1))
		done`, "alice", "x.y_z-1")
	client := w.login()
	for _, name := range []string{"x.y_z-1", `DOM\ann`, "ann@example.org", "box$", "007"} {
		r := add(t, w.session(client, Options{Account: name}), install(1))
		w.wantFile(r.State.Path, testLine(1)+"\n")
		if r.State.User != name || !strings.HasSuffix(r.State.Home, name) {
			t.Errorf("state %+v", r.State)
		}
	}
	before := w.tree()
	for name, want := range map[string]Reason{
		"-x": NoAccount, "--help": NoAccount, "a;b": NoAccount, "../x": NoAccount, "..": NoAccount, ".": NoAccount,
		"nosuch": NoAccount, "al ice": NoAccount, "alice ": NoAccount, "alice:x": NoAccount, "Alice": NoAccount,
		"61002": NoAccount, "0": NoAccount, "+0": NoAccount, "#0": NoAccount, "*": NoAccount, "alice/": NoAccount,
		"$(touch /etc/x)": NoAccount, "`touch /etc/x`": NoAccount, "'": NoAccount, `"`: NoAccount, `\`: NoAccount, "$USER": NoAccount, "~": NoAccount,
		"\x1b[31m": NoAccount, "\xff": NoAccount, "ålice": NoAccount, strings.Repeat("a", 256): NoAccount,
		"homeless": NoAccount, "halfway": NoAccount,
		"root": IsRoot, "toor": IsRoot,
	} {
		e := wantReason(t, w.session(client, Options{Account: name}), want)
		if strings.ContainsFunc(e.Detail, func(r rune) bool { return r < ' ' }) {
			t.Errorf("%q: detail %q", name, e.Detail)
		}
		if want == IsRoot && e.Detail != "the account has user id 0" {
			t.Errorf("%q: detail %q", name, e.Detail)
		}
	}
	// User ids that a program may take for 0, or for "leave it as it is".
	for _, name := range []string{"wrapped", "nobody1"} {
		var e *RemoteError
		_, err := w.session(client, Options{Account: name}).Edit(shells.Timeout(t), install(1))
		t.Logf("%s: %v", name, err)
		if !errors.As(err, &e) || e.Reason != NoAccount && e.Reason != CannotSwitch {
			t.Errorf("%s: error %v", name, err)
		}
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
				e := wantReason(t, w.session(w.login(), Options{Account: "alice", Trace: trace, Stderr: &scriptrun.Excerpt{}}), CannotSwitch)
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
		echo 'echo Hello; export SECRET=root-only ENV=/home/alice/evil BASH_ENV=/home/alice/evil CDPATH=/home/alice; umask 0' >/root/.bashrc`, "alice")
	before := w.tree()
	client := w.login()
	add(t, w.session(client, Options{Account: "alice"}), install(1))
	w.wantFile("/home/alice/.ssh/authorized_keys", testLine(1)+"\n")
	w.wantOwner("/home/alice/.ssh/authorized_keys", 0o600, w.ownerOf("alice"))
	if got := changed(before, w.tree()); len(got) != 2 {
		t.Errorf("changed: %v", got)
	}
	// The account sees nothing of root's environment and directory.
	seen := 0
	for _, dir := range w.running("alice") {
		environment, err1 := os.ReadFile(dir + "/environ")
		cwd, err2 := os.Readlink(dir + "/cwd")
		if err1 != nil || err2 != nil {
			continue // it has ended
		}
		seen++
		if cwd != "/" || strings.Contains(string(environment), "root") || !strings.Contains(string(environment), "HOME=/home/alice\x00") {
			t.Errorf("in %s with %q", cwd, environment)
		}
	}
	if seen == 0 {
		t.Error("no process of the account while the session is open")
	}
	var e *RemoteError
	if _, err := OpenSFTP(shells.Timeout(t), client, Options{Account: "alice"}); !errors.As(err, &e) || e.Reason != CannotSwitch {
		t.Errorf("SFTP: error %v", err)
	}
}

// TestAccountTogether: root and the account at work on one file at once.
func TestAccountTogether(t *testing.T) {
	w := newWorld(t, "", "alice")
	const n = 8
	together(2*n, func(i int) {
		o, user := Options{}, "alice"
		if i%2 == 0 {
			o.Account, user = "alice", "root"
		}
		if r, err := w.session(w.login(user), o).Edit(shells.Timeout(t), install(i)); err != nil || !r.Applied {
			t.Errorf("%d: %+v, %v", i, r, err)
		}
	})
	got, err := os.ReadFile(w.Path("/home/alice/.ssh/authorized_keys"))
	have, want := strings.Split(string(got), "\n"), strings.Split(lines(2*n), "\n")
	slices.Sort(have)
	slices.Sort(want)
	if err != nil || !slices.Equal(have, want) {
		t.Errorf("%v, the keys make\n%s", err, got)
	}
	w.wantOwner("/home/alice/.ssh/authorized_keys", 0o600, w.ownerOf("alice"))
	if list, _ := os.ReadDir(w.Path("/home/alice/.ssh")); len(list) != 1 {
		t.Errorf("left behind: %v", list)
	}
}

// TestAccountEnds: nothing goes on running as the account when the client is
// gone, whichever program switched.
func TestAccountEnds(t *testing.T) {
	for _, way := range []string{"runuser", "setpriv", "su", "chroot", "start-stop-daemon"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, hide(way, nil), "alice")
			client := w.login()
			if _, err := w.session(client, Options{Account: "alice"}).Read(shells.Timeout(t), nil); err != nil {
				t.Fatal(err)
			}
			if w.running("alice") == nil {
				t.Fatal("no process of the account while the session is open")
			}
			client.Close()
			for deadline := time.Now().Add(20 * time.Second); len(w.running("alice")) > 0; time.Sleep(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the script outlives its client")
				}
			}
		})
	}
}

// TestAccountStops: an account that stops whatever runs as it does not keep root
// waiting for ever, and nothing is claimed.
func TestAccountStops(t *testing.T) {
	shells.SetLimits(t, func(l *scriptrun.Limits) {
		l.Notice, l.Single, l.Close = time.Second, 3*time.Second, 100*time.Millisecond
	})
	w := newWorld(t, "", "alice")
	stopper, err := w.login("alice").NewSession()
	if err != nil {
		t.Fatal(err)
	}
	ready, err := stopper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	// All but itself and what sshd and the shell have begun for it.
	if err := stopper.Start(`known=$(echo /proc/[0-9]*); echo ready; while :; do for p in /proc/[0-9]*; do
		case " $known " in *" $p "*) ;; *) [ ! -O $p ] || kill -STOP ${p#/proc/} ;; esac; done; done 2>/dev/null`); err != nil {
		t.Fatal(err)
	}
	if _, err := ready.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	var told []Awaited
	s, err := OpenShell(shells.Timeout(t), w.login(), Options{Account: "alice", Awaiting: func(what Awaited, _ time.Duration) { told = append(told, what) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := shells.Timeout(t)
	_, err = s.Edit(ctx, install(1))
	var e *RemoteError
	if !errors.As(err, &e) || e.Reason != Silent || !e.Unsure || ctx.Err() != nil || len(told) == 0 {
		t.Errorf("error %+v, told %v", err, told)
	}
}
