package cli

import (
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/term"
)

// printer writes what a person or a script reads. Each message is one write,
// so that lines of concurrent work do not mix.
type printer struct {
	name     string // what the command was called by: see programName
	mu       sync.Mutex
	out, err io.Writer
	failed   error // of the first write to out that failed
}

// print writes to standard output.
func (p *printer) print(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := fmt.Fprintf(p.out, format, args...); err != nil && p.failed == nil {
		p.failed = err
	}
}

// tell writes to standard error.
func (p *printer) tell(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.err, format, args...)
}

func (p *printer) info(format string, args ...any) {
	p.tell("%s: INFO: %s\n", p.name, fmt.Sprintf(format, args...))
}

func (p *printer) warning(format string, args ...any) {
	p.tell("%s: WARNING: %s\n", p.name, fmt.Sprintf(format, args...))
}

// notice shows what ssh itself would print.
func (p *printer) notice(text string) {
	p.tell("%s\n", term.EscapeLines(strings.TrimRight(text, "\r\n")))
}

func (p *printer) debug(level int, text string) { p.tell("debug%d: %s\n", level, term.Excerpt(text)) }

// trace shows a line of the remote script's own trace.
func (p *printer) trace(line string) { p.tell("%s\n", term.Escape(line)) }

// describe names a key as ssh-keygen -l does: bits, fingerprint, comment, type.
func describe(id identity.Identity) string {
	bits, kind, fingerprint := identity.Describe(id.Entry.Key)
	comment := id.Entry.Comment
	if comment == "" {
		comment = "no comment"
	}
	if bits == 0 { // of a type that is not understood here
		return fmt.Sprintf("%s %s (%s)", fingerprint, term.Escape(comment), term.Escape(kind))
	}
	return fmt.Sprintf("%d %s %s (%s)", bits, fingerprint, term.Escape(comment), kind)
}

// installing shows the keys before anything is written.
func (p *printer) installing(ids []identity.Identity) {
	for _, id := range ids {
		options := ""
		if len(id.Entry.Options) > 0 {
			options = ", with options " + term.Escape(strings.Join(id.Entry.Options, ","))
		}
		p.info("key to install: %s%s", describe(id), options)
	}
}

// skipped tells why a key of the source is not one to install.
func (p *printer) skipped(s identity.Skipped) {
	p.warning("not installed: %s: %s", describe(s.Identity), s.Reason)
}

// allSkipped are the stock script's words when nothing is left to do.
func (p *printer) allSkipped() {
	p.tell("\n%s: WARNING: All keys were skipped because they already exist on the remote system.\n"+
		"\t\t(if you think this is a mistake, you may want to use -f option)\n\n", p.name)
}

// present tells about keys that stand in the file with other options.
func (p *printer) present(keys []copyid.KeyState, path string) {
	for _, k := range keys {
		if !k.Otherwise() {
			continue
		}
		how, remedy := "without options", "-f adds it all the same"
		if len(k.ExistingOptions) > 0 {
			how = "with the options " + term.Escape(strings.Join(k.ExistingOptions, ","))
		}
		if k.Forced() != "" {
			remedy = "another line would not help, since the server uses the first one, which forces a command"
		}
		p.warning("%s is already on line %d of %s, %s: left as it is, not added again (%s)",
			describe(k.Identity), k.Line, term.Escape(path), how, remedy)
	}
}

// dryRun prints what a plan would add.
func (p *printer) dryRun(plan *copyid.Plan) {
	p.present(plan.Keys, plan.Path)
	p.warnUnrestricted(plan.Keys)
	p.findings(plan.Keys, plan.Path)
	dead := ineffectiveAmong(plan.Keys)
	if len(dead) > 0 {
		p.ineffective(dead, plan.Path)
	}
	ids := plan.ToAdd()
	switch unusable := plan.Unusable(); {
	case len(ids) > 0:
		for _, k := range unusable {
			p.warning("%s", refusedLine(k, plan.Path))
		}
	case len(unusable) > 0:
		p.notUsable(unusable, plan.Path)
		return
	case len(dead) > 0:
		return
	default:
		p.allSkipped()
		return
	}
	switch {
	case plan.Evidence == copyid.FromQueries && !plan.LoggedIn && len(plan.Unasked) == 0:
		p.info("no key could log in: this answer rests on what the server says about each key, %s was not read", orDefault(plan.Path))
	case plan.Evidence == copyid.FromQueries && !plan.LoggedIn:
		p.warning("no key could log in and %s was not read, so of %s below it is not known whether they are there",
			orDefault(plan.Path), count(len(plan.Unasked), "key"))
	case plan.Evidence == copyid.FromFile:
		p.info("%s was read and not changed", term.Escape(plan.Path))
	}
	var block strings.Builder
	for _, id := range ids {
		block.WriteString(term.Escape(id.Entry.Line()) + "\n")
	}
	p.print("=-=-=-=-=-=-=-=\nWould have added the following key(s):\n\n%s=-=-=-=-=-=-=-=\n", block.String())
}

// orDefault names the target file before its path is known.
func orDefault(path string) string {
	if path == "" {
		return "the authorized_keys file"
	}
	return term.Escape(path)
}

// report tells what was done, in the order in which it matters.
func (r *run) report(report *copyid.Report, s source) {
	p := r.printer
	for _, repair := range report.Repaired {
		why := ""
		if repair.From.Perm()&0o022 != 0 {
			why = ", or sshd would ignore the keys"
		}
		p.info("changed the mode of %s from %04o to %04o%s", term.Escape(repair.Path), unixMode(repair.From), unixMode(repair.To), why)
	}
	for _, note := range report.Notes {
		p.info("%s", term.Escape(note))
	}
	p.present(report.Keys, report.Path)
	p.warnUnrestricted(report.Keys)
	p.findings(report.Keys, report.Path)
	p.limits(report)
	if n := len(report.Present()); n > 0 {
		p.info("%s stood in %s already", count(n, "key"), term.Escape(report.Path))
	}
	if report.SFTP && !r.flags.SFTP {
		p.info("no shell of the account could be used: SFTP was used")
	}
	if report.Unheard {
		p.info("no answer came from the account's shell (a start-up file may send its output elsewhere), but the keys are installed: " +
			"the server refused them before and accepts them now")
	}
	added := report.Added()
	if r.flags.Force {
		r.warnStanding(report)
	}
	refused := refusedKeys(r.flags, report)
	dead := ineffectiveAmong(report.Keys)
	if len(added) == 0 && len(refused) == 0 && len(dead) == 0 {
		p.allSkipped()
	}
	if len(dead) > 0 {
		p.ineffective(dead, report.Path)
	}
	p.verified(&report.Verification)
	p.sharedRefused(report)
	if len(added) == 0 && len(refused) > 0 {
		p.notUsable(refused, report.Path)
	}
	if len(added) > 0 {
		command, why := r.hint(report, s)
		if why != "" {
			p.info("ssh by itself would not log in with the new key (%s): the command below has what is missing", why)
		}
		p.print("\nNumber of key(s) added: %d\n\n"+
			"Now try logging into the machine, with: \"%s\"\n"+
			"and check to make sure that only the key(s) you wanted were added.\n\n", len(added), command)
	}
	r.refusedBySSH(s)
}

// unixMode is a mode in the bits of chmod(1), set-id and sticky bits included.
func unixMode(mode fs.FileMode) uint32 {
	bits := uint32(mode.Perm())
	for bit, value := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&bit != 0 {
			bits |= value
		}
	}
	return bits
}

// warnStanding tells about keys that -f added although they stood in the file:
// the first line for a key decides, and a later one counts only where that does
// not let it in.
func (r *run) warnStanding(report *copyid.Report) {
	for _, k := range report.Keys {
		if k.Line == 0 {
			continue
		}
		what, options := "", k.Identity.Entry.Options
		switch {
		case k.Forced() != "":
			what = "with " + term.Escape(k.Forced()) + ": the server uses that line, so the one that was added has no effect until it is removed" +
				" (-o PreferredAuthentications=password logs in without the key)"
		case len(k.ExistingOptions) == 0 && len(options) > 0:
			what = "without options: that line decides, and what was asked for has no effect until it is removed"
		case len(k.ExistingOptions) > 0 && len(options) == 0:
			what = "with the options " + optionText(k.ExistingOptions) + "; it was added a second time, without them"
		case slices.Equal(k.ExistingOptions, options):
			continue
		default:
			what = "with the options " + optionText(k.ExistingOptions) + ": that line decides wherever it lets the key in; the new one has " + optionText(options)
		}
		r.printer.warning("%s stood already on line %d of %s %s", describe(k.Identity), k.Line, term.Escape(report.Path), what)
	}
}

func optionText(options []string) string { return term.Escape(strings.Join(options, ",")) }

// warnUnrestricted reports keys that were to get options and that the server
// accepts already, on a line that was not seen.
func (p *printer) warnUnrestricted(keys []copyid.KeyState) {
	for _, k := range keys {
		switch {
		case k.Outcome != copyid.Accepted || len(k.Identity.Entry.Options) == 0 || k.Line > 0:
		case k.FileChecked:
			p.warning("the server accepts %s already, by another source than this file; the options %s were not added",
				describe(k.Identity), optionText(k.Identity.Entry.Options))
		default:
			p.info("the server accepts %s already; whether its line has the options %s was not checked (-t .ssh/authorized_keys checks the file)",
				describe(k.Identity), optionText(k.Identity.Entry.Options))
		}
	}
}

// hint is the command that logs in with the new key: that of the stock script,
// with what ssh_config makes necessary beside it, and which setting that is.
func (r *run) hint(report *copyid.Report, s source) (line, why string) {
	if line := r.puttyHint(report, s); line != "" {
		return line, ""
	}
	var b strings.Builder
	command, port := "ssh", "-p"
	if report.SFTP || r.flags.SFTP {
		command, port = "sftp", "-P"
	}
	b.WriteString(command)
	named := r.flags.IdentitySet && s.private != ""
	file := s.loginFile()
	missing := r.reach(report, file, named)
	if missing.nothing && r.inPageant(report) {
		r.printer.info("only Pageant has the private key, and ssh.exe does not ask Pageant: the command below is PuTTY's")
		return r.putty(report), ""
	}
	if named || missing.identity {
		b.WriteString(" -i " + shellWord(file))
	}
	if r.flags.Port != "" {
		b.WriteString(" " + port + " " + r.flags.Port)
	}
	// Before those of the command line: the first value wins.
	for _, option := range missing.options {
		b.WriteString(" -o " + quote(option))
	}
	for _, option := range r.flags.Passed {
		b.WriteString(" " + option.Flag + " " + quote(option.Value))
	}
	b.WriteString(" " + quote(forUser(r.flags.Hosts[0], r.flags.ForUser)))
	return term.Escape(b.String()), missing.why
}

// forUser is a destination with another user; the same for "".
func forUser(destination, user string) string {
	if user == "" {
		return destination
	}
	scheme := ""
	if rest, ok := strings.CutPrefix(destination, "ssh://"); ok {
		scheme, destination = "ssh://", rest
	}
	return scheme + user + "@" + destination[strings.LastIndexByte(destination, '@')+1:]
}

// shellWord quotes a word only where a shell would not take it as it is.
func shellWord(word string) string {
	if onWindows {
		return quote(filepath.ToSlash(word)) // every shell of Windows takes slashes
	}
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+@:,%=~", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return quote(word)
}
