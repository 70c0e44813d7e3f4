// Package textfile reads text as Windows programs leave it: Notepad's "Unicode"
// and the > of PowerShell 5 write UTF-16, which OpenSSH takes for noise.
//
// Only a byte order mark tells UTF-16 from other bytes; without one a file is
// left as it is.
package textfile

import (
	"bytes"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// The byte order marks (Unicode chapter 23.8).
var (
	littleEndian = []byte{0xff, 0xfe}
	bigEndian    = []byte{0xfe, 0xff}
)

// IsUTF16 tells whether bytes that begin so are UTF-16.
func IsUTF16(start []byte) bool {
	return bytes.HasPrefix(start, littleEndian) || bytes.HasPrefix(start, bigEndian)
}

// UTF8 returns UTF-16 as UTF-8 and without its byte order mark, with U+FFFD in
// the place of what is no character, and anything else as it is. converted
// tells which of the two it was.
func UTF8(data []byte) (text []byte, converted bool) {
	if !IsUTF16(data) {
		return data, false
	}
	text, err := io.ReadAll(NewReader(bytes.NewReader(data)))
	if err != nil {
		return data, false // the decoder has no errors
	}
	return text, true
}

// NewReader is [UTF8] for what begins as UTF-16 and is too long to be held.
func NewReader(utf16 io.Reader) io.Reader {
	return transform.NewReader(utf16, unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder())
}
