package authkeys

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of RFC 4716 section 3, in bytes, and the width of the key's lines,
// which is that of ssh-keygen -e.
const (
	maxLine4716   = 72
	maxValue4716  = 1024
	width4716     = 70
	maxFile4716   = 1 << 20 // more than a file of keys has; none of the RFC's
	markers4716   = "---- "
	end4716       = "---- END SSH2 PUBLIC KEY ----"
	commentHeader = "Comment: "
)

// RFC4716Begin is the line with which a key begins.
const RFC4716Begin = "---- BEGIN SSH2 PUBLIC KEY ----"

// An RFC4716Reason is why a file is not one of keys as in RFC 4716.
type RFC4716Reason int

// The reasons. Their numbers carry no meaning and may change.
const (
	// RFC4716Stray is text outside of a key.
	RFC4716Stray RFC4716Reason = iota + 1
	// RFC4716PrivateKey is a private key.
	RFC4716PrivateKey
	// RFC4716NoEnd is a key without its end marker.
	RFC4716NoEnd
	// RFC4716BadHeader is a header behind the start of the key, or one that is
	// continued on a line that is not there.
	RFC4716BadHeader
	// RFC4716BadKey is a key that cannot be read; Err says more.
	RFC4716BadKey
	// RFC4716NotText is a file with NUL bytes, as in UTF-16.
	RFC4716NotText
	// RFC4716TooLarge is a file of more than 1 MiB.
	RFC4716TooLarge
	// RFC4716Empty is a file without a key.
	RFC4716Empty
)

var rfc4716ReasonText = map[RFC4716Reason]string{
	RFC4716Stray:      "text outside of a key",
	RFC4716PrivateKey: "a private key",
	RFC4716NoEnd:      "the end marker is missing",
	RFC4716BadHeader:  "a header where none may stand",
	RFC4716BadKey:     "the key cannot be read",
	RFC4716NotText:    "not plain text (NUL bytes, as in UTF-16)",
	RFC4716TooLarge:   "larger than 1 MiB",
	RFC4716Empty:      "no key",
}

// String is the reason in a few words, lower-case and without a full stop.
func (r RFC4716Reason) String() string {
	if text, ok := rfc4716ReasonText[r]; ok {
		return text
	}
	return "reason " + strconv.Itoa(int(r))
}

// An RFC4716Error says why a file is not read. It never holds any of the file,
// which may be a secret in the wrong place.
type RFC4716Error struct {
	// Line is the line, counted from 1: the begin marker where the whole key is
	// meant, 0 where the whole file is.
	Line   int
	Reason RFC4716Reason
	Err    error // a *ParseError for RFC4716BadKey; otherwise nil
}

// Error tells the line and the reason.
func (e *RFC4716Error) Error() string {
	text := e.Reason.String()
	if e.Line > 0 {
		text = "line " + strconv.Itoa(e.Line) + ": " + text
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap is the *[ParseError] of a key that cannot be read.
func (e *RFC4716Error) Unwrap() error { return e.Err }

// MarshalRFC4716 writes an entry in the SSH public key file format of RFC
// 4716, as some servers want it and ssh-keygen -e writes it: the key in lines
// of 70 bytes; before it, where the entry has one, the comment in double
// quotes, folded so that no line is longer than 72 bytes. A comment that the
// format cannot hold is cut at 1024 bytes. The format knows no options: those
// of the entry are left out. Nil for an entry without a key.
func MarshalRFC4716(e Entry) []byte {
	if e.Key == nil {
		return nil
	}
	var out bytes.Buffer
	out.WriteString(RFC4716Begin + "\n")
	if comment := harmless(e.Comment); comment != "" {
		fold4716(&out, commentHeader+`"`+cut(comment, maxValue4716-2)+`"`)
	}
	blob := base64.StdEncoding.EncodeToString(e.Key.Marshal())
	for len(blob) > 0 {
		n := min(width4716, len(blob))
		out.WriteString(blob[:n] + "\n")
		blob = blob[n:]
	}
	out.WriteString(end4716 + "\n")
	return out.Bytes()
}

// fold4716 writes a header in lines that end with a backslash but for the last.
func fold4716(out *bytes.Buffer, header string) {
	for first := true; ; first = false {
		n := foldAt(header, first)
		if n == len(header) {
			out.WriteString(header + "\n")
			return
		}
		out.WriteString(header[:n] + "\\\n")
		header = header[n:]
	}
}

// foldAt is where to end a line of a header. ssh-keygen -i does not read
// headers, it guesses which lines they are (do_convert_from_ssh2 in
// ssh-keygen.c): what would make it take a continued line for a new header, or
// for the end of the key, is broken apart.
func foldAt(text string, first bool) int {
	n := len(text)
	if n > maxLine4716 {
		n = len(cut(text, maxLine4716-1))
	}
	start := 0
	switch {
	case first:
		start = len(commentHeader)
	case strings.HasPrefix(text, "----"):
		return 3
	}
	for _, sign := range []string{": ", " END ", " PRIVATE "} {
		if i := strings.Index(text[start:n], sign); i >= 0 {
			n = start + i + 1
		}
	}
	return n
}

// cut is the start of a text of at most n bytes, without the part of a
// character at its end.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for i := n; i > n-utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			return text[:i]
		}
	}
	return text[:n] // not UTF-8
}

// ParseRFC4716 reads a file of public keys as in RFC 4716, one or several.
// Lines may end in LF, CRLF or CR and have blanks at their end; blank lines, a
// byte order mark and headers other than Comment are passed over. Lines may be
// longer than the RFC allows. The comment loses the quotes around it, as the
// RFC asks, and its control characters, as in [NewEntry].
//
// The error is an *[RFC4716Error]; so is the one for a file without a key and
// for a private key.
func ParseRFC4716(data []byte) ([]Entry, error) {
	switch {
	case len(data) > maxFile4716:
		return nil, &RFC4716Error{Reason: RFC4716TooLarge}
	case bytes.IndexByte(data, 0) >= 0:
		return nil, &RFC4716Error{Reason: RFC4716NotText}
	}
	text := strings.TrimPrefix(string(data), bom)
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	r := reader4716{rest: text}
	var entries []Entry
	for r.next() {
		switch {
		case r.line == "":
			continue
		case isPrivateKey(r.line):
			return nil, r.fail(RFC4716PrivateKey)
		case r.line != RFC4716Begin:
			return nil, r.fail(RFC4716Stray)
		}
		e, err := r.key()
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	if len(entries) == 0 {
		return nil, &RFC4716Error{Reason: RFC4716Empty}
	}
	return entries, nil
}

// isPrivateKey tells the first line of a private key: SSH.COM's own, whose
// markers look as those of a public key, or another one.
func isPrivateKey(line string) bool {
	return strings.HasPrefix(line, markers4716+"BEGIN ") && strings.Contains(line, "PRIVATE KEY") || notAnEntry(line) == PrivateKey
}

// A reader4716 goes through the lines of a file.
type reader4716 struct {
	rest   string // what was not read yet
	line   string // the line read last, without blanks at its end
	number int    // its number, counted from 1
}

func (r *reader4716) next() bool {
	if r.rest == "" {
		return false
	}
	line, rest, _ := strings.Cut(r.rest, "\n")
	r.line, r.rest = strings.TrimRight(line, tail), rest
	r.number++
	return true
}

func (r *reader4716) fail(reason RFC4716Reason) error {
	return &RFC4716Error{Line: r.number, Reason: reason}
}

// key reads a key behind its begin marker.
func (r *reader4716) key() (Entry, error) {
	begin := r.number
	comment, hasComment := "", false
	var body strings.Builder
	for r.next() {
		switch tag, value, header := strings.Cut(r.line, ":"); {
		case r.line == end4716:
			return r.entry(begin, body.String(), comment)
		case strings.HasPrefix(r.line, markers4716):
			return Entry{}, &RFC4716Error{Line: begin, Reason: RFC4716NoEnd}
		case header && body.Len() > 0:
			return Entry{}, r.fail(RFC4716BadHeader)
		case header:
			whole, ok := r.headerValue(value)
			if !ok {
				return Entry{}, r.fail(RFC4716BadHeader)
			}
			if strings.EqualFold(strings.Trim(tag, blanks), "comment") && !hasComment {
				comment, hasComment = unquote4716(whole), true
			}
		default:
			body.WriteString(strings.TrimLeft(r.line, blanks))
		}
	}
	return Entry{}, &RFC4716Error{Line: begin, Reason: RFC4716NoEnd}
}

// headerValue reads on while the lines end with a backslash.
func (r *reader4716) headerValue(value string) (string, bool) {
	var whole strings.Builder
	for {
		part, continued := strings.CutSuffix(value, `\`)
		whole.WriteString(part)
		if !continued {
			return strings.Trim(whole.String(), blanks), true
		}
		if !r.next() || r.line == end4716 {
			return "", false
		}
		value = r.line
	}
}

// unquote4716 takes away quotes around the value of a header (RFC 4716 section
// 3.3.2).
func unquote4716(value string) string {
	if n := len(value); n >= 2 && value[0] == value[n-1] && (value[0] == '"' || value[0] == '\'') {
		return value[1 : n-1]
	}
	return value
}

// entry makes the entry. The key's type stands only inside the key.
func (r *reader4716) entry(begin int, blob, comment string) (Entry, error) {
	failed := &RFC4716Error{Line: begin, Reason: RFC4716BadKey}
	raw, err := base64.StdEncoding.Strict().DecodeString(blob)
	if err != nil {
		failed.Err = &ParseError{Reason: BadBase64}
		return Entry{}, failed
	}
	keyType := innerType(raw)
	if !typeName(keyType) {
		failed.Err = &ParseError{Reason: Malformed}
		return Entry{}, failed
	}
	e, parseErr := readKey(keyType + " " + blob)
	if parseErr != nil {
		failed.Err = parseErr
		return Entry{}, failed
	}
	return NewEntry(e.Key, comment), nil
}
