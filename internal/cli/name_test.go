//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestFoundName: the name is the one a shell script in the same place would
// have for $0.
func TestFoundName(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	files := map[string]os.FileMode{
		"bin/tool": 0o755, "other/tool": 0o755, "data/tool": 0o644, "group/tool": 0o010, "tool": 0o755, "link/x": 0o644, "deep/tool/x": 0o755,
	}
	for name, mode := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("#!/bin/sh\nprintf '%s' \"$0\"\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"link/tool": "../bin/tool", "link/alias": dir + "/bin/tool", "link/dead": "nowhere"} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, path, self, want string }{
		{"tool", "/usr/bin:" + dir + "/bin", "bin/tool", dir + "/bin/tool"},
		{"tool", dir + "/bin/", "bin/tool", dir + "/bin//tool"},
		{"tool", "bin", "bin/tool", "bin/tool"},
		{"tool", "./bin:other", "bin/tool", "./bin/tool"},
		{"tool", "nowhere:data:deep:bin", "bin/tool", "bin/tool"},
		{"tool", "", "tool", "tool"},
		{"tool", "nowhere:", "tool", "tool"},
		{"tool", ".", "tool", "./tool"},
		{"tool", "bin::other", "tool", "tool"},
		{"tool", "link:bin", "bin/tool", "link/tool"},
		{"alias", "link", "bin/tool", "link/alias"},
		{"dead", "link", "bin/tool", "dead"},
		// Another program of the name comes first, or there is only that one.
		{"tool", "other:bin", "bin/tool", "bin/tool"},
		{"tool", "other", "bin/tool", "tool"},
		{"foo", "bin", "bin/tool", "foo"},
		// Which program this is cannot be told.
		{"tool", "bin", "", "bin/tool"},
		{"tool", "bin", "gone", "tool"},
	} {
		if got := foundName(c.name, c.path, c.self); got != c.want {
			t.Errorf("%s in %q: %q, want %q", c.name, c.path, got, c.want)
		}
	}
}

// TestProgramNameOracle asks env(1), which starts programs as execvp(3) does,
// what a script's $0 is.
func TestProgramNameOracle(t *testing.T) {
	env := needed(t, "env")
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"one/tool", "two/tool", "tool"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("#!/bin/sh\nprintf '%s' \"$0\"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod("two/tool", 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir + "/one", "one", "./one", "one/", "two:one", "nowhere:" + dir + "/two:" + dir + "/one", ":/bin", "nowhere:", ".", "two:"} {
		cmd := exec.Command(env, "tool")
		cmd.Env = []string{"PATH=" + path}
		want, err := cmd.Output()
		if err != nil {
			t.Fatalf("PATH=%s: %v", path, err)
		}
		if got := foundName("tool", path, ""); got != string(want) {
			t.Errorf("PATH=%s: %q, a script has %q", path, got, want)
		}
	}
}

func TestProgramNameAsGiven(t *testing.T) {
	for _, name := range []string{"", "./ssh-copy-id", "bin/ssh-copy-id", "/usr/bin/ssh-copy-id", "-ssh-copy-id-of-no-path"} {
		if got := programName(name); got != name {
			t.Errorf("%q became %q", name, got)
		}
	}
	if got := programName("sh"); strings.Contains(got, "/") {
		t.Errorf("sh is another program, but the name became %q", got)
	}
}
