package authkeys

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
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
}

// String names the kind in a few words.
func (k FindingKind) String() string {
	if text, ok := findingText[k]; ok {
		return text
	}
	return "kind " + strconv.Itoa(int(k))
}

// A Finding is one line that holds a key and does not do what it seems to do.
// The texts are those of the file, and as hostile as whoever wrote it.
type Finding struct {
	Kind FindingKind
	Line int // counted from 1
	By   int // the line that decides in its place; 0 for most kinds

	Reason       Reason       // for FoundDamaged
	Option       string       // the option it is about, as sshd(8) spells it
	Value        string       // its value without the quotes
	OptionReason OptionReason // for FoundOptionsRefused
	Options      []string     // the options of line By
	Bits         int          // for FoundShortRSA
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

// A State is what a file says about one key.
type State struct {
	// Line is the line by which sshd lets the key in from anywhere; 0 where
	// there is none.
	Line int
	// Sometimes are the lines before it that let the key in under a condition
	// not known here: from=, or an expiry-time of the server's time zone that
	// may be over.
	Sometimes []int
	// Findings are the lines that hold the key and do nothing, or not always,
	// in the order of the file.
	Findings []Finding
}

// State tells what the file says about a key, as an sshd with its default
// configuration reads it: the first line that holds the key and whose options
// do not refuse the login decides, with its options, and no later line is
// looked at (auth_check_authkeys_file in auth2-pubkeyfile.c). Of a certificate
// the key in it is meant. Nothing is said of lines without the key.
func (f *File) State(key ssh.PublicKey, now time.Time) State {
	if certificate, ok := key.(*ssh.Certificate); ok {
		key = certificate.Key
	}
	want := blob(key)
	if want == "" {
		return State{}
	}
	r := stateReader{want: want, now: now}
	for s := range f.spans() {
		text := f.data[s.start:s.end]
		if !mayHold(text, want) {
			continue
		}
		l := f.line(s)
		if l.Entry != nil && blob(l.Entry.Key) == want {
			r.judge(l)
		} else if kind, reason := hidden(l, want); kind != 0 {
			r.Findings = append(r.Findings, Finding{Kind: kind, Line: l.Number, Reason: reason})
		}
	}
	return r.State
}

// mayHold passes over most lines without parsing them.
func mayHold(text []byte, want string) bool {
	return bytes.Contains(text, []byte(want)) || blankInside(text) ||
		bytes.Contains(text, []byte("-cert-v01@")) || bytes.IndexByte(text, 0) >= 0
}

// hidden tells how a line that is no entry of the key holds it all the same;
// 0 where it does not.
func hidden(l Line, want string) (FindingKind, Reason) {
	switch {
	case strings.IndexByte(l.Text, 0) >= 0:
		// Between the characters of ASCII in UTF-16 stand only NULs.
		if strings.Contains(strings.ReplaceAll(l.Text, "\x00", ""), want) {
			return FoundNotText, 0
		}
		return 0, 0
	case betweenReturns(l.Text, want):
		return FoundCarriageReturn, 0
	case l.Entry != nil:
		return besideKey(l.Entry, want), 0
	case !strings.Contains(l.Text, want):
		return 0, 0
	case l.Err == nil:
		if holds(strings.TrimLeft(l.Text, "#"+blanks), want) {
			return FoundCommentedOut, 0
		}
		return 0, 0
	}
	var failed *ParseError
	if !errors.As(l.Err, &failed) {
		return 0, 0
	}
	switch failed.Reason {
	case ByteOrderMark:
		if holds(strings.TrimPrefix(strings.TrimLeft(l.Text, blanks), bom), want) {
			return FoundByteOrderMark, 0
		}
	case GluedKeys:
		return FoundGlued, 0
	}
	return FoundDamaged, failed.Reason
}

// holds tells whether a text is an entry of the key.
func holds(text, want string) bool {
	e, err := ParseEntry(text)
	return err == nil && blob(e.Key) == want
}

// betweenReturns tells whether the key is one of several entries that only
// carriage returns divide.
func betweenReturns(text, want string) bool {
	text = strings.TrimRight(text, tail)
	if strings.IndexByte(text, '\r') < 0 {
		return false
	}
	for part := range strings.SplitSeq(text, "\r") {
		if strings.Contains(part, want) && holds(part, want) {
			return true
		}
	}
	return false
}

// besideKey tells how the entry of another key holds this one: inside a
// certificate, or behind it as a comment.
func besideKey(e *Entry, want string) FindingKind {
	if certificate, ok := e.Key.(*ssh.Certificate); ok && blob(certificate.Key) == want {
		return FoundCertificate
	}
	before, _, found := strings.Cut(e.Comment, want)
	if !found {
		return 0
	}
	before = strings.TrimRight(before, blanks)
	for keyType := range keyTypes {
		if strings.HasSuffix(before, keyType) {
			return FoundGlued
		}
	}
	return 0
}

// A stateReader goes through the lines of a key.
type stateReader struct {
	State
	want string
	now  time.Time

	always []string // the options of Line
	first  []string // the options of the first of Sometimes
}

// judge adds what a line with the key means.
func (r *stateReader) judge(l Line) {
	finding, condition := inert(l.Entry, r.now)
	if finding.Kind != 0 {
		finding.Line = l.Number
		r.Findings = append(r.Findings, finding)
		return
	}
	options := l.Entry.Options
	switch {
	case r.Line != 0:
		finding = Finding{Kind: FoundOverruled, By: r.Line, Options: r.always}
	case len(r.Sometimes) > 0:
		finding = Finding{Kind: FoundPartlyOverruled, By: r.Sometimes[0], Options: r.first}
	}
	if finding.By != 0 {
		finding.Line = l.Number
		if sameOptions(finding.Options, options) {
			finding.Kind = FoundDuplicate
		}
		r.Findings = append(r.Findings, finding)
	}
	switch {
	case r.Line != 0:
	case !condition:
		r.Line, r.always = l.Number, options
	default:
		if r.Sometimes = append(r.Sometimes, l.Number); len(r.Sometimes) == 1 {
			r.first = options
		}
	}
}

// inert tells why an entry lets its key in from nowhere; the zero Finding where
// it does from somewhere, and whether that depends on something.
func inert(e *Entry, now time.Time) (found Finding, condition bool) {
	if e.Key.Type() == "ssh-dss" {
		return Finding{Kind: FoundDSA}, false
	}
	if bits := rsaBits(e.Key); bits > 0 && bits < 1024 {
		// sshkey_check_rsa_length in sshkey.c
		return Finding{Kind: FoundShortRSA, Bits: bits}, false
	}
	var failed *OptionError
	if errors.As(CheckOptions(e.Options), &failed) {
		return Finding{Kind: FoundOptionsRefused, Option: failed.Option, Value: failed.Value, OptionReason: failed.Reason}, false
	}
	for _, option := range e.Options {
		name, value, _ := ReadOption(option) // judged above
		switch name {
		case "cert-authority":
			return Finding{Kind: FoundCertAuthority, Option: name}, false
		case "from":
			condition = true
		case "expiry-time":
			surely, perhaps := expired(value, now)
			if surely {
				return Finding{Kind: FoundExpired, Option: name, Value: value}, false
			}
			condition = condition || perhaps
		}
	}
	return Finding{}, condition
}

// expired tells whether a time is over, everywhere or somewhere: time zones
// are up to 14 hours before UTC and up to 12 behind it.
func expired(value string, now time.Time) (surely, perhaps bool) {
	at, utc, ok := expiry(value)
	earliest, latest := at, at
	if !utc {
		earliest, latest = at.Add(-14*time.Hour), at.Add(12*time.Hour)
	}
	return ok && now.Unix() > latest.Unix(), ok && now.Unix() > earliest.Unix()
}

func rsaBits(key ssh.PublicKey) int {
	if holder, ok := key.(ssh.CryptoPublicKey); ok {
		if public, ok := holder.CryptoPublicKey().(*rsa.PublicKey); ok {
			return public.N.BitLen()
		}
	}
	return 0
}

// sameOptions tells whether two lists are the same but for the case of names.
func sameOptions(a, b []string) bool {
	return slices.EqualFunc(a, b, func(a, b string) bool {
		nameA, valueA, _ := ReadOption(a)
		nameB, valueB, _ := ReadOption(b)
		return nameA == nameB && valueA == valueB
	})
}
