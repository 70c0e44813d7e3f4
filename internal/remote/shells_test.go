//go:build unix

package remote

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/sftp"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

// allRoads are the shells, and SFTP.
var allRoads = append(slices.Clone(shells.All), shells.Shell{Name: "sftp", SFTP: true})

// each runs a test once for each of some shells.
func each(t *testing.T, list []shells.Shell, f func(t *testing.T, h *host)) {
	for _, sh := range list {
		t.Run(sh.Name, func(t *testing.T) {
			t.Parallel()
			f(t, newHost(t, sh))
		})
	}
}

// host is an account on a machine without SSH.
type host struct {
	*shells.Host
	sftp bool // sessions are over SFTP
	// inner is the home as the host itself sees it, where that differs.
	inner string
}

func newHost(t testing.TB, sh shells.Shell) *host {
	t.Helper()
	return &host{Host: shells.New(t, sh), sftp: sh.SFTP}
}

// session opens a session with the script, or SFTP.
func (h *host) session(o Options) Session {
	if h.sftp {
		return h.sftpSession(o)
	}
	s := &shell{o, scriptrun.New(program, o.Run(), h.Start(o.Run()))}
	h.T.Cleanup(func() { s.Close() })
	return s
}

// sftpSession opens a session with OpenSSH's sftp-server.
func (h *host) sftpSession(o Options) Session {
	cmd := h.Command(sftpServer(h.T), "-d", cmp.Or(h.inner, h.Home))
	in, err := cmd.StdinPipe()
	if err != nil {
		h.T.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.T.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.T.Fatal(err)
	}
	s := &sftpSession{o: o, user: "tester"}
	c, err := sftp.NewClientPipe(&replies{Reader: out, s: s}, in)
	if err != nil {
		h.T.Fatal(err)
	}
	s.client = c
	if err := s.locate(); err != nil {
		h.T.Fatal(err)
	}
	h.T.Cleanup(func() {
		c.Close()
		cmd.Wait()
	})
	return s
}

func sftpServer(t testing.TB) string {
	t.Helper()
	for _, path := range []string{"/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return shells.Need(t, "sftp-server")
}

// want checks the content of a file below the home.
func (h *host) want(name, content string) {
	h.T.Helper()
	got, err := os.ReadFile(h.Path(name))
	if err != nil {
		h.T.Error(err)
	} else if string(got) != content {
		h.T.Errorf("%s holds\n%q\nwant\n%q", name, got, content)
	}
}

// wantMode checks the permissions of something below the home.
func (h *host) wantMode(name string, mode os.FileMode) {
	h.T.Helper()
	info, err := os.Lstat(h.Path(name))
	if err != nil {
		h.T.Error(err)
	} else if info.Mode().Perm() != mode {
		h.T.Errorf("%s has mode %o, want %o", name, info.Mode().Perm(), mode)
	}
}

// wantClean checks that no lock or scratch file is left beside the target.
func (h *host) wantClean() {
	h.T.Helper()
	filepath.WalkDir(h.Home, func(path string, _ os.DirEntry, _ error) error {
		if strings.Contains(path, "ssh-copy-id") {
			h.T.Errorf("left behind: %s", path)
		}
		return nil
	})
}

// testBlob makes something that looks like the base64 blob of key number n.
func testBlob(n int) string {
	return fmt.Sprintf("AAAAC3NzaC1lZDI1NTE5AAAAI%043d", n)
}

// testLine is an authorized_keys line with testBlob(n).
func testLine(n int) string { return fmt.Sprintf("ssh-ed25519 %s key %d", testBlob(n), n) }

// install is the Change that adds keys without having read the file.
func install(keys ...int) Change {
	var c Change
	for _, n := range keys {
		c.Lines = append(c.Lines, testLine(n))
		c.Blobs = append(c.Blobs, testBlob(n))
	}
	return c
}

// add makes a change that has to succeed.
func add(t testing.TB, s Session, c Change) *Result {
	t.Helper()
	r, err := s.Edit(shells.Timeout(t), c)
	if err != nil {
		t.Fatalf("Add: %v", err)
	}
	return r
}
