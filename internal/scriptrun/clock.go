package scriptrun

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Limits bound every wait for the server once the login is done, so that a
// server that says nothing ends the run: the shell, then SFTP in its place, then
// a second look each take no longer than Single.
type Limits struct {
	// Notice is how long a wait lasts before Options.Awaiting is called, and
	// then between two calls. After it the standard input of a shell that has
	// not been heard is closed too: a shell that was only slow answers all the
	// same, and one whose start-up file has read the script notices.
	Notice time.Duration
	// Single is how long the server may make no progress.
	Single time.Duration
	// Total is how long one request may take, however busy the server is. Each
	// BytesPerSecond bytes that are sent or received add a second to it.
	Total          time.Duration
	BytesPerSecond int
	// Close is how long the end of a session may take: the rest of a trace, and
	// the exit status of a command that was broken off.
	Close time.Duration
}

// UsualLimits let the run of a silent server end within 90 seconds, and no wait
// last more than 30.
var UsualLimits = Limits{
	Notice: 10 * time.Second, Single: 25 * time.Second, Total: 60 * time.Second, BytesPerSecond: 16 << 10,
	Close: 2 * time.Second,
}

// TestLimits replace UsualLimits while a test is about them; nil otherwise.
// Goroutines that a session has given up on may still read them.
var TestLimits atomic.Pointer[Limits]

// CurrentLimits returns the limits that hold.
func CurrentLimits() Limits {
	if l := TestLimits.Load(); l != nil {
		return *l
	}
	return UsualLimits
}

// Awaited is what a server is waited for.
type Awaited string

// What a server is waited for.
const (
	AwaitChannel Awaited = "channel" // a session channel
	AwaitCommand Awaited = "command" // the command to be accepted
	AwaitShell   Awaited = "shell"   // the first words of the remote script
	AwaitAnswer  Awaited = "answer"  // the rest of its answer
	AwaitSFTP    Awaited = "sftp"    // the SFTP server to start
	AwaitReply   Awaited = "reply"   // the reply to a request of SFTP
)

// stages are where an error belongs that a wait without an end gives.
var stages = map[Awaited]Stage{
	AwaitChannel: StageOpen, AwaitCommand: StageStart, AwaitShell: StageStart, AwaitAnswer: StageAnswer,
	AwaitSFTP: StageStart, AwaitReply: StageAnswer,
}

// Clock times one request. Its methods may be called on nil.
type Clock struct {
	notify func(what Awaited, elapsed time.Duration)
	limits Limits
	// expired is closed when the server has been too slow.
	expired chan struct{}
	stopped chan struct{}

	mu       sync.Mutex
	what     Awaited
	since    time.Time // of the last progress
	notified int       // calls of notify since then
	end      time.Time // of all
}

// Clock starts a clock; Stop has to be called.
func (o Options) Clock(what Awaited) *Clock {
	now, limits := time.Now(), CurrentLimits()
	c := &Clock{notify: o.Awaiting, limits: limits, what: what, since: now, end: now.Add(limits.Total),
		expired: make(chan struct{}), stopped: make(chan struct{})}
	go c.run()
	return c
}

func (c *Clock) run() {
	for {
		what, silent, due, left := c.look()
		if left <= 0 {
			close(c.expired)
			return
		}
		if elapsed := time.Duration(due) * c.limits.Notice; due > 0 && c.notify != nil {
			c.notify(what, elapsed)
		}
		next := c.limits.Notice - silent%c.limits.Notice
		select {
		case <-c.stopped:
			return
		case <-time.After(min(next, left)):
		}
	}
}

// look reports what is awaited, for how long, how many notices that is if it
// has not been reported yet, and how long the wait may still last.
func (c *Clock) look() (what Awaited, silent time.Duration, due int, left time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	silent = now.Sub(c.since)
	if n := int(silent / c.limits.Notice); n > c.notified {
		c.notified, due = n, n
	}
	return c.what, silent, due, min(c.limits.Single-silent, c.end.Sub(now))
}

// Progress notes that the server did something, n bytes of which went to or
// came from it.
func (c *Clock) Progress(n int) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since, c.notified = time.Now(), 0
	c.end = c.end.Add(time.Duration(n) * time.Second / time.Duration(c.limits.BytesPerSecond))
}

// Extend notes that time has been spent on purpose, as in waiting for a lock. It
// may take four times as long on the clock of a busy machine.
func (c *Clock) Extend(d time.Duration) {
	if c == nil {
		return
	}
	c.Progress(0)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end = c.end.Add(4 * d)
}

// Expect notes that the server did what was awaited, and what comes next.
func (c *Clock) Expect(what Awaited) {
	if c == nil {
		return
	}
	c.mu.Lock()
	c.what = what
	c.mu.Unlock()
	c.Progress(0)
}

// Stop ends the clock.
func (c *Clock) Stop() { close(c.stopped) }

// late is the error of a wait that has expired.
func (c *Clock) late() *Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &Error{Stage: stages[c.what], Reason: Silent, Awaited: c.what, Status: -1}
}

// send writes text in pieces, each of which is progress.
func (c *Clock) send(to io.Writer, text string) error {
	const piece = 16 << 10
	for len(text) > 0 {
		n, err := io.WriteString(to, text[:min(piece, len(text))])
		if err != nil {
			return err
		}
		c.Progress(n)
		text = text[n:]
	}
	return nil
}

// Await runs f, which may outlast it: until f returns, ctx ends or c expires,
// which gives an *Error. f goes on in the latter cases and must not touch what
// the caller uses.
func Await[T any](ctx context.Context, c *Clock, f func() (T, error)) (T, error) {
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
	case <-c.expired:
		return none, c.late()
	}
}
