package sshclient

import (
	"errors"
	"fmt"
	"strings"
)

// DialError is returned when the host was not reached.
type DialError struct {
	// Host and Port are what was to be reached.
	Host string
	Port int
	// Resolving is true where the name could not be turned into an address.
	Resolving bool
	// Err is the cause.
	Err error
}

func (e *DialError) Error() string {
	if e.Resolving {
		return fmt.Sprintf("resolve %s: %v", e.Host, e.Err)
	}
	return fmt.Sprintf("connect to %s port %d: %v", e.Host, e.Port, e.Err)
}

// Unwrap returns the cause: the caller distinguishes a refused from a timed-out
// attempt.
func (e *DialError) Unwrap() error { return e.Err }

// HopError is returned when a jump host could not be used.
type HopError struct {
	// Hop is the jump host as ProxyJump names it.
	Hop string
	// Err is what failed there.
	Err error
}

func (e *HopError) Error() string { return "jump host " + e.Hop + ": " + e.Err.Error() }

// Unwrap returns what failed at the hop.
func (e *HopError) Unwrap() error { return e.Err }

// LoopError is returned when a jump host is to be reached through itself.
type LoopError struct {
	// Hop is the jump host that comes up again.
	Hop string
}

func (e *LoopError) Error() string { return "jumphost loop via " + e.Hop }

var errNoJump = errors.New("ProxyJump is not available here")

// ShortKeyError is returned when the server's RSA key is shorter than
// RequiredRSASize.
type ShortKeyError struct {
	Host           string
	Bits, Required int
}

func (e *ShortKeyError) Error() string {
	return fmt.Sprintf("the RSA host key of %s has %d bits; RequiredRSASize wants %d", e.Host, e.Bits, e.Required)
}

// Stage names how far the SSH handshake came.
type Stage string

// The stages of a handshake that can fail.
const (
	StageBanner Stage = "banner exchange"
	StageKex    Stage = "key exchange"
)

// HandshakeError is returned when the peer did not complete the handshake.
type HandshakeError struct {
	Host  string
	Port  int
	Stage Stage
	// TimedOut is true where the peer was too slow.
	TimedOut bool
	// Said is the first line of a peer that does not speak SSH, at most 256
	// bytes, not escaped; "" where it said nothing.
	Said string
	// LargeExponent is true where the server's RSA key has an exponent that
	// the ssh package does not compute with.
	LargeExponent bool
	// Err is the cause; nil where TimedOut or Said say it all.
	Err error
}

// Refusal is what an sshd says that does not let somebody connect, in place of its
// version (drop_connection in sshd.c).
type Refusal string

// The refusals.
const (
	// ExceededMaxStartups: too many connections wait to log in; before OpenSSH 9.8.
	ExceededMaxStartups Refusal = "Exceeded MaxStartups"
	// NotAllowed: the same since 9.8, or a penalty of this address
	// (PerSourcePenalties).
	NotAllowed Refusal = "Not allowed at this time"
)

// Refusal returns which refusal the peer's first line is; "" if it is none.
func (e *HandshakeError) Refusal() Refusal {
	switch r := Refusal(e.Said); r {
	case ExceededMaxStartups, NotAllowed:
		return r
	}
	return ""
}

// ProxyError is returned when a ProxyCommand ended before the login was over.
type ProxyError struct {
	Host string
	Port int
	// Status is how it ended, such as "exit status 1".
	Status string
	// LastWords is the last line of its standard error, not escaped; "" for none.
	LastWords string
	// Err is what that led to.
	Err error
}

func (e *ProxyError) Error() string {
	return fmt.Sprintf("the ProxyCommand of %s ended with %s", e.Host, e.Status)
}

// Unwrap returns what the end of the command led to.
func (e *ProxyError) Unwrap() error { return e.Err }

func (e *HandshakeError) Error() string {
	switch {
	case e.TimedOut:
		return fmt.Sprintf("%s with %s port %d timed out", e.Stage, e.Host, e.Port)
	case e.Said != "":
		return fmt.Sprintf("%s port %d does not speak SSH", e.Host, e.Port)
	}
	return fmt.Sprintf("%s with %s port %d: %v", e.Stage, e.Host, e.Port, e.Err)
}

// Unwrap returns the cause.
func (e *HandshakeError) Unwrap() error { return e.Err }

// AuthError is returned when the server let us in with nothing we have.
type AuthError struct {
	User, Host string
	// Methods are the ones the server still offered.
	Methods []string
	// NotAsked says why a password or a keyboard-interactive answer was not
	// asked for although the server offers it; "" where it was, or where the
	// server does not offer it.
	NotAsked NotAsked
	// Partial are the methods that succeeded where the server wants more.
	Partial []string
	// PasswordRefused is true where Options.Password was put forward, and the
	// server did not let us in with it.
	PasswordRefused bool
	// PasswordExpired is true where the server answered a password with the
	// request for a new one (RFC 4252 section 8), or said in a question of
	// keyboard-interactive that it wants one.
	PasswordExpired bool
	// Disabled are the settings of ssh_config that keep a password from being
	// asked for although the server takes one, as "PasswordAuthentication no".
	Disabled []string
	// Unsupported are the authentication methods among Methods that this
	// program does not have at all.
	Unsupported []string
	// Err is what kept the last method from being tried; nil mostly.
	Err error
}

// UnansweredError is returned when the server put questions, as for a second
// factor, and nobody has answered them.
type UnansweredError struct {
	// Questions are the server's words, not escaped.
	Questions []string
	// Withheld reports that Options.Password was set, and was not the answer.
	Withheld bool
	// Err is why nobody has answered; nil where there is nobody.
	Err error
}

func (e *UnansweredError) Error() string {
	text := fmt.Sprintf("nobody to answer %q", strings.Join(e.Questions, " "))
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns why there was no answer: a caller distinguishes an interrupted
// question from one that there is no terminal for.
func (e *UnansweredError) Unwrap() error { return e.Err }

// NotAsked is a reason for not asking for a password.
type NotAsked string

// The reasons.
const (
	// BatchMode: the configuration or the caller forbids questions.
	BatchMode NotAsked = "batch mode"
	// HostKeyChanged: the host's key contradicts known_hosts or is revoked.
	HostKeyChanged NotAsked = "host key changed"
	// Unattended: the caller wants no questions (Options.NeverAsk).
	Unattended NotAsked = "unattended"
)

func (e *AuthError) Error() string {
	text := fmt.Sprintf("%s@%s: permission denied (%s)", e.User, e.Host, strings.Join(e.Methods, ","))
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns what kept the last method from being tried.
func (e *AuthError) Unwrap() error { return e.Err }

// ClosedError is returned when the server hung up while we authenticated.
type ClosedError struct {
	User, Host string
	Port       int
	// KeysOffered counts the keys it had refused on this connection.
	KeysOffered int
	// Err carries the server's disconnect message, if it sent one. Not escaped.
	Err error
}

func (e *ClosedError) Error() string {
	return fmt.Sprintf("%s hung up during authentication: %v", e.Host, e.Err)
}

// Unwrap returns the cause.
func (e *ClosedError) Unwrap() error { return e.Err }

// AlgorithmError is returned when ssh_config leaves no algorithm of a kind that
// this program has.
type AlgorithmError struct {
	// Keyword is the ssh_config keyword.
	Keyword string
	// Wanted are the algorithms it leaves. [Supported] has those there are.
	Wanted []string
}

func (e *AlgorithmError) Error() string {
	return fmt.Sprintf("none of the algorithms of %s is supported: %s", e.Keyword, strings.Join(e.Wanted, ","))
}

// errAnswered ends an authentication that was only about key queries.
var errAnswered = errors.New("every question about keys is answered")

// errMoreKeys ends a connection whose allowance of keys is used up, for another
// one that goes on with the rest.
var errMoreKeys = errors.New("the other keys are for another connection")
