//go:build unix

package hostkey

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// TestWritten: what is written is found by ssh-keygen, plain and hashed, and
// the mode of the file and the line before stay.
func TestWritten(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
			t.Fatal("ssh-keygen is not installed")
		}
		t.Skip("ssh-keygen is not installed")
	}
	for _, hash := range []bool{false, true} {
		w := newWorld(t, "other "+strings.TrimSpace(string(ssh.MarshalAuthorizedKey(newKey(t)))))
		whole := w.content()
		if err := os.WriteFile(w.file, []byte(strings.TrimSuffix(whole, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(w.file, 0o644); err != nil {
			t.Fatal(err)
		}
		p := w.policy("accept-new")
		p.Hash = hash
		key := newKey(t)
		if err := w.verifier(p, "box", 2222).Callback()("box:2222", peer, key); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(w.content(), whole) {
			t.Errorf("the line before was not kept and ended: %q", w.content())
		}
		if info, _ := os.Stat(w.file); info.Mode().Perm() != 0o644 {
			t.Errorf("mode %v", info.Mode())
		}
		if strings.Contains(w.content(), "[box]:2222") == hash {
			t.Errorf("hash %v: %q", hash, w.content())
		}
		out, err := exec.Command(keygen, "-F", "[box]:2222", "-f", w.file).Output()
		if err != nil || !strings.Contains(string(out), strings.Fields(string(ssh.MarshalAuthorizedKey(key)))[1]) {
			t.Errorf("ssh-keygen -F: %v, %q", err, out)
		}
	}
}
