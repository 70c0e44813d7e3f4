package authkeys

import (
	"bytes"
	"encoding/base64"
	"iter"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// A File is an authorized_keys file as a document. It is made by [Parse]; the
// zero File is an empty one. It is not safe for use by several goroutines at
// once where one of them changes it.
type File struct {
	data []byte
}

// A Line is one line of a file.
type Line struct {
	Number int    // counted from 1
	Text   string // byte for byte, without the newline
	Entry  *Entry // nil for a line that is blank, a comment or not understood
	Err    error  // a *ParseError: why the line was not understood; nil for the others
}

// Parse takes a file. It keeps data and never changes it; the caller must not
// change it either.
func Parse(data []byte) *File {
	return &File{data: slices.Clip(data)}
}

// Bytes is the whole file: byte for byte the input of [Parse], but for what
// was appended and removed. The caller must not change it.
func (f *File) Bytes() []byte { return f.data }

// UTF16 reports whether the file is in UTF-16, as Windows' own tools write it.
// sshd finds no key in such a file. [File.Append] leaves it alone: a line added
// to it would be unreadable, and spoil the rest.
//
// What counts is how the file begins, not single bytes: a comment in Latin-1
// may hold any byte, and a crash may leave a block of NULs anywhere. Without a
// byte order mark the first two characters are ASCII, one byte of each NUL.
// Behind a mark a character of ASCII is the first that has a NUL in it.
func (f *File) UTF16() bool {
	d := f.data[:min(len(f.data), utf16Head)]
	if ascii16(d, 0) && ascii16(d, 2) && (d[0] == 0) == (d[2] == 0) {
		return true
	}
	little := bytes.HasPrefix(d, []byte("\xff\xfe"))
	if !little && !bytes.HasPrefix(d, []byte("\xfe\xff")) {
		return false
	}
	at := bytes.IndexByte(d, 0)
	unit := at &^ 1
	return at >= 0 && ascii16(d, unit) && (d[unit] != 0) == little
}

// utf16Head is how much of a file tells whether it is in UTF-16, in bytes;
// install.sh of package remote looks at as much.
const utf16Head = 512

// ascii16 reports whether the two bytes at a place may be a character of ASCII
// in UTF-16: exactly one of them is NUL.
func ascii16(d []byte, at int) bool {
	return at+1 < len(d) && (d[at] == 0) != (d[at+1] == 0)
}

// Lines goes through the lines in order, parsing each as it comes.
func (f *File) Lines() iter.Seq[Line] {
	return func(yield func(Line) bool) {
		for s := range f.spans() {
			if !yield(f.line(s)) {
				return
			}
		}
	}
}

// Find returns the lines that hold a key, whatever their options and comments
// say, in the order of the file; sshd uses the first of them whose options
// allow the login.
func (f *File) Find(key ssh.PublicKey) []Line {
	var found []Line
	for _, s := range f.find(blob(key)) {
		found = append(found, f.line(s))
	}
	return found
}

// Append adds at the end those entries whose key the file does not hold yet,
// each key once, in order, each on a line of its own. A missing newline at the
// end of the file is mended first. It returns the entries that were added.
//
// An entry whose line would not be read back as that key is not added, and
// nothing is added to a file in UTF-16.
func (f *File) Append(entries ...Entry) []Entry {
	if f.UTF16() {
		return nil
	}
	var added []Entry
	for _, e := range entries {
		read, err := ParseEntry(e.Line())
		if err != nil || read.Blob() != e.Blob() || len(f.find(e.Blob())) > 0 {
			continue
		}
		if n := len(f.data); n > 0 && f.data[n-1] != '\n' {
			f.data = append(f.data, '\n')
		}
		f.data = append(append(f.data, e.Line()...), '\n')
		added = append(added, e)
	}
	return added
}

// Remove takes out every line that holds a key, and returns these lines with
// the numbers they had.
func (f *File) Remove(key ssh.PublicKey) []Line {
	spans := f.find(blob(key))
	if len(spans) == 0 {
		return nil
	}
	var removed []Line
	kept := make([]byte, 0, len(f.data))
	from := 0
	for _, s := range spans {
		removed = append(removed, f.line(s))
		kept = append(kept, f.data[from:s.start]...)
		from = min(s.end+1, len(f.data))
	}
	f.data = slices.Clip(append(kept, f.data[from:]...))
	return removed
}

// A span is where a line stands in the file, its newline not included.
type span struct{ number, start, end int }

func (f *File) spans() iter.Seq[span] {
	return func(yield func(span) bool) {
		number := 0
		for start := 0; start < len(f.data); {
			number++
			end := len(f.data)
			if i := bytes.IndexByte(f.data[start:], '\n'); i >= 0 {
				end = start + i
			}
			if !yield(span{number, start, end}) {
				return
			}
			start = end + 1
		}
	}
}

func (f *File) line(s span) Line {
	l := Line{Number: s.number, Text: string(f.data[s.start:s.end])}
	e, err := readLine(l.Text)
	switch {
	case err == nil:
		l.Entry = &e
	case err.(*ParseError).Reason != NoEntry:
		l.Err = err
	}
	return l
}

// readLine is [ParseEntry] for a line of a file: there sshd reads what is before
// a NUL, as far as the entry goes.
func readLine(text string) (Entry, error) {
	before, _, cut := strings.Cut(text, "\x00")
	if e, err := ParseEntry(before); !cut || err == nil {
		return e, err
	}
	return Entry{}, &ParseError{Reason: NotText}
}

// find looks for the lines with a key. Only those in which the base64 can be
// seen are parsed, and those with a blank that may stand in the midst of it.
func (f *File) find(blob string) []span {
	if blob == "" {
		return nil
	}
	var found []span
	want := []byte(blob)
	for s := range f.spans() {
		text := f.data[s.start:s.end]
		if !bytes.Contains(text, want) && !blankInside(text) {
			continue
		}
		if e, err := readLine(string(text)); err == nil && e.Blob() == blob {
			found = append(found, s)
		}
	}
	return found
}

func blankInside(text []byte) bool {
	text = bytes.TrimSuffix(text, []byte("\r"))
	for i := range len(inside) {
		if bytes.IndexByte(text, inside[i]) >= 0 {
			return true
		}
	}
	return false
}

func blob(key ssh.PublicKey) string {
	if key == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(key.Marshal())
}
