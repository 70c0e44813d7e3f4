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

	line    string // as its author wrote it; "" where it is made from the fields
	blob    string // base64 as written; "" where it is made from Key
	cleaned bool   // the comment was changed by NewEntry
}

// NewEntry makes an entry for a key. The comment may be any text: each control
// character in it but the tab, a newline above all, and each bidirectional
// override becomes a '?', so that a comment from an agent or a server cannot
// become a second entry, nor show as something else than it is
// ([Entry.CommentCleaned]). The same is done to the options, which must otherwise be written as sshd(8) wants them, a value with
// blanks or commas in quotes: command="ls -l".
func NewEntry(key ssh.PublicKey, comment string, options ...string) Entry {
	clean := harmlessComment(comment)
	e := Entry{Key: key, Comment: strings.Trim(clean, blanks), cleaned: clean != comment}
	for _, option := range options {
		e.Options = append(e.Options, harmless(option))
	}
	return e
}

// CommentCleaned reports whether [NewEntry] replaced characters of the comment.
func (e Entry) CommentCleaned() bool { return e.cleaned }

// CheckComment reports whether a comment that stays as its author wrote it holds
// characters which [NewEntry] would replace. The error is an *[OptionError].
func CheckComment(comment string) error {
	if comment != harmlessComment(comment) {
		return &OptionError{Option: "comment", Reason: OptionControlCharacter}
	}
	return nil
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
		line.WriteString(" " + harmlessComment(e.Comment))
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
	return e.Key != nil && certificateName.MatchString(e.Key.Type())
}

// harmless replaces what could end a line, steer a terminal or make a text read
// otherwise than it is: ASCII control characters, their 8-bit cousins, Unicode's
// line separators and its bidirectional embeddings, overrides and isolates
// (Unicode Standard Annex #9, section 2). Bytes that are not UTF-8 stay, as old
// comments are in Latin-1.
func harmless(text string) string { return replaced(text, false) }

// harmlessComment is [harmless] for a comment, in which a tab is a blank.
func harmlessComment(text string) string { return replaced(text, true) }

func replaced(text string, tabs bool) string {
	var clean strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			clean.WriteByte(text[i])
		case r == '\t' && tabs:
			clean.WriteByte('\t')
		case r < ' ', r >= 0x7f && r <= 0x9f, r >= '\u2028' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			clean.WriteByte('?')
		default:
			clean.WriteRune(r)
		}
		i += size
	}
	return clean.String()
}
