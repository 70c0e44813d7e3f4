//go:build unix

package sshclient_test

import (
	"io"
	"testing"
	"time"

	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
)

// TestRekey: a change of keys on a connection that goes on neither starts the
// clock of the handshake anew nor looks up the host again.
func TestRekey(t *testing.T) {
	key := newSigner(t)
	s := serve(t, nil, key.PublicKey())
	o := options(t, s)
	o.Keys = func(*sshconfig.Host) []sshclient.Key { return []sshclient.Key{{Signer: key}} }
	o.Host.ConnectTimeout = 300 * time.Millisecond
	o.Host.RekeyLimit = 1 // as few bytes as are allowed
	conn, err := connect(t, o)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	session, err := conn.Client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, err := session.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := session.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start("cat >/dev/null; echo done"); err != nil {
		t.Fatal(err)
	}
	// Several times the least that keys are changed after, for longer than the
	// handshake may take.
	for begun := time.Now(); time.Since(begun) < 3*o.Host.ConnectTimeout; {
		if _, err := in.Write(make([]byte, 512<<10)); err != nil {
			t.Fatal(err)
		}
	}
	in.Close()
	if text, err := io.ReadAll(out); err != nil || string(text) != "done\n" {
		t.Errorf("%q, %v", text, err)
	}
}
