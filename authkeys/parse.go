package authkeys

import (
	"encoding/base64"
	"strings"
)

const (
	blanks = " \t"           // what sshd skips between fields (skip_space in misc.c)
	bom    = "\xef\xbb\xbf"  // a byte order mark in UTF-8
	inside = "\r\v\f"        // blanks that may stand inside base64 (b64_pton in base64.c)
	tail   = blanks + "\r\n" // what does not count at the end of a line
	header = "AAAA"          // how a key begins: the length of its type is below 2^24
)

// ParseEntry reads one line. Leading blanks, and blanks, a carriage return and
// a newline at the end do not count. The error is a *[ParseError]; for a blank
// line and a comment its Reason is [NoEntry].
func ParseEntry(line string) (Entry, error) {
	text := strings.TrimLeft(strings.TrimRight(line, tail), blanks)
	if reason := notAnEntry(text); reason != 0 {
		return Entry{}, &ParseError{Reason: reason}
	}
	e, failed := readKey(text)
	if failed == nil {
		e.line = text
		return e, nil
	}
	if failed.isKeyType() {
		// sshd would now take the key type for an option, which it is not.
		return Entry{}, failed
	}
	options, rest, ok := cutOptions(text)
	if !ok {
		return Entry{}, &ParseError{Reason: BadOptions}
	}
	e, failedAgain := readKey(rest)
	switch {
	case failedAgain == nil:
		e.line, e.Options = text, splitOptions(options)
		return e, nil
	case failedAgain.Reason != NotAKey:
		return Entry{}, failedAgain
	}
	return Entry{}, failed
}

// notAnEntry tells why a line cannot be an entry, by looking at how it begins
// and for bytes that no entry holds; 0 where it may be one.
func notAnEntry(text string) Reason {
	switch {
	case text == "" || text[0] == '#':
		return NoEntry
	case strings.IndexByte(text, 0) >= 0:
		return NotText
	case strings.IndexByte(text, '\n') >= 0:
		return SeveralLines
	case strings.HasPrefix(text, bom):
		return ByteOrderMark
	case strings.HasPrefix(text, "-----BEGIN ") && strings.Contains(text, "PRIVATE KEY-----"),
		strings.HasPrefix(text, "PuTTY-User-Key-File-"),
		strings.HasPrefix(text, "SSH PRIVATE KEY FILE FORMAT"):
		return PrivateKey
	case strings.HasPrefix(text, "-----BEGIN "), strings.HasPrefix(text, "---- BEGIN "):
		return ForeignFormat
	}
	return 0
}

// isKeyType tells whether the text where the key was looked for begins with a
// key type, so that the error is about the key behind it.
func (e *ParseError) isKeyType() bool {
	return e.Reason != NotAKey && e.Reason != UnknownType
}

// readKey reads "keytype base64 [comment]" as sshkey_read in sshkey.c does.
func readKey(text string) (Entry, *ParseError) {
	keyType, rest := cutField(text)
	token, comment := cutField(rest)
	if token == "" {
		return Entry{}, &ParseError{Reason: NotAKey}
	}
	inner, known := keyTypes[keyType]
	if !known && (!strings.HasPrefix(token, header) || !typeName(keyType)) {
		return Entry{}, &ParseError{Reason: NotAKey}
	}
	if strings.ContainsAny(token, inside) {
		token = strings.Map(func(r rune) rune {
			if strings.ContainsRune(inside, r) {
				return -1
			}
			return r
		}, token)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(token)
	switch {
	case err != nil && !known && !beginsAs(keyType, token):
		return Entry{}, unknownType(keyType)
	case err != nil:
		return Entry{}, &ParseError{Reason: damage(token)}
	case !known && innerType(raw) != keyType:
		return Entry{}, unknownType(keyType)
	case known && innerType(raw) != inner:
		return Entry{}, &ParseError{Reason: TypeMismatch, Type: keyType}
	}
	key, err := ParseKey(raw)
	if err != nil {
		return Entry{}, &ParseError{Reason: Malformed, Type: keyType}
	}
	return Entry{Key: key, Comment: comment, blob: token}, nil
}

// unknownType is the error for a word before what looks like a key which is
// neither a type known here nor the one that the key begins with.
func unknownType(word string) *ParseError {
	if !plausibleType(word) {
		return &ParseError{Reason: NotAKey}
	}
	return &ParseError{Reason: UnknownType, Type: word}
}

// beginsAs reports whether a key in base64, which cannot be read to its end,
// begins with the type keyType.
func beginsAs(keyType, token string) bool {
	whole := (4 + len(keyType) + 2) / 3 * 4 // the base64 digits that hold it
	if len(token) < whole {
		return false
	}
	raw, err := base64.StdEncoding.DecodeString(token[:whole])
	return err == nil && innerType(raw) == keyType
}

// cutField cuts a line after its first field.
func cutField(text string) (field, rest string) {
	end := strings.IndexAny(text, blanks)
	if end < 0 {
		return text, ""
	}
	return text[:end], strings.TrimLeft(text[end:], blanks)
}

// plausibleType keeps text out of errors that is no name of a key type.
func plausibleType(name string) bool {
	for _, r := range name {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@", r) {
			return false
		}
	}
	return len(name) <= 64
}

// damage tells a key that runs into another one from other damage.
func damage(token string) Reason {
	for keyType := range keyTypes {
		if strings.Index(token, keyType) > 0 {
			return GluedKeys
		}
	}
	return BadBase64
}

// cutOptions cuts a line after its options, at the first blank outside quotes,
// as sshkey_advance_past_options in authfile.c does: a backslash counts only
// before a quote, inside and outside of quotes alike. It is not ok where a
// quote is left open.
func cutOptions(text string) (options, rest string, ok bool) {
	quoted := false
	i := 0
	for ; i < len(text) && (quoted || strings.IndexByte(blanks, text[i]) < 0); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == '"':
			i++
		case text[i] == '"':
			quoted = !quoted
		}
	}
	return text[:i], strings.TrimLeft(text[i:], blanks), !quoted
}

// splitOptions splits options at the commas outside quotes. A comma at the end
// means nothing to sshd (sshauthopt_parse in auth-options.c).
func splitOptions(options string) []string {
	var list []string
	quoted, start := false, 0
	for i := 0; i < len(options); i++ {
		switch {
		case options[i] == '\\' && i+1 < len(options) && options[i+1] == '"':
			i++
		case options[i] == '"':
			quoted = !quoted
		case options[i] == ',' && !quoted:
			list = append(list, options[start:i])
			start = i + 1
		}
	}
	if start < len(options) {
		list = append(list, options[start:])
	}
	return list
}
