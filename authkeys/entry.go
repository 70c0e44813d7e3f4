package authkeys

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"
)

// An Entry is one key of an authorized_keys file, with what stands around it.
// The fields are there to be read: an entry that differs in one of them is
// made by [NewEntry].
type Entry struct {
	// Options are the options as written, split at the commas outside quotes:
	// `from="10.0.0.0/8"`, `restrict`. Nil where there are none.
	Options []string
	// Key is the public key.
	Key ssh.PublicKey
	// Comment is what follows the key, without outer blanks.
	Comment string

	line string // as its author wrote it; "" where it is made from the fields
	blob string // base64 as written; "" where it is made from Key
}

// NewEntry makes an entry for a key. The comment may be any text: each control
// character in it, a newline above all, becomes a '?', so that a comment from
// an agent or a server cannot become a second entry. The same is done to the
// options, which must otherwise be written as sshd(8) wants them, a value with
// blanks or commas in quotes: command="ls -l".
func NewEntry(key ssh.PublicKey, comment string, options ...string) Entry {
	e := Entry{Key: key, Comment: strings.Trim(harmless(comment), " ")}
	for _, option := range options {
		e.Options = append(e.Options, harmless(option))
	}
	return e
}

// Line is the entry as its author wrote it, without outer blanks, carriage
// return and newline. It never holds a newline. An entry without a key has no
// line: "".
func (e Entry) Line() string {
	if e.line != "" || e.Key == nil {
		return e.line
	}
	var line strings.Builder
	if len(e.Options) > 0 {
		line.WriteString(harmless(strings.Join(e.Options, ",")) + " ")
	}
	line.WriteString(e.Key.Type() + " " + e.Blob())
	if e.Comment != "" {
		line.WriteString(" " + harmless(e.Comment))
	}
	return line.String()
}

// Blob is the key in base64 with padding, on one line: what makes two entries
// the same key. It is "" for an entry without a key.
func (e Entry) Blob() string {
	if e.blob != "" || e.Key == nil {
		return e.blob
	}
	return base64.StdEncoding.EncodeToString(e.Key.Marshal())
}

// Certificate tells whether the key is a certificate. In an authorized_keys
// file a certificate lets nobody in: sshd compares a line with plain keys and,
// where it is marked cert-authority, with the key that signed a certificate
// (auth_check_authkey_line in auth2-pubkeyfile.c).
func (e Entry) Certificate() bool {
	_, ok := e.Key.(*ssh.Certificate)
	return ok
}

// harmless replaces what could end a line or steer a terminal: ASCII control
// characters, their 8-bit cousins and Unicode's line separators. Bytes that
// are not UTF-8 stay, as old comments are in Latin-1.
func harmless(text string) string {
	var clean strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			clean.WriteByte(text[i])
		case r < ' ', r >= 0x7f && r <= 0x9f, r == '\u2028', r == '\u2029':
			clean.WriteByte('?')
		default:
			clean.WriteRune(r)
		}
		i += size
	}
	return clean.String()
}
