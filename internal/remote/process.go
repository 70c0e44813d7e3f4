package remote

import (
	"context"
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// process is a command running on the server.
type process struct {
	in      io.Writer
	closeIn func() error
	out     io.Reader
	kill    func()

	errs *excerpt
	// ended is closed when the command has ended and all it wrote to standard
	// error has been read; status is set by then.
	ended  chan struct{}
	status int // -1: not told
	// refused: the server would not run the command.
	refused bool
	// sent: some of first may have reached the command.
	sent atomic.Bool
	// flooded: standard error held more than is accepted.
	flooded atomic.Bool
}

// starter runs a command and gives it first as standard input.
type starter func(ctx context.Context, command, first string) (*process, error)

// excerpt keeps the first bytes written to it, and passes everything on.
type excerpt struct {
	mu   sync.Mutex
	text []byte
	to   io.Writer
	full bool // nothing more is kept
}

const maxExcerpt = 2048

func (e *excerpt) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if room := maxExcerpt - len(e.text); room > 0 && !e.full {
		e.text = append(e.text, p[:min(room, len(p))]...)
	}
	if e.to != nil {
		e.to.Write(p)
	}
	return len(p), nil
}

// stop keeps nothing of what comes from now on.
func (e *excerpt) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.full = true
}

func (e *excerpt) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return string(e.text)
}

// channel is an open session channel.
type channel struct {
	ssh.Channel
	requests <-chan *ssh.Request
}

// openChannel opens a session channel.
func openChannel(ctx context.Context, client *ssh.Client, o Options) (*channel, error) {
	w := o.watch(AwaitChannel)
	defer w.stop()
	given := make(chan struct{}) // closed when nobody waits any more
	defer close(given)
	return await(ctx, w, func() (*channel, error) {
		ch, requests, err := client.OpenChannel("session", nil)
		if err != nil {
			return nil, &RemoteError{Stage: StageOpen, Reason: Refused, Detail: err.Error(), Status: -1}
		}
		select {
		case <-given:
			go ssh.DiscardRequests(requests)
			ch.Close()
		default:
		}
		return &channel{ch, requests}, nil
	})
}

// start asks the server to run command on the channel, and gives it first.
//
// There is no hurrying this: sshd opens the window for a session's input only
// once the command runs (channel_set_fds in channels.c), so that nothing can
// be sent along with the request.
func (ch *channel) start(o Options, command, first string, w *watch) *process {
	p := &process{in: ch, closeIn: ch.CloseWrite, out: ch, kill: func() { ch.Close() },
		errs: &excerpt{}, ended: make(chan struct{}), status: -1}
	if o.Trace {
		p.errs.to = o.Stderr
	}
	go ch.attend(p)
	payload := binary.BigEndian.AppendUint32(nil, uint32(len(command)))
	payload = append(payload, command...)
	if ok, err := ch.SendRequest("exec", true, payload); err == nil && !ok {
		p.refused = true
		ch.Close()
		return p
	}
	w.expect(AwaitShell)
	p.sent.Store(true)
	// An error here shows in the answer as well, with its cause.
	w.send(ch, first)
	return p
}

// attend reads standard error and the channel's requests until both end.
func (ch *channel) attend(p *process) {
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		if n, _ := io.CopyN(p.errs, ch.Stderr(), maxErrors); n == maxErrors {
			p.flooded.Store(true)
			p.kill()
			io.Copy(io.Discard, ch.Stderr())
		}
	}()
	for request := range ch.requests {
		if request.Type == "exit-status" && len(request.Payload) >= 4 {
			p.status = int(binary.BigEndian.Uint32(request.Payload))
		}
		if request.WantReply {
			request.Reply(false, nil)
		}
	}
	<-drained
	close(p.ended)
}
