package device

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/internal/sshkey"
)

// Commands are what to type on a device.
type Commands struct {
	// Lines are the lines to type, in this order: printable ASCII without a
	// line end. There are none where no key is left.
	Lines []string
	// Notes are sentences about them for a person, lower case and without a
	// full stop: what the lines need, and what they change beside the keys.
	Notes []string
	// Refused are the entries that Lines leave out, in their order.
	Refused []Refused
}

// Refused is an entry that a device cannot take.
type Refused struct {
	Entry  authkeys.Entry
	Reason Reason
	// Limit goes with the reason: bits for [TooLong], keys for [TooMany];
	// else 0.
	Limit int
}

// A Reason is why an entry is refused.
type Reason string

// The reasons.
const (
	NoKey       Reason = "no key"
	Certificate Reason = "certificate"    // lets nobody in from a list of keys
	Restricted  Reason = "options"        // the device would ignore them and allow more
	UnknownType Reason = "key type"       // not documented for the device
	TooLong     Reason = "key length"     // more bits than the device takes
	TooMany     Reason = "number of keys" // more keys than the lines can set for a user
)

// UserError tells that a user name cannot be put into a command.
type UserError struct {
	Platform string // its Name
	User     string // as passed: any text
	Reason   UserReason
}

// A UserReason is why a user name is refused.
type UserReason string

// The reasons.
const (
	UserEmpty      UserReason = "it is empty"
	UserTooLong    UserReason = "it is too long"
	UserDash       UserReason = "it begins with a dash"
	UserCharacters UserReason = "it has characters other than letters, digits and . _ - @ +"
)

func (e *UserError) Error() string {
	shown := e.User
	if len(shown) > maxUser {
		shown = shown[:maxUser] + "..."
	}
	return fmt.Sprintf("user name %+q cannot be put into a command for %s: %s", shown, e.Platform, e.Reason)
}

// PlatformError tells that a Platform is not one of [Platforms].
type PlatformError struct{ Name string }

func (e *PlatformError) Error() string { return fmt.Sprintf("unknown platform %+q", e.Name) }

const (
	maxUser    = 128 // bytes; no device is known to take a longer name
	maxComment = 64  // bytes
)

// key is a key that a device takes.
type key struct {
	kind    string // "ssh-rsa"
	blob    string // base64, on one line
	options string // "" or options and a blank, printable and without single quote
	comment string // "" or a blank and a comment, harmless inside quotes
}

func (k key) text() string { return k.kind + " " + k.blob }

// Commands are the lines that let the owner of the keys log in as user. A key
// that is listed twice is used once. The error is a *[UserError] or a
// *[PlatformError]; keys that the device cannot take are no error, they are in
// Refused.
func (p Platform) Commands(user string, entries []authkeys.Entry) (Commands, error) {
	if p.spec == nil {
		return Commands{}, &PlatformError{Name: p.Name}
	}
	if reason := refuseUser(user); reason != "" {
		return Commands{}, &UserError{Platform: p.Name, User: user, Reason: reason}
	}
	var c Commands
	var keys []key
	seen := map[string]bool{}
	dropped := false
	for _, e := range entries {
		k, refused := p.spec.take(e)
		switch {
		case refused.Reason != "":
			c.Refused = append(c.Refused, refused)
		case seen[k.blob]:
		case p.spec.maxKeys > 0 && len(keys) == p.spec.maxKeys:
			c.Refused = append(c.Refused, Refused{Entry: e, Reason: TooMany, Limit: p.spec.maxKeys})
		default:
			seen[k.blob] = true
			keys = append(keys, k)
			dropped = dropped || p.spec.comments && k.comment == "" && e.Comment != ""
		}
	}
	if len(keys) == 0 {
		return c, nil
	}
	c.Lines = p.spec.lines(user, keys)
	c.Notes = slices.Clone(p.spec.notes)
	if dropped {
		c.Notes = append(c.Notes, "a comment was left out: it is too long, or has characters that the device could misread")
	}
	return c, nil
}

// take is the key of an entry, or why the device cannot take it.
func (s *spec) take(e authkeys.Entry) (key, Refused) {
	no := func(reason Reason, limit int) (key, Refused) {
		return key{}, Refused{Entry: e, Reason: reason, Limit: limit}
	}
	switch {
	case e.Key == nil:
		return no(NoKey, 0)
	case e.Certificate():
		return no(Certificate, 0)
	case !slices.Contains(s.keyTypes, e.Key.Type()):
		return no(UnknownType, 0)
	case s.maxBits > 0 && sshkey.RSABits(e.Key) > s.maxBits:
		return no(TooLong, s.maxBits)
	}
	k := key{kind: e.Key.Type(), blob: base64.StdEncoding.EncodeToString(e.Key.Marshal())}
	if s.comments && harmlessComment(e.Comment) {
		k.comment = " " + e.Comment
	}
	if len(e.Options) > 0 {
		k.options = strings.Join(e.Options, ",") + " "
		if !s.file || !sameKey(k) {
			return no(Restricted, 0)
		}
	}
	return k, Refused{}
}

// sameKey tells whether the options may stand before the key, in a file and
// between single quotes in a shell.
func sameKey(k key) bool {
	for _, c := range []byte(k.options) {
		if c < ' ' || c > '~' || c == '\'' {
			return false
		}
	}
	parsed, err := authkeys.ParseEntry(k.options + k.text())
	return err == nil && parsed.Blob() == k.blob && len(parsed.Options) > 0
}

// refuseUser tells why a user name is refused; "" where it is not. What it
// lets through needs no quotes on any of the platforms.
func refuseUser(user string) UserReason {
	switch {
	case user == "":
		return UserEmpty
	case len(user) > maxUser:
		return UserTooLong
	case user[0] == '-':
		return UserDash
	case !consistsOf(user, "._-@+"):
		return UserCharacters
	}
	return ""
}

func harmlessComment(comment string) bool {
	return comment != "" && len(comment) <= maxComment && consistsOf(comment, " ._-@+:/=")
}

// consistsOf tells whether text is made of ASCII letters, digits and these.
func consistsOf(text, others string) bool {
	for _, c := range []byte(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte(others, c) >= 0:
		default:
			return false
		}
	}
	return true
}

// fold cuts text into pieces of at most width bytes, all about as long: a last
// piece of a few letters could be a word the device knows, such as "exit".
func fold(text string, width int) []string {
	count := (len(text) + width - 1) / width
	var pieces []string
	for i := range count {
		pieces = append(pieces, text[i*len(text)/count:(i+1)*len(text)/count])
	}
	return pieces
}
