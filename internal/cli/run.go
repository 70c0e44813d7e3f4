// Package cli is the ssh-copy-id command: it reads the command line, says what
// happens in the words of the stock script, and decides the exit status.
//
// The rules of its output: standard output carries what the stock script
// prints there (the number of keys added, the hint how to log in, the block of
// a dry run) and nothing else. Everything that tells or asks goes to standard
// error or the terminal. Lines begin with the program's name as it was called
// and INFO, WARNING or ERROR. Text that comes from a server or a file is
// escaped before it is shown.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/user"
	"strings"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/device"
	"ssh-copy-id/internal/sshconfig"
	"ssh-copy-id/internal/term"
)

// Streams are the standard streams of the process.
type Streams struct {
	Out, Err io.Writer
}

// Run is the whole command. args[0] is the name the program was called by. The
// result is the exit status: 0 where the keys are there or would be, 1 for
// everything else, as the stock script has it.
func Run(args []string, version string, streams Streams) int {
	name := "ssh-copy-id"
	if len(args) > 0 {
		name, args = programName(args[0]), args[1:]
	}
	p := &printer{name: name, out: streams.Out, err: streams.Err}
	keepInherited()
	ending := term.CatchSignals(func() {
		p.info("interrupted; waiting until the change that was begun is complete (once more ends at once)")
	})
	defer ending.Stop()
	getenv := unquotedEnv(os.Getenv, p.warning)
	r := &run{printer: p, ending: ending, prompter: term.New(getenv), getenv: getenv}
	return exitStatus(r.ended(r.work(args, version)))
}

// main is the command but for its end.
func (r *run) main(args []string, version string) outcome {
	p := r.printer
	flags, err := ParseFlags(args, keyFileNamed)
	if err != nil {
		return outcome{err: err}
	}
	var o outcome
	switch {
	case flags.ShortHelp:
		printUsage(p.err, p.name)
	case flags.Help:
		var text strings.Builder
		printHelp(&text, p.name)
		p.print("%s", text.String())
	case flags.ListPlatforms:
		p.listPlatforms()
	case flags.Version:
		p.print("ssh-copy-id %s\n", version)
	default:
		r.prepare(flags)
		o = r.do(r.ending.Context())
	}
	if o.err == nil && p.failed != nil {
		o.err = &outputError{p.failed}
	}
	o.flags = flags
	return o
}

// outputError tells that standard output did not take what was written.
type outputError struct{ err error }

func (e *outputError) Error() string { return "write error on standard output: " + e.err.Error() }

// run is one call of the command.
type run struct {
	flags    *Flags
	printer  *printer
	prompter *term.Prompter
	home     string
	user     string
	agent    agentOpener
	getenv   func(string) string
	ending   *term.Ending
	progress progress
}

// prepare finds out who runs the program.
func (r *run) prepare(flags *Flags) {
	r.flags = flags
	r.agent = agentOpener{
		getenv: r.getenv, debug: func(text string) { r.debug(1, text) }, info: r.printer.info, notice: r.printer.notice,
	}
	r.home, _ = homeDirectory()
	if account, err := user.Current(); err == nil {
		r.user = loginName(account.Username)
	} else if r.user = r.getenv("USER"); r.user == "" { // a user ID that no passwd entry names
		r.user = r.getenv("LOGNAME")
	}
}

// homeDirectory is $HOME where that is set, on Windows %USERPROFILE%, else the
// account's: identities, ssh_config and known_hosts are all looked for there.
func homeDirectory() (string, error) {
	if home, err := os.UserHomeDir(); err == nil && home != "" {
		return home, nil
	}
	account, err := user.Current()
	if err != nil || account.HomeDir == "" {
		return "", errNoHome
	}
	return account.HomeDir, nil
}

// do finds the identities and works on the host.
func (r *run) do(ctx context.Context) outcome {
	if len(r.flags.Hosts) > 1 {
		return outcome{err: r.flags.tooManyHosts(keyFileNamed)}
	}
	password, err := r.password()
	if err != nil {
		return outcome{err: err}
	}
	defer clear(password)
	if r.flags.PrintConfig {
		return outcome{err: r.printConfig()}
	}
	source, err := r.identities()
	if err != nil {
		return outcome{err: err}
	}
	defer r.agent.close()
	if source.ids, err = r.flags.dressed(source.ids); err != nil {
		return outcome{err: err}
	}
	r.printer.info("Source of key(s) to be installed: %s", source.name)
	for _, s := range source.skipped {
		r.printer.skipped(s)
	}
	if r.flags.Platform != (device.Platform{}) {
		return outcome{err: r.printCommands(source.ids)}
	}
	r.printer.notUnderstood(source.ids)
	if err := r.needHome(); err != nil {
		return outcome{err: err}
	}
	options := r.options()
	options.Password = password
	return r.carryOut(ctx, copyid.New(options), source)
}

// carryOut does on the host what the flags say.
func (r *run) carryOut(ctx context.Context, client *copyid.Client, source source) outcome {
	target := copyid.Target{
		Destination: r.flags.Hosts[0], Config: r.flags.ConfigLines(), ConfigFile: r.flags.Config,
	}
	if r.flags.Diagnose {
		d, err := client.Diagnose(ctx, target, source.ids)
		if err != nil {
			return outcome{err: err}
		}
		r.printer.diagnosis(d)
		return outcome{diagnosis: d}
	}
	plan, err := client.Plan(ctx, target, source.ids)
	if err != nil {
		return outcome{err: err}
	}
	defer plan.Close()
	if r.flags.DryRun {
		r.printer.dryRun(plan)
		return outcome{plan: plan}
	}
	report, err := client.Apply(ctx, plan)
	r.progress.over()
	if err != nil {
		return outcome{err: r.progress.explain(err)}
	}
	r.report(report, source)
	if r.ending.Signal() != nil && report.Verification.Err != nil {
		return outcome{err: errNotVerified}
	}
	return outcome{report: report}
}

// needHome reports what of the home directory the connection needs where there
// is none: the place of the host keys, unless another one is named. A user name
// that is missing comes first.
func (r *run) needHome() error {
	if r.home != "" || r.flags.Force && r.flags.DryRun {
		return nil
	}
	host, err := r.resolve()
	if err != nil {
		return err
	}
	if host.User == "" {
		return host.Unusable
	}
	for _, file := range host.UserKnownHostsFiles {
		if strings.HasPrefix(file, "~") {
			return &homeError{file + " (UserKnownHostsFile)"}
		}
	}
	return nil
}

// printConfig shows how a destination is resolved, as `ssh -G` does.
func (r *run) printConfig() error {
	host, err := r.resolve()
	if err != nil {
		return err
	}
	if host.User == "" {
		return host.Unusable
	}
	for _, text := range host.Notices {
		r.printer.notice(text)
	}
	var text strings.Builder
	host.Dump(&text)
	r.printer.print("%s", text.String())
	return nil
}

func (r *run) resolve() (*sshconfig.Host, error) {
	return sshconfig.Resolve(sshconfig.Input{
		Destination: r.flags.Hosts[0], Options: r.flags.ConfigLines(), ConfigFile: r.flags.Config,
		Home: r.home, LocalUser: r.user, LookupEnv: os.LookupEnv,
	})
}

// options turns flags into what copyid is to do.
func (r *run) options() copyid.Options {
	o := copyid.Options{
		Home: r.home, User: r.user, LookupEnv: os.LookupEnv, Shell: os.Getenv("SHELL"),
		Force: r.flags.Force, DryRun: r.flags.DryRun, SFTP: r.flags.SFTP, RFC4716: r.flags.RFC4716, Account: r.flags.ForUser, TargetPath: r.flags.Target,
		NoRepair: r.flags.NoRepair, NoVerify: r.flags.NoVerify, Pins: r.flags.Pins, Agent: r.agent.open,
		UI: copyid.UI{
			Secret: r.prompter.Secret, Line: r.prompter.Line, Confirm: r.confirm,
			Notice: r.printer.notice, Debug: r.debug,
		},
		Progress: copyid.Progress{
			Configured: r.configured,
			Asking: func() {
				r.printer.info("attempting to log in with the new key(s), to filter out any that are already installed")
			},
			Remaining: func(ids []identity.Identity) {
				if len(ids) > 0 {
					r.printer.info("%d key(s) remain to be installed -- if you are prompted now it is to install the new keys", len(ids))
				}
			},
			Installing: r.printer.installing,
			Shared:     r.printer.shared,
			NotShared:  r.printer.notShared,
		},
	}
	o.Progress = r.watched(o.Progress)
	if r.flags.Diagnose {
		o.Progress = copyid.Progress{Configured: r.configured, NotShared: r.printer.notShared}
	}
	if r.flags.Debug {
		o.Trace = r.printer.trace
	}
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
		r.printer.debug(level, text)
	}
}

var errNoHome = errors.New("no home directory: set HOME")

// homeError is returned where something of the home directory is needed and
// there is none, as for a user ID of a container that no passwd entry names.
type homeError struct{ what string }

func (e *homeError) Error() string {
	return "no home directory to look for " + e.what + ": set HOME"
}
