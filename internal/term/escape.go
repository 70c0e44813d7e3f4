package term

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape returns s as one line that is safe to show: what does not print is
// written byte by byte as a backslash and three octal digits, as OpenSSH's
// asmprintf does (utf8.c, with VIS_OCTAL): ESC becomes \033. That covers all
// control characters with newline and tab, DEL, the C1 controls, invalid
// UTF-8, and the invisible ones that change how text reads: bidirectional
// overrides, joiners, line and paragraph separators. A backslash is left as it
// is, so that escaping twice changes nothing.
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
// are allowed though Go does not call them printable; format characters (Cf)
// are not, which shuts out bidirectional controls.
func shown(r rune) bool {
	return unicode.IsPrint(r) || unicode.Is(unicode.Zs, r)
}
