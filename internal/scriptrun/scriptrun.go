// Package scriptrun runs a POSIX shell script on a server, over an SSH connection
// that is logged in already, whatever the account's login shell is and whatever
// its start-up files print, and reads the answers of the script.
//
// The script is sent to the server's sh over standard input, after one command
// line that every login shell takes for the same ([Bootstrap]). It runs whole or
// not at all. Each line that it prints begins with a random marker, so that
// nothing else is taken for its answer. Nothing the caller passes is ever part
// of a command.
//
// The server is not trusted: what it sends is bounded in size, and so is the
// time it may take ([Limits]); what it says is returned as it came, not escaped.
package scriptrun

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// Limits of what is accepted from a server, in bytes.
const (
	// MaxLine bounds a line.
	MaxLine = 8 << 20
	// MaxNoise bounds what else than the answer comes on standard output.
	MaxNoise = 4 << 20
	// MaxErrors bounds standard error; a trace goes there as well.
	MaxErrors = 16 << 20
)

// maxWaits is how often a script may report that it waits, in one request. It
// does so every second.
const maxWaits = 400

// Options says how a script is run.
type Options struct {
	// Account is another account to run the script as, for a login as root;
	// empty means the login's own. See the reasons NotRoot, NoAccount, IsRoot
	// and CannotSwitch.
	Account string
	// Trace runs the script with set -x and copies the server's standard error
	// to Stderr.
	Trace  bool
	Stderr io.Writer
	// Awaiting is called every ten seconds in which the server does not do what
	// it is asked for. nil: nothing is reported.
	Awaiting func(what Awaited, elapsed time.Duration)
}

// Request is one request to a script, and what reads its answer.
type Request struct {
	// Text returns the request as the script reads it. It begins with an empty
	// line, which the loader may have read.
	Text func(marker string) string
	// Line takes in one line of the answer, without the marker, and reports
	// whether it was the last.
	Line func(text string) (last bool, err error)
	// Wait takes in a line that says that the script waits for something. It
	// returns how much longer it has waited than at the last such line, and
	// false where the line says nothing new. nil: it never waits.
	Wait func(value string) (longer time.Duration, ok bool)
	// Over reports after the last line whether the script has ended; nil: it
	// reads the next request.
	Over func() bool
	// Limit and Longest bound the answer and a line of it, in bytes.
	Limit, Longest int
}

// Script is a script on a server, which answers one request after another. It is
// for one goroutine.
type Script struct {
	o       Options
	program string // as Strip returns it
	start   Starter
	marker  string
	p       *Process // nil: to be started
	out     *bufio.Reader
	noise   Excerpt
	began   bool   // the answer has begun
	clock   *Clock // of the request in hand
	// ended: the input was closed because nothing had been heard.
	ended atomic.Bool
	// running is the process of the request in hand, for whoever gives it up.
	running atomic.Pointer[Process]
	// abandoned: a request was given up on, and its goroutine may still run.
	abandoned bool
	// hangUp closes the channel, whatever it is used for.
	hangUp func()
}

// New makes a script of a program that was stripped. It starts with the first
// request.
func New(program string, o Options, start Starter) *Script {
	return &Script{o: o, program: program, start: start, hangUp: func() {}}
}

// Open opens a session channel for a script, which takes a round trip. The
// script starts with the first request, which takes two; each further request
// takes one. An error is an *Error, or the context's.
func Open(ctx context.Context, client *ssh.Client, program string, o Options) (*Script, error) {
	if err := checkAccount(o.Account); err != nil {
		return nil, err
	}
	first, err := OpenChannel(ctx, client, o)
	if err != nil {
		return nil, err
	}
	var current atomic.Pointer[Channel] // hangUp may come while a request that was given up runs
	current.Store(first)
	used := false
	s := New(program, o, func(ctx context.Context, command, text string, clock *Clock) (*Process, error) {
		if used {
			ch, err := OpenChannel(ctx, client, o)
			if err != nil {
				return nil, err
			}
			current.Store(ch)
			clock.Progress(0)
		}
		used = true
		return current.Load().Start(o, command, text, clock), nil
	})
	// Not waited for: the connection may take nothing more.
	s.hangUp = func() { go current.Load().Close() }
	return s, nil
}

// Close ends the script's input, and with it the script.
func (s *Script) Close() {
	if s.abandoned { // first: what was given up on still has its p
		return
	}
	if s.p == nil {
		s.hangUp()
		return
	}
	p := s.p
	s.p = nil
	if s.o.Trace {
		go io.Copy(io.Discard, s.out)
	}
	said := make(chan struct{})
	go func() {
		defer close(said)
		p.CloseIn()
		if s.o.Trace {
			p.Wait()
		}
		p.Kill()
	}()
	select {
	case <-said:
	case <-time.After(2 * CurrentLimits().Close): // the connection takes nothing more
	}
}

// Ask makes one request and reads its answer. An error is an *Error, or the
// context's.
func (s *Script) Ask(ctx context.Context, r Request) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if s.abandoned {
		return &Error{Stage: StageRequest, Reason: Closed, Status: -1}
	}
	clock := s.o.Clock(AwaitAnswer)
	if s.p == nil {
		clock.Expect(AwaitCommand)
	}
	defer clock.Stop()
	s.clock = clock
	s.running.Store(s.p)
	_, err := Await(ctx, clock, func() (struct{}, error) { return struct{}{}, s.exchange(ctx, r) })
	var late *Error
	expired := errors.As(err, &late) && late.Reason == Silent
	if !expired && ctx.Err() == nil {
		return err
	}
	// A server that does not answer may not take a goodbye either. The
	// goroutine ends with the connection at the latest.
	s.abandoned = true
	p := s.running.Load()
	if p != nil {
		go p.Kill()
	} else {
		s.hangUp()
	}
	if expired {
		late.Sent = p != nil && p.sent.Load()
		return late
	}
	return context.Cause(ctx)
}

// exchange sends a request, with the script in front if it is the first, and
// reads the answer.
func (s *Script) exchange(ctx context.Context, r Request) error {
	s.noise, s.began = Excerpt{}, false
	s.ended.Store(false)
	stop := func() bool { return true }
	if s.p == nil {
		s.marker = NewMarker()
		text := Framed(s.marker, s.program, s.o.Trace)
		command := Bootstrap(s.marker, text)
		if s.o.Account != "" {
			command, text = forAccount(s.marker, s.program, s.o)
		}
		p, err := s.start(ctx, command, text+r.Text(s.marker), s.clock)
		if err != nil {
			return err
		}
		s.running.Store(p)
		s.p, s.out = p, bufio.NewReader(p.Out)
		stop = time.AfterFunc(CurrentLimits().Notice, func() {
			s.ended.Store(true)
			p.CloseIn()
		}).Stop
	} else {
		// An error here shows in the answer as well, with its cause.
		s.clock.send(s.p.In, r.Text(s.marker))
	}
	defer context.AfterFunc(ctx, s.p.Kill)()
	err := s.answer(r)
	if err != nil {
		err = s.broken(err)
	}
	over := err == nil && r.Over != nil && r.Over()
	if !stop() || err != nil || over {
		s.p.Kill()
		s.p = nil // the next request starts anew
	}
	return err
}
