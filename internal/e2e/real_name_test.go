//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNameAsTheScripts calls the stock script and the program in the same ways:
// both name themselves alike in the usage.
func TestNameAsTheScripts(t *testing.T) {
	if _, err := os.Stat(*oracle); err != nil {
		if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip("the stock script is not installed here")
	}
	ours, err := program()
	if err != nil {
		t.Fatal(err)
	}
	named := func(target, command string) string {
		dir := t.TempDir()
		for _, sub := range []string{"bin", "other", "plain"} {
			if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		// Under a name of its own, so that nothing else on PATH is meant.
		for link, to := range map[string]string{"bin/copy-a-key": target, "other/copy-a-key": "../bin/copy-a-key", "copy-a-key": target} {
			if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "plain/copy-a-key"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("/bin/sh", "-c", strings.ReplaceAll(command, "DIR", dir))
		cmd.Dir, cmd.Env = dir, []string{"HOME=" + dir, "PATH=/usr/bin:/bin"}
		out, _ := cmd.CombinedOutput()
		name, _, found := strings.Cut(strings.TrimPrefix(string(out), "Usage: "), " [")
		if !found {
			t.Fatalf("%s: %s", command, out)
		}
		return strings.ReplaceAll(name, dir, "DIR")
	}
	for _, command := range []string{
		"PATH=DIR/bin:$PATH copy-a-key -h",
		"PATH=bin:$PATH; copy-a-key -h",
		"PATH=./bin:$PATH; copy-a-key -h",
		"PATH=DIR/plain:DIR/nowhere:DIR/bin:$PATH; copy-a-key -h",
		"PATH=DIR/other:DIR/bin:$PATH; copy-a-key -h",
		"PATH=:$PATH; copy-a-key -h",
		"PATH=.:$PATH; copy-a-key -h",
		"DIR/bin/copy-a-key -h",
		"DIR/other/copy-a-key -h",
		"bin/copy-a-key -h",
		"./copy-a-key -h",
		"cd bin; ../bin/./copy-a-key -h",
		"env -i HOME=/nowhere PATH=DIR/bin:/usr/bin:/bin copy-a-key -h",
		"env -i HOME=/nowhere PATH=DIR/bin:/usr/bin:/bin sh -c 'copy-a-key -h'",
		"PATH=DIR/bin:$PATH xargs copy-a-key -h </dev/null",
		"PATH=DIR/bin:$PATH nohup copy-a-key -h",
	} {
		if want, got := named(*oracle, command), named(ours, command); got != want {
			t.Errorf("%s: the script calls itself %q, ours %q", command, want, got)
		}
	}
}
