package authkeys

import "strconv"

// A Reason is why a line is no entry.
type Reason int

// The reasons. Their numbers carry no meaning and may change.
const (
	// NotAKey is text without a key in it.
	NotAKey Reason = iota + 1
	// NoEntry is a blank line or a comment.
	NoEntry
	// PrivateKey is the first line of a private key.
	PrivateKey
	// ForeignFormat is the first line of a public key in another notation:
	// RFC 4716, PEM.
	ForeignFormat
	// BadBase64 is a key that is cut short or otherwise not base64.
	BadBase64
	// GluedKeys is a key that runs into the next one, as happens where
	// something was appended to a file without a last newline. sshd accepts
	// neither of them.
	GluedKeys
	// UnknownType is what looks like a key behind a word that is neither a key
	// type known here nor the type that the key begins with.
	UnknownType
	// TypeMismatch is a key whose inside is of another type than the one
	// written before it.
	TypeMismatch
	// Malformed is a key whose inside cannot be read.
	Malformed
	// BadOptions are options whose last quote is missing.
	BadOptions
	// ByteOrderMark is a line that begins with a UTF-8 byte order mark, which
	// sshd does not skip.
	ByteOrderMark
	// NotText is a line with a NUL byte, as in UTF-16.
	NotText
	// SeveralLines is a newline where one line was expected.
	SeveralLines
)

var reasonText = map[Reason]string{
	NotAKey:       "not a public key",
	NoEntry:       "blank line or comment",
	PrivateKey:    "a private key",
	ForeignFormat: "a public key in another format than OpenSSH's",
	BadBase64:     "the key is cut short or damaged (not base64)",
	GluedKeys:     "two keys on one line, without a newline between them",
	UnknownType:   "unknown key type, which is not the one in the key",
	TypeMismatch:  "the key is of another type than the line says",
	Malformed:     "the key is damaged",
	BadOptions:    "a quote is missing in the options",
	ByteOrderMark: "a byte order mark stands before the key",
	NotText:       "not plain text (NUL bytes, as in UTF-16)",
	SeveralLines:  "more than one line",
}

// String is the reason in a few words, lower-case and without a full stop.
func (r Reason) String() string {
	if text, ok := reasonText[r]; ok {
		return text
	}
	return "reason " + strconv.Itoa(int(r))
}

// A ParseError says why a line is no entry. It never holds the line itself,
// which may be a secret in the wrong place.
type ParseError struct {
	Reason Reason
	// Type is the key type as written, for UnknownType, TypeMismatch and
	// Malformed; otherwise "".
	Type string
}

// Error tells the reason and the key type.
func (e *ParseError) Error() string {
	if e.Type != "" {
		return e.Reason.String() + " (" + e.Type + ")"
	}
	return e.Reason.String()
}
