package scriptrun

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// answer reads the lines of an answer until one is the last. Lines without the
// marker come from something else, such as a start-up file of the shell.
func (s *Script) answer(r Request) error {
	size, noise, waits := 0, 0, 0
	for {
		line, err := s.line()
		if err != nil {
			return err
		}
		text, ours := strings.CutPrefix(line, s.marker+" ")
		if !ours {
			if noise += len(line) + 1; noise > MaxNoise {
				return ErrTooMuch
			}
			s.noise.Write([]byte(line + "\n"))
			continue
		}
		word, value, _ := strings.Cut(text, " ")
		if word != "wait" {
			s.clock.Progress(len(line))
		}
		if size += len(line); size > r.Limit || len(line) > r.Longest {
			return ErrTooMuch
		}
		switch {
		case word == "begin" && !s.began:
			s.began = true
			s.clock.Expect(AwaitAnswer)
		case word == "wait" && r.Wait != nil:
			if waits++; waits > maxWaits {
				return ErrTooMuch
			}
			// A second of its patience may be several on a busy machine.
			if longer, ok := r.Wait(value); ok {
				s.clock.Extend(longer)
			}
		case word == "damaged" && !s.began:
			return errDamaged
		case word == "begin", !s.began:
			return ErrGarbled
		default:
			if last, err := r.Line(text); err != nil || last {
				return err
			}
		}
	}
}

// line reads a line of at most MaxLine bytes, without its newline.
func (s *Script) line() (string, error) {
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
		case len(long) > MaxLine:
			return "", ErrTooMuch
		}
	}
}

// broken says why there was no answer.
func (s *Script) broken(err error) error {
	e := &Error{Stage: StageAnswer, Status: -1, Detail: err.Error()}
	switch {
	case errors.Is(err, errDamaged):
		e.Stage, e.Reason, e.Detail = StageStart, Eaten, ""
		return e
	case errors.Is(err, ErrTooMuch), s.p.flooded.Load():
		e.Reason, e.Detail = TooMuch, ErrTooMuch.Error()
	case errors.Is(err, ErrGarbled), !errors.Is(err, io.EOF):
		e.Reason = Garbled
	default:
		if !s.p.Wait() {
			// It goes on and says nothing: what waits for more input ends now.
			s.ended.Store(true)
			s.p.CloseIn()
			s.p.Wait()
		}
		e.Status = s.p.ExitStatus()
		e.Reason, e.Detail = s.silence(e.Status)
		if e.Reason != Closed && !s.began {
			e.Stage = StageStart
		}
	}
	e.Sent = s.began || e.Reason == Closed || e.Reason == Unheard
	return e
}

// silence says why the command ended without an answer, and what there is to
// read instead of one.
func (s *Script) silence(status int) (Reason, string) {
	said := strings.TrimSpace(s.noise.String())
	if errs := s.p.Errs.String(); errs != "" && !s.o.Trace {
		said = strings.TrimSpace(errs + "\n" + said)
	}
	switch {
	case s.p.Refused:
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
