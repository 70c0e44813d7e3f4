package term

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// terminal is a controlling terminal opened for one question.
type terminal interface {
	io.ReadWriteCloser
	// Prepare discards what was typed so far and turns echo on or off.
	Prepare(echo bool) error
	// Restore brings back the state before the first Prepare. It discards
	// pending input if echo was off.
	Restore() error
	// Abandon is Restore for a program that ends: it waits for nothing.
	Abandon()
	// Background reports whether another program has the terminal now.
	Background() bool
}

// errBackground says that the program is in the background of its terminal, and
// that nobody can bring it to the foreground.
var errBackground = errors.New("this program runs in the background of the terminal")

// answer is how one round of a question ends.
type answer struct {
	line      []byte
	whole     bool // it ended as a line does
	err       error
	suspended bool // no answer yet: the person pressed Ctrl-Z
	continued bool // no answer yet: the program was stopped, and goes on
}

// converse asks one question on tty and closes it. The order of the steps is
// that of readpassphrase(3): signals are caught, echo goes off and type-ahead
// is thrown away, then the prompt appears; so a program that waits for the
// prompt (sshpass, expect) loses nothing of what it types.
//
// A terminal that goes away while the question is open is [ErrHungUp].
func converse(tty terminal, prompt string, echo bool) ([]byte, error) {
	line, err := question(tty, prompt, echo)
	if errors.Is(err, syscall.EIO) {
		err = ErrHungUp
	}
	return line, err
}

func question(tty terminal, prompt string, echo bool) ([]byte, error) {
	defer tty.Close()
	setQuestion(tty)
	defer setQuestion(nil)
	q := asked{tty: tty, prompt: prompt, echo: echo, signals: make(chan os.Signal, 8)}
	if caught := caughtSignals(); len(caught) > 0 { // Notify with no signal means every signal
		signal.Notify(q.signals, caught...)
	}
	defer signal.Stop(q.signals)
	var release func()
	q.suspended, release = watchSuspend()
	defer release()
	q.continued, release = watchContinued()
	defer release()
	return q.ask()
}

// asked is a question and what may come before its answer.
type asked struct {
	tty       terminal
	prompt    string
	echo      bool
	signals   chan os.Signal
	suspended <-chan struct{}
	continued <-chan os.Signal
	reading   chan answer // nil while nothing reads
	atStart   bool        // the line was begun
}

// ask puts the question, and puts it again after the program was stopped.
func (q *asked) ask() ([]byte, error) {
	for {
		if err := q.foreground(); err != nil {
			return nil, err
		}
		if err := q.show(); err != nil {
			return nil, errors.Join(err, q.tty.Restore())
		}
		got := q.await()
		if !q.echo && !q.tty.Background() {
			// The newline that ended the answer was not echoed.
			_, _ = io.WriteString(q.tty, "\n")
		}
		err := errors.Join(got.err, q.tty.Restore())
		switch {
		case got.err == errBackground:
			q.reading = nil
		case err != nil:
			clear(got.line)
			return nil, err
		case got.suspended:
			// The reader stays: its read outlasts the stop.
			stopSelf(q.continued)
		case !got.continued:
			return got.line, nil
		}
	}
}

// show prepares the terminal, shows the prompt and begins to read.
func (q *asked) show() error {
	if !q.atStart {
		// To the start of the line, over anything typed too early (readpass.c).
		_, _ = io.WriteString(q.tty, "\r")
		q.atStart = true
	}
	if err := q.tty.Prepare(q.echo); err != nil {
		return err
	}
	if _, err := io.WriteString(q.tty, q.prompt); err != nil {
		return err
	}
	if q.reading == nil {
		reading := make(chan answer, 1)
		q.reading = reading
		go func() {
			line, whole, err := readLine(q.tty, endsAtCR)
			reading <- answer{line: line, whole: whole, err: err}
		}()
	}
	return nil
}

// foreground waits until the program has the terminal, stopped as the terminal
// would stop it. It stops itself before it touches the terminal: a process that
// the terminal stops in the middle of a system call is stopped by the same call
// again when it is continued, before it can act on a signal. So TERM and CONT,
// which is what timeout(1) and a shell's kill send, would not end it.
func (q *asked) foreground() error {
	for q.tty.Background() {
		select {
		case sig := <-q.signals:
			return &InterruptError{Signal: sig}
		default:
		}
		if !stopGroup(q.continued) {
			return errBackground
		}
		select {
		case sig := <-q.signals:
			return &InterruptError{Signal: sig}
		case <-time.After(signalTime):
		}
	}
	return nil
}

// signalTime is what a signal that came while the program was stopped may take
// to arrive once it goes on.
const signalTime = 200 * time.Millisecond

// await returns the answer or what came before it: a signal, as an
// [*InterruptError], the wish to suspend, or that the program goes on after a
// stop that nobody announced: the shell has changed the terminal meanwhile.
func (q *asked) await() answer {
	select {
	case sig := <-q.signals:
		return answer{err: &InterruptError{Signal: sig}}
	case <-q.suspended:
		return answer{suspended: true}
	case <-q.continued:
		return answer{continued: true}
	case got := <-q.reading:
		if grace := graceFor(got); grace > 0 {
			// The console ends a read with nothing when Ctrl-C is pressed, a
			// moment before the signal arrives.
			select {
			case sig := <-q.signals:
				return answer{err: &InterruptError{Signal: sig}}
			case <-time.After(grace):
			}
		}
		return got
	}
}

// graceFor is how long to wait for the signal that may have ended a read. What
// is no whole line was ended by something; an empty one was mostly typed, and
// is not to wait long.
func graceFor(got answer) time.Duration {
	switch {
	case got.err != nil || len(got.line) > 0:
		return 0
	case got.whole:
		return emptyGrace
	}
	return interruptGrace
}

// readLine reads up to a newline and keeps the first MaxAnswer bytes. Where
// endsAtCR holds, a carriage return ends the line too, as a terminal in raw
// mode sends it; elsewhere it only precedes the newline. It reads byte by byte
// so that nothing after the line is taken from the terminal. End of input ends
// the line, which is not whole then.
func readLine(r io.Reader, endsAtCR bool) (line []byte, whole bool, err error) {
	line = make([]byte, 0, MaxAnswer)
	var one [1]byte
	for {
		n, err := r.Read(one[:])
		if n == 1 {
			switch {
			case one[0] == '\n', one[0] == '\r' && endsAtCR:
				return trimCR(line, endsAtCR), true, nil
			case len(line) < MaxAnswer:
				line = append(line, one[0])
			}
		}
		switch {
		case err == io.EOF:
			return line, false, nil
		case err != nil:
			clear(line)
			return nil, false, err
		}
	}
}

// trimCR removes the carriage return of a CR LF pair.
func trimCR(line []byte, endsAtCR bool) []byte {
	if endsAtCR {
		return line
	}
	return bytes.TrimSuffix(line, []byte("\r"))
}
