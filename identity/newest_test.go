package identity

import (
	"errors"
	"os"
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
			name := "[.ssh] *" // no pattern
			if runtime.GOOS == "windows" {
				name = "[.ssh]" // what names may hold there
			}
			dir := filepath.Join(t.TempDir(), name)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
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

func TestNewestWithoutDirectory(t *testing.T) {
	checkNewest(t, filepath.Join(t.TempDir(), "none"), "")
	file := writeFile(t, filepath.Join(t.TempDir(), "file"), "")
	var failed *FileError
	if got, err := Newest(file); got != "" || !errors.As(err, &failed) && !errors.Is(err, ErrNoDefault) {
		t.Errorf("a file in place of the directory: %q, %v", got, err)
	}
}
