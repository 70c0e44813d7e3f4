package sshconfig

import "strings"

// whitespace separates a keyword from its argument (WHITESPACE in misc.c).
const whitespace = " \t\r\n"

// delimReader reads words as strdelim in misc.c does: they end at white space
// or at one '=', and a double quote runs to the next one. Keywords and the
// criteria of Match are read this way.
type delimReader struct {
	rest string
	done bool
}

// next returns the next word, which may be empty; ok is false at the end of the
// line and at a quote that is never closed.
func (r *delimReader) next() (word string, ok bool) {
	if r.done {
		return "", false
	}
	i := strings.IndexAny(r.rest, whitespace+"\"=")
	if i < 0 {
		r.done = true
		return r.rest, true
	}
	if r.rest[i] == '"' {
		before, after := r.rest[:i], r.rest[i+1:]
		quoted, rest, closed := strings.Cut(after, `"`)
		if !closed {
			r.done = true
			return "", false
		}
		r.rest = strings.TrimLeft(rest, whitespace)
		return before + quoted, true
	}
	word, equals := r.rest[:i], r.rest[i] == '='
	r.rest = strings.TrimLeft(r.rest[i+1:], whitespace)
	if !equals && strings.HasPrefix(r.rest, "=") {
		r.rest = strings.TrimLeft(r.rest[1:], whitespace)
	}
	return word, true
}

// splitArguments takes an argument text apart as argv_split in misc.c does with
// terminate_on_comment: '#' at the start of a word ends the line.
func splitArguments(s string) (args []string, ok bool) { return splitWords(s, true) }

// splitWords is argv_split in misc.c: single and double quotes, also inside a
// word; a backslash before a quote or a backslash, and outside quotes before a
// space. ok is false if a quote stays open.
func splitWords(s string, comments bool) (args []string, ok bool) {
	for i := 0; i < len(s); {
		if s[i] == ' ' || s[i] == '\t' {
			i++
			continue
		}
		if s[i] == '#' && comments {
			break
		}
		var word strings.Builder
		quote := byte(0)
	inWord:
		for ; i < len(s); i++ {
			c := s[i]
			switch {
			case c == '\\':
				if onWindows && word.Len() == 0 && isUNC(s[i:]) {
					word.WriteByte(c) // and the second one behind it
				}
				if i+1 < len(s) && escapable(s[i+1], quote) {
					i++
					c = s[i]
				}
				word.WriteByte(c)
			case quote == 0 && (c == ' ' || c == '\t'):
				break inWord
			case quote == 0 && (c == '"' || c == '\''):
				quote = c
			case quote != 0 && c == quote:
				quote = 0
			default:
				word.WriteByte(c)
			}
		}
		if quote != 0 {
			return nil, false
		}
		args = append(args, word.String())
	}
	return args, true
}

func escapable(c, quote byte) bool {
	return c == '\'' || c == '"' || c == '\\' || quote == 0 && c == ' '
}

// splitLine takes a line apart into keyword (in lower case) and argument text,
// as the head of process_config_line in readconf.c. An empty keyword means that
// there is nothing on the line.
func splitLine(line string) (keyword, rest string) {
	if i := strings.IndexByte(line, 0); i >= 0 {
		line = line[:i]
	}
	r := delimReader{rest: strings.TrimRight(line, whitespace+"\f")}
	keyword, ok := r.next()
	if ok && keyword == "" {
		keyword, ok = r.next()
	}
	if !ok || keyword == "" || keyword[0] == '#' {
		return "", ""
	}
	if !r.done {
		rest = strings.TrimLeft(r.rest, whitespace)
	}
	return asciiLower(keyword), rest
}

// asciiLower lowers A to Z only, as tolower in the C locale, whatever the
// encoding of the rest.
func asciiLower(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
