package authkeys

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshkey"
)

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
	// Live are all lines that let the key in where no line before them does,
	// those of Line and Sometimes among them.
	Live []LiveLine
}

// A LiveLine is a line that lets a key in, with its options.
type LiveLine struct {
	Line    int // counted from 1
	Options []string
}

// State reports what the file says about a key, as an sshd with its default
// configuration reads it: the first line that holds the key and whose options
// do not refuse the login decides, with its options, and no later line is
// looked at (auth_check_authkeys_file in auth2-pubkeyfile.c). Of a certificate
// the key in it is meant. Nothing is said of lines without the key.
func (f *File) State(key ssh.PublicKey, now time.Time) State {
	return f.StateFor(Reader{}, key, now)
}

// StateFor is [File.State] by the rules of a reader.
func (f *File) StateFor(reader Reader, key ssh.PublicKey, now time.Time) State {
	if certificate, ok := key.(*ssh.Certificate); ok {
		key = certificate.Key
	}
	want := blob(key)
	if want == "" {
		return State{}
	}
	r := stateReader{reader: reader, key: key, want: want, now: now}
	for s := range f.spans() {
		if !mayHold(f.data[s.start:s.end], want) {
			continue
		}
		if l := f.line(s); reader.dropbear {
			r.asDropbear(l)
		} else {
			r.asSSHD(l)
		}
	}
	return r.State
}

func (r *stateReader) asSSHD(l Line) {
	if l.Entry != nil && blob(l.Entry.Key) == r.want {
		found, condition := inert(r.reader, l.Entry, r.now)
		r.judge(l.Number, l.Entry.Options, found, condition)
		return
	}
	if kind, reason := hidden(l, r.want); kind != 0 {
		r.Findings = append(r.Findings, Finding{Kind: kind, Line: l.Number, Reason: reason})
	}
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
		if strings.Contains(l.Text, want) {
			return FoundDamaged, NotText
		}
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
	reader Reader
	key    ssh.PublicKey
	want   string
	now    time.Time

	always []string // the options of Line
	first  []string // the options of the first of Sometimes
}

// judge adds what a line with the key means: why it lets the key in from
// nowhere, or on what condition it does.
func (r *stateReader) judge(line int, options []string, finding Finding, condition bool) {
	if finding.Kind != 0 {
		finding.Line = line
		r.Findings = append(r.Findings, finding)
		return
	}
	r.Live = append(r.Live, LiveLine{line, options})
	switch {
	case r.Line != 0:
		finding = Finding{Kind: FoundOverruled, By: r.Line, Options: r.always}
	case len(r.Sometimes) > 0:
		finding = Finding{Kind: FoundPartlyOverruled, By: r.Sometimes[0], Options: r.first}
	}
	if finding.By != 0 {
		finding.Line = line
		if SameOptions(finding.Options, options) {
			finding.Kind = FoundDuplicate
		}
		r.Findings = append(r.Findings, finding)
	}
	switch {
	case r.Line != 0:
	case !condition:
		r.Line, r.always = line, options
	default:
		if r.Sometimes = append(r.Sometimes, line); len(r.Sometimes) == 1 {
			r.first = options
		}
	}
}

// inert tells why an entry lets its key in from nowhere; the zero Finding where
// it does from somewhere, and whether that depends on something.
func inert(reader Reader, e *Entry, now time.Time) (found Finding, condition bool) {
	if e.Key.Type() == "ssh-dss" {
		return Finding{Kind: FoundDSA}, false
	}
	if bits := sshkey.RSABits(e.Key); bits > 0 && bits < 1024 {
		// sshkey_check_rsa_length in sshkey.c
		return Finding{Kind: FoundShortRSA, Bits: bits}, false
	}
	var failed *OptionError
	if errors.As(reader.CheckOptions(e.Options), &failed) {
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
