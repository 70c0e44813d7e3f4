package cli

import (
	"context"
	"io"
	"os"
	"strings"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/account"
	"ssh-copy-id/internal/device"
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
	client   *copyid.Client
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
	r.home, _ = account.Home()
	r.user = account.User(r.getenv)
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
	r.client = copyid.New(r.options(password))
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
	host, err := r.resolve()
	if err == nil {
		err = r.needHome(host)
	}
	if err != nil {
		return outcome{err: err}
	}
	return r.carryOut(ctx, host, source)
}

// carryOut does on the host what the flags say.
func (r *run) carryOut(ctx context.Context, host *copyid.Host, source source) outcome {
	defer host.Close()
	goal := copyid.Goal{Present: source.ids}
	switch {
	case r.flags.Diagnose:
		d, err := host.Diagnose(ctx, source.ids)
		if err != nil {
			return outcome{err: err}
		}
		r.out.Diagnosis(d)
		return outcome{diagnosis: d}
	case r.flags.DryRun:
		plan, err := host.Plan(ctx, goal)
		if err != nil {
			return outcome{err: err}
		}
		r.out.Plan(plan)
		return outcome{plan: plan}
	}
	report, err := host.Ensure(ctx, goal)
	host.Close()
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
		return &copyid.DeviceError{Code: copyid.CodeDevice, Platform: r.flags.Platform.Name, Title: r.flags.Platform.Title, User: host.User, HostName: host.Name, Keys: ids}
	}
	return nil
}

// resolve reads ssh_config for the host of the command line.
func (r *run) resolve() (*copyid.Host, error) {
	return r.client.Dial(r.ending.Context(), copyid.Target{
		Destination: r.flags.Hosts[0], Config: r.flags.ConfigLines(), ConfigFile: r.flags.Config,
	})
}

// needHome reports what of the home directory the connection needs where there
// is none: the place of the host keys, unless another one is named. A user name
// that is missing comes first.
func (r *run) needHome(host *copyid.Host) error {
	if r.home != "" || r.flags.Force && r.flags.DryRun {
		return nil
	}
	if host.User == "" {
		return host.Unusable()
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
		return host.Unusable()
	}
	for _, text := range host.Notices {
		r.out.Notice(text)
	}
	var text strings.Builder
	if err := host.DumpConfig(&text); err != nil {
		return err
	}
	r.out.Text(text.String())
	return nil
}
