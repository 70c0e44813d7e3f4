package remote

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// How long things may take.
var (
	// impatience is how long the first answer may take before standard input
	// is closed. A shell that was only slow answers all the same; one that
	// waits for input which a start-up file has swallowed finds out.
	impatience = 10 * time.Second
	// patience is how long it may take until the script is heard at all, before
	// the command is given up. Every impatience until then the person is told.
	patience = 2 * time.Minute
	// farewell is how long Close waits for the rest of a trace, and how long
	// a broken-off command may take to say its exit status.
	farewell = 2 * time.Second
)

// shell is a Session with install.sh.
type shell struct {
	o      Options
	start  starter
	marker string
	p      *process // nil: to be started
	out    *bufio.Reader
	noise  excerpt
	began  bool // the answer has begun
	// heard is closed when the answer begins, tooLate when it is given up.
	heard, tooLate chan struct{}
	every, limit   time.Duration // impatience and patience
	// abandoned: a request was given up on, and its goroutine may still run.
	abandoned bool
}

// OpenShell opens a session channel for the remote script, which takes a round
// trip. The script starts with the first request, which takes two; each further
// request takes one. An error is a *RemoteError
// with StageOpen, or the context's.
func OpenShell(ctx context.Context, client *ssh.Client, o Options) (Session, error) {
	if err := checkAccount(o); err != nil {
		return nil, err
	}
	first, err := openChannel(ctx, client)
	if err != nil {
		return nil, err
	}
	s := &shell{o: o}
	s.start = func(ctx context.Context, command, text string) (*process, error) {
		ch := first
		if first = nil; ch == nil {
			if ch, err = openChannel(ctx, client); err != nil {
				return nil, err
			}
		}
		return ch.start(o, command, text), nil
	}
	return &shellChannel{s, func() {
		if first != nil {
			first.Close()
		}
	}}, nil
}

// shellChannel is a shell over SSH: it also closes a channel nobody used.
type shellChannel struct {
	*shell
	closeUnused func()
}

func (s *shellChannel) Close() error {
	s.closeUnused()
	return s.shell.Close()
}

func (s *shell) Read(ctx context.Context, blobs []string) (*State, error) {
	a, err := s.ask(ctx, readRequest(s.o, blobs))
	if err != nil {
		return nil, err
	}
	return &a.state, nil
}

func (s *shell) Add(ctx context.Context, change Change) (*Result, error) {
	a, err := s.ask(ctx, addRequest(s.o, change))
	if err != nil {
		return nil, err
	}
	return &Result{Applied: a.end == "applied", State: a.state, Repaired: a.repaired,
		Created: a.created, Notes: a.notes, Recovered: a.recovered}, nil
}

// Close ends the script's input, and with it the script.
func (s *shell) Close() error {
	if s.abandoned || s.p == nil { // in this order: what was given up on still has its p
		return nil
	}
	s.p.closeIn()
	if s.o.Trace {
		go io.Copy(io.Discard, s.out)
		s.p.wait()
	}
	s.p.kill()
	s.p = nil
	return nil
}

// wait waits for the end of the process, but not for long.
func (p *process) wait() {
	select {
	case <-p.ended:
	case <-time.After(farewell):
	}
}

// ask makes one request and reads its answer.
func (s *shell) ask(ctx context.Context, r request) (*answer, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if s.abandoned {
		return nil, &RemoteError{Stage: StageRequest, Path: r.target, Reason: Closed, Status: -1}
	}
	type outcome struct {
		a   *answer
		err error
	}
	done := make(chan outcome, 1)
	s.every, s.limit = impatience, patience
	go func() {
		a, err := s.exchange(ctx, r)
		done <- outcome{a, err}
	}()
	select {
	case o := <-done:
		if o.err == nil && o.a.fail != nil {
			o.err = o.a.fail
		}
		return o.a, o.err
	case <-ctx.Done():
		// A server that does not answer may not take a goodbye either. The
		// goroutine ends with the connection at the latest.
		s.abandoned = true
		return nil, context.Cause(ctx)
	}
}

// exchange sends a request, with the script in front if it is the first, and
// reads the answer.
func (s *shell) exchange(ctx context.Context, r request) (*answer, error) {
	s.noise, s.began = excerpt{}, false
	s.heard, s.tooLate = make(chan struct{}), make(chan struct{})
	stop := func() bool { return true }
	if s.p == nil {
		s.marker = newMarker()
		text := script(s.marker, s.o.Trace)
		command := bootstrap(s.marker, text)
		if s.o.Account != "" {
			command, text = forAccount(s.marker, s.o)
		}
		p, err := s.start(ctx, command, text+r.text(s.marker))
		if err != nil {
			return nil, err
		}
		s.p, s.out = p, bufio.NewReader(p.out)
		stop = time.AfterFunc(s.every, func() { p.closeIn() }).Stop
		over := make(chan struct{})
		defer close(over)
		go listener{s.every, s.limit, s.o.Silent, s.heard, s.tooLate}.listen(p, over)
	} else {
		// An error here shows in the answer as well, with its cause.
		io.WriteString(s.p.in, r.text(s.marker))
	}
	defer context.AfterFunc(ctx, s.p.kill)()
	a, err := s.answer()
	if err != nil {
		err = s.broken(r, err)
	}
	if !stop() || err != nil || notSwitched(a) {
		s.p.kill()
		s.p = nil // the next request starts anew
	}
	return a, err
}

// Why there is no answer.
var (
	errDamaged = errors.New("script damaged")
	errTooMuch = errors.New("too much data")
)

// answer reads an answer of install.sh.
func (s *shell) answer() (*answer, error) {
	a := &answer{}
	if err := s.each(maxAnswer, maxAnswer, a.line); err != nil {
		return nil, err
	}
	return a, nil
}

// each reads the lines of an answer until take says that it was the last, limit
// bytes in all and longest in one. Lines without the marker come from something
// else, such as a start-up file of the shell.
func (s *shell) each(limit, longest int, take func(text string) (last bool, err error)) error {
	size, noise := 0, 0
	for {
		line, err := s.line()
		if err != nil {
			return err
		}
		text, ours := strings.CutPrefix(line, s.marker+" ")
		if !ours {
			if noise += len(line) + 1; noise > maxNoise {
				return errTooMuch
			}
			s.noise.Write([]byte(line + "\n"))
			continue
		}
		if size += len(line); size > limit || len(line) > longest {
			return errTooMuch
		}
		word, value, _ := strings.Cut(text, " ")
		switch {
		case word == "begin" && !s.began:
			s.began = true
			if s.heard != nil {
				close(s.heard)
			}
		case word == "wait":
			s.waiting(value)
		case word == "writing":
			s.o.writing()
		case word == "damaged" && !s.began:
			return errDamaged
		case word == "begin", !s.began:
			return errGarbled
		default:
			if last, err := take(text); err != nil || last {
				return err
			}
		}
	}
}

// line reads a line of at most maxAnswer bytes, without its newline.
func (s *shell) line() (string, error) {
	var long []byte
	for {
		part, err := s.out.ReadSlice('\n')
		if err == nil && long == nil {
			return string(part[:len(part)-1]), nil
		}
		long = append(long, part...)
		switch {
		case err == nil:
			return string(long[:len(long)-1]), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			s.noise.Write(long)
			return "", err
		case len(long) > maxAnswer:
			return "", errTooMuch
		}
	}
}

// listener waits for the script to be heard.
type listener struct {
	every, limit time.Duration
	tell         func(so time.Duration)
	heard        <-chan struct{}
	tooLate      chan<- struct{}
}

// listen tells the person that a start-up file keeps the script waiting, and
// ends a command that is not heard for too long; over ends it.
func (l listener) listen(p *process, over <-chan struct{}) {
	for silent := time.Duration(0); silent < l.limit; silent += l.every {
		if silent > 0 && l.tell != nil {
			l.tell(silent)
		}
		select {
		case <-l.heard:
			return
		case <-over:
			return
		case <-time.After(min(l.every, l.limit-silent)):
		}
	}
	close(l.tooLate)
	p.kill()
}

func (s *shell) waiting(value string) {
	seconds, holder, _ := strings.Cut(value, " ")
	if n, err := strconv.Atoi(seconds); err == nil && s.o.Waiting != nil {
		s.o.Waiting(Wait{Seconds: n, Holder: holder})
	}
}

// broken tells why there was no answer.
func (s *shell) broken(r request, err error) error {
	e := &RemoteError{Stage: StageAnswer, Path: r.target, Status: -1, Detail: err.Error()}
	switch {
	case errors.Is(err, errDamaged):
		e.Stage, e.Reason, e.Detail = StageStart, Eaten, ""
		return e
	case errors.Is(err, errTooMuch):
		e.Reason = TooMuch
	case errors.Is(err, errGarbled), !errors.Is(err, io.EOF):
		e.Reason = Garbled
	default:
		select {
		case <-s.tooLate:
			e.Stage, e.Reason, e.Detail, e.Unsure = StageStart, Silent, s.noise.String(), r.add && len(r.lines) > 0
			return e
		default:
		}
		s.p.wait()
		select {
		case <-s.p.ended:
			e.Status = s.p.status
		default:
		}
		e.Reason, e.Detail = s.silence(e.Status)
		if e.Reason != Closed && !s.began {
			e.Stage = StageStart
		}
	}
	e.Unsure = r.add && len(r.lines) > 0 && (s.began || e.Reason == Closed)
	return e
}

// silence tells why the command ended without an answer, and what there is to
// read instead of one.
func (s *shell) silence(status int) (Reason, string) {
	said := strings.TrimSpace(s.noise.String())
	if errs := s.p.errs.String(); errs != "" && !s.o.Trace {
		said = strings.TrimSpace(errs + "\n" + said)
	}
	switch {
	case s.p.refused:
		return Refused, said
	case status >= 0:
		return NoAnswer, said
	}
	return Closed, said
}
