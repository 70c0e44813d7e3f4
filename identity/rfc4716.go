package identity

import (
	"bytes"
	"errors"
	"strings"

	"ssh-copy-id/authkeys"
)

// isRFC4716 reports whether a text begins with a marker of RFC 4716 section 3.1.
func isRFC4716(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(text, blanks), []byte("---- BEGIN "))
}

// rfc4716Keys reads keys in the format of RFC 4716.
func rfc4716Keys(text []byte, origin Origin) ([]Identity, error) {
	entries, err := authkeys.ParseRFC4716(text)
	var failed *authkeys.RFC4716Error
	switch {
	case errors.As(err, &failed) && failed.Reason == authkeys.RFC4716PrivateKey:
		return nil, &FileError{Path: origin.Path, Line: failed.Line, Err: ErrPrivateKey}
	case errors.As(err, &failed):
		cause := &authkeys.RFC4716Error{Reason: failed.Reason, Err: failed.Err} // the line is named once
		return nil, &FileError{Path: origin.Path, Line: failed.Line, Err: cause}
	}
	begins := rfc4716Begins(text)
	var ids []Identity
	for i, entry := range entries {
		if i < len(begins) {
			origin.Line = begins[i]
		}
		if entry.Certificate() {
			return nil, &FileError{Path: origin.Path, Line: origin.Line, Err: ErrCertificate}
		}
		ids = append(ids, Identity{Entry: entry, Origin: origin})
	}
	return ids, nil
}

// rfc4716Begins returns the lines at which the keys of a file begin, counted from 1.
func rfc4716Begins(text []byte) []int {
	var begins []int
	unix := strings.ReplaceAll(strings.ReplaceAll(string(text), "\r\n", "\n"), "\r", "\n")
	for i, line := range strings.Split(unix, "\n") {
		if strings.HasPrefix(line, authkeys.RFC4716Begin) {
			begins = append(begins, i+1)
		}
	}
	return begins
}
