package authkeys

import (
	"slices"
	"strconv"
	"strings"
)

// An OptionReason is why an option, or the options of a line, are refused.
type OptionReason int

// The reasons. Their numbers carry no meaning and may change.
const (
	// OptionUnknown is a name sshd does not know. sshd refuses the whole line.
	OptionUnknown OptionReason = iota + 1
	// OptionNeedsValue is an option without the value it must have.
	OptionNeedsValue
	// OptionTakesNoValue is a value where none may stand.
	OptionTakesNoValue
	// OptionControlCharacter is a newline, a NUL or another control character
	// in a value or a comment.
	OptionControlCharacter
	// OptionTrailingBackslash is a value that ends with a backslash. There is
	// no notation for it: sshd reads the backslash and the closing quote as an
	// escaped quote.
	OptionTrailingBackslash
	// OptionBadQuotes is a value in a file that is not in double quotes, or
	// goes on behind them.
	OptionBadQuotes
	// OptionBadTime is an expiry-time that is not YYYYMMDD, YYYYMMDDHHMM or
	// YYYYMMDDHHMMSS, each with or without a Z, or no date of the calendar, or
	// not after 1970 began.
	OptionBadTime
	// OptionBadPattern is an entry in a list of patterns that is empty, has
	// blanks in it or is too long to match.
	OptionBadPattern
	// OptionBadNetwork is address/masklen with a wrong address, a mask that is
	// too long for it, or address bits set behind the mask. A single one of the
	// last two kinds makes sshd refuse the key.
	OptionBadNetwork
	// OptionOnlyNegated is a list of patterns with nothing but negated ones,
	// which matches nobody.
	OptionOnlyNegated
	// OptionBadHostPort is not host:port, with an IPv6 address in brackets and
	// a port of 1 to 65535 or *; for permitlisten the host may be left out.
	OptionBadHostPort
	// OptionBadEnvironment is not NAME=value with a name of letters, digits and
	// underscores.
	OptionBadEnvironment
	// OptionBadTunnel is neither a number nor "any".
	OptionBadTunnel
	// OptionBadPrincipals is a list of principals with an empty name.
	OptionBadPrincipals
	// OptionRepeated is an option that may stand only once in a line.
	OptionRepeated
	// OptionNeedsCertAuthority is principals= on a line without cert-authority.
	OptionNeedsCertAuthority
)

var optionReasonText = map[OptionReason]string{
	OptionUnknown:            "unknown option",
	OptionNeedsValue:         "the value is missing",
	OptionTakesNoValue:       "takes no value",
	OptionControlCharacter:   "a newline or another control character",
	OptionTrailingBackslash:  "a backslash cannot stand at the end",
	OptionBadQuotes:          "the value is not in double quotes",
	OptionBadTime:            "not a date as YYYYMMDD[HHMM[SS]][Z]",
	OptionBadPattern:         "not a pattern that can match",
	OptionBadNetwork:         "not a network address with its mask length",
	OptionOnlyNegated:        "only negated patterns, which match nobody",
	OptionBadHostPort:        "not host:port",
	OptionBadEnvironment:     "not NAME=value",
	OptionBadTunnel:          "not the number of a tunnel device",
	OptionBadPrincipals:      "an empty name of a principal",
	OptionRepeated:           "may stand only once",
	OptionNeedsCertAuthority: "only for a line with cert-authority",
}

// String is the reason in a few words, lower-case and without a full stop.
func (r OptionReason) String() string {
	if text, ok := optionReasonText[r]; ok {
		return text
	}
	return "reason " + strconv.Itoa(int(r))
}

// An OptionError says why an option is refused.
type OptionError struct {
	// Option is its name as written, or "comment" for a comment.
	Option string
	// Value is the whole value as given; "" where there is none.
	Value string
	// Part is the part of Value that is wrong, where it is not all of it: one
	// pattern of a list, the port. It may be empty: an empty pattern.
	Part   string
	Reason OptionReason
}

// Error tells the option, the reason and the wrong part, escaped. It does not
// hold the whole of a value: a command may have a secret in it.
func (e *OptionError) Error() string {
	text := strconv.Quote(e.Option) + ": " + e.Reason.String()
	if e.Part != "" {
		text += ": " + strconv.Quote(e.Part)
	}
	return text
}

// Option writes an option for [NewEntry]: the name as sshd(8) spells it and,
// for an option with a value, the value in double quotes with a backslash
// before each quote inside, which is all the quoting that sshd undoes
// (opt_dequote in misc.c). The name may be in any case. An option without a
// value wants "".
//
// It refuses what sshd would refuse (sshauthopt_parse in auth-options.c,
// match_host_and_ip in match.c) and, beyond that, values that cannot do what
// they say: a date the calendar does not have, a pattern no address or host
// name can match, the name of a service in place of a port, which not every
// server knows. The error is an *[OptionError].
func Option(name, value string) (string, error) {
	return makeOption(name, value, value != "")
}

// ParseOption reads NAME or NAME=VALUE, as given on a command line, and writes
// it as [Option] does. A value that is quoted as in an authorized_keys file is
// taken for what is in the quotes; [Option] takes every quote for itself.
func ParseOption(text string) (string, error) {
	name, value, has := strings.Cut(text, "=")
	if has {
		if inner, rest, ok := dequote(value); ok && rest == "" {
			value = inner
		}
	}
	switch kind := optionKinds[strings.ToLower(name)]; {
	case kind == nil:
	case has && kind.check == nil:
		return "", &OptionError{Option: name, Value: value, Reason: OptionTakesNoValue}
	case !has && kind.check != nil:
		return "", &OptionError{Option: name, Reason: OptionNeedsValue}
	}
	return makeOption(name, value, has)
}

func makeOption(name, value string, has bool) (string, error) {
	failed := &OptionError{Option: name, Value: value}
	kind := optionKinds[strings.ToLower(name)]
	switch {
	case kind == nil:
		failed.Reason = OptionUnknown
	case kind.check == nil && has:
		failed.Reason = OptionTakesNoValue
	case kind.check == nil:
		return kind.name, nil
	case value != harmless(value):
		failed.Reason = OptionControlCharacter
	case value == "" && kind.name != "command": // sshd runs an empty command
		failed.Reason = OptionNeedsValue
	case strings.HasSuffix(value, `\`):
		failed.Reason = OptionTrailingBackslash
	default:
		failed.Reason, failed.Part = kind.check(value, true)
	}
	if failed.Reason != 0 {
		return "", failed
	}
	return kind.name + `="` + strings.ReplaceAll(value, `"`, `\"`) + `"`, nil
}

// ReadOption reads one of [Entry.Options]: its name as sshd(8) spells it, and
// its value without the quotes, "" where it has none. An option with a value
// that sshd refuses is an *[OptionError]; the name and as much of the value as
// can be read are returned all the same.
func ReadOption(option string) (name, value string, err error) {
	name, quoted, has := strings.Cut(option, "=")
	kind := optionKinds[strings.ToLower(name)]
	failed := &OptionError{Option: name, Value: quoted}
	if kind == nil {
		failed.Reason = OptionUnknown
		return name, "", failed
	}
	name = kind.name
	switch {
	case kind.check == nil && !has:
		return name, "", nil
	case kind.check == nil:
		failed.Reason = OptionTakesNoValue
	case !has:
		failed.Reason = OptionNeedsValue
	default:
		var rest string
		var ok bool
		if value, rest, ok = dequote(quoted); !ok || rest != "" {
			failed.Reason = OptionBadQuotes
			break
		}
		failed.Value = value
		failed.Reason, failed.Part = kind.check(value, false)
	}
	if failed.Reason != 0 {
		return name, value, failed
	}
	return name, value, nil
}

// CheckOptions judges the options of one line together, each written as by
// [Option] or read from a file: whether sshd takes each of them, command, from
// and principals stand once at most, and principals beside cert-authority. The
// error is an *[OptionError].
func CheckOptions(options []string) error {
	seen := make(map[string]string)
	for _, option := range options {
		if option == "" {
			continue // sshd passes over nothing between two commas
		}
		name, value, err := ReadOption(option)
		if err != nil {
			return err
		}
		if _, again := seen[name]; again && (name == "command" || name == "from" || name == "principals") {
			return &OptionError{Option: name, Value: value, Reason: OptionRepeated}
		}
		seen[name] = value
	}
	_, authority := seen["cert-authority"]
	if value, ok := seen["principals"]; ok && !authority {
		return &OptionError{Option: "principals", Value: value, Reason: OptionNeedsCertAuthority}
	}
	return nil
}

// Comment takes a comment for [NewEntry], without outer blanks. It must be one
// line without control characters; the error is an *[OptionError] whose Option
// is "comment". NewEntry takes any comment, but changes such characters.
func Comment(text string) (string, error) {
	if text != harmless(text) {
		return "", &OptionError{Option: "comment", Value: text, Reason: OptionControlCharacter}
	}
	return strings.Trim(text, blanks), nil
}

// dequote reads a value in quotes at the start of a text, as opt_dequote in
// misc.c does: a backslash counts only before a quote. It is not ok where a
// quote is missing.
func dequote(text string) (value, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		return "", text, false
	}
	var read strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return read.String(), text[i+1:], true
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == '"':
			i++
		}
		read.WriteByte(text[i])
	}
	return read.String(), "", false
}

// SameOptions reports whether two lists of options mean the same to a server.
// Names have no case. The order counts among options of one name, of which the
// first may be the only one that counts, between "pty" and "no-pty" and the like,
// and between "restrict" and what gives something back (sshauthopt_parse in
// auth-options.c).
func SameOptions(a, b []string) bool { return slices.Equal(byName(a), byName(b)) }

// granting are the options that give back what others take.
var granting = []string{"agent-forwarding", "port-forwarding", "pty", "user-rc", "x11-forwarding"}

// nameValue is an option; name is empty where there is no value.
type nameValue struct{ name, value string }

// byName brings options into an order that tells nothing about the one they
// were in, where that does not count.
func byName(options []string) []nameValue {
	sorted := make([]nameValue, len(options))
	for i, option := range options {
		name, value, err := ReadOption(option)
		switch {
		case err != nil:
			sorted[i] = nameValue{value: option}
		case value == "":
			sorted[i] = nameValue{value: name}
		default:
			sorted[i] = nameValue{name, value}
		}
	}
	flag := func(o nameValue, among ...string) bool { return o.name == "" && slices.Contains(among, o.value) }
	restricts := slices.ContainsFunc(sorted, func(o nameValue) bool { return flag(o, "restrict") })
	grants := slices.ContainsFunc(sorted, func(o nameValue) bool { return flag(o, granting...) })
	slices.SortStableFunc(sorted, func(a, b nameValue) int {
		if a.name == "" && b.name == "" && !(restricts && grants) {
			return strings.Compare(strings.TrimPrefix(a.value, "no-"), strings.TrimPrefix(b.value, "no-"))
		}
		return strings.Compare(a.name, b.name)
	})
	return sorted
}
