package agentconn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

const (
	// quickWait is how long a connection or an answer that needs no person
	// may take.
	quickWait = 10 * time.Second
	// signWait is how long a signature may take: the agent may ask for a
	// passphrase, a confirmation or a touch. It is less than sshd's
	// LoginGraceTime (two minutes), so that there is time for another way to log
	// in, and the server is not blamed for hanging up.
	signWait = 90 * time.Second
	// maxReply and maxKeys are MAX_AGENT_REPLY_LEN and MAX_AGENT_IDENTITIES of
	// OpenSSH's authfd.c. maxReply is in bytes.
	maxReply = 256 << 10
	maxKeys  = 2048
)

// Message numbers of the agent protocol (draft-miller-ssh-agent, section 5.1).
const (
	identitiesAnswer = 12
	signRequest      = 13
)

// exchange carries agent requests over conn. It has no Close on purpose:
// agent.NewClient then sends one request at a time, so that each has its own
// deadline. Every Write is one request and reads the whole answer; Read hands
// that answer out.
type exchange struct {
	conn        net.Conn
	quick, sign time.Duration
	reply       []byte

	mu     sync.Mutex
	broken error
}

// why returns why no request can be made any more.
func (e *exchange) why() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.broken
}

func (e *exchange) breakOff(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.broken = err
}

func (e *exchange) Write(request []byte) (int, error) {
	if err := e.why(); err != nil {
		return 0, err
	}
	wait := e.quick
	if len(request) > 4 && request[4] == signRequest {
		wait = e.sign
	}
	reply, err := e.call(request, wait)
	if err != nil {
		// A late answer would be taken for that of the next request.
		e.conn.Close()
		e.breakOff(err)
		e.reply = nil
		return 0, err
	}
	e.reply = reply
	return len(request), nil
}

func (e *exchange) Read(p []byte) (int, error) {
	if len(e.reply) == 0 {
		return 0, io.EOF
	}
	n := copy(p, e.reply)
	e.reply = e.reply[n:]
	return n, nil
}

// call sends request, which begins with its length, and returns the answer in
// the same form.
func (e *exchange) call(request []byte, wait time.Duration) ([]byte, error) {
	if err := e.conn.SetDeadline(time.Now().Add(wait)); err != nil {
		return nil, err
	}
	if _, err := e.conn.Write(request); err != nil {
		return nil, explain(err, wait)
	}
	var header [4]byte
	if _, err := io.ReadFull(e.conn, header[:]); err != nil {
		return nil, explain(err, wait)
	}
	size := binary.BigEndian.Uint32(header[:])
	if size == 0 || size > maxReply {
		return nil, fmt.Errorf("the agent announced an answer of %d bytes, allowed are 1 to %d", size, maxReply)
	}
	reply := make([]byte, 4+size)
	copy(reply, header[:])
	if _, err := io.ReadFull(e.conn, reply[4:]); err != nil {
		return nil, explain(err, wait)
	}
	if body := reply[4:]; body[0] == identitiesAnswer && len(body) >= 5 {
		if n := binary.BigEndian.Uint32(body[1:]); n > maxKeys {
			return nil, fmt.Errorf("the agent announced %d keys, allowed are %d", n, maxKeys)
		}
	}
	return reply, nil
}

func explain(err error, wait time.Duration) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return noAnswer(wait)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the agent closed the connection without an answer")
	}
	return err
}

func noAnswer(wait time.Duration) error { return &timeoutError{wait} }

// timed limits the time of listing, adding and signing by an agent that has no
// connection to set a deadline on: a window message waits as long as its
// receiver likes. After a breach the call stays behind in its goroutine, and
// the next one is made when that has ended.
type timed struct {
	agent.ExtendedAgent
	quick, sign time.Duration
	busy        chan struct{} // holds one token while a call runs
}

func newTimed(a agent.ExtendedAgent, quick, sign time.Duration) *timed {
	return &timed{a, quick, sign, make(chan struct{}, 1)}
}

func within[T any](t *timed, wait time.Duration, call func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	limit := time.NewTimer(wait)
	defer limit.Stop()
	select {
	case t.busy <- struct{}{}:
	case <-limit.C:
		return none, noAnswer(wait)
	}
	done := make(chan result, 1)
	go func() {
		value, err := call()
		<-t.busy
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-limit.C:
		return none, noAnswer(wait)
	}
}

func (t *timed) List() ([]*agent.Key, error) {
	return within(t, t.quick, t.ExtendedAgent.List)
}

func (t *timed) Signers() ([]ssh.Signer, error) {
	return within(t, t.quick, t.ExtendedAgent.Signers)
}

func (t *timed) Sign(key ssh.PublicKey, data []byte) (*ssh.Signature, error) {
	return t.SignWithFlags(key, data, 0)
}

func (t *timed) SignWithFlags(key ssh.PublicKey, data []byte, flags agent.SignatureFlags) (*ssh.Signature, error) {
	return within(t, t.sign, func() (*ssh.Signature, error) {
		return t.ExtendedAgent.SignWithFlags(key, data, flags)
	})
}

func (t *timed) Add(key agent.AddedKey) error {
	_, err := within(t, t.quick, func() (struct{}, error) {
		return struct{}{}, t.ExtendedAgent.Add(key)
	})
	return err
}
