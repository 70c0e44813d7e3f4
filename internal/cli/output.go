package cli

import (
	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/device"
)

// output shows what a run finds and does. Facts go in; how they are put is each
// output's own. An output decides nothing: what is shown, and in which order, is
// for run to say, and the exit status for exitStatus.
type output interface {
	// Usage shows the short usage of -h.
	Usage()
	// Text shows what was asked for in the place of an installation, as it is:
	// the help, the version, a host's configuration.
	Text(text string)
	// Platforms shows the appliances whose commands are known.
	Platforms([]device.Platform)

	// Source shows where the keys come from, and which of them are left out.
	Source(name string, skipped []identity.Skipped)
	// Remark shows what comes up on the way.
	Remark(remark)
	// Notice shows what ssh itself would print; the text is foreign.
	Notice(text string)
	// Debug shows what `ssh -v` would; level is 1 to 3.
	Debug(level int, text string)
	// Trace shows a line of the remote script's own trace.
	Trace(line string)

	// Plan shows what a dry run would do.
	Plan(*copyid.Plan)
	// Report shows what was done.
	Report(*Flags, *copyid.Report)
	// Added shows how many keys were added, and how to log in now.
	Added(count int, login loginHint)
	// Diagnosis shows why keys are refused.
	Diagnosis(*copyid.Diagnosis)
	// Commands shows what to type on an appliance.
	Commands(device.Commands)
	// Failure shows the error that ended the run.
	Failure(error)

	// Err returns why standard output took less than was written to it; nil if it
	// took everything.
	Err() error
}
