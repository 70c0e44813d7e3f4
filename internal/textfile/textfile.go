// Package textfile reads text as Windows programs leave it: Notepad's "Unicode"
// and the > of PowerShell 5 write UTF-16, which OpenSSH takes for noise.
//
// Only a byte order mark distinguishes UTF-16 from other bytes here; without one
// a file is left as it is.
package textfile

import (
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// The byte order marks (Unicode chapter 23.8).
var (
	littleEndian = []byte{0xff, 0xfe}
	bigEndian    = []byte{0xfe, 0xff}
)

// IsUTF16 reports whether bytes that begin so are UTF-16.
func IsUTF16(start []byte) bool {
	return bytes.HasPrefix(start, littleEndian) || bytes.HasPrefix(start, bigEndian)
}

// UTF8 returns UTF-16 as UTF-8 and without its byte order mark, with U+FFFD in
// the place of what is no character, and anything else as it is. converted
// reports which of the two it was.
func UTF8(data []byte) (text []byte, converted bool) {
	if !IsUTF16(data) {
		return data, false
	}
	text, _ = AppendUTF8(nil, data[2:], orderOf(data))
	return text, true
}

// orderOf returns the byte order that a mark stands for.
func orderOf(mark []byte) binary.ByteOrder {
	if bytes.HasPrefix(mark, bigEndian) {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// AppendUTF8 appends UTF-16 to text as UTF-8, with U+FFFD in the place of what
// is no character. whole reports whether there was no such place. It does not
// grow text where that has room for two bytes of UTF-8 for each byte of UTF-16,
// so that a secret is in no other place.
func AppendUTF8(text, data []byte, order binary.ByteOrder) (_ []byte, whole bool) {
	whole = true
	for ; len(data) >= 2; data = data[2:] {
		r := rune(order.Uint16(data))
		if utf16.IsSurrogate(r) {
			var second rune
			if len(data) >= 4 {
				second = rune(order.Uint16(data[2:]))
			}
			if r = utf16.DecodeRune(r, second); r == utf8.RuneError {
				whole = false
			} else {
				data = data[2:]
			}
		}
		text = utf8.AppendRune(text, r)
	}
	if len(data) > 0 {
		text, whole = utf8.AppendRune(text, utf8.RuneError), false
	}
	return text, whole
}

// NewReader is [UTF8] for what begins as UTF-16 and is too long to be held.
func NewReader(utf16 io.Reader) io.Reader { return &reader{in: utf16} }

type reader struct {
	in    io.Reader
	order binary.ByteOrder // nil until the byte order mark has been read
	held  []byte           // read, and perhaps half a character
	text  []byte           // decoded, and not taken yet
	err   error            // of in
}

func (r *reader) Read(p []byte) (int, error) {
	for len(r.text) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.fill()
	}
	n := copy(p, r.text)
	r.text = r.text[n:]
	return n, nil
}

// fill decodes what the next read brings, up to its last whole character.
func (r *reader) fill() {
	var some [4096]byte
	var n int
	n, r.err = r.in.Read(some[:])
	r.held = append(r.held, some[:n]...)
	if r.order == nil && len(r.held) >= 2 {
		r.order, r.held = orderOf(r.held), r.held[2:]
	}
	if r.order == nil {
		return
	}
	end := len(r.held)
	if r.err == nil {
		end -= end % 2
		if end > 0 && r.order.Uint16(r.held[end-2:])&0xfc00 == 0xd800 {
			end -= 2 // the first half of a pair
		}
	}
	r.text, _ = AppendUTF8(nil, r.held[:end], r.order)
	r.held = append([]byte(nil), r.held[end:]...)
}
