package term

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape returns s as one line that is safe to show: what does not print is
// written byte by byte as a backslash and three octal digits, as OpenSSH's
// asmprintf does (utf8.c, with VIS_OCTAL): ESC becomes \033. That covers all
// control characters with newline and tab, DEL, the C1 controls, invalid
// UTF-8, and everything that leaves no mark of its own: bidirectional controls,
// joiners, line and paragraph separators, Hangul fillers, variation selectors,
// tags, private use. A backslash is left as it is, so that escaping twice
// changes nothing.
func Escape(s string) string { return escape(s, false) }

// EscapeLines is [Escape] for text of several lines: newlines and tabs are
// kept, and CR LF becomes a newline. Any other carriage return is escaped, as
// it would let a line overwrite itself.
func EscapeLines(s string) string { return escape(s, true) }

func escape(s string, lines bool) string {
	clean := true
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case lines && (r == '\n' || r == '\t'):
			b.WriteByte(byte(r))
		case lines && r == '\r' && strings.HasPrefix(s[i:], "\r\n"):
			b.WriteByte('\n')
			size = 2
		case r == utf8.RuneError && size == 1, !shown(r):
			for _, c := range []byte(s[i : i+size]) {
				b.WriteByte('\\')
				b.WriteByte('0' + c>>6)
				b.WriteByte('0' + c>>3&7)
				b.WriteByte('0' + c&7)
			}
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// shown reports whether r can be printed as it is. Spaces other than U+0020
// are allowed though Go does not call them printable; format characters (Cf),
// private use (Co) and what is not assigned are not, which shuts out
// bidirectional controls, and neither are letters and symbols that are blank.
func shown(r rune) bool {
	if r < 0x80 {
		return r >= ' ' && r <= '~'
	}
	return (unicode.IsPrint(r) || unicode.Is(unicode.Zs, r)) &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, blank)
}

// blank are the characters that leave no mark though Unicode does not list them
// as ignorable: the empty Braille pattern, the Khitan filler, the blanks of
// Egyptian hieroglyphs, the null notehead.
var blank = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x2800, Hi: 0x2800, Stride: 1}},
	R32: []unicode.Range32{
		{Lo: 0x13441, Hi: 0x13446, Stride: 1},
		{Lo: 0x16fe4, Hi: 0x16fe4, Stride: 1},
		{Lo: 0x1d159, Hi: 0x1d159, Stride: 1},
	},
}

// maxExcerpt is how much of a server's text is shown in one place, in bytes. A
// list of algorithms of OpenSSH has some hundred.
const maxExcerpt = 2048

// Excerpt is [Escape] for text whose length another program chooses: it shows
// the start of one that is too long, up to a comma where there is one, and how
// long the whole is.
func Excerpt(s string) string {
	if len(s) <= maxExcerpt {
		return Escape(s)
	}
	start := s[:maxExcerpt]
	if comma := strings.LastIndexByte(start, ','); comma > maxExcerpt/2 {
		start = start[:comma]
	}
	for i := 1; i < utf8.UTFMax && i < len(start); i++ { // no half character at the end
		if r, size := utf8.DecodeLastRuneInString(start); r != utf8.RuneError || size != 1 {
			break
		}
		start = start[:len(start)-1]
	}
	return fmt.Sprintf("%s... (%d bytes in all)", Escape(start), len(s))
}
