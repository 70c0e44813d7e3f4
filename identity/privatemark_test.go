package identity

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPrivateMarkInPublicKey: a line with the words that begin a private key in an
// option or in the comment is a public key all the same.
func TestPrivateMarkInPublicKey(t *testing.T) {
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIhs0pLHMTe8RrPaWBPHQvbQoOFFhlHIOhNyTnYyMGIp"
	for _, line := range []string{
		`command="echo -----BEGIN PRIVATE KEY-----" ` + key,
		`command="echo -----BEGIN PRIVATE KEY-----; date" ` + key + " me",
		key + " -----BEGIN PRIVATE KEY-----",
	} {
		path := filepath.Join(t.TempDir(), "id.pub")
		if err := os.WriteFile(path, []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for name, read := range map[string]func(string) ([]Identity, error){"ReadFile": ReadFile, "ReadPublicHalf": ReadPublicHalf} {
			if ids, err := read(path); err != nil || len(ids) != 1 || ids[0].Entry.Line() != line {
				t.Errorf("%s of %q: %v, %v", name, line, ids, err)
			}
		}
	}
}
