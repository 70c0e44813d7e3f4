package copyid

import (
	"context"
	"errors"
	"slices"
	"time"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/remote"
)

// maxReplans bounds how often a file that others change at the same time is
// planned for anew.
const maxReplans = 8

// Ensure makes the goal true: it adds the keys that are not there, and asks the
// server afterwards whether it now accepts them. Of all ways it takes the fewest
// round trips: it rests on the server's answers alone at first, and the change
// holds only if no line of the file contains one of the keys. Where the file turns
// out to hold one, Ensure decides anew by what it holds.
//
// After an error the file is what it was, unless the error is a RemoteError that
// is Unsure: then no answer came after the change had been sent. Where the
// server's word on the keys does not settle it, the next run finds out whether
// the change was made, and takes back what was left unfinished.
func (h *Host) Ensure(ctx context.Context, goal Goal) (_ *Report, err error) {
	defer finish(&err)
	t, err := h.task(ctx, goal, h.c.o.Force)
	if err != nil {
		return nil, err
	}
	defer t.end()
	if err := t.connect(ctx, true); err != nil {
		return nil, err
	}
	if t.settled() {
		if t.loggedIn() {
			if err := t.prove(ctx); err != nil {
				return nil, err
			}
		}
		return t.nothingToDo(), nil
	}
	return t.carryOut(ctx, maxReplans)
}

// Apply carries out a plan: it adds exactly the keys that the plan adds, provided
// that the target file still is what the plan rests on, and asks the server
// afterwards whether it now accepts them. If the file has changed meanwhile, or the
// plan is for another one, the error is ErrStale and a new plan is needed. The other errors are those of Ensure.
func (h *Host) Apply(ctx context.Context, plan *Plan) (_ *Report, err error) {
	defer finish(&err)
	if !h.planned(plan) {
		return nil, ErrStale
	}
	t, err := h.task(ctx, Goal{}, plan.Evidence == NoEvidence)
	if err != nil {
		return nil, err
	}
	defer t.end()
	t.keys, t.path = slices.Clone(plan.Keys), plan.Path
	t.login = h.newLogin(ctx, t.identities())
	if t.settled() {
		return t.nothingToDo(), nil
	}
	t.evidence, t.noKeyAsked = plan.Evidence, plan.NoKeyAsked
	if plan.Sum != "" {
		t.state = &remote.State{Sum: plan.Sum}
	}
	if !t.loggedIn() {
		t.Host.Close()
		o := t.connection(ctx, true)
		o.StopWhenAccepted = false
		if err := t.open(ctx, o); err != nil {
			return nil, err
		}
	} else if err := t.identified(t.conn.ServerVersion); err != nil {
		return nil, err
	}
	return t.carryOut(ctx, 0)
}

// planned reports whether a plan is for this host and file.
func (h *Host) planned(p *Plan) bool {
	o := h.c.o
	return p.User == h.User && p.HostName == h.HostName && p.Port == h.Port &&
		p.TargetPath == o.TargetPath && p.Account == o.Account && p.Format == o.Format
}

// nothingToDo is the report where no key was to be added.
func (t *task) nothingToDo() *Report {
	report := t.report()
	report.Keys, report.Path = t.keys, t.path
	return report
}

// carryOut adds the keys and verifies them. replans is how often the file may
// turn out to be another one than the keys were decided for.
func (t *task) carryOut(ctx context.Context, replans int) (*Report, error) {
	if !t.loggedIn() {
		return nil, ErrNoLogin
	}
	c, report := t.c, t.report()
	pending := t.pending()
	var v *verification
	if !c.o.NoVerify && !t.noKeyAsked {
		v = t.verificationOf(ctx, pending)
	}
	result, err := t.change(ctx, replans)
	if err != nil {
		return t.secondLook(ctx, v, report, t.loginError(err))
	}
	if ids := t.pending(); t.c.o.Progress.Installed != nil && len(ids) > 0 {
		t.c.o.Progress.Installed(t.Target, ids)
	}
	if v == nil {
		t.askAgain(ctx)
	}
	report.take(t, result)
	// Whoever holds a key of that file is each administrator: nobody is left in
	// doubt about what became of it.
	if v == nil && result.Shared && !t.noKeyAsked {
		v = t.verificationOf(ctx, pending)
	}
	report.Verification.NoKeyAsked = t.noKeyAsked && !c.o.NoVerify
	if v != nil {
		report.Verification = t.verified(ctx, v)
		report.Verification.KeysOff = !t.config.PubkeyAuthentication
		if t.unexplained(report.Verification.Refused) || report.Verification.notOffered() {
			t.findLines(ctx)
			report.Verification.Causes = t.causes(ctx, &result.State)
		}
	}
	return report, nil
}

// lookAgain bounds the second look at a change that may have been made.
const lookAgain = 15 * time.Second

// secondLook finds out what became of a change that had been sent when an error
// came: where the server refused every one of the keys before and accepts them
// all now, it was made, and the report says so. Otherwise err stays.
func (t *task) secondLook(ctx context.Context, v *verification, report *Report, err error) (*Report, error) {
	var failed *remote.RemoteError
	added := t.pending()
	if !errors.As(err, &failed) || !failed.Unsure || !failed.ConnectionLives() || t.noKeyAsked || len(added) == 0 || !t.allRefused() {
		v.abandon()
		return nil, err
	}
	if v == nil {
		v = t.verificationOf(ctx, added)
	}
	ctx, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	context.AfterFunc(ctx, v.cancel)
	seen := t.verified(ctx, v)
	if !seen.Done || len(seen.Accepted) != len(added) {
		return nil, err
	}
	t.installing()
	if t.c.o.Progress.Installed != nil {
		t.c.o.Progress.Installed(t.Target, added)
	}
	report.take(t, &remote.Result{Applied: true, State: remote.State{Path: failed.Path}})
	report.Unheard, report.Verification = true, seen
	return report, nil
}

// allRefused reports whether the server was asked about every key to be
// installed, and refused it.
func (t *task) allRefused() bool {
	return !slices.ContainsFunc(t.keys, func(k KeyState) bool { return k.Outcome == Add && !k.Refused })
}

// change brings the target file to what is wanted. The first attempt rests on what
// was decided, and holds only if the file is as it was then or, where it was not
// read, if none of its lines contains one of the keys; otherwise the file's lines
// decide.
func (t *task) change(ctx context.Context, replans int) (*remote.Result, error) {
	var result *remote.Result
	err := t.withSession(ctx, func(session remote.Session) (err error) {
		if t.force {
			if err := t.recordExisting(ctx, session); err != nil {
				return err
			}
		}
		for n := 0; ; n++ {
			if err := t.readable(); err != nil {
				return err
			}
			result, err = session.Edit(ctx, t.wanted())
			switch {
			case err != nil || result.Applied:
				return err
			case replans == 0:
				return ErrStale
			case n == replans-1:
				return ErrBusy
			}
			t.replan(&result.State)
		}
	})
	if err != nil {
		return nil, err
	}
	t.path = result.State.Path
	return result, nil
}

// unexplained reports whether a key among those refused was added, or is in the
// file on a line that should do.
func (t *task) unexplained(refused []identity.Identity) bool {
	return slices.ContainsFunc(refused, func(id identity.Identity) bool {
		k := t.key(id.Entry.Key)
		return k == nil || k.Outcome != Ineffective
	})
}

// findLines looks whether the new lines are among those that the server reads,
// where it does not read all of a file.
func (t *task) findLines(ctx context.Context) {
	if t.reader.MaxLines() == 0 || t.c.o.Format != OpenSSH {
		return
	}
	_ = t.withSession(ctx, func(session remote.Session) error { // the refusal is reported all the same
		state, err := session.Read(ctx, t.c.o.Format.blobs(t.pending()))
		if err != nil {
			return err
		}
		var now []KeyState
		for _, id := range t.pending() {
			k := KeyState{Identity: id, Outcome: Add, Reader: t.reader}
			if k.judge(state.Candidates, time.Now()); k.EffectiveLine == 0 {
				now = append(now, k)
			}
		}
		t.lines = t.lineCauses(now)
		return nil
	})
}

// installing announces the keys that are about to be written, once: the session
// tries some appends again.
func (t *task) installing() {
	if t.c.o.Progress.Installing != nil && !t.announced {
		t.announced = true
		t.c.o.Progress.Installing(t.Target, t.pending())
	}
}

// recordExisting finds the lines that hold the keys already, for a goal that adds
// them all the same: the report says where that widens access.
func (t *task) recordExisting(ctx context.Context, session remote.Session) error {
	state, err := session.Read(ctx, t.c.o.Format.blobs(t.pending()))
	if err != nil {
		return err
	}
	for i := range t.keys {
		k := &t.keys[i]
		k.take(state.Candidates, t.c.o.Format)
		if k.Outcome == Ineffective {
			k.Line = 0 // a finding says it
		}
		k.Outcome = Add
	}
	return nil
}

// wanted is the change of the file. If the file turns out to be another one, its
// lines decide about every key that replan decides about, not only about those
// that are to be added now.
func (t *task) wanted() remote.Change {
	change := remote.Change{Force: t.force, Repair: !t.c.o.NoRepair, Guard: !t.force}
	for _, k := range t.keys {
		if k.Outcome == Add {
			change.Lines = append(change.Lines, t.c.o.Format.lines(k.Identity)...)
		}
		if k.Outcome != Accepted {
			change.Blobs = append(change.Blobs, t.c.o.Format.blob(k.Identity))
		}
	}
	if t.state != nil {
		change.Expect = t.state.Sum
	}
	return change
}

// replan decides by the file about every key the server's answers did not
// settle.
func (t *task) replan(state *remote.State) {
	for i := range t.keys {
		if t.keys[i].Outcome != Accepted {
			t.keys[i].Outcome, t.keys[i].Line, t.keys[i].ExistingOptions = Add, 0, nil
		}
	}
	t.takeState(state)
}
