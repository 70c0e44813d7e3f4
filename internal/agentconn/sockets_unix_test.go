//go:build unix

package agentconn

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenForms(t *testing.T) {
	ring, key := keyring(t)
	path := filepath.Join(socketDir(t), "agent sock")
	listen(t, "unix", path, serveAgent(ring))
	for _, tt := range []struct {
		name, identityAgent string
		getenv              func(string) string
		none                bool
	}{
		{"SSH_AUTH_SOCK by default", "", environment("SSH_AUTH_SOCK", path), false},
		{"SSH_AUTH_SOCK by name", "SSH_AUTH_SOCK", environment("SSH_AUTH_SOCK", path), false},
		{"path goes before SSH_AUTH_SOCK", path, environment("SSH_AUTH_SOCK", "/nonexistent"), false},
		{"variable", "$MY_AGENT", environment("MY_AGENT", path, "SSH_AUTH_SOCK", "/nonexistent"), false},
		{"unset variable", "$MY_AGENT", environment("SSH_AUTH_SOCK", path), true},
		{"none", "none", environment("SSH_AUTH_SOCK", path), true},
		{"None", "None", environment("SSH_AUTH_SOCK", path), true},
		{"nothing set", "", environment(), true},
		{"empty SSH_AUTH_SOCK", "", environment("SSH_AUTH_SOCK", ""), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, closer, err := Open(tt.identityAgent, tt.getenv)
			if tt.none {
				if !errors.Is(err, ErrNoAgent) || a != nil || closer != nil {
					t.Fatalf("agent %v, closer %v, error %v; want ErrNoAgent", a, closer, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer closer.Close()
			if got := closer.(*Conn).Endpoint; got != path {
				t.Errorf("endpoint %q, want %q", got, path)
			}
			checkAgent(t, a, key)
		})
	}
}

func TestOpenFails(t *testing.T) {
	dir := socketDir(t)
	plain := filepath.Join(dir, "plain file")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "dead"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	for name, address := range map[string]string{
		"missing": filepath.Join(dir, "missing"), "plain file": plain, "dead socket": filepath.Join(dir, "dead"),
		"directory": dir, "too long": "/" + strings.Repeat("x", 200), "bad variable": "$a b",
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Open(address, environment())
			var open *OpenError
			if !errors.As(err, &open) || errors.Is(err, ErrNoAgent) || !open.Named || len(open.Attempts) != 1 {
				t.Fatalf("error %v, want an OpenError with one attempt", err)
			}
			if open.Attempts[0].Endpoint != address || !strings.Contains(err.Error(), address) {
				t.Errorf("error %v names %q, want %q", err, open.Attempts[0].Endpoint, address)
			}
		})
	}
	if _, _, err := Open(filepath.Join(dir, "missing"), environment()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v does not tell that the socket is missing", err)
	}
}
