package sshclient

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"sync"
	"time"
)

// Bounds on what a peer may send before its identification line; those of
// OpenSSH's kex_exchange_identification (SSH_MAX_PRE_BANNER_LINES, 8 KiB a
// line) are a little wider than what any server needs.
const (
	maxPreambleBytes = 64 << 10
	maxSaid          = 256
)

var (
	errTimedOut = errors.New("timed out")
	errNotSSH   = errors.New("no SSH identification line")
)

// wire is a net.Conn that watches over a handshake: it notes the peer's
// identification line, gives up on a peer that sends something else, and
// closes the connection when an answer takes too long. It uses a timer instead
// of deadlines, which the channel of a jump host does not have.
type wire struct {
	net.Conn

	mu       sync.Mutex
	timer    *time.Timer
	limit    time.Duration
	timedOut bool
	preamble []byte // what came before the end of the identification line
	version  string
	proposal []byte   // what came of the first packet
	kex      []string // the peer's key exchange methods; nil until its proposal is there
	proposed bool     // the first packet is there
	bytes    int64    // received so far
	readErr  error    // the end of what the peer sends
}

func newWire(c net.Conn, limit time.Duration) *wire {
	w := &wire{Conn: c, limit: limit}
	w.timer = time.AfterFunc(limit, w.expire)
	return w
}

// expire ends the connection because the peer is too slow.
func (w *wire) expire() {
	w.mu.Lock()
	w.timedOut = true
	w.mu.Unlock()
	w.Conn.Close()
}

// cancel ends the connection because the caller gave up.
func (w *wire) cancel() { w.Conn.Close() }

// extend grants the peer d from now on for its next answer.
func (w *wire) extend(d time.Duration) { w.timer.Reset(d) }

// stopTimer stops the clock: somebody is being asked, or the login is done.
func (w *wire) stopTimer() { w.timer.Stop() }

// Close stops the clock and ends the connection.
func (w *wire) Close() error {
	w.timer.Stop()
	return w.Conn.Close()
}

// Read passes data on; until the identification line has been seen it also
// keeps it, and refuses a peer whose first bytes lead nowhere.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bytes += int64(n)
	if w.readErr == nil {
		w.readErr = err
	}
	if w.timedOut {
		return n, errTimedOut
	}
	if w.version != "" {
		w.takeProposal(p[:n])
		return n, err
	}
	w.preamble = append(w.preamble, p[:n]...)
	if line, rest, ok := identification(w.preamble); ok {
		w.version = line
		w.takeProposal(rest)
	} else if len(w.preamble) > maxPreambleBytes {
		return 0, errNotSSH
	}
	return n, err
}

// takeProposal collects the first packet.
func (w *wire) takeProposal(b []byte) {
	if w.proposed {
		return
	}
	w.proposal = append(w.proposal, b...)
	if w.kex, w.proposed = proposedKex(w.proposal); w.proposed {
		w.proposal = nil
	}
}

// keyExchanges returns the key exchange methods that the peer proposed.
func (w *wire) keyExchanges() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kex
}

// identification finds the first complete line that begins with "SSH-", and what
// came after it.
func identification(preamble []byte) (line string, after []byte, found bool) {
	for rest := preamble; ; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			return "", nil, false
		}
		if bytes.HasPrefix(rest, []byte("SSH-")) {
			return string(bytes.TrimRight(rest[:end], "\r")), rest[end+1:], true
		}
		rest = rest[end+1:]
	}
}

// broken returns why nothing more will come from the peer; nil while it may.
func (w *wire) broken() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timedOut {
		return errTimedOut
	}
	return w.readErr
}

// received counts the bytes that came from the peer.
func (w *wire) received() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes
}

func (w *wire) serverVersion() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.version
}

// failure describes a handshake that failed before the authentication.
func (w *wire) failure(host string, port int, err error) *HandshakeError {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := &HandshakeError{Host: host, Port: port, Stage: StageKex, TimedOut: w.timedOut, Err: err}
	if w.version == "" {
		e.Stage = StageBanner
		e.Said = firstLine(w.preamble)
	}
	// The ssh package has no other way to tell.
	e.LargeExponent = err != nil && strings.Contains(err.Error(), "exponent too large")
	return e
}

func firstLine(b []byte) string {
	b = bytes.TrimLeft(b, "\r\n")
	if end := bytes.IndexAny(b, "\r\n"); end >= 0 {
		b = b[:end]
	}
	return string(b[:min(len(b), maxSaid)])
}
