package cli

import (
	"slices"
	"strconv"
	"strings"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
)

// loginHint is how to log in with a new key.
type loginHint struct {
	command string   // for the user's shell, not escaped
	pageant bool     // only Pageant has the key, and the command is PuTTY's
	why     obstacle // what the command is longer for than usual
}

// obstacle is a setting that keeps ssh from logging in with a key; the zero value
// is none.
type obstacle struct {
	kind  obstacleKind
	value string // of IdentityAgent, or the algorithm that is left out
	keys  int    // that the agent holds
}

type obstacleKind string

const (
	otherAgent     obstacleKind = "IdentityAgent"
	agentFirst     obstacleKind = "the agent's keys"
	onlyIdentities obstacleKind = "IdentitiesOnly"
	otherFiles     obstacleKind = "IdentityFile"
	noDefault      obstacleKind = "no default identity"
	keysOff        obstacleKind = "PubkeyAuthentication"
	otherMethods   obstacleKind = "PreferredAuthentications"
	otherTypes     obstacleKind = "PubkeyAcceptedAlgorithms"
)

// hint is the command that logs in with the new key: that of the stock script,
// with what ssh_config makes necessary beside it.
func (r *run) hint(report *copyid.Report, s source) loginHint {
	if command := r.puttyHint(report, s); command != "" {
		return loginHint{command: command}
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
		return loginHint{command: r.putty(report), pageant: true}
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
	return loginHint{command: b.String(), why: missing.why}
}

// puttyHint is the command of PuTTY that logs in with a key in PuTTY's format,
// which ssh cannot read; "" for other keys. PuTTY knows nothing of ssh_config,
// so it is given what that resolves to.
func (r *run) puttyHint(report *copyid.Report, s source) string {
	other := func(id identity.Identity) bool { return id.Origin.Format != identity.FormatPPK || id.Origin.UTF16 }
	if len(s.ids) == 0 || slices.ContainsFunc(s.ids, other) {
		return ""
	}
	return r.putty(report, "-i "+shellWord(s.ids[0].Origin.Path))
}

// putty is a command of PuTTY, which asks Pageant by itself.
func (r *run) putty(report *copyid.Report, options ...string) string {
	command := "putty"
	if report.SFTP || r.flags.SFTP {
		command = "psftp"
	}
	command = strings.Join(append([]string{command}, options...), " ")
	if report.Port != 22 {
		command += " -P " + strconv.Itoa(report.Port)
	}
	return command + " " + shellWord(forUser(report.User+"@"+report.HostName, r.flags.ForUser))
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
