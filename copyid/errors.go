package copyid

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
)

// Code names a kind of failure. The words are stable.
type Code string

// The codes, by the errors that have them.
const (
	// [ConfigError]
	CodeConfig Code = "config"
	// [DestinationError]
	CodeNoHost          Code = "no-host"
	CodeBadURI          Code = "bad-uri"
	CodeBadJump         Code = "bad-jump-host"
	CodeInvalidHostname Code = "invalid-hostname"
	CodeInvalidUser     Code = "invalid-user"
	CodeEmptyUser       Code = "empty-user"
	// [ConnectError]
	CodeResolve Code = "name-not-resolved"
	CodeConnect Code = "not-connected"
	// [HandshakeError]
	CodeHandshake        Code = "handshake-failed"
	CodeHandshakeTimeout Code = "handshake-timed-out"
	CodeNoCommonMethod   Code = "no-common-algorithm"
	CodeNotAllowedNow    Code = "not-allowed-at-this-time" // MaxStartups or a penalty (PerSourcePenalties)
	CodeMaxStartups      Code = "too-many-connections"     // MaxStartups before OpenSSH 9.8
	CodeNotSSH           Code = "not-ssh"
	CodeLargeExponent    Code = "large-rsa-exponent"
	// [JumpError], [ProxyError], [AlgorithmError]
	CodeJumpHost     Code = "jump-host"
	CodeProxyCommand Code = "proxy-command-ended"
	CodeNoAlgorithm  Code = "no-algorithm"
	// [HostKeyError]
	CodeHostKeyUnknown Code = "host-key-unknown"
	CodeHostKeyChanged Code = "host-key-changed"
	CodeHostKeyRevoked Code = "host-key-revoked"
	CodeHostKeyAddress Code = "host-key-of-another-address"
	CodeHostKeyFile    Code = "host-key-file"
	// [AuthError], [UnansweredError], [ClosedError]
	CodeDenied          Code = "permission-denied"
	CodePasswordRefused Code = "password-refused"
	CodePasswordExpired Code = "password-expired"
	CodeUnanswered      Code = "question-unanswered"
	CodeClosed          Code = "connection-closed"
	// [LoginError], [DeviceError], [UnreadableError]
	CodeLogin          Code = "login-leads-nowhere"
	CodeDevice         Code = "device"
	CodeUnreadableLine Code = "unreadable-line"
	// [KeyTypeError]
	CodeKeyType Code = "key-type"
	// ErrBusy, ErrStale, ErrNoLogin, ErrAbsent
	CodeBusy        Code = "file-keeps-changing"
	CodeStale       Code = "plan-out-of-date"
	CodeNoLogin     Code = "no-login"
	CodeUnsupported Code = "unsupported"
	// [Error]
	CodeCancelled Code = "cancelled"
	CodeOther     Code = "other"
)

// Error is returned for what has no type of its own.
type Error struct {
	Code Code `json:"code"`
	// Message is the text of Err, if there is one.
	Message string `json:"message"`
	Err     error  `json:"-"`
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// ConfigError is returned if ssh_config is refused: a bad line, a bad -o option, a
// file that cannot be trusted.
type ConfigError struct {
	Code Code `json:"code"`
	// Messages are what ssh would have printed, one line each, with file and line
	// number where there is one, not escaped; the last says why nothing goes on.
	Messages []string `json:"messages"`
}

// Error implements error.
func (e *ConfigError) Error() string { return strings.Join(e.Messages, "\n") }

// DestinationError is returned if a destination cannot be used, before any file is
// read.
type DestinationError struct {
	Code        Code   `json:"code"`
	Destination string `json:"destination"`
	// Message says it as ssh does, where ssh has words for it.
	Message string `json:"message"`
}

// Error implements error.
func (e *DestinationError) Error() string { return e.Message }

// ConnectError is returned if no connection to a host came about.
type ConnectError struct {
	Code Code   `json:"code"`
	Host string `json:"host"`
	Port int    `json:"port"`
	// Message is the text of Err.
	Message string `json:"message"`
	Err     error  `json:"-"`
}

// Error implements error.
func (e *ConnectError) Error() string { return e.Message }

// Unwrap returns the cause, as the net package has it.
func (e *ConnectError) Unwrap() error { return e.Err }

// HandshakeError is returned if the peer does not complete the SSH handshake.
type HandshakeError struct {
	Code Code   `json:"code"`
	Host string `json:"host"`
	Port int    `json:"port"`
	// Stage is "banner exchange" or "key exchange".
	Stage string `json:"stage"`
	// Said is the first line of a peer that does not speak SSH, or that refuses the
	// connection, at most 256 bytes, not escaped; "" where it said nothing.
	Said string `json:"said,omitempty"`
	// Mismatch is what both sides could not agree on; nil for other codes than
	// CodeNoCommonMethod.
	Mismatch *Mismatch `json:"mismatch,omitempty"`
	// Message is the text of Err.
	Message string `json:"message,omitempty"`
	Err     error  `json:"-"`
}

// StageBanner is the first stage of a handshake: the exchange of versions.
const StageBanner = "banner exchange"

// Mismatch is a kind of algorithm of which two sides have none in common.
type Mismatch struct {
	// What is the kind as ssh names it: "cipher", "host key type".
	What string `json:"what"`
	// Offered are the peer's, not escaped.
	Offered []string `json:"offered"`
	// Keyword is the keyword of ssh_config that adds LeftOut, an algorithm that both
	// have and that is left out here by default; "" for none.
	Keyword string `json:"keyword,omitempty"`
	LeftOut string `json:"leftOut,omitempty"`
}

// Error implements error.
func (e *HandshakeError) Error() string {
	return fmt.Sprintf("%s with %s port %d: %s", e.Stage, e.Host, e.Port, e.Code)
}

// Unwrap returns the cause; nil where Code and Said say it all.
func (e *HandshakeError) Unwrap() error { return e.Err }

// JumpError is returned if a jump host could not be used.
type JumpError struct {
	Code Code `json:"code"`
	// Hop is the jump host as ProxyJump names it.
	Hop string `json:"hop"`
	// Err is what failed there: an error of this package.
	Err error `json:"error"`
}

// Error implements error.
func (e *JumpError) Error() string { return "jump host " + e.Hop + ": " + e.Err.Error() }

// Unwrap returns what failed at the jump host.
func (e *JumpError) Unwrap() error { return e.Err }

// ProxyError is returned if a ProxyCommand ended before the login was complete.
type ProxyError struct {
	Code Code   `json:"code"`
	Host string `json:"host"`
	Port int    `json:"port"`
	// Status is how it ended, such as "exit status 1".
	Status string `json:"status"`
	// LastWords is the last line of its standard error, not escaped; "" for none.
	LastWords string `json:"lastWords,omitempty"`
	// Err is what that led to: an error of this package.
	Err error `json:"error,omitempty"`
}

// Error implements error.
func (e *ProxyError) Error() string {
	return fmt.Sprintf("the ProxyCommand of %s ended with %s", e.Host, e.Status)
}

// Unwrap returns what the end of the command led to.
func (e *ProxyError) Unwrap() error { return e.Err }

// AlgorithmError is returned if ssh_config leaves no algorithm of a kind that this
// program has.
type AlgorithmError struct {
	Code Code `json:"code"`
	// Keyword is the keyword of ssh_config.
	Keyword string `json:"keyword"`
	// Wanted are the algorithms it leaves, Supported those there are.
	Wanted    []string `json:"wanted"`
	Supported []string `json:"supported"`
}

// Error implements error.
func (e *AlgorithmError) Error() string {
	return fmt.Sprintf("none of the algorithms of %s is supported: %s", e.Keyword, strings.Join(e.Wanted, ","))
}

// HostKeyError is returned if the server's host key is not accepted.
type HostKeyError struct {
	Code Code `json:"code"`
	// Host is the host as known_hosts writes it; "" where it is not known.
	Host string `json:"host,omitempty"`
	// Type and Fingerprint are of the key shown, where there was one.
	Type        string `json:"type,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	// File and Line are what contradicts or revokes the key, or cannot be read; Line
	// is 0 for a whole file.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Words are ssh's own, line by line and not escaped, up to and including "Host
	// key verification failed."
	Words []string `json:"words"`
	// Err is why the user's answer did not come; nil mostly.
	Err error `json:"-"`
}

// Error implements error.
func (e *HostKeyError) Error() string {
	return fmt.Sprintf("%s host key of %s: %s", e.Type, e.Host, e.Code)
}

// Unwrap returns what the callback that asked the user returned, so that an
// interrupted question can be told from a no.
func (e *HostKeyError) Unwrap() error { return e.Err }

// AuthError is returned if the server lets the account in with nothing there is.
type AuthError struct {
	Code Code   `json:"code"`
	User string `json:"user"`
	Host string `json:"host"`
	// Methods are the ones the server still offered.
	Methods []string `json:"methods"`
	// NotAsked is why the user was not asked for a password although the server
	// takes one; "" where it was asked for, or the server takes none.
	NotAsked NotAsked `json:"notAsked,omitempty"`
	// Partial are the methods that succeeded where the server wants more.
	Partial []string `json:"partial,omitempty"`
	// PasswordRefused reports whether Options.Password was put forward and refused.
	PasswordRefused bool `json:"passwordRefused,omitempty"`
	// Disabled are the settings of ssh_config that keep the user from being asked
	// for a password, as "PasswordAuthentication no".
	Disabled []string `json:"disabled,omitempty"`
	// Unsupported are the methods among Methods that this program does not have.
	Unsupported []string `json:"unsupported,omitempty"`
	// Err is what kept the last method from being tried; nil mostly.
	Err error `json:"-"`
}

// NotAsked is a reason for not asking the user for a password.
type NotAsked string

// The reasons.
const (
	// BatchMode: the configuration, or a nil callback, rules questions out.
	BatchMode NotAsked = "batch mode"
	// HostKeyDoubtful: the host key contradicts known_hosts or is revoked.
	HostKeyDoubtful NotAsked = "host key changed"
	// Unattended: Options.NoPrompt.
	Unattended NotAsked = "unattended"
)

// Error implements error.
func (e *AuthError) Error() string {
	return fmt.Sprintf("%s@%s: permission denied (%s)", e.User, e.Host, strings.Join(e.Methods, ","))
}

// Unwrap returns what kept the last method from being tried.
func (e *AuthError) Unwrap() error { return e.Err }

// UnansweredError is the Err of an AuthError if the server put questions, as for a
// second factor, that nobody has answered.
type UnansweredError struct {
	Code Code `json:"code"`
	// Questions are the server's words, not escaped.
	Questions []string `json:"questions"`
	// Withheld reports whether Options.Password was set, and was not the answer.
	Withheld bool `json:"withheld,omitempty"`
	// Err is what the callback that asked the user returned; nil without one.
	Err error `json:"-"`
}

// Error implements error.
func (e *UnansweredError) Error() string {
	return fmt.Sprintf("nobody to answer %q", strings.Join(e.Questions, " "))
}

// Unwrap returns what the callback that asked the user returned.
func (e *UnansweredError) Unwrap() error { return e.Err }

// ClosedError is returned if the server hung up during the login.
type ClosedError struct {
	Code Code   `json:"code"`
	User string `json:"user"`
	Host string `json:"host"`
	Port int    `json:"port"`
	// KeysOffered counts the keys it had refused on this connection.
	KeysOffered int `json:"keysOffered,omitempty"`
	// Message is the text of Err, which has the server's message if it sent one. Not
	// escaped.
	Message string `json:"message"`
	Err     error  `json:"-"`
}

// Error implements error.
func (e *ClosedError) Error() string { return e.Host + " hung up during the login: " + e.Message }

// Unwrap returns the cause.
func (e *ClosedError) Unwrap() error { return e.Err }

// LoginError is returned if the server accepts a key and the login with it leads
// nowhere: a forced command of the key's line, a nologin shell or a demand for a
// new password answers in place of the account's shell.
type LoginError struct {
	Code Code `json:"code"`
	// Key is the key that logged in, without options and comment.
	Key authkeys.Entry `json:"key"`
	// Status is the exit status of what answered; 255 where the server sent none.
	Status int `json:"status"`
	// Unended reports whether what answered did not end in time.
	Unended bool `json:"unended,omitempty"`
	// Closed reports whether the server closed the connection instead.
	Closed bool `json:"closed,omitempty"`
	// Said is what it printed, not escaped, at most 2 KiB.
	Said string `json:"said,omitempty"`
}

// Error implements error.
func (e *LoginError) Error() string {
	return fmt.Sprintf("the login with %s leads nowhere: exit status %d", ssh.FingerprintSHA256(e.Key.Key), e.Status)
}

// DeviceError is returned if the server is an appliance that keeps public keys in
// its own configuration, where only its administrator can put them.
type DeviceError struct {
	Code Code `json:"code"`
	// Platform is the word for the family of devices, as "mikrotik", and Title what
	// it is called.
	Platform string `json:"platform"`
	Title    string `json:"title"`
	// User is the account, HostName the device.
	User     string `json:"user"`
	HostName string `json:"hostName"`
	// Keys are what was to be installed.
	Keys []identity.Identity `json:"keys"`
}

// Error implements error.
func (e *DeviceError) Error() string {
	return e.HostName + " is " + e.Title + ", which keeps keys in its own configuration"
}

// UnreadableError is returned before anything is written if the server could not
// read the line of a key.
type UnreadableError struct {
	Code     Code              `json:"code"`
	Identity identity.Identity `json:"identity"`
	// Reader is the server.
	Reader authkeys.Reader `json:"reader"`
	// Option is what it does not know; nil where the line is too long for it,
	// which has Length bytes.
	Option *authkeys.OptionError `json:"option,omitempty"`
	Length int                   `json:"length,omitempty"`
}

// Error implements error.
func (e *UnreadableError) Error() string {
	if e.Option != nil {
		return fmt.Sprintf("%v cannot read the option %v", e.Reader, e.Option)
	}
	return fmt.Sprintf("%v reads no line longer than %d bytes, and this one has %d", e.Reader, e.Reader.MaxLine(), e.Length)
}

var (
	// ErrAbsent is returned for a Goal with keys that are to be absent.
	ErrAbsent error = &Error{Code: CodeUnsupported, Message: "removing keys is not supported"}
	// ErrBusy is returned by Ensure if the file kept changing while it was being
	// updated.
	ErrBusy error = &Error{Code: CodeBusy, Message: "the target file keeps changing"}
	// ErrStale is returned by Apply if the file is not what the plan rests on, or
	// the plan is for another one. Nothing was changed.
	ErrStale error = &Error{Code: CodeStale, Message: "the target file is not what it was when the plan was made"}
	// ErrNoLogin is returned by Ensure, Apply and Diagnose if a login is
	// needed and not
	// possible with Options.NoPrompt.
	ErrNoLogin error = &Error{Code: CodeNoLogin, Message: "no login is possible without asking"}
)
