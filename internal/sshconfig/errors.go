package sshconfig

import (
	"errors"
	"fmt"
	"strings"
)

// Error is a refusal by the configuration: a bad line in a file, a bad -o
// option, a file that cannot be trusted. Messages holds what ssh would have
// printed, one line each, with file and line number where there is one; the
// last line says why nothing goes on.
type Error struct {
	Messages []string
}

// Error joins the messages with newlines. They may hold bytes of the
// configuration file as they are: whoever prints them escapes them.
func (e *Error) Error() string { return strings.Join(e.Messages, "\n") }

// DestinationError says that the destination itself cannot be used, before any
// file was read.
type DestinationError struct {
	Destination string
	Reason      DestinationReason
}

// DestinationReason is what is wrong with a destination.
type DestinationReason int

// The reasons of a [DestinationError]. InvalidHostname and InvalidUser are the
// checks that OpenSSH 9.6 added in ssh.c (valid_hostname, valid_ruser).
const (
	NoHost          DestinationReason = iota + 1 // empty, or a user without a host
	BadURI                                       // an ssh:// destination with a path or a bad port
	BadJump                                      // a jump host that is no [user@]host[:port] or URI
	InvalidHostname                              // begins with - or holds shell metacharacters
	InvalidUser                                  // likewise, for the user name
	EmptyUser                                    // @host
)

// Error words the reason as ssh does, where ssh has words for it.
func (e *DestinationError) Error() string {
	switch e.Reason {
	case InvalidHostname:
		return "hostname contains invalid characters"
	case InvalidUser:
		return "remote username contains invalid characters"
	case BadJump:
		return fmt.Sprintf("invalid jump host %q", e.Destination)
	case BadURI:
		return fmt.Sprintf("invalid ssh:// destination %q", e.Destination)
	case EmptyUser:
		return fmt.Sprintf("no user name before @ in destination %q", e.Destination)
	default:
		return fmt.Sprintf("no host in destination %q", e.Destination)
	}
}

// errBadLine marks a line that was already complained about; reading goes on
// so that all bad lines are reported together.
var errBadLine = errors.New("bad line")

// stop makes the error that ends the evaluation at once, OpenSSH's fatal().
func (e *evaluation) stop(format string, args ...any) error {
	return &Error{Messages: append(e.messages, fmt.Sprintf(format, args...))}
}

// complain records a message of ssh's error().
func (e *evaluation) complain(format string, args ...any) {
	e.messages = append(e.messages, fmt.Sprintf(format, args...))
}
