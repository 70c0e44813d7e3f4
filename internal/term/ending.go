package term

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"sync"
	"time"
)

// Limits of how long a signal leaves the program alive.
const (
	// unwindTime is what the work gets to return by itself: files that block
	// and key derivations do not listen to a context.
	unwindTime = 500 * time.Millisecond
	// questionTime is the same where a question is open. It always listens.
	questionTime = 2 * time.Second
	// holdTime is what a change that was begun gets to be completed.
	holdTime = 10 * time.Second
	// repeatTime is how soon the same wish may arrive twice: timeout(1) sends
	// its signal to the program and then to the whole process group.
	repeatTime = 300 * time.Millisecond
)

// Ending decides how a signal ends the program. There is one for the process.
//
// The first signal cancels Context, and shortly afterwards Due is closed for
// whatever does not listen to a context. While a change is under way (Hold),
// the first signal waits for it, up to a limit; the second does not.
type Ending struct {
	ctx      context.Context
	cancel   context.CancelFunc
	due      chan struct{}
	signals  chan os.Signal
	stopped  chan struct{}
	unwind   time.Duration
	question time.Duration
	hold     time.Duration
	repeat   time.Duration

	mu      sync.Mutex
	first   os.Signal
	at      time.Time // of first
	held    int
	waiting func() // told when a signal has to wait for a change
}

// CatchSignals takes over the signals that end the program. A signal that the
// program was started to ignore, as nohup does, stays ignored. waiting is
// called when a signal has to wait for a change to be completed.
func CatchSignals(waiting func()) *Ending {
	e := newEnding(waiting)
	if caught := caughtSignals(); len(caught) > 0 { // Notify with no signal means every signal
		signal.Notify(e.signals, caught...)
	}
	go e.watch()
	return e
}

func newEnding(waiting func()) *Ending {
	e := &Ending{
		due: make(chan struct{}), signals: make(chan os.Signal, 8), stopped: make(chan struct{}), waiting: waiting,
		unwind: unwindTime, question: questionTime, hold: holdTime, repeat: repeatTime,
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e
}

// caughtSignals are the endingSignals that the program was not started to
// ignore.
func caughtSignals() []os.Signal {
	return slices.DeleteFunc(slices.Clone(endingSignals), signal.Ignored)
}

// Context is cancelled by a signal.
func (e *Ending) Context() context.Context { return e.ctx }

// Due is closed when the program must end without waiting for anything.
func (e *Ending) Due() <-chan struct{} { return e.due }

// Signal returns the first signal, nil while there was none.
func (e *Ending) Signal() os.Signal {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.first
}

// Stop lets the signals have their default effect again.
func (e *Ending) Stop() {
	signal.Stop(e.signals)
	close(e.stopped)
	e.cancel()
}

// Hold keeps a signal from ending the program until release is called. release
// may be called more than once.
func (e *Ending) Hold() (release func()) {
	e.mu.Lock()
	e.held++
	e.mu.Unlock()
	return sync.OnceFunc(func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.held--; e.held == 0 && e.first != nil {
			e.end()
		}
	})
}

func (e *Ending) watch() {
	for {
		select {
		case sig := <-e.signals:
			e.take(sig, time.Now())
		case <-e.stopped:
			return
		}
	}
}

func (e *Ending) take(sig os.Signal, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.first == nil:
		e.first, e.at = sig, now
	case now.Sub(e.at) >= e.repeat:
		e.endNow()
		return
	default:
		return
	}
	if e.held == 0 {
		e.end()
		return
	}
	if e.waiting != nil {
		go e.waiting()
	}
	time.AfterFunc(e.hold, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.end()
	})
}

// end asks the work to return, and gives it a moment for that. A question
// hears of the signal itself, and returns why there is no answer: with a
// cancelled context that would be lost.
func (e *Ending) end() {
	moment := e.question
	if !questionOpen() {
		moment = e.unwind
		e.cancel()
	}
	time.AfterFunc(moment, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.endNow()
	})
}

func (e *Ending) endNow() {
	e.cancel()
	select {
	case <-e.due:
	default:
		close(e.due)
	}
}

// openQuestion is the terminal of the question that is being asked.
var openQuestion struct {
	sync.Mutex
	tty terminal
}

func setQuestion(tty terminal) {
	openQuestion.Lock()
	defer openQuestion.Unlock()
	openQuestion.tty = tty
}

func questionOpen() bool {
	openQuestion.Lock()
	defer openQuestion.Unlock()
	return openQuestion.tty != nil
}

// RestoreTerminal undoes what an open question has changed, for a program that
// ends without waiting for the question to return.
func RestoreTerminal() {
	openQuestion.Lock()
	defer openQuestion.Unlock()
	if openQuestion.tty != nil {
		openQuestion.tty.Abandon()
	}
}
