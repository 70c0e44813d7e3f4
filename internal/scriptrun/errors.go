package scriptrun

import (
	"errors"
	"fmt"
)

// Stage is what was being done when it failed.
type Stage string

// The stages of a script.
const (
	StageOpen    Stage = "open"    // opening the channel
	StageStart   Stage = "start"   // starting the shell or the SFTP server
	StageRequest Stage = "request" // sending a request
	StageAnswer  Stage = "answer"  // reading the answer
)

// Reason is why.
type Reason string

// The reasons why a script does not run, or does not answer.
const (
	Invalid  Reason = "invalid"   // what the caller passed cannot be sent
	Refused  Reason = "refused"   // the server opens no session, or runs no commands in it
	NoAnswer Reason = "no answer" // something else than the script ran: a forced command, nologin
	Eaten    Reason = "eaten"     // a start-up file of the shell read part of what was sent
	Unheard  Reason = "unheard"   // the script seems to have run, but its output went elsewhere
	Silent   Reason = "silent"    // the server did not do in time what Awaited names
	Garbled  Reason = "garbled"   // the answer does not make sense
	TooMuch  Reason = "too much"  // more data than is accepted
	Closed   Reason = "closed"    // the connection or the channel ended
)

// The reasons of a script for another account, as foruser.sh gives them. All are
// of StageStart, and the script did not run. Detail says more.
const (
	NotRoot      Reason = "not root"      // the login is not root's, so it can be nobody else
	NoAccount    Reason = "no account"    // the server has no account of that name
	IsRoot       Reason = "is root"       // the account is root, perhaps by another name
	CannotSwitch Reason = "cannot switch" // the server has no working program to become the account
)

// Error is returned where a script did not run, or did not answer.
type Error struct {
	Stage  Stage
	Reason Reason
	// Detail is what the server said, if anything: the end of its standard
	// error, or what came in place of an answer.
	Detail string
	// Status is the exit status of the remote command where it ended without
	// an answer; -1 if the server gave none.
	Status int
	// Awaited is what the server was waited for, where Reason is Silent.
	Awaited Awaited
	// Sent: the script may have received the request.
	Sent bool
}

func (e *Error) Error() string {
	text := fmt.Sprintf("remote %s: %s", e.Stage, e.Reason)
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Why there is no answer. Request.Line returns the last two.
var (
	errDamaged = errors.New("script damaged")
	ErrTooMuch = errors.New("too much data")
	ErrGarbled = errors.New("unexpected line")
)
