package agentconn

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// faultyAgent reads one request and answers with raw bytes; then it waits for
// the other side to close.
func faultyAgent(answer []byte) func(net.Conn) {
	return func(conn net.Conn) {
		var header [4]byte
		if _, err := io.ReadFull(conn, header[:]); err != nil {
			return
		}
		_, _ = io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(header[:])))
		_, _ = conn.Write(answer)
		_, _ = io.Copy(io.Discard, conn)
	}
}

func message(body ...byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func openFaulty(t *testing.T, serve func(net.Conn)) *Conn {
	t.Helper()
	served := make(chan struct{})
	w := &fakeWindows{pipes: map[string]func(net.Conn){openSSHPipe: func(c net.Conn) {
		defer close(served)
		serve(c)
	}}}
	o := windowsOpener(w, environment())
	o.quick, o.sign = 100*time.Millisecond, 400*time.Millisecond
	conn, err := o.open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		<-served
	})
	return conn
}

// The tests of limits run on the clock of package synctest: they wait for
// nothing, and a busy machine is no different.

func TestFaultyAgent(t *testing.T) {
	for _, tt := range []struct {
		name  string
		serve func(net.Conn)
		want  string // in the error
	}{
		{"says nothing", faultyAgent(nil), "no answer within 100ms"},
		{"half a header", faultyAgent([]byte{0, 0}), "no answer within"},
		{"half a body", faultyAgent([]byte{0, 0, 0, 9, 12}), "no answer within"},
		{"huge length", faultyAgent([]byte{0xff, 0xff, 0xff, 0xff}), "4294967295 bytes"},
		{"one byte too many", faultyAgent([]byte{0, 4, 0, 1}), "262145 bytes"},
		{"empty message", faultyAgent(message()), "0 bytes"},
		{"text", faultyAgent([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")), "bytes, allowed"},
		{"too many keys", faultyAgent(message(12, 0xff, 0xff, 0xff, 0xff)), "4294967295 keys"},
		{"fewer keys than announced", faultyAgent(message(12, 0, 0, 0, 9)), ""},
		{"cut key list", faultyAgent(message(12, 0, 0)), ""},
		{"key longer than the message", faultyAgent(message(12, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff)), ""},
		{"failure", faultyAgent(message(5)), "failed to list keys"},
		{"success", faultyAgent(message(6)), "unexpected"},
		{"unknown message", faultyAgent(message(99)), "99"},
		{"closes at once", func(net.Conn) {}, "closed"},
		{"closes after the request", func(c net.Conn) { _, _ = c.Read(make([]byte, 64)) }, "closed the connection without an answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				keys, err := openFaulty(t, tt.serve).List()
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("keys %v, error %v; want one that holds %q", keys, err, tt.want)
				}
			})
		})
	}
}

// TestDripIsBounded: the limit is for the whole answer, not for each byte.
func TestDripIsBounded(t *testing.T) { synctest.Test(t, testDripIsBounded) }

func testDripIsBounded(t *testing.T) {
	conn := openFaulty(t, func(c net.Conn) {
		go func() { _, _ = io.Copy(io.Discard, c) }()
		_, _ = c.Write([]byte{0, 1, 0, 0, 12})
		for {
			time.Sleep(20 * time.Millisecond)
			if _, err := c.Write([]byte{0}); err != nil {
				return
			}
		}
	})
	if _, err := conn.List(); err == nil || !strings.Contains(err.Error(), "no answer within") {
		t.Errorf("error %v, want the time limit", err)
	}
}

// TestLateAnswerIsNotTakenForTheNext: after a breach of the limit the
// connection is of no use any more.
func TestLateAnswerIsNotTakenForTheNext(t *testing.T) { synctest.Test(t, testLateAnswer) }

func testLateAnswer(t *testing.T) {
	conn := openFaulty(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 64))
		time.Sleep(150 * time.Millisecond)
		_, _ = c.Write(message(12, 0, 0, 0, 0))
	})
	if _, err := conn.List(); err == nil {
		t.Fatal("no error although the answer was late")
	}
	time.Sleep(150 * time.Millisecond)
	if keys, err := conn.List(); err == nil {
		t.Errorf("second request got %v, the answer to the first", keys)
	}
}

// TestSigningMayTakeLonger: between the two limits a list fails and a
// signature does not.
func TestSigningMayTakeLonger(t *testing.T) { synctest.Test(t, testSigningMayTakeLonger) }

func testSigningMayTakeLonger(t *testing.T) {
	ring, key := keyring(t)
	slow := func(c net.Conn) {
		ours, theirs := net.Pipe()
		go func() { _ = agent.ServeAgent(ring, theirs) }()
		go func() {
			_, _ = io.Copy(ours, c)
			ours.Close()
		}()
		buffer := make([]byte, 4096)
		for {
			n, err := ours.Read(buffer)
			if err != nil {
				return
			}
			time.Sleep(150 * time.Millisecond)
			if _, err := c.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
	if _, err := openFaulty(t, slow).Sign(key, []byte("x")); err != nil {
		t.Errorf("signature within its limit: %v", err)
	}
	if _, err := openFaulty(t, slow).List(); err == nil {
		t.Error("list beyond its limit gave no error")
	}
}

// TestManyKeys: a full list within the limits gets through.
func TestManyKeys(t *testing.T) { synctest.Test(t, testManyKeys) }

func testManyKeys(t *testing.T) {
	blob := make([]byte, 0, 51)
	_, key := keyring(t)
	blob = append(blob, key.Marshal()...)
	body := binary.BigEndian.AppendUint32([]byte{12}, 2048)
	for range 2048 {
		body = append(binary.BigEndian.AppendUint32(body, uint32(len(blob))), blob...)
		body = append(binary.BigEndian.AppendUint32(body, 1), 'c')
	}
	keys, err := openFaulty(t, faultyAgent(message(body...))).List()
	if err != nil || len(keys) != 2048 {
		t.Errorf("%d keys, error %v", len(keys), err)
	}
}

// stuckAgent never answers, as a window that is not read from.
type stuckAgent struct {
	agent.ExtendedAgent
	release chan struct{}
}

func (s stuckAgent) List() ([]*agent.Key, error) { <-s.release; return nil, nil }
func (s stuckAgent) SignWithFlags(ssh.PublicKey, []byte, agent.SignatureFlags) (*ssh.Signature, error) {
	<-s.release
	return &ssh.Signature{}, nil
}

func TestTimedAgent(t *testing.T) { synctest.Test(t, testTimedAgent) }

func testTimedAgent(t *testing.T) {
	stuck := stuckAgent{release: make(chan struct{})}
	a := newTimed(stuck, 50*time.Millisecond, 2*time.Second)
	for range 2 {
		if _, err := a.List(); err == nil || !strings.Contains(err.Error(), "no answer within 50ms") {
			t.Errorf("error %v, want the time limit", err)
		}
	}
	close(stuck.release)
	if _, err := a.Sign(nil, nil); err != nil {
		t.Errorf("after the agent woke up: %v", err)
	}
}
