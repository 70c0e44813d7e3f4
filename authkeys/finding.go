package authkeys

import (
	"fmt"
	"strconv"
)

// A FindingKind is what keeps a line from doing what it seems to do.
type FindingKind int

// The kinds. Their numbers carry no meaning and may change.
const (
	// FoundByteOrderMark: a UTF-8 byte order mark stands before the key.
	FoundByteOrderMark FindingKind = iota + 1
	// FoundNotText: the key is written in UTF-16.
	FoundNotText
	// FoundGlued: the key shares its line with another one that runs into it
	// or stands before it, so that sshd reads the other one or neither.
	FoundGlued
	// FoundCarriageReturn: the lines end in carriage returns alone, which do
	// not end a line for sshd.
	FoundCarriageReturn
	// FoundCommentedOut: the line is a comment.
	FoundCommentedOut
	// FoundDamaged: the line holds the key but is not read, for Reason.
	FoundDamaged
	// FoundCertificate: the line holds a certificate of the key, which lets
	// nobody in ([Entry.Certificate]).
	FoundCertificate
	// FoundDSA: sshd refuses DSA keys since OpenSSH 7.0, unless it is told
	// otherwise, and does not know them since 10.0.
	FoundDSA
	// FoundShortRSA: the RSA key has fewer than 1024 bits; Bits tells how many.
	FoundShortRSA
	// FoundOptionsRefused: sshd passes over the line for its options; Option,
	// Value and OptionReason are those of the [OptionError].
	FoundOptionsRefused
	// FoundCertAuthority: with cert-authority the line lets in whom the key
	// has signed a certificate for, and not the key itself.
	FoundCertAuthority
	// FoundExpired: the expiry-time Value is over, in every time zone.
	FoundExpired
	// FoundOverruled: line By, which sshd reads first, always decides, with
	// other options: Options.
	FoundOverruled
	// FoundPartlyOverruled: line By, which sshd reads first, decides with other
	// options, Options, where its from= or expiry-time lets it. Elsewhere this
	// line does, without them.
	FoundPartlyOverruled
	// FoundDuplicate: line By says the same.
	FoundDuplicate
	// FoundLayout: dropbear does not find the key for the blanks around its
	// type, or for the type as it is written.
	FoundLayout
	// FoundLong: the line is longer than Limit, and this reader passes over it.
	FoundLong
	// FoundBeyond: the line comes after the first Limit ones, and this reader
	// looks at no more.
	FoundBeyond
)

var findingText = map[FindingKind]string{
	FoundByteOrderMark:   "byte order mark",
	FoundNotText:         "UTF-16",
	FoundGlued:           "two keys on one line",
	FoundCarriageReturn:  "carriage returns for newlines",
	FoundCommentedOut:    "a comment",
	FoundDamaged:         "damaged",
	FoundCertificate:     "a certificate",
	FoundDSA:             "a DSA key",
	FoundShortRSA:        "a short RSA key",
	FoundOptionsRefused:  "options refused",
	FoundCertAuthority:   "cert-authority",
	FoundExpired:         "expired",
	FoundOverruled:       "overruled",
	FoundPartlyOverruled: "partly overruled",
	FoundDuplicate:       "duplicate",
	FoundLayout:          "blanks in the wrong places",
	FoundLong:            "too long",
	FoundBeyond:          "too far down",
}

// String names the kind in a few words.
func (k FindingKind) String() string {
	if text, ok := findingText[k]; ok {
		return text
	}
	return "kind " + strconv.Itoa(int(k))
}

// Dead reports whether a line of this kind lets its key in from nowhere, so that
// another line for the key widens nothing.
func (k FindingKind) Dead() bool {
	return k != FoundOverruled && k != FoundPartlyOverruled && k != FoundDuplicate
}

// OfKey reports whether the kind is about the key itself: no other line would
// let it in either.
func (k FindingKind) OfKey() bool { return k == FoundDSA || k == FoundShortRSA }

// A Finding is one line that holds a key and does not do what it seems to do.
// The texts are those of the file, and as hostile as whoever wrote it.
type Finding struct {
	Kind FindingKind `json:"kind"`
	Line int         `json:"line"`         // counted from 1
	By   int         `json:"by,omitempty"` // the line that decides in its place; 0 for most kinds

	Reason       Reason       `json:"reason,omitempty"`       // for FoundDamaged
	Option       string       `json:"option,omitempty"`       // the option it is about, as sshd(8) spells it
	Value        string       `json:"value,omitempty"`        // its value without the quotes
	OptionReason OptionReason `json:"optionReason,omitempty"` // for FoundOptionsRefused
	Options      []string     `json:"options,omitempty"`      // the options of line By
	Bits         int          `json:"bits,omitempty"`         // for FoundShortRSA
	Limit        int          `json:"limit,omitempty"`        // for FoundLong and FoundBeyond
}

// String tells the facts, for debugging. Texts of the file are escaped.
func (f Finding) String() string {
	text := fmt.Sprintf("line %d: %v", f.Line, f.Kind)
	if f.By != 0 {
		text += fmt.Sprintf(" by line %d %q", f.By, f.Options)
	}
	switch {
	case f.Reason != 0:
		text += ": " + f.Reason.String()
	case f.Bits != 0:
		text += ": " + strconv.Itoa(f.Bits)
	case f.OptionReason != 0:
		text += fmt.Sprintf(": %q: %v", f.Option, f.OptionReason)
	case f.Option != "":
		text += fmt.Sprintf(": %s %q", f.Option, f.Value)
	}
	return text
}
