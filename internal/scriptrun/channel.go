package scriptrun

import (
	"context"
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// Process is a command running on the server.
type Process struct {
	In      io.Writer
	CloseIn func() error
	Out     io.Reader
	Kill    func()
	// Errs is the beginning of its standard error.
	Errs *Excerpt
	// Ended is closed when the command has ended and all it wrote to standard
	// error has been read; Status is set by then.
	Ended  chan struct{}
	Status int // -1: the server gave none
	// Refused: the server would not run the command.
	Refused bool

	// sent: some of first may have reached the command.
	sent atomic.Bool
	// flooded: standard error held more than is accepted.
	flooded atomic.Bool
}

// Wait waits for the end of the process, but not for long. It reports whether it
// has ended.
func (p *Process) Wait() bool {
	select {
	case <-p.Ended:
		return true
	case <-time.After(CurrentLimits().Close):
		return false
	}
}

// ExitStatus returns the status of a process that has ended; -1 for another one,
// or where the server gave none.
func (p *Process) ExitStatus() int {
	select {
	case <-p.Ended:
		return p.Status
	default:
		return -1
	}
}

// Starter runs a command and gives it first as standard input.
type Starter func(ctx context.Context, command, first string, clock *Clock) (*Process, error)

// Excerpt keeps the first bytes written to it, and passes everything on.
type Excerpt struct {
	To io.Writer // may be nil

	mu   sync.Mutex
	text []byte
	full bool // nothing more is kept
}

// MaxExcerpt is how many bytes an Excerpt keeps.
const MaxExcerpt = 2048

func (e *Excerpt) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if room := MaxExcerpt - len(e.text); room > 0 && !e.full {
		e.text = append(e.text, p[:min(room, len(p))]...)
	}
	if e.To != nil {
		e.To.Write(p)
	}
	return len(p), nil
}

// Stop keeps nothing of what comes from now on.
func (e *Excerpt) Stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.full = true
}

// String returns what was kept.
func (e *Excerpt) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return string(e.text)
}

// Channel is an open session channel.
type Channel struct {
	ssh.Channel
	Requests <-chan *ssh.Request
}

// OpenChannel opens a session channel.
func OpenChannel(ctx context.Context, client *ssh.Client, o Options) (*Channel, error) {
	clock := o.Clock(AwaitChannel)
	defer clock.Stop()
	given := make(chan struct{}) // closed when nobody waits any more
	defer close(given)
	return Await(ctx, clock, func() (*Channel, error) {
		ch, requests, err := client.OpenChannel("session", nil)
		if err != nil {
			return nil, &Error{Stage: StageOpen, Reason: Refused, Detail: err.Error(), Status: -1}
		}
		select {
		case <-given:
			go ssh.DiscardRequests(requests)
			ch.Close()
		default:
		}
		return &Channel{ch, requests}, nil
	})
}

// Start asks the server to run command on the channel, and gives it first.
//
// There is no hurrying this: sshd opens the window for a session's input only
// once the command runs (channel_set_fds in channels.c), so that nothing can
// be sent along with the request.
func (ch *Channel) Start(o Options, command, first string, clock *Clock) *Process {
	var trace io.Writer
	if o.Trace {
		trace = o.Stderr
	}
	p := ch.Attend(trace)
	payload := binary.BigEndian.AppendUint32(nil, uint32(len(command)))
	payload = append(payload, command...)
	if ok, err := ch.SendRequest("exec", true, payload); err == nil && !ok {
		p.Refused = true
		ch.Close()
		return p
	}
	clock.Expect(AwaitShell)
	p.sent.Store(true)
	// An error here shows in the answer as well, with its cause.
	clock.send(ch, first)
	return p
}

// Attend returns the process of a channel on which nothing was asked for yet. Its
// standard error is copied to trace, which may be nil.
func (ch *Channel) Attend(trace io.Writer) *Process {
	p := &Process{In: ch, CloseIn: ch.CloseWrite, Out: ch, Kill: func() { ch.Close() },
		Errs: &Excerpt{To: trace}, Ended: make(chan struct{}), Status: -1}
	go ch.attend(p)
	return p
}

// attend reads standard error and the channel's requests until both end.
func (ch *Channel) attend(p *Process) {
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		if n, _ := io.CopyN(p.Errs, ch.Stderr(), MaxErrors); n == MaxErrors {
			p.flooded.Store(true)
			p.Kill()
			io.Copy(io.Discard, ch.Stderr())
		}
	}()
	for request := range ch.Requests {
		if request.Type == "exit-status" && len(request.Payload) >= 4 {
			p.Status = int(binary.BigEndian.Uint32(request.Payload))
		}
		if request.WantReply {
			request.Reply(false, nil)
		}
	}
	<-drained
	close(p.Ended)
}
