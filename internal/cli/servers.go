package cli

import (
	"fmt"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/serverid"
	"ssh-copy-id/internal/term"
)

// shortestLine is how many bytes a line of the shortest kind of key takes.
const shortestLine = 80

// limits warns where the server may not read all of a file that it now has.
func (p *printer) limits(report *copyid.Report) {
	reader := serverid.Parse(report.ServerVersion).Reader()
	most := reader.MaxLines()
	if len(report.Added()) > 0 && most > 0 && report.Size > int64(most*shortestLine) && !report.Verification.Done {
		p.warning("%v reads only the first %d lines of %s, which has %d bytes by now: check that the new key is among them",
			reader, most, term.Escape(report.Path), report.Size)
	}
}

// unreadableSentence says why a line that the server could not read was not
// written.
func unreadableSentence(e *copyid.UnreadableError) string {
	reader, key := term.Escape(e.Reader.String()), describe(e.Identity)
	if e.Option == nil {
		return fmt.Sprintf("the server (%s) reads no line longer than %d bytes, and that of %s has %d; nothing was added\n\t(--comment gives it a shorter comment)",
			reader, e.Reader.MaxLine(), key, e.Length)
	}
	return fmt.Sprintf("the server (%s) cannot read the option %s of %s (%s): it would ignore the whole line; nothing was added\n\t(leave the option out, or restrict the key on the server)",
		reader, term.Escape(e.Option.Option), key, e.Option.Reason)
}
