//go:build linux

package remote

import (
	"crypto/sha256"
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

	"ssh-copy-id/internal/sshtest/shells"
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
	s, err := OpenShell(shells.Timeout(w.t), client, o)
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

// running are the processes of an account, as directories of /proc.
func (w *world) running(name string) []string {
	w.t.Helper()
	all, err := filepath.Glob(w.Path("/proc") + "/[0-9]*")
	if err != nil {
		w.t.Fatal(err)
	}
	id := w.ownerOf(name)
	return slices.DeleteFunc(all, func(dir string) bool {
		info, err := os.Stat(dir)
		return err != nil || info.Sys().(*syscall.Stat_t).Uid != id
	})
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

// accountTraps are what an account may have laid out to catch root. Each has an
// account of its name.
var accountTraps = []struct {
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

// layTraps are the accounts, and the setup that lays the traps.
func layTraps() (accounts []string, setup string) {
	setup = `mkdir -m 700 /home/victim/.ssh; echo theirs >/home/victim/.ssh/authorized_keys; chown -R victim:victim /home/victim/.ssh
		echo root >/home/rootfile; mkdir -m 770 /home/groupzero; mkdir -m 2770 /home/team; chgrp 61500 /home/team
		echo 'team:x:61500:group' >>/etc/group
		`
	accounts = []string{"victim"}
	for _, tt := range accountTraps {
		accounts = append(accounts, tt.name)
		setup += fmt.Sprintf("cd /home/%s; %s; cd /; chown -h %[1]s:%[1]s /home/%[1]s/.ssh || :\n", tt.name, tt.setup)
		setup += fmt.Sprintf("if [ -d /home/%s/.ssh ] && ! [ -h /home/%[1]s/.ssh ]; then chown %[1]s:%[1]s /home/%[1]s/.ssh; fi\n", tt.name)
		if strings.Contains(tt.setup, "dot") {
			setup += fmt.Sprintf("chown %s:%[1]s /home/%[1]s/dot\n", tt.name)
		}
	}
	return accounts, setup
}
