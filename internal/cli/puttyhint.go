package cli

import (
	"slices"
	"strconv"
	"strings"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/term"
)

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
	return term.Escape(command + " " + shellWord(forUser(report.User+"@"+report.HostName, r.flags.ForUser)))
}
