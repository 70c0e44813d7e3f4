package remote

import (
	"context"
	_ "embed"
	"errors"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/scriptrun"
)

//go:embed survey.sh
var surveyScript string

//go:embed state.sh
var stateScript string

//go:embed lock.sh
var lockScript string

//go:embed install.sh
var installScript string

// SurveyProgram is the beginning of a script, stripped, that finds the target file
// and looks at what is on the way to it; see survey.sh.
var SurveyProgram = scriptrun.Prelude + scriptrun.Strip(surveyScript)

// program is the script of a session, stripped.
var program = SurveyProgram + scriptrun.Strip(stateScript+lockScript+installScript)

// shell is a Session with install.sh.
type shell struct {
	o      Options
	script *scriptrun.Script
}

// OpenShell opens a session channel for the remote script, which takes a round
// trip. The script starts with the first request, which takes two; each further
// request takes one. An error is a *RemoteError
// with StageOpen, or the context's.
func OpenShell(ctx context.Context, client *ssh.Client, o Options) (Session, error) {
	script, err := scriptrun.Open(ctx, client, program, o.Run())
	if err != nil {
		return nil, asRemote(err)
	}
	return &shell{o, script}, nil
}

func (s *shell) Read(ctx context.Context, blobs []string) (*State, error) {
	a, err := s.ask(ctx, readRequest(s.o, blobs))
	if err != nil {
		return nil, err
	}
	return &a.state, nil
}

func (s *shell) Edit(ctx context.Context, change Change) (*Result, error) {
	a, err := s.ask(ctx, addRequest(s.o, change))
	if err != nil {
		return nil, err
	}
	return &Result{Applied: a.end == "applied", State: a.state, Repaired: a.repaired,
		Created: a.created, Notes: a.notes, Recovered: a.recovered}, nil
}

// Close ends the script.
func (s *shell) Close() error {
	s.script.Close()
	return nil
}

// ask makes one request and reads its answer.
func (s *shell) ask(ctx context.Context, r request) (*answer, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	a := &answer{writing: s.o.writing}
	wait := &lockWait{notify: s.o.Waiting, waited: -1}
	err := s.script.Ask(ctx, scriptrun.Request{
		Text: r.text, Line: a.line, Wait: wait.line, Over: a.notSwitched, Limit: maxAnswer, Longest: maxAnswer,
	})
	var e *scriptrun.Error
	if errors.As(err, &e) {
		return nil, &RemoteError{Stage: e.Stage, Path: r.target, Reason: e.Reason, Detail: e.Detail, Status: e.Status,
			Awaited: e.Awaited, Unsure: r.writes() && e.Sent}
	}
	if err != nil {
		return nil, err
	}
	if a.fail != nil {
		return nil, a.fail
	}
	return a, nil
}

// lockWait follows how the script waits for the lock, in one request.
type lockWait struct {
	notify   func(Wait)
	waited   int // seconds; -1 before the first line
	notified int // seconds of the next notice, at least
}

// line takes in a line "M wait SECONDS HOLDER". As long as the script has been
// patient for longer than before, that is progress, and does not count as the
// time of the request.
func (w *lockWait) line(value string) (longer time.Duration, ok bool) {
	seconds, holder, _ := strings.Cut(value, " ")
	n, err := strconv.Atoi(seconds)
	if err != nil || n <= w.waited || n > int(lockPatience.Seconds()) {
		return 0, false
	}
	longer = time.Duration(n-max(w.waited, 0)) * time.Second
	w.waited = n
	if n >= max(w.notified, int(lockFirst.Seconds())) && w.notify != nil {
		w.notified = n + int(lockAgain.Seconds())
		w.notify(Wait{Seconds: n, Holder: holder})
	}
	return longer, true
}
