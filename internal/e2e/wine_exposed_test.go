//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ssh-copy-id/internal/sshtest/realsshd"
)

// TestWineExposed: after a success a warning about files that ssh.exe refuses.
// Wine makes an access list of the mode of a file: what others may do there
// Everyone may.
func TestWineExposed(t *testing.T) {
	s := startForWindows(t, realsshd.Config{Accounts: accounts("alice")})
	w := newWindows(t, s)
	w.key("id_ed25519")
	key, config := filepath.Join(w.home, ".ssh/id_ed25519"), w.write(".ssh/config", "")
	const ofKey, ofConfig = "ssh.exe will ignore the private key '", "ssh.exe will not start with '"
	for _, c := range []struct {
		key, config os.FileMode
		told        []string
	}{
		{0o600, 0o600, nil},
		{0o600, 0o644, nil},
		{0o604, 0o600, []string{ofKey}},
		{0o600, 0o606, []string{ofConfig}},
	} {
		for path, mode := range map[string]os.FileMode{key: c.key, config: c.config} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		r := w.run("--password-file", w.passwordFile(), "alice@127.0.0.1")
		r.want(t, 0)
		for _, words := range []string{ofKey, ofConfig} {
			told := len(c.told) > 0 && c.told[0] == words
			if strings.Contains(r.stderr, words) != told {
				t.Errorf("key %o, config %o: %s", c.key, c.config, r.stderr)
			}
			if told && !strings.Contains(r.stderr, ` /inheritance:r /remove:g "*S-1-1-0" /grant "*S-1-5-32-544:F"`) {
				t.Errorf("no command: %s", r.stderr)
			}
		}
	}
}
