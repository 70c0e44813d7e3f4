package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/term"
)

// This file is about words of the command line that are not quite what was
// meant: with a line end that came along, with two words in one, or in the
// notation of another program.

// blanks are what a line of a script or the output of a program ends with.
const blanks = " \t\r\n\v\f"

// withoutLineEnd drops the newlines at the end of a word, as the $(quote …) of
// the stock script does with the values of -o and -F and with the host.
func withoutLineEnd(word string) string { return strings.TrimRight(word, "\n") }

// withoutBlanks is a host or a port as it was meant: no name holds a blank, and
// the script of a CR LF file has a carriage return at the end of each line. A
// word of blanks alone stays, for an error that shows it.
func withoutBlanks(word string) string {
	if trimmed := strings.TrimRight(word, blanks); trimmed != "" {
		return trimmed
	}
	return word
}

// trimHosts are the destinations without what came along with them. ssh would
// take a blank in front of user@host for a part of the user's name.
func trimHosts(hosts []string) []string {
	trimmed := make([]string, len(hosts))
	for i, host := range hosts {
		trimmed[i] = strings.Trim(host, blanks)
	}
	return trimmed
}

// joinedWords is the first word that looks like an option, its value and more
// in one, as the shell passes "-p 22 host" in quotes; "" where there is none.
func joinedWords(args []string) string {
	for _, arg := range args {
		if arg == "--" {
			return ""
		}
		if strings.HasPrefix(arg, "-") && strings.ContainsAny(strings.TrimRight(arg, blanks), blanks) {
			return arg
		}
	}
	return ""
}

// explainJoined adds to an error of the command line that several words were
// passed as one, where that may be what is wrong. An option of ssh may hold
// blanks, so that a word of this kind is no error by itself.
func explainJoined(err error, word string) error {
	var usage *UsageError
	if word == "" || !errors.As(err, &usage) || usage.Hint != "" {
		return err
	}
	usage.Hint = fmt.Sprintf("%q is one word here: leave out the quotes, so that option, value and host are words of their own", word)
	return usage
}

// tooManyHosts is the error for more than one destination, with what may have
// been meant by the other one.
func (f *Flags) tooManyHosts(isKey func(path string) bool) error {
	hosts := f.Hosts
	e := &UsageError{
		Text:      fmt.Sprintf("Too many arguments.  Expecting a target hostname, got: %d: %s", len(hosts), strings.Join(hosts, " ")),
		ShowUsage: true,
	}
	for i, host := range hosts {
		switch {
		case !f.IdentitySet && (strings.HasSuffix(strings.ToLower(host), ".pub") || isKey(host)):
			e.Hint = "to install the key of a file, put -i before its name: -i " + shellWord(host)
			return e
		case i > 0 && isPortNumber(host):
			e.Hint = "a port is given with -p: -p " + host
			return e
		}
	}
	return explainJoined(e, f.joined)
}

// foreignURL is the error for a URL that is not ssh's; nil for anything else.
func foreignURL(destination string) error {
	scheme, rest, isURL := strings.Cut(destination, "://")
	if !isURL || scheme == "ssh" || scheme == "" || strings.Trim(strings.ToLower(scheme), "abcdefghijklmnopqrstuvwxyz") != "" {
		return nil
	}
	host, _, _ := strings.Cut(rest, "/")
	return &UsageError{
		Text: fmt.Sprintf("%q: of URLs only ssh:// is known", destination),
		Hint: "give the host as [user@]host or ssh://[user@]host[:port]: ssh://" + host,
	}
}

// destinationSentence are ssh's words for a destination that it cannot use,
// with the word, in which what is wrong may not be seen otherwise.
func destinationSentence(e *copyid.DestinationError) string {
	text := term.Escape(e.Error())
	switch e.Code {
	case copyid.CodeInvalidHostname, copyid.CodeInvalidUser:
		text += fmt.Sprintf(": %q", e.Destination)
		if strings.Count(e.Destination, `"`) == 1 {
			return text + "\n\t(a backslash before a closing quote makes the quote and what follows part of the word: leave that backslash out)"
		}
		if strings.ContainsAny(e.Destination, blanks) {
			text += "\n\t(it is one word here: options and the host are words of their own)"
		}
	case copyid.CodeBadURI:
		text += "\n\t(the form is ssh://[user@]host[:port], with a port from 1 to 65535 and no path; -t names another file)"
	}
	return text
}

// unresolvedHint says what may have been meant by a host name that cannot be
// resolved, as an indented line; "" where nothing is known.
func unresolvedHint(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	at := strings.LastIndexByte(host, ':')
	name := host[:max(at, 0)]
	switch {
	case at < 0 && strings.HasSuffix(host, ".pub"):
		return "\n\t(to install the key of a file, use -i FILE, and give the host behind it)"
	case at < 0:
		return ""
	case strings.Contains(name, ":") && !strings.HasSuffix(name, "]"):
		return ""
	}
	port := host[at+1:]
	if isPortNumber(port) {
		return "\n\t(a port is given with -p: -p " + port + " " + term.Escape(strings.Trim(name, "[]")) + ")"
	}
	return "\n\t(the host stands alone, without a colon: -p gives a port, -t another file than authorized_keys)"
}

// isPortNumber reports whether a word is a port in digits.
func isPortNumber(word string) bool {
	return strings.Trim(word, "0123456789") == "" && copyid.ParsePort(word) > 0
}
