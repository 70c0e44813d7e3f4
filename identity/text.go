package identity

import "fmt"

// The methods in this file make JSON of the types of this package, and read it.

// MarshalText implements [encoding.TextMarshaler]: the text is [Source.String].
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Source) UnmarshalText(text []byte) error {
	for _, known := range []Source{File, Agent} {
		if known.String() == string(text) {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("unknown source %q", text)
}

// MarshalText implements [encoding.TextMarshaler]: the text is [Format.String].
func (f Format) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (f *Format) UnmarshalText(text []byte) error {
	for _, n := range notations {
		if n.name == string(text) {
			*f = n.format
			return nil
		}
	}
	return fmt.Errorf("unknown format %q", text)
}
