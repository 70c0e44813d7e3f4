package cli

import (
	"strings"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/term"
)

// What dropbear reads of an authorized_keys file (svr-authpubkey.c and
// sysoptions.h of Dropbear): lines of at most 3000 bytes, and the first 300.
const (
	dropbearLine  = 3000
	dropbearLines = 300
	// dropbearBytes is what 300 lines of the shortest kind of key take.
	dropbearBytes = dropbearLines * 80
)

// limits warns where the server does not read all of a file that it now has.
func (p *printer) limits(report *copyid.Report) {
	if !strings.HasPrefix(report.ServerVersion, "SSH-2.0-dropbear") {
		return
	}
	for _, id := range report.Added() {
		if n := len(id.Entry.Line()); n > dropbearLine {
			p.warning("dropbear reads no line longer than %d bytes, and this one has %d: %s", dropbearLine, n, describe(id))
		}
	}
	if len(report.Added()) > 0 && report.Size > dropbearBytes {
		p.warning("dropbear reads only the first %d lines of %s, which has %d bytes by now: check that the new key is among them",
			dropbearLines, term.Escape(report.Path), report.Size)
	}
}
