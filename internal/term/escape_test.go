package term

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	for _, tt := range []struct{ name, in, line, lines string }{
		{"plain", "user@host's password: ", "user@host's password: ", "user@host's password: "},
		{"empty", "", "", ""},
		{"umlaut, kanji, emoji", "é 漢字 🔑", "é 漢字 🔑", "é 漢字 🔑"},
		{"no-break and ideographic space", "a\u00a0b\u3000c", "a\u00a0b\u3000c", "a\u00a0b\u3000c"},
		{"newline and tab", "a\n\tb", `a\012\011b`, "a\n\tb"},
		{"CR LF", "a\r\nb", `a\015\012b`, "a\nb"},
		{"lone CR", "good\revil", `good\015evil`, `good\015evil`},
		{"CR CR LF", "a\r\r\n", `a\015\015\012`, "a\\015\n"},
		{"NUL, BEL, backspace, DEL", "\x00\a\b\x7f", `\000\007\010\177`, `\000\007\010\177`},
		{"colour", "\x1b[31mred", `\033[31mred`, `\033[31mred`},
		{"C1 CSI", "\u009b2J", `\302\2332J`, `\302\2332J`},
		{"C1 byte, not UTF-8", "\x9b2J", `\2332J`, `\2332J`},
		{"bad UTF-8", "a\xffb\xc3", `a\377b\303`, `a\377b\303`},
		{"overlong newline", "\xc0\x8a", `\300\212`, `\300\212`},
		{"UTF-16 surrogate", "\xed\xa0\x80", `\355\240\200`, `\355\240\200`},
		{"replacement character itself", "\ufffd", "\ufffd", "\ufffd"},
		{"right-to-left override", "\u202egpj.exe", `\342\200\256gpj.exe`, `\342\200\256gpj.exe`},
		{"isolate, mark, Arabic letter mark", "\u2066\u200f\u061c", `\342\201\246\342\200\217\330\234`, `\342\201\246\342\200\217\330\234`},
		{"zero width joiner, BOM", "\u200d\ufeff", `\342\200\215\357\273\277`, `\342\200\215\357\273\277`},
		{"line separator", "\u2028", `\342\200\250`, `\342\200\250`},
		{"Hangul fillers", "\u3164\u115f\uffa0", `\343\205\244\341\205\237\357\276\240`, `\343\205\244\341\205\237\357\276\240`},
		{"variation selectors", "a\ufe0f\U000e0100", `a\357\270\217\363\240\204\200`, `a\357\270\217\363\240\204\200`},
		{"tag, soft hyphen, grapheme joiner", "\U000e0041\u00ad\u034f", `\363\240\201\201\302\255\315\217`, `\363\240\201\201\302\255\315\217`},
		{"next line", "a\u0085b", `a\302\205b`, `a\302\205b`},
		{"private use, not assigned", "\ue000\U0010fffd\u0378", `\356\200\200\364\217\277\275\315\270`, `\356\200\200\364\217\277\275\315\270`},
		{"empty Braille pattern", "\u2800", `\342\240\200`, `\342\240\200`},
		{"Hangul, combining accent, Hebrew", "\ud55c e\u0301 \u05d0", "\ud55c e\u0301 \u05d0", "\ud55c e\u0301 \u05d0"},
		{"backslash", `C:\033`, `C:\033`, `C:\033`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Escape(tt.in); got != tt.line {
				t.Errorf("Escape(%q) = %q, want %q", tt.in, got, tt.line)
			}
			if got := EscapeLines(tt.in); got != tt.lines {
				t.Errorf("EscapeLines(%q) = %q, want %q", tt.in, got, tt.lines)
			}
		})
	}
}

func TestExcerpt(t *testing.T) {
	offer := strings.Repeat("aes256-ctr@example.org,", 1500)
	for _, tt := range []struct{ name, in, want string }{
		{"short", "a\x1b[m", `a\033[m`},
		{"as long as it may be", strings.Repeat("x", maxExcerpt), strings.Repeat("x", maxExcerpt)},
		{"a list", offer, strings.TrimSuffix(offer[:maxExcerpt/23*23], ",") + "... (34500 bytes in all)"},
		{"no list", strings.Repeat("x", 5000), strings.Repeat("x", maxExcerpt) + "... (5000 bytes in all)"},
		{"whole characters", "x" + strings.Repeat("\u00e9", 2000), "x" + strings.Repeat("\u00e9", (maxExcerpt-1)/2) + "... (4001 bytes in all)"},
		{"not UTF-8", strings.Repeat("\xff", 3000), strings.Repeat(`\377`, maxExcerpt-3) + "... (3000 bytes in all)"},
	} {
		if got := Excerpt(tt.in); got != tt.want {
			t.Errorf("%s: %.60q... of %d bytes, want %d", tt.name, got, len(got), len(tt.want))
		}
	}
}

// FuzzEscape checks that nothing a terminal acts on gets through, that
// harmless text is left alone, and that escaping twice changes nothing.
func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "plain", "a\r\nb\tc", "\x1b]0;x\a", "\u009b\u202e\u2069\u200e\u061c", "\xff\xc2", "漢\u00a0字", `\033`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, tt := range []struct {
			got, again, allowed string
		}{
			{Escape(s), Escape(Escape(s)), ""},
			{EscapeLines(s), EscapeLines(EscapeLines(s)), "\n\t"},
		} {
			if !utf8.ValidString(tt.got) {
				t.Fatalf("%q became invalid UTF-8: %q", s, tt.got)
			}
			if tt.got != tt.again {
				t.Fatalf("%q: escaped once %q, twice %q", s, tt.got, tt.again)
			}
			for _, r := range tt.got {
				if dangerous(r) && !strings.ContainsRune(tt.allowed, r) {
					t.Fatalf("%q became %q, which holds %U", s, tt.got, r)
				}
			}
		}
		if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0 && Escape(s) != s {
			t.Fatalf("plain ASCII %q became %q", s, Escape(s))
		}
	})
}

// dangerous lists what must not reach a terminal, independently of the rule
// Escape uses.
func dangerous(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r <= 0x9f: // C0, DEL, C1
		return true
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x061c: // bidi
		return true
	case r == 0x3164, r >= 0xfe00 && r <= 0xfe0f, r >= 0xe000 && r <= 0xf8ff: // fillers, variation selectors, private use
		return true
	case r == 0x2028, r == 0x2029, r == 0xfeff, r >= 0xe0000 && r <= 0xe007f:
		return true
	}
	return false
}
