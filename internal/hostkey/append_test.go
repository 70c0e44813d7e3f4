package hostkey

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// accept has a new host accepted and gives what was said about it.
func accept(t *testing.T, w *world, p Policy) string {
	t.Helper()
	if err := w.check(p, peer, cast()["KEY"].PublicKey()); err != nil {
		t.Fatal(err)
	}
	return strings.Join(w.notices, "\n")
}

// TestNewFile: the file of a first host, and the .ssh around it, are for their
// owner alone.
func TestNewFile(t *testing.T) {
	w := newWorld(t)
	accept(t, w, w.policy("accept-new"))
	for path, want := range map[string]fs.FileMode{w.file: 0o600, filepath.Dir(w.file): 0o700} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want && runtime.GOOS != "windows" {
			t.Errorf("%s has the mode %v, want %v", path, got, want)
		}
	}
}

// TestNewDirectory: a directory of another name is not made
// (hostfile_create_user_ssh_dir in hostfile.c).
func TestNewDirectory(t *testing.T) {
	w := newWorld(t)
	p := w.policy("accept-new")
	p.UserFiles = []string{filepath.Join(t.TempDir(), "ssh", "known_hosts")}
	said := accept(t, w, p)
	if said != "Failed to add the host to the list of known hosts ("+p.UserFiles[0]+")." {
		t.Error(said)
	}
	if _, err := os.Stat(filepath.Dir(p.UserFiles[0])); !os.IsNotExist(err) {
		t.Errorf("the directory was made: %v", err)
	}
	p.UserFiles = []string{filepath.Join(w.beside("plain", ""), ".ssh", "known_hosts")}
	if said := accept(t, w, p); !strings.HasSuffix(said, "known hosts ("+p.UserFiles[0]+").") {
		t.Error(said)
	}
}

// TestLineEnds: a line is added behind whatever the last one ends with, and
// nothing before it changes.
func TestLineEnds(t *testing.T) {
	for before, between := range map[string]string{
		"": "", "\n": "", "# mine": "\n", "# mine\n": "", "# mine\r\n": "", "# mine\r": "\n", "# mine\n\n": "", "noise \x00\xff": "\n",
	} {
		w := newWorld(t)
		w.write(before)
		accept(t, w, w.policy("accept-new"))
		if want := before + between + expand("box $KEY\n"); w.content() != want {
			t.Errorf("%q became %q", before, w.content())
		}
	}
}

// TestWrittenMeanwhile: what another copy has noted while the question was open
// is not noted twice.
func TestWrittenMeanwhile(t *testing.T) {
	w := newWorld(t)
	p := w.policy("ask")
	p.CheckHostIP = true
	p.Ask = func(string) (string, error) {
		w.write(expand("# meanwhile\nbox $KEY\n@revoked 192.0.2.7 $OTHER\n"))
		return "yes", nil
	}
	accept(t, w, p)
	if want := expand("# meanwhile\nbox $KEY\n@revoked 192.0.2.7 $OTHER\n192.0.2.7 $KEY\n"); w.content() != want {
		t.Errorf("the file is %q", w.content())
	}
	p.Ask = func(string) (string, error) {
		w.write(expand("box,192.0.2.7 $KEY\n"))
		return "yes", nil
	}
	w.write("")
	accept(t, w, p)
	if want := expand("box,192.0.2.7 $KEY\n"); w.content() != want {
		t.Errorf("the file is %q", w.content())
	}
}

// TestDamagedMeanwhile: a file that can no longer be read whole is added to all
// the same.
func TestDamagedMeanwhile(t *testing.T) {
	w := newWorld(t)
	p := w.policy("ask")
	p.Ask = func(string) (string, error) {
		w.write("@revoked box\n")
		return "yes", nil
	}
	accept(t, w, p)
	if want := expand("@revoked box\nbox $KEY\n"); w.content() != want {
		t.Errorf("the file is %q", w.content())
	}
}
