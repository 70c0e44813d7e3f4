package agentconn

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// askingAgent holds one key and asks its owner before each signature: what
// comes from owner is the answer, in the agent protocol.
func askingAgent(key ssh.PublicKey, owner <-chan []byte) func(net.Conn) {
	return func(conn net.Conn) {
		for {
			var header [5]byte
			if _, err := io.ReadFull(conn, header[:]); err != nil {
				return
			}
			_, _ = io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(header[:]))-1)
			if header[4] == signRequest {
				_, _ = conn.Write(<-owner)
				continue
			}
			body := []byte{identitiesAnswer, 0, 0, 0, 1}
			for _, field := range [][]byte{key.Marshal(), []byte("alice@laptop")} {
				body = append(binary.BigEndian.AppendUint32(body, uint32(len(field))), field...)
			}
			_, _ = conn.Write(message(body...))
		}
	}
}

// TestSignatureIsAnnounced: while the owner is asked, that is said with the name
// of the key, and what was declined is told.
func TestSignatureIsAnnounced(t *testing.T) { synctest.Test(t, testSignatureIsAnnounced) }

func testSignatureIsAnnounced(t *testing.T) {
	_, public := testKey(t)
	owner := make(chan []byte)
	conn := openFaulty(t, askingAgent(public, owner))
	conn.announce = time.Millisecond
	asked := make(chan string, 1)
	conn.Waiting = func(key *agent.Key) { asked <- KeyName(key) }
	var told *SignError
	conn.Failed = func(err *SignError) { told = err }
	signers, err := conn.Signers()
	if err != nil || len(signers) != 1 {
		t.Fatalf("%d signers, error %v", len(signers), err)
	}
	const failure = 5 // SSH_AGENT_FAILURE
	go func() {
		if name := <-asked; name != "alice@laptop" {
			t.Errorf("announced %q", name)
		}
		owner <- message(failure)
	}()
	_, err = signers[0].Sign(nil, []byte("data"))
	var declined *SignError
	if !errors.As(err, &declined) || declined != told || declined.TimedOut {
		t.Fatalf("error %v, told %v", err, told)
	}
	if want := `signing failed for ED25519 "alice@laptop" from agent: agent refused operation`; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}

	// Left alone, the agent gives no answer.
	go func() { <-asked }()
	_, err = signers[0].Sign(nil, []byte("data"))
	if !errors.As(err, &declined) || !declined.TimedOut {
		t.Errorf("error %v, want a timeout", err)
	}
	close(owner)
}
