//go:build linux

package remote

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"ssh-copy-id/internal/sshtest/shells"
)

// asRoot skips a test that has to be somebody else, unless the run is meant to
// be complete.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() == 0 {
		return
	}
	if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
		t.Fatal("needs root")
	}
	t.Skip("needs root")
}

// TestLockTraps: what another account has put where the lock would be in /tmp
// is neither read nor waited for nor changed.
func TestLockTraps(t *testing.T) {
	asRoot(t)
	const other = 61899
	first := uint32(61900)
	for _, trap := range []struct {
		name string
		lay  func(lock string) error
	}{
		{"FIFO", func(lock string) error {
			return errors.Join(os.Mkdir(lock, 0o777), syscall.Mkfifo(lock+"/owner", 0o666))
		}},
		{"endless", func(lock string) error {
			return errors.Join(os.Mkdir(lock, 0o777), os.Symlink("/dev/zero", lock+"/owner"))
		}},
		{"foreign", func(lock string) error {
			return errors.Join(os.Mkdir(lock, 0o777), os.WriteFile(lock+"/owner", []byte("elsewhere 1 x\n"), 0o644))
		}},
		{"left behind", func(lock string) error {
			return errors.Join(os.Mkdir(lock, 0o777), os.WriteFile(lock+"/owner", []byte("free\n"), 0o644))
		}},
		{"a FIFO itself", func(lock string) error { return syscall.Mkfifo(lock, 0o666) }},
		{"a link to nowhere", func(lock string) error { return os.Symlink("/nowhere", lock) }},
		{"a link to /dev", func(lock string) error { return os.Symlink("/dev", lock) }},
	} {
		t.Run(trap.name, func(t *testing.T) {
			for _, sh := range append(shells.Fast[:len(shells.Fast):len(shells.Fast)], shells.Shell{Name: "ksh93"}, shells.Shell{Name: "sftp", SFTP: true}) {
				first++
				uid := first
				if sh.SFTP {
					uid = 65534 // sftp-server wants an account that has a name
				}
				t.Run(sh.Name, func(t *testing.T) {
					h := newHost(t, sh)
					h.UID = uid
					h.Write(".ssh/authorized_keys", "x\n", 0o600)
					os.Chmod(h.Path(".ssh"), 0o755)
					lock := fmt.Sprintf("/tmp/.ssh-copy-id.%d.lock", uid)
					t.Cleanup(func() { os.RemoveAll(lock) })
					if err := errors.Join(os.Chown(h.KeysFile(), int(uid), int(uid)), trap.lay(lock), os.Lchown(lock, other, other)); err != nil {
						t.Fatal(err)
					}
					os.Lchown(lock+"/owner", other, other)
					before := h.describe(lock)
					waits := 0
					r := add(t, h.trapSession(Options{Waiting: func(Wait) { waits++ }}), install(1))
					if !r.Applied || waits > 0 {
						t.Errorf("%+v, waited %d times", r, waits)
					}
					h.want(".ssh/authorized_keys", "x\n"+testLine(1)+"\n")
					if after := h.describe(lock); after != before {
						t.Errorf("the trap was\n%s\nand is\n%s", before, after)
					}
				})
			}
		})
	}
}

// trapSession is a session; over SFTP one that knows the account, since the home
// is root's.
func (h *host) trapSession(o Options) Session {
	s := h.session(o)
	if over, ok := s.(*sftpSession); ok {
		over.uid = h.UID
	}
	return s
}

// describe lists a file or a directory as it is, links not followed.
func (h *host) describe(path string) string {
	h.T.Helper()
	out, err := exec.Command("find", path, "-printf", "%p %y %U %m %l %s %t\n").CombinedOutput()
	if err != nil {
		h.T.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// withAttributes is a host on a file system that knows chattr: that of the
// temporary directory, or one in a file.
func withAttributes(t *testing.T, sh shells.Shell) *host {
	t.Helper()
	asRoot(t)
	chattr := shells.Need(t, "chattr")
	h := newHost(t, sh)
	if exec.Command(chattr, "+a", h.Home).Run() == nil {
		exec.Command(chattr, "-a", h.Home).Run()
	} else {
		image := filepath.Join(t.TempDir(), "disk")
		for _, command := range [][]string{{"truncate", "-s", "8M", image}, {"mkfs.ext4", "-q", image}, {"mount", "-o", "loop", image, h.Home}} {
			if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %v: %s", command, err, out)
			}
		}
		t.Cleanup(func() { exec.Command("umount", h.Home).Run() })
	}
	return h
}

// chattr sets attributes, or takes them away.
func (h *host) chattr(mode string, names ...string) {
	h.T.Helper()
	for _, name := range names {
		if out, err := exec.Command("chattr", mode, h.Path(name)).CombinedOutput(); err != nil {
			h.T.Fatalf("%v: %s", err, out)
		}
	}
}

// TestAttributes: files and directories of which only the end may change, or
// nothing.
func TestAttributes(t *testing.T) {
	for _, tt := range []struct {
		name, directory, file string
		reason                Reason // "": installed
	}{
		{"append-only directory", "+a", "", ""},
		{"append-only file", "", "+a", ""},
		{"both append-only", "+a", "+a", ""},
		{"immutable directory", "+i", "", ""},
		{"immutable file", "", "+i", Immutable},
		{"append-only directory with an immutable file", "+a", "+i", Immutable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, sh := range append(shells.Fast[:len(shells.Fast):len(shells.Fast)], shells.Shell{Name: "sftp", SFTP: true}) {
				t.Run(sh.Name, func(t *testing.T) {
					h := withAttributes(t, sh)
					h.Write(".ssh/authorized_keys", "x\n", 0o600)
					for _, set := range [][2]string{{tt.file, ".ssh/authorized_keys"}, {tt.directory, ".ssh"}} {
						if set[0] != "" {
							h.chattr(set[0], set[1])
							t.Cleanup(func() { exec.Command("chattr", "-ia", h.Path(set[1])).Run() })
						}
					}
					want := "x\n"
					for n := range 2 { // what the first leaves must not keep the second waiting
						r, err := h.session(Options{Waiting: func(w Wait) { t.Errorf("waited: %+v", w) }}).Edit(shells.Timeout(t), install(n))
						var e *RemoteError
						switch {
						case tt.reason != "":
							if !errors.As(err, &e) || e.Reason != tt.reason && e.Reason != Denied || e.Unsure {
								t.Errorf("error %+v", err)
							}
						case err != nil:
							t.Fatal(err)
						case !r.Applied:
							t.Errorf("%+v", r)
						default:
							want += testLine(n) + "\n"
						}
						h.want(".ssh/authorized_keys", want)
					}
					if left, _ := os.ReadDir(h.Home); len(left) != 1 {
						t.Errorf("left in the home: %v", left)
					}
					// Without lsattr nobody can see the attribute before: what stays is free.
					owner, err := os.ReadFile(h.KeysFile() + ".ssh-copy-id.lock/owner")
					if err == nil && (h.name() == "dash" || string(owner) != lockFree) {
						t.Errorf("left beside the file: a lock of %q", owner)
					}
				})
			}
		})
	}
}
