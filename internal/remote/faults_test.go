//go:build linux

package remote

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

// TestConcurrent: many installs at once, half of them of a key each and half of
// them of one key. They wait for each other, on a busy machine for long: not so
// many that one would give up.
func TestConcurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("many processes")
	}
	const n = 20
	shells.SetLimits(t, func(l *scriptrun.Limits) { l.Single, l.Total = time.Hour, time.Hour })
	for _, sh := range []shells.Shell{{Name: "dash"}, {Name: "sftp", SFTP: true}} {
		t.Run(sh.Name, func(t *testing.T) {
			h := newHost(t, sh)
			var first atomic.Int64 // installs of the one key that say it was them
			together(n, func(i int) {
				key := n
				if i%2 == 1 {
					key = i / 2
				}
				r, err := h.session(Options{}).Edit(shells.Timeout(t), install(key))
				if err != nil {
					t.Error(err)
				} else if key == n && r.Applied {
					first.Add(1)
				}
			})
			got, err := os.ReadFile(h.KeysFile())
			if err != nil {
				t.Fatal(err)
			}
			have := slices.Sorted(strings.Lines(string(got)))
			if want := slices.Sorted(strings.Lines(lines(n/2) + testLine(n) + "\n")); !slices.Equal(have, want) {
				t.Errorf("the keys make\n%s", got)
			}
			if first.Load() != 1 {
				t.Errorf("%d installs of one key say it was them", first.Load())
			}
			h.wantClean()
		})
	}
}

// TestStrangers: programs that append without knowing of the lock lose nothing.
func TestStrangers(t *testing.T) {
	h := newHost(t, shells.Shell{Name: "dash"})
	h.Write(".ssh/authorized_keys", "", 0o600)
	stop := make(chan struct{})
	var strangers sync.WaitGroup
	var written []string
	strangers.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			f, err := os.OpenFile(h.KeysFile(), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Error(err)
				return
			}
			line := fmt.Sprintf("stranger %d\n", i)
			f.WriteString(line)
			f.Close()
			written = append(written, line)
		}
	})
	s := h.session(Options{})
	for i := range 15 {
		add(t, s, install(2*i, 2*i+1))
	}
	close(stop)
	strangers.Wait()
	got, _ := os.ReadFile(h.KeysFile())
	for _, line := range written {
		if !bytes.Contains(got, []byte("\n"+line)) && !bytes.HasPrefix(got, []byte(line)) {
			t.Errorf("lost %q", line)
		}
	}
	for i := range 30 {
		if !bytes.Contains(got, []byte(testLine(i)+"\n")) {
			t.Errorf("lost key %d", i)
		}
	}
}

// oldOrNew checks that the file holds all of the new lines or none.
func (h *host) oldOrNew(before, after string) (isNew bool) {
	h.T.Helper()
	got, err := os.ReadFile(h.KeysFile())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		h.T.Error(err)
	}
	if string(got) != before && string(got) != after {
		h.T.Errorf("the file is between the two: %d bytes, %q", len(got), got)
	}
	return string(got) == after
}

// TestKilledAt: killed at the moments that matter, a run leaves the old file or the
// new one, and the next run needs no help. TestInjector kills at random moments.
func TestKilledAt(t *testing.T) {
	const write = `why=$({ dd bs="$bytes" <"$lock/data" >>"$file"; } 2>&1)`
	for _, tt := range []struct{ name, before, insert string }{
		{"owner not written", `has rm && { put "$me$nl" >"$1/owner"; } 2>&3`, "kill -9 $$"},
		{"data half written", `why=$({ put "$text" >"$lock/data"; } 2>&1)`, `put half >"$lock/data"; kill -9 $$`},
		{"journal half written", `put "$old$nl$file${nl}end$nl" >"$lock/journal"`, `put 12 >"$lock/journal"; kill -9 $$`},
		{"nothing appended", write, "kill -9 $$"},
		{"one byte appended", write, `put "${text%"${text#?}"}" >>"$file"; kill -9 $$`},
		{"half appended", write, `dd bs="$((bytes / 2))" count=1 <"$lock/data" >>"$file" 2>/dev/null; kill -9 $$`},
		{"all but a byte appended", write, `dd bs="$((bytes - 1))" count=1 <"$lock/data" >>"$file" 2>/dev/null; kill -9 $$`},
		{"all appended", `behind "$old"`, "kill -9 $$"},
		{"not unlocked", `rm -rf "$lock"`, "kill -9 $$"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list := shells.Fast
			if tt.name == "half appended" {
				list = shells.All
			}
			for _, before := range []string{"", "# mine\n", "# no newline"} {
				slow := tt.name == "owner not written" // a lock nobody signed is waited for
				if slow && before != "" {
					continue
				}
				each(t, list, func(t *testing.T, h *host) {
					own := h.Edit
					h.Edit = func(script string) string {
						if own != nil {
							script = own(script)
						}
						if strings.Count(script, tt.before) != 1 {
							t.Fatalf("the script has %q %d times", tt.before, strings.Count(script, tt.before))
						}
						return strings.Replace(script, tt.before, tt.insert+"\n"+tt.before, 1)
					}
					after := before + lines(3)
					if before == "# no newline" {
						after = before + "\n" + lines(3)
					}
					if before != "" {
						h.Write(".ssh/authorized_keys", before, 0o600)
					}
					_, err := h.session(Options{}).Edit(shells.Timeout(t), install(0, 1, 2))
					var e *RemoteError
					if !errors.As(err, &e) || !e.Unsure {
						t.Errorf("error %v", err)
					}
					h.Edit = own
					if slow {
						h.Edit = func(script string) string {
							if own != nil {
								script = own(script)
							}
							return strings.ReplaceAll(script, "-lt 200", "-lt 40")
						}
					}
					var waits []Wait
					o := Options{Waiting: func(w Wait) { waits = append(waits, w) }}
					add(t, h.session(o), install(0, 1, 2))
					h.want(".ssh/authorized_keys", after)
					h.wantClean()
					if slow != (len(waits) > 0) {
						t.Errorf("told of waiting: %v", waits)
					}
				})
			}
		})
	}
}

// TestSFTPRecovers: what a killed shell left is mended over SFTP, which has to
// wait because it cannot tell whether the process lives.
func TestSFTPRecovers(t *testing.T) {
	lockStale = 4 * time.Second
	t.Cleanup(func() { lockStale = 20 * time.Second })
	h := newHost(t, shells.Shell{Name: "sftp", SFTP: true})
	lock := ".ssh/authorized_keys.ssh-copy-id.lock/"
	h.Write(".ssh/authorized_keys", "# mine\n"+lines(3)[:100], 0o600)
	h.Write(lock+"owner", "here 1 marker\n", 0o600)
	h.Write(lock+"data", lines(3), 0o600)
	h.Write(lock+"journal", "7\n"+h.KeysFile()+"\nend\n", 0o600)
	waits := 0
	r := add(t, h.session(Options{Waiting: func(Wait) { waits++ }}), install(5))
	if !r.Recovered || waits != 1 {
		t.Errorf("recovered %v after %d notes of waiting", r.Recovered, waits)
	}
	h.want(".ssh/authorized_keys", "# mine\n"+testLine(5)+"\n")
	h.wantClean()
}

// TestNotOurLock: a lock of another account is left alone.
func TestNotOurLock(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to give a file away")
	}
	h := newHost(t, shells.Shell{Name: "dash"})
	own := h.Edit
	h.Edit = func(s string) string { return strings.Replace(own(s), "-ge 300 ]", "-ge 30 ]", 1) }
	h.Write(".ssh/authorized_keys", "x\n", 0o600)
	lock := h.KeysFile() + ".ssh-copy-id.lock"
	os.Mkdir(lock, 0o777)
	os.Symlink(h.Path("bait"), lock+"/owner")
	os.Chown(lock, 12345, 12345)
	_, err := h.session(Options{}).Edit(shells.Timeout(t), install(1))
	var e *RemoteError
	if !errors.As(err, &e) || e.Reason != Locked || e.Detail != "" {
		t.Errorf("error %v", err)
	}
	h.want(".ssh/authorized_keys", "x\n")
	if _, err := os.Lstat(h.Path("bait")); err == nil {
		t.Error("wrote through the link in another account's lock")
	}
}
