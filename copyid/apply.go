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

// ErrBusy tells that the target file changed faster than it could be planned
// for.
var ErrBusy = errors.New("the target file keeps changing")

// Apply does what the plan says: it is the only road that writes. Where the
// target file turns out to hold one of the keys, Apply decides anew by what
// stands there, as Plan would have. It closes the plan.
//
// Errors are those of package remote, and ErrBusy. The file then is what it
// was, unless the error is a RemoteError that is Unsure: then no answer came
// after the change had been sent. Where the server's word on the keys does not
// settle it, the next run finds out whether the change was made, and takes back
// what was left unfinished.
func (c *Client) Apply(ctx context.Context, p *Plan) (*Report, error) {
	if c.o.DryRun {
		return nil, ErrDryRun
	}
	defer p.Close()
	report := &Report{Target: p.Target, User: p.User, HostName: p.HostName, Port: p.Port, Login: loginSettings(p.host)}
	if c.settled(p) {
		report.Keys, report.Path = p.Keys, p.Path
		return report, nil
	}
	pending := p.ToAdd()
	var v *verification
	if !c.o.NoVerify && !p.NoKeyAsked {
		v = c.verificationOf(ctx, p, pending)
	}
	result, err := c.change(ctx, p)
	if err != nil {
		return c.secondLook(ctx, p, v, report, p.loginError(err))
	}
	if ids := p.ToAdd(); c.o.Progress.Installed != nil && len(ids) > 0 {
		c.o.Progress.Installed(ids)
	}
	if v == nil {
		c.askAgain(ctx, p)
	}
	report.take(p, result)
	// Whoever holds a key of that file is each administrator: nobody is left in
	// doubt about what became of it.
	if v == nil && result.Shared && !p.NoKeyAsked {
		v = c.verificationOf(ctx, p, pending)
	}
	report.Verification.NoKeyAsked = p.NoKeyAsked && !c.o.NoVerify
	if v != nil {
		report.Verification = c.verified(ctx, p, v)
		report.Verification.KeysOff = !p.host.PubkeyAuthentication
		if p.unexplained(report.Verification.Refused) || report.Verification.notOffered() {
			c.findLines(ctx, p)
			report.Verification.Causes = c.causes(ctx, p, &result.State)
		}
	}
	return report, nil
}

// lookAgain bounds the second look at a change that may have been made.
const lookAgain = 15 * time.Second

// secondLook finds out what became of a change that had been sent when an error
// came: where the server refused every one of the keys before and accepts them
// all now, it was made, and the report says so. Otherwise err stays.
func (c *Client) secondLook(ctx context.Context, p *Plan, v *verification, report *Report, err error) (*Report, error) {
	var failed *remote.RemoteError
	added := p.ToAdd()
	if !errors.As(err, &failed) || !failed.Unsure || !failed.ConnectionLives() || p.NoKeyAsked || len(added) == 0 || !p.allRefused() {
		v.abandon()
		return nil, err
	}
	if v == nil {
		v = c.verificationOf(ctx, p, added)
	}
	ctx, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	context.AfterFunc(ctx, v.cancel)
	seen := c.verified(ctx, p, v)
	if !seen.Done || len(seen.Accepted) != len(added) {
		return nil, err
	}
	c.installing(p)
	if c.o.Progress.Installed != nil {
		c.o.Progress.Installed(added)
	}
	report.take(p, &remote.Result{Applied: true, State: remote.State{Path: failed.Path}})
	report.Unheard, report.Verification = true, seen
	return report, nil
}

// allRefused reports whether the server was asked about every key to be
// installed, and refused it.
func (p *Plan) allRefused() bool {
	return !slices.ContainsFunc(p.Keys, func(k KeyState) bool { return k.Outcome == Add && !k.Refused })
}

// change brings the target file to what the plan wants. The first attempt
// rests on the server's answers alone, and holds only if no line of the file
// contains one of the keys; otherwise the file's lines decide.
func (c *Client) change(ctx context.Context, p *Plan) (*remote.Result, error) {
	var result *remote.Result
	err := c.withSession(ctx, p, func(session remote.Session) (err error) {
		if c.o.Force {
			if err := p.recordExisting(ctx, session); err != nil {
				return err
			}
		}
		for range maxReplans {
			if err := p.readable(); err != nil {
				return err
			}
			result, err = session.Add(ctx, c.changeFor(p))
			if err != nil || result.Applied {
				return err
			}
			p.replan(&result.State)
		}
		return ErrBusy
	})
	if err != nil {
		return nil, err
	}
	p.Path = result.State.Path
	return result, nil
}

// unexplained reports whether a key among those refused was added, or is in the
// file on a line that should do.
func (p *Plan) unexplained(refused []identity.Identity) bool {
	return slices.ContainsFunc(refused, func(id identity.Identity) bool {
		k := p.keyPlan(id.Entry.Key)
		return k == nil || k.Outcome != Ineffective
	})
}

// findLines looks whether the new lines are among those that the server reads,
// where it does not read all of a file.
func (c *Client) findLines(ctx context.Context, p *Plan) {
	if p.reader.MaxLines() == 0 || p.format != openSSH {
		return
	}
	_ = c.withSession(ctx, p, func(session remote.Session) error { // the refusal is reported all the same
		state, err := session.Read(ctx, p.format.blobs(p.ToAdd()))
		if err != nil {
			return err
		}
		var now []KeyState
		for _, id := range p.ToAdd() {
			k := KeyState{Identity: id, Outcome: Add, Reader: p.reader}
			if k.judge(state.Candidates, time.Now()); k.EffectiveLine == 0 {
				now = append(now, k)
			}
		}
		p.lines = p.lineCauses(now)
		return nil
	})
}

// installing announces the keys that are about to be written, once: the session
// tries some appends again.
func (c *Client) installing(p *Plan) {
	if c.o.Progress.Installing != nil && !p.announced {
		p.announced = true
		c.o.Progress.Installing(p.ToAdd())
	}
}

// recordExisting finds the lines that hold the keys already, for a plan that adds
// them all the same: the person is told where that widens access.
func (p *Plan) recordExisting(ctx context.Context, session remote.Session) error {
	state, err := session.Read(ctx, p.format.blobs(p.ToAdd()))
	if err != nil {
		return err
	}
	for i := range p.Keys {
		k := &p.Keys[i]
		k.take(state.Candidates, p.format)
		if k.Outcome == Ineffective {
			k.Line = 0 // a finding says it
		}
		k.Outcome = Add
	}
	return nil
}

// changeFor is the remote change of a plan.
func (c *Client) changeFor(p *Plan) remote.Change {
	ids := p.ToAdd()
	change := remote.Change{Force: c.o.Force, Repair: !c.o.NoRepair, Guard: !c.o.Force}
	for _, id := range ids {
		change.Lines = append(change.Lines, p.format.lines(id)...)
	}
	change.Blobs = p.format.blobs(ids)
	if p.state != nil {
		change.Expect = p.state.Sum
	}
	return change
}

// replan decides by the file about every key the server's answers did not
// settle.
func (p *Plan) replan(state *remote.State) {
	for i := range p.Keys {
		if p.Keys[i].Outcome != Accepted {
			p.Keys[i].Outcome, p.Keys[i].Line, p.Keys[i].ExistingOptions = Add, 0, nil
		}
	}
	p.takeState(state)
}

// take fills the report from the plan as it was carried out.
func (r *Report) take(p *Plan, result *remote.Result) {
	r.Keys, r.Path = slices.Clone(p.Keys), result.State.Path
	for i := range r.Keys {
		if r.Keys[i].Outcome == Add {
			r.Keys[i].Outcome = Added
		}
	}
	r.ServerVersion, r.Size = p.conn.ServerVersion, result.State.Size
	r.Created, r.Notes, r.SFTP, r.Shared = result.Created, result.Notes, p.sftp, result.Shared
	for _, repair := range result.Repaired {
		r.Repaired = append(r.Repaired, Repair{Path: repair.Path, From: repair.From, To: repair.To})
	}
}
