package cli

import (
	"context"
	"errors"
	"sync"
	"time"

	"ssh-copy-id/internal/term"
)

// lastWords is how long the error of a program that is ended by a signal may
// take to be written: whatever reads standard error may have stopped reading.
const lastWords = time.Second

// work runs the command and returns when it is done, or when a signal ends it
// while it waits for something that cannot be cancelled.
func (r *run) work(args []string, version string) outcome {
	finished := make(chan outcome, 1)
	go func() {
		finished <- r.main(args, version)
	}()
	select {
	case o := <-finished:
		return o
	case <-r.ending.Due():
	}
	select {
	case o := <-finished:
		return o
	default:
		term.RestoreTerminal()
		return outcome{err: r.progress.interrupted()}
	}
}

// ended shows what went wrong and returns the outcome with the signal that ended
// the program.
func (r *run) ended(o outcome) outcome {
	if o.err == nil {
		return o
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		r.out.Failure(o.err)
		if path := r.progress.made(); path != "" {
			r.out.Remark(keyKept{path})
		}
	}()
	o.signal = r.ending.Signal()
	if o.signal == nil {
		<-told
		return o
	}
	select {
	case <-told:
	case <-time.After(lastWords):
	}
	return o
}

// progress is how far a run is, for the words of one that a signal ends.
type progress struct {
	mu      sync.Mutex
	newKey  string // what --keygen has made; "" for nothing
	writing bool   // the change on the server was begun
	added   int    // keys that were written
	release func() // lets a signal end the program again; nil: it may
}

func (p *progress) made() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.newKey
}

func (p *progress) keyMade(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.newKey = path
}

// begin notes that the keys are being written: that is to be completed.
func (p *progress) begin(release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writing, p.release = true, release
}

// end notes that the keys were written.
func (p *progress) end(added int) {
	p.mu.Lock()
	p.added = added
	p.mu.Unlock()
	p.over()
}

// over lets a signal end the program again, whatever became of the change.
func (p *progress) over() {
	p.mu.Lock()
	release := p.release
	p.release = nil
	p.mu.Unlock()
	if release != nil {
		release()
	}
}

// explain turns the error of a change that a signal has ended into what is
// known about the keys.
func (p *progress) explain(err error) error {
	if known := p.interrupted(); errors.Is(err, context.Canceled) && known != term.ErrInterrupted {
		return known
	}
	return err
}

func (p *progress) interrupted() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.added > 0:
		return errNotVerified
	case p.writing:
		return errInterrupted
	}
	return term.ErrInterrupted
}
