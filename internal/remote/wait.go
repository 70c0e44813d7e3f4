package remote

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// waitLimits bound every wait for the server once the login is done, so that a
// server that says nothing ends the run: the shell, then SFTP in its place, then
// a second look each take no longer than single.
type waitLimits struct {
	// notice is how long a wait lasts before Options.Awaiting is called, and
	// then between two calls. After it the standard input of a shell that has
	// not been heard is closed too: a shell that was only slow answers all the
	// same, and one whose start-up file has read the script notices.
	notice time.Duration
	// single is how long the server may make no progress.
	single time.Duration
	// total is how long one request may take, however busy the server is. Each
	// bytesPerSecond bytes that are sent or received add a second to it.
	total          time.Duration
	bytesPerSecond int
	// farewell is how long Close waits for the rest of a trace, and how long
	// a broken-off command may take to report its exit status.
	farewell time.Duration
}

// usualLimits let the run of a silent server end within 90 seconds, and no wait
// last more than 30.
var usualLimits = waitLimits{
	notice: 10 * time.Second, single: 25 * time.Second, total: 60 * time.Second, bytesPerSecond: 16 << 10,
	farewell: 2 * time.Second,
}

// testLimits replace usualLimits while a test is about them. Goroutines that a
// session has given up on may still read them.
var testLimits atomic.Pointer[waitLimits]

func limits() waitLimits {
	if l := testLimits.Load(); l != nil {
		return *l
	}
	return usualLimits
}

// Awaited is what a session waits for.
type Awaited string

// What a session waits for.
const (
	AwaitChannel Awaited = "channel" // a session channel
	AwaitCommand Awaited = "command" // the command to be accepted
	AwaitShell   Awaited = "shell"   // the first words of the remote script
	AwaitAnswer  Awaited = "answer"  // the rest of its answer
	AwaitSFTP    Awaited = "sftp"    // the SFTP server to start
	AwaitReply   Awaited = "reply"   // the reply to a request of SFTP
)

// stages are where an error belongs that comes of waiting in vain.
var stages = map[Awaited]Stage{
	AwaitChannel: StageOpen, AwaitCommand: StageStart, AwaitShell: StageStart, AwaitAnswer: StageAnswer,
	AwaitSFTP: StageStart, AwaitReply: StageAnswer,
}

// watch is the clock beside one request. Its methods may be called on nil.
type watch struct {
	tell   func(what Awaited, elapsed time.Duration)
	limits waitLimits
	// expired is closed when the server has been too slow.
	expired chan struct{}
	stopped chan struct{}

	mu    sync.Mutex
	what  Awaited
	since time.Time // of the last progress
	told  int       // calls of tell since then
	end   time.Time // of all
}

// watch starts a clock; stop has to be called.
func (o Options) watch(what Awaited) *watch {
	now, limits := time.Now(), limits()
	w := &watch{tell: o.Awaiting, limits: limits, what: what, since: now, end: now.Add(limits.total),
		expired: make(chan struct{}), stopped: make(chan struct{})}
	go w.run()
	return w
}

func (w *watch) run() {
	for {
		what, silent, told, left := w.look()
		if left <= 0 {
			close(w.expired)
			return
		}
		if due := time.Duration(told) * w.limits.notice; told > 0 && w.tell != nil {
			w.tell(what, due)
		}
		next := w.limits.notice - silent%w.limits.notice
		select {
		case <-w.stopped:
			return
		case <-time.After(min(next, left)):
		}
	}
}

// look reports what is awaited, for how long, how many notices that is if it
// has not been reported yet, and how long the wait may still last.
func (w *watch) look() (what Awaited, silent time.Duration, told int, left time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	silent = now.Sub(w.since)
	if n := int(silent / w.limits.notice); n > w.told {
		w.told, told = n, n
	}
	return w.what, silent, told, min(w.limits.single-silent, w.end.Sub(now))
}

// progress notes that the server did something, n bytes of which went to or
// came from it.
func (w *watch) progress(n int) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since, w.told = time.Now(), 0
	w.end = w.end.Add(time.Duration(n) * time.Second / time.Duration(w.limits.bytesPerSecond))
}

// patient notes that the server has waited by itself for a while, which may take
// it four times as long on the clock of a busy machine.
func (w *watch) patient(d time.Duration) {
	w.progress(0)
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end = w.end.Add(4 * d)
}

// expect notes that the server did what was awaited, and what comes next.
func (w *watch) expect(what Awaited) {
	if w == nil {
		return
	}
	w.mu.Lock()
	w.what = what
	w.mu.Unlock()
	w.progress(0)
}

func (w *watch) stop() { close(w.stopped) }

// late is the error of a wait that has expired.
func (w *watch) late() *RemoteError {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &RemoteError{Stage: stages[w.what], Reason: Silent, Awaited: w.what, Status: -1}
}

// send writes text in pieces, each of which is progress.
func (w *watch) send(to io.Writer, text string) error {
	const piece = 16 << 10
	for len(text) > 0 {
		n, err := io.WriteString(to, text[:min(piece, len(text))])
		if err != nil {
			return err
		}
		w.progress(n)
		text = text[n:]
	}
	return nil
}

// await runs f, which may outlast it: until f returns, ctx ends or w expires.
// f goes on in the latter cases and must not touch what the caller uses.
func await[T any](ctx context.Context, w *watch, f func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := f()
		done <- outcome{value, err}
	}()
	var none T
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	case <-w.expired:
		return none, w.late()
	}
}
