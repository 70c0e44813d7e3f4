package copyid

import (
	"path/filepath"
	"testing"

	"ssh-copy-id/internal/sshconfig"
	"ssh-copy-id/internal/sshtest"
)

// TestKeyOfTwoHosts: a key that a jump host and the target may both use is asked
// about by the settings of each.
func TestKeyOfTwoHosts(t *testing.T) {
	key, err := sshtest.GenerateKey("ed25519")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "id")
	if err := sshtest.WriteKey(path, key, "", "open sesame"); err != nil {
		t.Fatal(err)
	}
	asked := 0
	c := New(Options{UI: UI{Secret: func(string) ([]byte, error) { asked++; return []byte("open sesame"), nil }}})
	hop, target := &sshconfig.Host{BatchMode: true}, &sshconfig.Host{}
	l := c.newLogin(target, nil)
	silent, ok := l.privateKey(hop, path)
	if _, err := silent.Sign(nil, []byte("x")); !ok || err == nil || asked != 0 {
		t.Errorf("the jump host's: %v, asked %d times", err, asked)
	}
	asking, ok := l.privateKey(target, path)
	if _, err := asking.Sign(nil, []byte("x")); !ok || err != nil || asked != 1 {
		t.Errorf("the target's: %v, asked %d times", err, asked)
	}
	if again, _ := l.privateKey(target, path); again != asking {
		t.Error("the file is opened twice for one host")
	}
}
