package identity

import (
	"errors"
	"strings"

	"ssh-copy-id/authkeys"
)

// isLines accepts what no other notation does: errors then name a line.
func isLines([]byte) bool { return true }

// lineKeys reads keys on a line each.
func lineKeys(text []byte, origin Origin) ([]Identity, error) {
	var ids []Identity
	for line := range authkeys.Parse(text).Lines() {
		origin.Line = line.Number
		if err := checkLine(line); err != nil {
			return nil, &FileError{Path: origin.Path, Line: line.Number, Err: err}
		}
		if line.Entry != nil {
			ids = append(ids, Identity{Entry: *line.Entry, Origin: origin})
		}
	}
	return ids, nil
}

// checkLine returns why a public key file may not have a line, or nil.
func checkLine(line authkeys.Line) error {
	var failed *authkeys.ParseError
	switch {
	case errors.As(line.Err, &failed) && failed.Reason == authkeys.PrivateKey:
		return ErrPrivateKey
	case strings.ContainsRune(strings.TrimRight(line.Text, "\r"), '\r'):
		return ErrCarriageReturn
	case strings.ContainsRune(line.Text, 0):
		// sshd reads such a line up to there; a key file has none.
		return &authkeys.ParseError{Reason: authkeys.NotText}
	case line.Err != nil:
		return line.Err
	case line.Entry != nil && line.Entry.Certificate():
		return ErrCertificate
	}
	return nil
}
