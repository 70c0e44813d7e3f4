package authkeys

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The methods in this file make JSON of the types of this package, and read it.

// MarshalText implements [encoding.TextMarshaler]: the text is [Entry.Line]. A line
// that is not UTF-8, which JSON would change, is an error.
func (e Entry) MarshalText() ([]byte, error) {
	line := e.Line()
	if !utf8.ValidString(line) {
		return nil, fmt.Errorf("the entry of a %s key is not UTF-8", e.Key.Type())
	}
	return []byte(line), nil
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (e *Entry) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*e = Entry{}
		return nil
	}
	parsed, err := ParseEntry(string(text))
	if err == nil {
		*e = parsed
	}
	return err
}

// MarshalText implements [encoding.TextMarshaler]: the text is [Reader.String].
func (r Reader) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *Reader) UnmarshalText(text []byte) error {
	name, version, _ := strings.Cut(string(text), " ")
	switch {
	case name == "dropbear":
		*r = Dropbear(version)
	case name == "sshd":
		*r = SSHD(strings.TrimPrefix(version, "of OpenSSH "))
	default:
		return fmt.Errorf("no reader is called %q", text)
	}
	return nil
}

// MarshalText implements [encoding.TextMarshaler]: the text is
// [FindingKind.String].
func (k FindingKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *FindingKind) UnmarshalText(text []byte) error { return named(k, findingText, text) }

// MarshalText implements [encoding.TextMarshaler]: the text is [Reason.String].
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *Reason) UnmarshalText(text []byte) error { return named(r, reasonText, text) }

// MarshalText implements [encoding.TextMarshaler]: the text is
// [OptionReason.String].
func (r OptionReason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *OptionReason) UnmarshalText(text []byte) error { return named(r, optionReasonText, text) }

// named finds the value that has a text.
func named[T comparable](to *T, texts map[T]string, text []byte) error {
	for value, known := range texts {
		if known == string(text) {
			*to = value
			return nil
		}
	}
	return fmt.Errorf("unknown word %q", text)
}
