package authkeys

import (
	"errors"
	"strconv"
	"strings"
)

// A Reader is the server that reads a file, as far as its rules decide which
// lines count. The zero Reader is an sshd of a recent release.
type Reader struct {
	name     string
	dropbear bool
	// maxLine is the longest line that is read, in bytes, and maxLines how many
	// lines are; 0 for no limit.
	maxLine, maxLines int
	// lacks are the options that this release does not know, as sshd(8) spells
	// them; nil where the release is not known.
	lacks map[string]bool
}

// A release is the first one that knows some options.
type release struct {
	major, minor int
	options      []string
}

// sshdReleases are the releases of OpenSSH that brought options, by their
// release notes. Older ones than the first are not told apart.
var sshdReleases = []release{
	{7, 2, []string{"restrict", "agent-forwarding", "port-forwarding", "pty", "user-rc", "X11-forwarding"}},
	{7, 7, []string{"expiry-time"}},
	{7, 8, []string{"permitlisten"}},
	{8, 2, []string{"touch-required", "no-touch-required"}},
	{8, 4, []string{"verify-required", "no-verify-required"}},
}

// dropbearReleases are those of Dropbear (svr-authpubkeyoptions.c at its tags).
// What is in none of them no release knows.
var dropbearReleases = []release{
	{0, 52, []string{"no-port-forwarding", "no-agent-forwarding", "no-X11-forwarding", "no-pty", "command"}},
	{2022, 82, []string{"restrict"}},
	{2022, 83, []string{"permitopen", "no-touch-required", "verify-required"}},
	{2026, 90, []string{"permitlisten"}},
}

// SSHD returns the rules of a release of OpenSSH, such as "9.2p1". An empty or
// strange version is taken for a recent one.
func SSHD(version string) Reader {
	major, minor, ok := versionNumbers(version)
	r := Reader{}
	if !ok {
		return r
	}
	r.lacks = map[string]bool{}
	for _, since := range sshdReleases {
		if since.after(major, minor) {
			for _, option := range since.options {
				r.lacks[option] = true
			}
			r.name = "sshd of OpenSSH " + version
		}
	}
	return r
}

// Dropbear returns the rules of a release of Dropbear, such as "2022.83". Of an
// empty or strange version only those are assumed that every release has.
func Dropbear(version string) Reader {
	major, minor, known := versionNumbers(version)
	r := Reader{name: "dropbear", dropbear: true, lacks: map[string]bool{}}
	for _, kind := range optionKinds {
		r.lacks[kind.name] = true
	}
	for _, since := range dropbearReleases {
		if !known || !since.after(major, minor) {
			for _, option := range since.options {
				delete(r.lacks, option)
			}
		}
	}
	if !known {
		return r
	}
	r.name += " " + version
	// MAX_AUTHKEYS_LINE in svr-authpubkey.c; before 2026.92 the buffer had to
	// have room for one byte more.
	r.maxLine = 4199
	if !(release{major: 2026, minor: 92}).after(major, minor) {
		r.maxLine, r.maxLines = 3000, 300
	}
	return r
}

// after reports whether a release came after major.minor.
func (r release) after(major, minor int) bool {
	return major < r.major || major == r.major && minor < r.minor
}

// versionNumbers reads the first two numbers of a version: 9.2p1, 2022.83.
func versionNumbers(version string) (major, minor int, ok bool) {
	first, rest, ok := strings.Cut(version, ".")
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	major, errMajor := strconv.Atoi(first)
	minor, errMinor := strconv.Atoi(rest[:digits])
	return major, minor, ok && errMajor == nil && errMinor == nil && isNumber(first)
}

// String names the reader as messages do: "sshd", or "dropbear 2022.83".
func (r Reader) String() string {
	if r.name == "" {
		return "sshd"
	}
	return r.name
}

// MaxLine returns the longest line that is read, in bytes; 0 for no limit.
func (r Reader) MaxLine() int { return r.maxLine }

// MaxLines returns how many lines of a file are read; 0 for no limit.
func (r Reader) MaxLines() int { return r.maxLines }

// CheckOptions judges the options of one line as [CheckOptions] does, and by
// what this reader knows of them. The error is an *[OptionError].
func (r Reader) CheckOptions(options []string) error {
	if r.dropbear {
		if failed := r.dropbearOptions(strings.Join(options, ",")); failed != nil {
			return failed
		}
		return nil
	}
	if err := CheckOptions(options); err != nil {
		return err
	}
	for _, option := range options {
		if name, value, _ := ReadOption(option); r.lacks[name] {
			return &OptionError{Option: name, Value: value, Reason: OptionUnknown}
		}
	}
	return nil
}

// Lacks returns the first option that this release does not know, or not in that
// form, though another one does; nil for none. It says nothing of options that
// no sshd knows: what a file has is the business of whoever wrote it.
func (r Reader) Lacks(options []string) *OptionError {
	if CheckOptions(options) != nil {
		return nil
	}
	var failed *OptionError
	errors.As(r.CheckOptions(options), &failed)
	return failed
}

// Compose returns the entry as this reader can read it: as its author wrote it
// where that will do, else with single blanks between the fields.
func (r Reader) Compose(e Entry) Entry {
	if !r.dropbear || e.Key == nil || r.reads(e.Line(), e.Key.Type(), e.Blob()) {
		return e
	}
	var options []string
	for _, option := range e.Options {
		if option != "" {
			options = append(options, option)
		}
	}
	return NewEntry(e.Key, e.Comment, options...)
}
