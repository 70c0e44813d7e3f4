//go:build unix

package device

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ssh-copy-id/authkeys"
)

// TestShellLines runs the lines for a device with a shell and home
// directories, over a file that lacks its last line end.
func TestShellLines(t *testing.T) {
	home := t.TempDir()
	file := filepath.Join(home, ".ssh", "authorized_keys")
	old := entry(t, "rsa4096@desk")
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(old.Line()), 0o666); err != nil {
		t.Fatal(err)
	}
	added := []authkeys.Entry{entry(t, "ed25519@desk"), entry(t, "limited@desk"), {
		Key: entry(t, "rsa2048@desk").Key, Options: []string{`command="printf '%s' $HOME"`},
	}, {
		Key: entry(t, "ecdsa384@desk").Key, Options: []string{`command="echo $HOME \"%s\\n\" !!"`}, Comment: "a b",
	}}
	c := commands(t, "synology", "alice", added...)
	if len(c.Refused) != 1 || c.Refused[0].Entry.Options[0] != added[2].Options[0] {
		t.Errorf("refused %+v, want the key with a single quote in its options", c.Refused)
	}
	cmd := exec.Command("/bin/sh", "-eu")
	cmd.Stdin = strings.NewReader(strings.Join(c.Lines, "\n") + "\n")
	cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range authkeys.Parse(data).Lines() {
		if line.Entry != nil {
			got = append(got, line.Entry.Line())
		}
	}
	want := []string{old.Line(), added[0].Line(), added[1].Line(), added[3].Line()}
	if !slices.Equal(got, want) {
		t.Errorf("the file has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for path, mode := range map[string]os.FileMode{home: 0o755, filepath.Dir(file): 0o700, file: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v, want mode %o", path, info.Mode(), err, mode)
		}
	}
}
