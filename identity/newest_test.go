package identity

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestNewest(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name  string
		files map[string]time.Duration // after noon
		want  string                   // "" for none
	}{
		{"none", nil, ""},
		{"one", map[string]time.Duration{"id_ed25519.pub": 0}, "id_ed25519.pub"},
		{"the newest", map[string]time.Duration{"id_a.pub": 0, "id_b.pub": time.Hour, "id_c.pub": time.Minute}, "id_b.pub"},
		{"by nanoseconds", map[string]time.Duration{"id_a.pub": 1000, "id_b.pub": 2000}, "id_b.pub"},
		{"of the same time the first by name", map[string]time.Duration{"id_b.pub": 0, "id_a.pub": 0, "id_c.pub": 0}, "id_a.pub"},
		{"id.pub and idx.pub count", map[string]time.Duration{"id.pub": 0, "idx.pub": 1000}, "idx.pub"},
		{"certificates do not", map[string]time.Duration{"id_a.pub": 0, "id_a-cert.pub": time.Hour}, "id_a.pub"},
		{"nor other names", map[string]time.Duration{"key.pub": 0, "id_a": 0, "id_a.pub.old": 0, "my_id.pub": 0}, ""},
		{"directories do not", map[string]time.Duration{"id_a.pub": 0, "id_dir.pub/": time.Hour}, "id_a.pub"},
		{"only a directory", map[string]time.Duration{"id_dir.pub/": 0}, ""},
		{"only a certificate", map[string]time.Duration{"id_a-cert.pub": 0}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "[.ssh] *") // no pattern
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Skip("such a name is not allowed here:", err)
			}
			for name, age := range test.files {
				path := filepath.Join(dir, name)
				if strings.HasSuffix(name, "/") {
					if err := os.Mkdir(path, 0o700); err != nil {
						t.Fatal(err)
					}
				} else {
					writeFile(t, path, "")
				}
				if err := os.Chtimes(path, noon, noon.Add(age)); err != nil {
					t.Fatal(err)
				}
			}
			checkNewest(t, dir, test.want)
		})
	}
}

func checkNewest(t *testing.T, dir, want string) {
	t.Helper()
	got, err := Newest(dir)
	if want == "" {
		if !errors.Is(err, ErrNoDefault) || got != "" {
			t.Errorf("got %q, %v; want none", got, err)
		}
		return
	}
	if err != nil || got != filepath.Join(dir, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestNewestFollowsNoLink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege on Windows")
	}
	dir, past := t.TempDir(), time.Now().Add(-time.Hour)
	writeFile(t, filepath.Join(dir, "id_a.pub"), "")
	writeFile(t, filepath.Join(dir, "old"), "")
	for _, name := range []string{"id_a.pub", "old"} {
		if err := os.Chtimes(filepath.Join(dir, name), past, past.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}

	link(dir, "id_dir.pub") // newer, and leads to a directory
	checkNewest(t, dir, "id_a.pub")

	link("old", "id_link.pub") // the link is new, what it leads to is not
	checkNewest(t, dir, "id_link.pub")

	time.Sleep(20 * time.Millisecond) // file systems count in ticks
	link("gone", "id_gone.pub")
	checkNewest(t, dir, "id_gone.pub")
	path, _ := Newest(dir)
	if _, err := ReadFile(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link that leads nowhere: %v", err)
	}

	sh, err := exec.LookPath("sh")
	if err != nil {
		return
	}
	// What the stock script does to find its default.
	out, err := exec.Command(sh, "-c", `cd "$1" && ls -dt id*.pub | grep -v -- '-cert.pub$' | head -n 1`, "sh", dir).Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != "id_gone.pub" {
		t.Errorf("ls -t finds %q, %v", got, err)
	}
}

func TestNewestWithoutDirectory(t *testing.T) {
	checkNewest(t, filepath.Join(t.TempDir(), "none"), "")
	file := writeFile(t, filepath.Join(t.TempDir(), "file"), "")
	var failed *FileError
	if got, err := Newest(file); got != "" || !errors.As(err, &failed) && !errors.Is(err, ErrNoDefault) {
		t.Errorf("a file in place of the directory: %q, %v", got, err)
	}
}
