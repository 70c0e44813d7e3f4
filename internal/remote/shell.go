package remote

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// shell is a Session with install.sh.
type shell struct {
	o      Options
	start  starter
	marker string
	p      *process // nil: to be started
	out    *bufio.Reader
	noise  excerpt
	began  bool   // the answer has begun
	waits  int    // how often the script reported that it waits for the lock
	waited int    // for how many seconds it had waited then; -1 before the first time
	told   int    // for how many seconds Options.Waiting was told it had, at least
	watch  *watch // of the request in hand
	// ended: the input was closed because nothing had been heard.
	ended atomic.Bool
	// running is the process of the request in hand, for whoever gives it up.
	running atomic.Pointer[process]
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
	first, err := openChannel(ctx, client, o)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex // Close may come while a request that was given up runs
	take := func() *channel {
		mu.Lock()
		defer mu.Unlock()
		ch := first
		first = nil
		return ch
	}
	s := &shell{o: o}
	s.start = func(ctx context.Context, command, text string) (*process, error) {
		ch := take()
		if ch == nil {
			var err error
			if ch, err = openChannel(ctx, client, o); err != nil {
				return nil, err
			}
			s.watch.progress(0)
		}
		return ch.start(o, command, text, s.watch), nil
	}
	return &shellChannel{s, func() {
		if ch := take(); ch != nil {
			go ch.Close() // not waited for: the connection may take nothing more
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
	p := s.p
	s.p = nil
	if s.o.Trace {
		go io.Copy(io.Discard, s.out)
	}
	said := make(chan struct{})
	go func() {
		defer close(said)
		p.closeIn()
		if s.o.Trace {
			p.wait()
		}
		p.kill()
	}()
	select {
	case <-said:
	case <-time.After(2 * limits().farewell): // the connection takes nothing more
	}
	return nil
}

// wait waits for the end of the process, but not for long. It reports whether it
// has ended.
func (p *process) wait() bool {
	select {
	case <-p.ended:
		return true
	case <-time.After(limits().farewell):
		return false
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
	w := s.o.watch(AwaitAnswer)
	if s.p == nil {
		w.expect(AwaitCommand)
	}
	defer w.stop()
	s.watch = w
	s.running.Store(s.p)
	a, err := await(ctx, w, func() (*answer, error) { return s.exchange(ctx, r) })
	if err == nil && a.fail != nil {
		err = a.fail
	}
	var late *RemoteError
	expired := errors.As(err, &late) && late.Reason == Silent
	if !expired && ctx.Err() == nil {
		return a, err
	}
	// A server that does not answer may not take a goodbye either. The
	// goroutine ends with the connection at the latest.
	s.abandoned = true
	p := s.running.Load()
	if p != nil {
		go p.kill()
	}
	if expired {
		late.Path, late.Unsure = r.target, r.writes() && p != nil && p.sent.Load()
		return nil, late
	}
	return nil, context.Cause(ctx)
}

// exchange sends a request, with the script in front if it is the first, and
// reads the answer.
func (s *shell) exchange(ctx context.Context, r request) (*answer, error) {
	s.noise, s.began, s.waits, s.waited, s.told = excerpt{}, false, 0, -1, 0
	s.ended.Store(false)
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
		s.running.Store(p)
		s.p, s.out = p, bufio.NewReader(p.out)
		stop = time.AfterFunc(limits().notice, func() {
			s.ended.Store(true)
			p.closeIn()
		}).Stop
	} else {
		// An error here shows in the answer as well, with its cause.
		s.watch.send(s.p.in, r.text(s.marker))
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
		word, value, _ := strings.Cut(text, " ")
		if word != "wait" {
			s.watch.progress(len(line))
		}
		if size += len(line); size > limit || len(line) > longest {
			return errTooMuch
		}
		switch {
		case word == "begin" && !s.began:
			s.began = true
			s.watch.expect(AwaitAnswer)
		case word == "wait":
			if s.waits++; s.waits > maxWaits {
				return errTooMuch
			}
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

// waiting takes in that the script waits for the lock. As long as it has been
// patient for longer than before, that is progress, and does not count as the
// time of the request: a second of its patience may be several on a busy machine.
func (s *shell) waiting(value string) {
	seconds, holder, _ := strings.Cut(value, " ")
	n, err := strconv.Atoi(seconds)
	if err != nil || n <= s.waited || n > int(lockPatience.Seconds()) {
		return
	}
	s.watch.patient(time.Duration(n-max(s.waited, 0)) * time.Second)
	s.waited = n
	if n >= max(s.told, int(lockFirst.Seconds())) && s.o.Waiting != nil {
		s.told = n + int(lockAgain.Seconds())
		s.o.Waiting(Wait{Seconds: n, Holder: holder})
	}
}

// broken says why there was no answer.
func (s *shell) broken(r request, err error) error {
	e := &RemoteError{Stage: StageAnswer, Path: r.target, Status: -1, Detail: err.Error()}
	switch {
	case errors.Is(err, errDamaged):
		e.Stage, e.Reason, e.Detail = StageStart, Eaten, ""
		return e
	case errors.Is(err, errTooMuch), s.p.flooded.Load():
		e.Reason, e.Detail = TooMuch, errTooMuch.Error()
	case errors.Is(err, errGarbled), !errors.Is(err, io.EOF):
		e.Reason = Garbled
	default:
		if !s.p.wait() {
			// It goes on and says nothing: what waits for more input ends now.
			s.ended.Store(true)
			s.p.closeIn()
			s.p.wait()
		}
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
	e.Unsure = r.writes() && (s.began || e.Reason == Closed || e.Reason == Unheard)
	return e
}

// silence says why the command ended without an answer, and what there is to
// read instead of one.
func (s *shell) silence(status int) (Reason, string) {
	said := strings.TrimSpace(s.noise.String())
	if errs := s.p.errs.String(); errs != "" && !s.o.Trace {
		said = strings.TrimSpace(errs + "\n" + said)
	}
	switch {
	case s.p.refused:
		return Refused, said
	case status == 0 && s.ended.Load() && !s.began:
		// Something read its input to the end and was content: the script is
		// what does that, so it is its output that went elsewhere.
		return Unheard, said
	case status >= 0:
		return NoAnswer, said
	}
	return Closed, said
}
