//go:build linux

package remote

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ssh-copy-id/internal/sshtest/shells"
)

// fullDisk is a host whose home is a small tmpfs in a mount namespace.
func fullDisk(t *testing.T, sh shells.Shell) *host {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
			t.Fatal("a mount needs root")
		}
		t.Skip("a mount needs root")
	}
	shells.Need(t, "unshare")
	shells.Need(t, "nsenter")
	h := newHost(t, sh)
	holder := exec.Command("unshare", "-m", "sh", "-c", `mount -t tmpfs -o size=64k,mode=755 tmpfs "$0" && echo ready && exec cat`, h.Home)
	in, _ := holder.StdinPipe()
	out, _ := holder.StdoutPipe()
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); holder.Wait() })
	if n, _ := out.Read(make([]byte, 10)); n == 0 {
		t.Fatal("cannot mount a tmpfs in a namespace")
	}
	h.Prefix = []string{"nsenter", "-t", fmt.Sprint(holder.Process.Pid), "-m", "--"}
	h.inner = h.Home
	h.Home = fmt.Sprintf("/proc/%d/root%s", holder.Process.Pid, h.Home)
	return h
}

// TestFullDisk: at every amount of room, the file is old or new.
func TestFullDisk(t *testing.T) {
	for _, sh := range append(slices.Clone(shells.Fast), shells.Shell{Name: "bash"}, shells.Shell{Name: "sftp", SFTP: true}) {
		t.Run(sh.Name, func(t *testing.T) {
			h := fullDisk(t, sh)
			outcomes := map[Reason]int{}
			const mine = "# mine\nssh-rsa AAAA last"
			for _, before := range []string{"", mine} {
				for room := 0; room <= 40<<10; room += 4 << 10 {
					os.RemoveAll(h.Path(".ssh"))
					os.Remove(h.Path("filler"))
					after := lines(120)
					if before != "" {
						h.Write(".ssh/authorized_keys", before, 0o600)
						after = before + "\n" + after
					}
					fill(t, h.Path("filler"), room)
					_, err := h.session(Options{}).Edit(shells.Timeout(t), install(sequence(120)...))
					isNew := h.oldOrNew(before, after)
					if isNew != (err == nil) {
						t.Errorf("room %d: changed %v, error %v", room, isNew, err)
					}
					var e *RemoteError
					if errors.As(err, &e) {
						outcomes[e.Reason]++
					} else {
						outcomes["installed"]++
					}
					if _, statErr := os.Stat(h.KeysFile()); before == "" && !isNew && statErr == nil {
						t.Errorf("room %d: a file was made and left", room)
					}
				}
			}
			os.Remove(h.Path("filler"))
			add(t, h.session(Options{}), install(500))
			h.wantClean()
			if outcomes[Full] == 0 || outcomes["installed"] == 0 || len(outcomes) > 2 {
				t.Errorf("outcomes %v", outcomes)
			}
		})
	}
}

// fill leaves room bytes on the file system of a file.
func fill(t *testing.T, name string, room int) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4<<10)
	size := 0
	for {
		n, err := f.Write(block)
		if size += n; err != nil {
			break
		}
	}
	if err := f.Truncate(int64(max(0, size-room))); err != nil {
		t.Fatal(err)
	}
}

// TestForbidden: what an ordinary account may not write stays what it is.
func TestForbidden(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to be somebody else")
	}
	each(t, allRoads, func(t *testing.T, h *host) {
		h.UID = 65534
		chown := func(name string, uid int) {
			if err := os.Chown(h.Path(name), uid, uid); err != nil {
				t.Fatal(err)
			}
		}
		chown(".", 65534)
		h.Write(".ssh/authorized_keys", "x\n", 0o444)
		chown(".ssh", 65534)
		chown(".ssh/authorized_keys", 65534)
		denied := func(when string, want Reason) {
			t.Helper()
			_, err := h.session(Options{}).Edit(shells.Timeout(t), install(1))
			var e *RemoteError
			if !errors.As(err, &e) || e.Reason != want {
				t.Errorf("%s: %v, want %s", when, err, want)
			}
			h.want(".ssh/authorized_keys", "x\n")
			h.wantClean()
		}
		denied("read-only file", Denied)

		// Somebody else's file in a directory that is ours.
		chown(".ssh/authorized_keys", 0)
		c := Change{Repair: true}
		if r := add(t, h.session(Options{}), c); len(r.Repaired) > 0 {
			t.Errorf("repaired %v", r.Repaired)
		}
		denied("root's file", Denied)
		os.Chmod(h.KeysFile(), 0)
		denied("unreadable file", Unreadable)

		// Our file in a directory we may not write to: the lock goes elsewhere.
		os.Chmod(h.KeysFile(), 0o600)
		chown(".ssh/authorized_keys", 65534)
		chown(".ssh", 0)
		os.Chmod(h.Path(".ssh"), 0o755)
		if r := add(t, h.session(Options{}), install(1)); !r.Applied {
			t.Errorf("%+v", r)
		}
		h.want(".ssh/authorized_keys", "x\n"+testLine(1)+"\n")
		chown(".", 0)
		add(t, h.session(Options{}), install(2))
		h.want(".ssh/authorized_keys", "x\n"+testLine(1)+"\n"+testLine(2)+"\n")
		h.wantClean()
		for start := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			// The other hosts of this test take the same lock.
			left, _ := filepath.Glob("/tmp/.ssh-copy-id.65534.lock")
			if left == nil {
				break
			}
			if time.Since(start) > 2*time.Minute {
				t.Fatalf("left behind: %q", left)
			}
		}

		// No directory, and no right to make one.
		os.RemoveAll(h.Path(".ssh"))
		_, err := h.session(Options{}).Edit(shells.Timeout(t), install(1))
		var e *RemoteError
		if !errors.As(err, &e) || e.Stage != StageMkdir || e.Reason != Denied {
			t.Errorf("no directory: %v", err)
		}
	})
}

// TestImmutable: a file that cannot be changed even by root.
func TestImmutable(t *testing.T) {
	chattr := shells.Need(t, "chattr")
	each(t, allRoads, func(t *testing.T, h *host) {
		h.Write(".ssh/authorized_keys", "x", 0o644)
		if err := exec.Command(chattr, "+i", h.KeysFile()).Run(); err != nil {
			t.Skip("the file system has no such attribute, or this is not root")
		}
		t.Cleanup(func() { exec.Command(chattr, "-i", h.KeysFile()).Run() })
		c := install(1)
		c.Repair = true
		_, err := h.session(Options{}).Edit(shells.Timeout(t), c)
		var e *RemoteError
		if !errors.As(err, &e) || e.Reason != Immutable && e.Reason != Denied || e.Stage != StageAppend {
			t.Errorf("error %v", err)
		}
		h.want(".ssh/authorized_keys", "x")
		h.wantClean()
	})
}
