package cli

import (
	"errors"
	"fmt"
)

// outputError is returned when standard output did not take what was written.
type outputError struct{ err error }

func (e *outputError) Error() string { return "write error on standard output: " + e.err.Error() }

// homeError is returned where something of the home directory is needed and
// there is none, as for a user ID of a container that no passwd entry names.
type homeError struct{ what string }

func (e *homeError) Error() string {
	return "no home directory to look for " + e.what + ": set HOME"
}

// fileError is what use_id_file of the stock script says about a file.
type fileError struct {
	path string // "" for a private key whose name nobody knows
	pub  string // set where path is the private key that -f would not need
	err  error
	// authorizedKeys reports whether pub is an authorized_keys file.
	authorizedKeys bool
	// instead is a file that is there, where path is not; "" for none.
	instead string
}

func (e *fileError) Error() string { return "open ID file " + e.path + ": " + e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

var (
	errNoIdentities = errors.New("no identities found")
	errNoIDFile     = errors.New("no ID file found")
	errNoPrivateKey = errors.New("no private key")
)

// noKeyError is returned when there is no key to install.
type noKeyError struct {
	err     error   // errNoIdentities or errNoIDFile
	private string  // a private key without a .pub file; "" for none
	looked  []place // where keys were looked for
}

func (e *noKeyError) Error() string { return e.err.Error() }
func (e *noKeyError) Unwrap() error { return e.err }

// mistakenError is returned for a file that was given as a key and is another one
// of ~/.ssh.
type mistakenError struct {
	path string
	kind fileKind
	err  error
}

func (e *mistakenError) Error() string { return e.path + " is a file of the kind " + string(e.kind) }
func (e *mistakenError) Unwrap() error { return e.err }

// commentError is returned for a public key file whose comment could steer the
// terminal of whoever looks at the authorized_keys file, or read as something
// else than it is.
type commentError struct {
	path string
	line int
}

func (e *commentError) Error() string {
	return fmt.Sprintf("%s: line %d: the comment holds control characters or bidirectional overrides; give the key another one with --comment", e.path, e.line)
}

// keygenError is returned when --keygen made no key.
type keygenError struct {
	path string // the private key
	err  error
	// regular reports whether path is a regular file.
	regular bool
}

func (e *keygenError) Error() string { return "make the key " + e.path + ": " + e.err.Error() }
func (e *keygenError) Unwrap() error { return e.err }

var (
	errNeverOverwritten = errors.New("the file exists, and is not overwritten")
	errMismatches       = errors.New("the passphrases do not match")
	errBatchPassphrase  = errors.New("BatchMode is on, and nobody is asked for a passphrase; add --no-passphrase for a key without one")
)

// passwordError is returned when a password that was to be read could not be.
type passwordError struct {
	flag string // with its value, as given
	err  error
}

func (e *passwordError) Error() string { return e.flag + ": " + e.err.Error() }
func (e *passwordError) Unwrap() error { return e.err }

var (
	errEmptyPassword = errors.New("the first line is empty; it should be the password")
	errLongPassword  = fmt.Errorf("the first line is longer than %d bytes; it should be the password", maxPassword)
	errBinary        = errors.New("the first line holds a NUL byte; the file should be plain text (UTF-8, not UTF-16)")
	errHalfUTF16     = errors.New("the first line is in UTF-16 and damaged; save the file as UTF-8")
	errNotSet        = errors.New("the environment has no such variable, or it is empty")
	errNotOpen       = errors.New("no such file descriptor is open")
	errDirectory     = errors.New("is a directory")
	errIsOutput      = errors.New("is standard output or standard error")
	errIsTerminal    = errors.New("is a terminal, which would show the password; without the option it is asked for")
)

// errInterrupted: the change may have been on its way already.
var errInterrupted = errors.New("interrupted while the keys were being added: they may be there or not; run the command again to see, which also takes back what was left unfinished")

// errNotVerified: the change is complete.
var errNotVerified = errors.New("interrupted after the keys were added: whether the server accepts them was not checked; run the command again to see")
