package owneronly

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestDescriptor: an access list that is not inherited and names nobody but the
// user and the two who may do everything anyway.
func TestDescriptor(t *testing.T) {
	const sid = "S-1-5-21-1-2-3-1001"
	for directory, want := range map[bool]string{
		false: "D:P(A;;FA;;;S-1-5-21-1-2-3-1001)(A;;FA;;;SY)(A;;FA;;;BA)",
		true:  "D:P(A;OICI;FA;;;S-1-5-21-1-2-3-1001)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)",
	} {
		if got := descriptor(sid, directory); got != want {
			t.Errorf("directory %v: %s, want %s", directory, got, want)
		}
	}
}

// mode checks permission bits where they mean something.
func mode(t *testing.T, name string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != want {
		t.Errorf("%s has mode %04o, want %04o", name, info.Mode().Perm(), want)
	}
}

func TestMkdir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".ssh")
	if err := Mkdir(dir); err != nil {
		t.Fatal(err)
	}
	mode(t, dir, 0o700)
	if err := Mkdir(dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
	if err := Mkdir(filepath.Join(dir, "a", "b")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without its parent: %v", err)
	}
	// What is made inside can be used.
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o600); err != nil {
		t.Error(err)
	}
}

func TestOpenFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	write := func(flag int, text string) error {
		f, err := OpenFile(name, flag)
		if err != nil {
			return err
		}
		_, err = f.WriteString(text)
		return errors.Join(err, f.Close())
	}
	content := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	if err := write(os.O_WRONLY|os.O_APPEND, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := write(os.O_WRONLY|os.O_CREATE|os.O_EXCL, "one"); err != nil {
		t.Fatal(err)
	}
	mode(t, name, 0o600)
	if err := write(os.O_WRONLY|os.O_CREATE|os.O_EXCL, "two"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that is there: %v", err)
	}
	content("one")
	if err := write(os.O_RDWR|os.O_CREATE|os.O_APPEND, "three"); err != nil {
		t.Error(err)
	}
	content("onethree")

	// What exists keeps its mode.
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := write(os.O_RDWR|os.O_CREATE|os.O_APPEND, ""); err != nil {
		t.Error(err)
	}
	mode(t, name, 0o644)
}
