package cli

import (
	"os"
	"time"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
)

// options turns flags into what copyid is to do.
func (r *run) options(password []byte) copyid.Options {
	o := copyid.Options{
		Home: r.home, User: r.user, LookupEnv: os.LookupEnv, Shell: os.Getenv("SHELL"),
		Force: r.flags.Force, NoPrompt: r.flags.DryRun, SFTP: r.flags.SFTP, Account: r.flags.ForUser, TargetPath: r.flags.Target,
		NoRepair: r.flags.NoRepair, NoVerify: r.flags.NoVerify, Password: password, Pins: r.flags.Pins, Agent: r.agent.open,
		UI: copyid.UI{
			Secret:  func(_ copyid.Target, prompt string) ([]byte, error) { return r.prompter.Secret(prompt) },
			Line:    func(_ copyid.Target, prompt string) (string, error) { return r.prompter.Line(prompt) },
			Confirm: func(_ copyid.Target, prompt string) bool { return r.confirm(prompt) },
			Notice:  func(_ copyid.Target, text string) { r.out.Notice(text) },
			Debug:   func(_ copyid.Target, level int, text string) { r.debug(level, text) },
		},
		Progress: r.watched(),
	}
	if r.flags.RFC4716 {
		o.Format = copyid.RFC4716
	}
	if r.flags.Debug {
		o.Trace = func(_ copyid.Target, line string) { r.out.Trace(line) }
	}
	return o
}

// watched remarks on what happens on the host, and notes what a signal has to
// know. Of a diagnosis only the result is shown.
func (r *run) watched() copyid.Progress {
	o := copyid.Progress{
		Configured: func(_ copyid.Target, logLevel string) { r.configured(logLevel) },
		NotShared:  func(_ copyid.Target, socket string) { r.out.Remark(connectionNotShared{socket}) },
		Waiting:    func(_ copyid.Target, holder string) { r.out.Remark(fileLocked{holder}) },
		Awaiting: func(_ copyid.Target, what copyid.Awaited, elapsed time.Duration) {
			r.out.Remark(serverAwaited{what, elapsed})
		},
	}
	if r.flags.Diagnose {
		return o
	}
	o.Asking = func(copyid.Target) { r.out.Remark(asking{}) }
	o.Remaining = func(_ copyid.Target, ids []identity.Identity) {
		if len(ids) > 0 {
			r.out.Remark(remaining{len(ids)})
		}
	}
	o.Installing = func(_ copyid.Target, ids []identity.Identity) {
		r.progress.begin(r.ending.Hold())
		for _, id := range ids {
			r.out.Remark(installing{id})
		}
	}
	o.Installed = func(_ copyid.Target, ids []identity.Identity) { r.progress.end(len(ids)) }
	o.Shared = func(_ copyid.Target, path string) { r.out.Remark(sharedFile{path}) }
	return o
}

// confirm asks for permission; a question that cannot be asked is a no.
func (r *run) confirm(prompt string) bool {
	yes, err := r.prompter.Confirm(prompt)
	if err != nil {
		r.debug(1, err.Error())
	}
	return yes
}

// configured makes a LogLevel of ssh_config speak as much as -v does.
func (r *run) configured(logLevel string) {
	levels := map[string]int{"DEBUG": 1, "DEBUG1": 1, "DEBUG2": 2, "DEBUG3": 3}
	r.flags.Verbose = max(r.flags.Verbose, levels[logLevel])
}

// debug shows what `ssh -v` would.
func (r *run) debug(level int, text string) {
	if level <= r.flags.Verbose || r.flags.Debug && level == 1 {
		r.out.Debug(level, text)
	}
}
