package cli

import (
	"os"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/term"
)

// outcome is what one call of the command came to. At most one of plan, report
// and diagnosis is set.
type outcome struct {
	flags     *Flags            // nil where the command line was refused
	plan      *copyid.Plan      // of a dry run
	report    *copyid.Report    // of an installation
	diagnosis *copyid.Diagnosis // of --diagnose
	err       error
	signal    os.Signal // that ended the program; nil for none
}

// exitStatus makes the exit status, and is the only place that does: 0 where the
// keys are there or would be, 1 for everything else, as the stock script has it,
// and for an error after a signal what a shell makes of that.
func exitStatus(o outcome) int {
	switch {
	case o.err != nil && o.signal != nil:
		return term.ExitStatus(o.signal)
	case o.err != nil, o.flags.ShortHelp,
		o.plan != nil && !wouldSucceed(o.plan),
		o.report != nil && !succeeded(o.flags, o.report),
		o.diagnosis != nil && !o.diagnosis.Accepted() && !o.diagnosis.AllInFile():
		return 1
	}
	return 0
}

// wouldSucceed reports whether the keys of a dry run are there, or would be added.
func wouldSucceed(p *copyid.Plan) bool {
	return len(ineffectiveAmong(p.Keys)) == 0 && (len(p.ToAdd()) > 0 || len(p.Unusable()) == 0)
}

// succeeded reports whether the keys are on the server, where they let their
// owner in as far as the file shows, and with --verify as the server says too.
func succeeded(f *Flags, r *copyid.Report) bool {
	if len(ineffectiveAmong(r.Keys)) > 0 || len(r.Added()) == 0 && len(refusedKeys(f, r)) > 0 {
		return false
	}
	return !f.Verify || confirmed(&r.Verification)
}

// confirmed reports whether nothing that the server said, or did not say, casts
// doubt on the keys. A server that asks for no key has nothing to say.
func confirmed(v *copyid.Verification) bool {
	switch {
	case v.Err != nil:
		return false
	case v.NoKeyAsked, !v.Done:
		return true
	}
	return v.Nowhere == nil && len(v.Refused)+len(v.Unasked) == 0
}

// refusedKeys are the keys that were not added, since the file has their very
// line, and that the server refuses. With -t only the file counts.
func refusedKeys(f *Flags, r *copyid.Report) []copyid.KeyState {
	if f.Target != "" {
		return nil
	}
	return r.Unusable()
}

// ineffectiveAmong are the keys with the outcome Ineffective.
func ineffectiveAmong(keys []copyid.KeyState) []copyid.KeyState {
	var list []copyid.KeyState
	for _, k := range keys {
		if k.Outcome == copyid.Ineffective {
			list = append(list, k)
		}
	}
	return list
}
