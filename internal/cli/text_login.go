package cli

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/term"
)

// loginFailed shows what answered a login with a key that the server accepts:
// the server's words as the stock script shows them (filter_ids), each line
// behind ERROR, and what that means.
func (p *textOutput) loginFailed(e *copyid.LoginError) {
	said := nonEmptyLines(e.Said)
	if e.Closed {
		p.error(fmt.Sprintf("the server accepts %s and closed the connection after the login with it; nothing was added\n"+
			"\t(for root: PermitRootLogin forced-commands-only in its sshd_config does that)", keyName(e.Key.Key)))
		return
	}
	if len(said) == 0 {
		said = []string{fmt.Sprintf("the login with %s %s", keyName(e.Key.Key), ending(e))}
	}
	for i := range said {
		said[i] = "ERROR: " + said[i]
	}
	p.printErr("\n%s: %s\n\t(the server accepts %s, but what answered the login is not the account's shell: it %s.\n"+
		"\tA forced command (command= on the key's line), a nologin shell or an expired password does that.\n"+
		"\tAnother line with this key would not help, since the server uses the first one; nothing was added.\n"+
		"\tIf the key's line is the reason, -o PreferredAuthentications=password logs in without the key)\n\n",
		p.name, strings.Join(said, "\n"), keyName(e.Key.Key), ending(e))
}

// ending says how what answered a login came to its end.
func ending(e *copyid.LoginError) string {
	switch {
	case e.Unended:
		return "did not end in time"
	case e.Status == 255:
		return "ended with exit status 255 or none"
	}
	return fmt.Sprintf("ended with exit status %d", e.Status)
}

// keyName names a key of which only the blob may be known.
func keyName(key ssh.PublicKey) string {
	bits, kind, fingerprint := identity.Describe(key)
	return fmt.Sprintf("%d %s (%s)", bits, fingerprint, kind)
}

// nonEmptyLines returns the lines of a server's text, escaped, without blank ones.
func nonEmptyLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, term.Escape(line))
		}
	}
	return lines
}

// nowhereMessage warns about a login of the verification that led nowhere.
func nowhereMessage(e *copyid.LoginError) message {
	said := strings.Join(nonEmptyLines(e.Said), " / ")
	if said != "" {
		said = "; the server said: " + said
	}
	if e.Closed {
		return warningf("the server accepts %s, but closed the connection after the login with it", keyName(e.Key.Key))
	}
	return warningf("the server accepts %s, but the login with it leads nowhere: it %s%s", keyName(e.Key.Key), ending(e), said)
}
