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
	"io"
	"os"
	"os/user"
	"strings"

	"ssh-copy-id/authkeys"
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
	out := &textOutput{name: name, out: streams.Out, err: streams.Err}
	keepInherited()
	ending := term.CatchSignals(func() { out.Remark(waitingForChange{}) })
	defer ending.Stop()
	getenv := unquotedEnv(os.Getenv, out.Remark)
	r := &run{name: name, out: out, ending: ending, prompter: term.New(getenv), getenv: getenv}
	return exitStatus(r.ended(r.work(args, version)))
}

// main is the command but for its end.
func (r *run) main(args []string, version string) outcome {
	flags, err := ParseFlags(args, keyFileNamed)
	if err != nil {
		return outcome{err: err}
	}
	var o outcome
	switch {
	case flags.ShortHelp:
		r.out.Usage()
	case flags.Help:
		r.out.Text(fullHelp(r.name))
	case flags.ListPlatforms:
		r.out.Platforms(device.Platforms())
	case flags.Version:
		r.out.Text("ssh-copy-id " + version + "\n")
	default:
		r.prepare(flags)
		o = r.do(r.ending.Context())
	}
	if err := r.out.Err(); o.err == nil && err != nil {
		o.err = &outputError{err}
	}
	o.flags = flags
	return o
}

// run is one call of the command.
type run struct {
	name     string // what the command was called by
	flags    *Flags
	out      output
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
		getenv: r.getenv, debug: func(text string) { r.debug(1, text) }, remark: r.out.Remark, notice: r.out.Notice,
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
	if source.ids, err = r.flags.withOptions(source.ids); err != nil {
		return outcome{err: err}
	}
	r.out.Source(source.name, source.skipped)
	if r.flags.Platform != (device.Platform{}) {
		return outcome{err: r.printCommands(source.ids)}
	}
	r.remarkTypes(source.ids)
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
		r.out.Diagnosis(d)
		return outcome{diagnosis: d}
	}
	plan, err := client.Plan(ctx, target, source.ids)
	if err != nil {
		return outcome{err: err}
	}
	defer plan.Close()
	if r.flags.DryRun {
		r.out.Plan(plan)
		return outcome{plan: plan}
	}
	report, err := client.Apply(ctx, plan)
	r.progress.over()
	if err != nil {
		return outcome{err: r.progress.explain(err)}
	}
	r.out.Report(r.flags, report)
	if added := report.Added(); len(added) > 0 {
		r.out.Added(len(added), r.hint(report, source))
	}
	r.refusedBySSH(source)
	if r.ending.Signal() != nil && report.Verification.Err != nil {
		return outcome{err: errNotVerified}
	}
	return outcome{report: report}
}

// remarkTypes remarks on keys of types that are not understood here.
func (r *run) remarkTypes(ids []identity.Identity) {
	said := map[string]bool{}
	for _, id := range ids {
		if name := id.Entry.Key.Type(); authkeys.Opaque(id.Entry.Key) && !said[name] {
			said[name] = true
			r.out.Remark(typeUnknown{name})
		}
	}
}

// printCommands shows what to type on an appliance for the account that the
// destination names.
func (r *run) printCommands(ids []identity.Identity) error {
	host, err := r.resolve()
	if err != nil {
		return err
	}
	commands, err := r.flags.Platform.Commands(host.User, entries(ids))
	if err != nil {
		return err
	}
	r.out.Commands(commands)
	if len(commands.Lines) == 0 {
		return &copyid.DeviceError{Platform: r.flags.Platform, User: host.User, HostName: host.Name, Keys: ids}
	}
	return nil
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
		r.out.Notice(text)
	}
	var text strings.Builder
	host.Dump(&text)
	r.out.Text(text.String())
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
	notShared := func(socket string) { r.out.Remark(connectionNotShared{socket}) }
	o := copyid.Options{
		Home: r.home, User: r.user, LookupEnv: os.LookupEnv, Shell: os.Getenv("SHELL"),
		Force: r.flags.Force, DryRun: r.flags.DryRun, SFTP: r.flags.SFTP, RFC4716: r.flags.RFC4716, Account: r.flags.ForUser, TargetPath: r.flags.Target,
		NoRepair: r.flags.NoRepair, NoVerify: r.flags.NoVerify, Pins: r.flags.Pins, Agent: r.agent.open,
		UI: copyid.UI{
			Secret: r.prompter.Secret, Line: r.prompter.Line, Confirm: r.confirm,
			Notice: r.out.Notice, Debug: r.debug,
		},
		Progress: copyid.Progress{
			Configured: r.configured,
			Asking:     func() { r.out.Remark(asking{}) },
			Remaining: func(ids []identity.Identity) {
				if len(ids) > 0 {
					r.out.Remark(remaining{len(ids)})
				}
			},
			Installing: func(ids []identity.Identity) {
				for _, id := range ids {
					r.out.Remark(installing{id})
				}
			},
			Shared:    func(path string) { r.out.Remark(sharedFile{path}) },
			NotShared: notShared,
		},
	}
	o.Progress = r.watched(o.Progress)
	if r.flags.Diagnose {
		o.Progress = copyid.Progress{Configured: r.configured, NotShared: notShared}
	}
	if r.flags.Debug {
		o.Trace = r.out.Trace
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
		r.out.Debug(level, text)
	}
}

// loginName is the account name without the domain Windows puts before it.
func loginName(name string) string {
	return name[strings.LastIndexByte(name, '\\')+1:]
}
