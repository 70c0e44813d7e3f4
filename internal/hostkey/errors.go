package hostkey

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Reason is why an unknown host was not accepted.
type Reason string

// The reasons of an [UnknownError].
const (
	// Strict: StrictHostKeyChecking is yes.
	Strict Reason = "strict checking"
	// CannotAsk: BatchMode, or Policy.Ask is nil.
	CannotAsk Reason = "cannot ask"
	// Declined: the answer was no, or there was none.
	Declined Reason = "declined"
	// PinMismatch: the key has none of the fingerprints of Policy.Pins.
	PinMismatch Reason = "another fingerprint"
	// NotRecordable: there is no user file the key may be noted in, so ssh does
	// not ask; a name with pattern characters counts too.
	NotRecordable Reason = "no file to record it in"
)

// UnknownError is returned when the files hold no key of this host, and it was
// not accepted.
type UnknownError struct {
	Host        string // as known_hosts writes it
	Type        string // "ED25519"
	Fingerprint string // in the form of Policy.FingerprintHash
	Key         ssh.PublicKey
	Reason      Reason
	Err         error // what Ask returned, if that is why
}

func (e *UnknownError) Error() string {
	switch e.Reason {
	case Strict:
		return fmt.Sprintf("no %s host key is known for %s", e.Type, e.Host)
	case CannotAsk:
		return fmt.Sprintf("%s host key of %s is unknown and nobody can be asked", e.Type, e.Host)
	case PinMismatch:
		return fmt.Sprintf("%s host key %s of %s is none of the keys expected", e.Type, e.Fingerprint, e.Host)
	case NotRecordable:
		return fmt.Sprintf("%s host key of %s is unknown and there is no file to note it in", e.Type, e.Host)
	}
	return fmt.Sprintf("%s host key of %s was not accepted", e.Type, e.Host)
}

// Unwrap returns what Ask returned, which distinguishes an interrupt from a
// no.
func (e *UnknownError) Unwrap() error { return e.Err }

// ChangedError is returned when the files hold other keys of this host, but not
// the one shown.
type ChangedError struct {
	Host        string // as known_hosts writes it
	Type        string // of the key shown
	Fingerprint string // of the key shown
	File        string // where the right key belongs
	// The last line that contradicts the key shown.
	KnownType string
	KnownFile string
	KnownLine int // 1-based
	// Address is what CheckHostIP found, if that differs from the name.
	Address *AddressState
}

// AddressState is what the files hold for the address of a changed host.
type AddressState struct {
	IP    string
	Known bool // some key is known for the address
	Same  bool // and it is the one shown
	File  string
	Line  int
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s host key of %s has changed (%s:%d)", e.Type, e.Host, e.KnownFile, e.KnownLine)
}

// RevokedError is returned when the key shown, or the authority that certified
// it, is revoked.
type RevokedError struct {
	Host        string // as known_hosts writes it
	Type        string
	Fingerprint string
	File        string // the @revoked line, or the file of RevokedHostKeys
	Line        int    // 0 for a file of RevokedHostKeys
	Listed      bool   // by RevokedHostKeys, not by an @revoked line
}

func (e *RevokedError) Error() string {
	return fmt.Sprintf("%s host key of %s is revoked by %s", e.Type, e.Host, e.File)
}

// AddressError is returned when the key is right for the name, but the address is
// known by another (CheckHostIP), and that was not accepted.
type AddressError struct {
	Host, Type string
	IP         string // as known_hosts writes it
	File       string // the line of the address
	Line       int
	// The line of the name, if it is known; MatchFile is empty otherwise.
	MatchFile string
	MatchLine int
	Asked     bool  // and the answer was no
	Err       error // what Ask returned, if that is why
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("%s host key of %s differs from the key of its address %s", e.Type, e.Host, e.IP)
}

// Unwrap returns what Ask returned.
func (e *AddressError) Unwrap() error { return e.Err }

// FileError is returned when a file cannot be relied on, so that no key can be
// accepted.
type FileError struct {
	File   string
	Line   int // 1-based, 0 for the whole file
	Reason string
	// Type and Fingerprint are of the key being checked, if there was one.
	Type, Fingerprint string
}

func (e *FileError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason)
	}
	return e.File + ": " + e.Reason
}

const failed = "Host key verification failed."

// Explain renders ssh's own words for an error of this package, as lines without
// a last newline, up to and including "Host key verification failed.". For an
// error of another origin it returns "". Names and paths are as they were read.
func Explain(err error) string {
	var unknown *UnknownError
	var changed *ChangedError
	var revoked *RevokedError
	var address *AddressError
	var file *FileError
	switch {
	case errors.As(err, &unknown):
		return explainUnknown(unknown)
	case errors.As(err, &changed):
		return changed.warning() + "\n" +
			fmt.Sprintf("Host key for %s has changed and you have requested strict checking.\n", changed.Host) + failed
	case errors.As(err, &revoked):
		if revoked.Listed {
			return fmt.Sprintf("Host key %s %s revoked by file %s\n", revoked.Type, revoked.Fingerprint, revoked.File) + failed
		}
		return revoked.warning() + "\n" +
			fmt.Sprintf("%s host key for %s was revoked and you have requested strict checking.\n", revoked.Type, revoked.Host) + failed
	case errors.As(err, &address):
		if address.Asked {
			return failed // the question showed the warning
		}
		return address.warning() + "\nExiting, you have requested strict checking.\n" + failed
	case errors.As(err, &file):
		if file.Type != "" {
			return fmt.Sprintf("Error checking host key %s %s in revoked keys file %s: %s\n",
				file.Type, file.Fingerprint, file.File, file.Reason) + failed
		}
		return file.Error() + "\n" + failed
	}
	return ""
}

func explainUnknown(e *UnknownError) string {
	switch e.Reason {
	case Strict:
		return fmt.Sprintf("No %s host key is known for %s and you have requested strict checking.\n", e.Type, e.Host) + failed
	case PinMismatch:
		return fmt.Sprintf("The %s host key %s of %s is not the one expected.\n", e.Type, e.Fingerprint, e.Host) + failed
	case CannotAsk:
		return fmt.Sprintf("The %s host key %s of %s is not known, and nobody can be asked.\n", e.Type, e.Fingerprint, e.Host) + failed
	case NotRecordable:
		return fmt.Sprintf("The %s host key %s of %s is not known, and there is no file to note it in.\n", e.Type, e.Fingerprint, e.Host) + failed
	}
	return failed
}

const frame = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"

func banner(title string) []string { return []string{frame, title, frame} }

// warning is warn_changed_key and what check_host_key says around it; the advice
// to remove the line is Debian's.
func (e *ChangedError) warning() string {
	var lines []string
	if a := e.Address; a != nil {
		state := "is unknown"
		if a.Same {
			state = "is unchanged"
		} else if a.Known {
			state = "has a different value"
		}
		lines = append(lines, banner("@       WARNING: POSSIBLE DNS SPOOFING DETECTED!          @")...)
		lines = append(lines,
			fmt.Sprintf("The %s host key for %s has changed,", e.Type, e.Host),
			fmt.Sprintf("and the key for the corresponding IP address %s", a.IP),
			state+". This could either mean that",
			"DNS SPOOFING is happening or the IP address for the host",
			"and its host key have changed at the same time.")
		if a.Known {
			lines = append(lines, fmt.Sprintf("Offending key for IP in %s:%d", a.File, a.Line))
		}
	}
	lines = append(lines, banner("@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @")...)
	lines = append(lines,
		"IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!",
		"Someone could be eavesdropping on you right now (man-in-the-middle attack)!",
		"It is also possible that a host key has just been changed.",
		fmt.Sprintf("The fingerprint for the %s key sent by the remote host is", e.Type),
		e.Fingerprint+".",
		"Please contact your system administrator.",
		fmt.Sprintf("Add correct host key in %s to get rid of this message.", e.File),
		fmt.Sprintf("Offending %s key in %s:%d", e.KnownType, e.KnownFile, e.KnownLine),
		"  remove with:",
		fmt.Sprintf(`  ssh-keygen -f "%s" -R "%s"`, e.KnownFile, e.Host))
	return strings.Join(lines, "\n")
}

func (e *RevokedError) warning() string {
	return strings.Join(append(banner("@       WARNING: REVOKED HOST KEY DETECTED!               @"),
		fmt.Sprintf("The %s host key for %s is marked as revoked.", e.Type, e.Host),
		"This could mean that a stolen key is being used to",
		"impersonate this host."), "\n")
}

func (e *AddressError) warning() string {
	text := fmt.Sprintf("Warning: the %s host key for '%s' differs from the key for the IP address '%s'\nOffending key for IP in %s:%d",
		e.Type, e.Host, e.IP, e.File, e.Line)
	if e.MatchFile != "" {
		text += fmt.Sprintf("\nMatching host key in %s:%d", e.MatchFile, e.MatchLine)
	}
	return text
}
