package term

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
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
}

// answer is how one round of a question ends.
type answer struct {
	line      []byte
	whole     bool // it ended as a line does
	err       error
	suspended bool // no answer yet: the person pressed Ctrl-Z
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
	// To the start of the line, over anything typed too early (readpass.c).
	_, _ = io.WriteString(tty, "\r")

	signals := make(chan os.Signal, 8)
	caught := slices.DeleteFunc(slices.Clone(caughtSignals), signal.Ignored)
	if len(caught) > 0 { // Notify with no signal means every signal
		signal.Notify(signals, caught...)
	}
	defer signal.Stop(signals)
	suspended, release := watchSuspend()
	defer release()

	var reading chan answer
	for {
		if err := tty.Prepare(echo); err != nil {
			return nil, errors.Join(err, tty.Restore())
		}
		if _, err := io.WriteString(tty, prompt); err != nil {
			return nil, errors.Join(err, tty.Restore())
		}
		if reading == nil {
			reading = make(chan answer, 1)
			go func() {
				line, whole, err := readLine(tty, endsAtCR)
				reading <- answer{line: line, whole: whole, err: err}
			}()
		}
		got := await(reading, signals, suspended)
		if !echo {
			// The newline that ended the answer was not echoed.
			_, _ = io.WriteString(tty, "\n")
		}
		err := errors.Join(got.err, tty.Restore())
		switch {
		case got.suspended && err == nil:
			// The reader stays: its read outlasts the stop.
			stopSelf()
		case err != nil:
			clear(got.line)
			return nil, err
		default:
			return got.line, nil
		}
	}
}

// await returns the answer or what came before it: a signal, as an
// [*InterruptError], or the wish to suspend.
func await(reading <-chan answer, signals <-chan os.Signal, suspended <-chan struct{}) answer {
	select {
	case sig := <-signals:
		return answer{err: &InterruptError{Signal: sig}}
	case <-suspended:
		return answer{suspended: true}
	case got := <-reading:
		if grace := graceFor(got); grace > 0 {
			// The console ends a read with nothing when Ctrl-C is pressed, a
			// moment before the signal arrives.
			select {
			case sig := <-signals:
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
