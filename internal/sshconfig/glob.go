package sshconfig

import (
	"os"
	"slices"
	"strings"
)

// glob lists what a pattern stands for, in the order of the bytes of the names
// (glob(3) as OpenSSH carries it): '*' and '?' do not match a slash nor a dot at
// the start of a name, [a-z] and [!a-z] are sets, a backslash takes the meaning
// from the next byte. A pattern without any of these is a name that exists or not.
func glob(pattern string) []string {
	parts := strings.Split(pattern, "/")
	found := []string{""}
	for i, part := range parts {
		separator := "/"
		if i == 0 {
			separator = ""
		}
		var next []string
		for _, dir := range found {
			if !strings.ContainsAny(part, "*?[") {
				next = append(next, dir+separator+unescape(part))
				continue
			}
			next = append(next, globDir(dir+separator, part)...)
		}
		found = next
	}
	found = slices.DeleteFunc(found, func(path string) bool {
		_, err := os.Lstat(path)
		return err != nil
	})
	slices.Sort(found)
	return found
}

// globDir lists the names in dir that match one part of a pattern.
func globDir(dir, part string) []string {
	read := dir
	if read == "" {
		read = "."
	}
	entries, err := os.ReadDir(read)
	if err != nil {
		return nil
	}
	var found []string
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, ".") && !strings.HasPrefix(part, ".") {
			continue
		}
		if matchName(name, part) {
			found = append(found, dir+name)
		}
	}
	return found
}

func unescape(s string) string {
	if os.PathSeparator == '\\' {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// matchName matches one file name against one part of a glob pattern. Like
// matchPattern it goes back to the last star only.
func matchName(name, pattern string) bool {
	ni, pi := 0, 0
	star, retry := -1, 0
	for ni < len(name) {
		if pi < len(pattern) && pattern[pi] == '*' {
			star, retry = pi, ni
			pi++
			continue
		}
		if width := matchByte(name[ni], pattern[pi:]); width > 0 {
			ni++
			pi += width
			continue
		}
		if star < 0 {
			return false
		}
		retry++
		ni, pi = retry, star+1
	}
	return strings.Trim(pattern[pi:], "*") == ""
}

// matchByte matches a byte against the first element of a pattern and returns
// that element's length, 0 if it does not match.
func matchByte(c byte, pattern string) int {
	if pattern == "" {
		return 0
	}
	switch pattern[0] {
	case '?':
		return 1
	case '\\':
		if len(pattern) > 1 && pattern[1] == c {
			return 2
		}
		return 0
	case '[':
		if width, in := matchSet(c, pattern); width > 0 {
			if in {
				return width
			}
			return 0
		}
	}
	if pattern[0] == c {
		return 1
	}
	return 0
}

// matchSet reads a set in brackets; width is 0 where it is not closed and the
// bracket stands for itself.
func matchSet(c byte, pattern string) (width int, in bool) {
	i := 1
	negated := i < len(pattern) && pattern[i] == '!'
	if negated {
		i++
	}
	for first := true; i < len(pattern) && (first || pattern[i] != ']'); first = false {
		if class, rest, ok := cutClass(pattern[i:]); ok {
			in = in || isOfClass(c, class)
			i += len(pattern[i:]) - len(rest)
			continue
		}
		low := pattern[i]
		high := low
		if i+2 < len(pattern) && pattern[i+1] == '-' && pattern[i+2] != ']' {
			high = pattern[i+2]
			i += 2
		}
		in = in || low <= c && c <= high
		i++
	}
	if i >= len(pattern) {
		return 0, false
	}
	return i + 1, in != negated
}

// cutClass reads a character class of POSIX, [:digit:], within a set.
func cutClass(pattern string) (class, rest string, ok bool) {
	inner, ok := strings.CutPrefix(pattern, "[:")
	if !ok {
		return "", "", false
	}
	class, rest, ok = strings.Cut(inner, ":]")
	return class, rest, ok
}

// isOfClass tells whether a byte is of a class, in the C locale.
func isOfClass(c byte, class string) bool {
	lower, upper, digit := 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9'
	hex := digit || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
	switch class {
	case "lower":
		return lower
	case "upper":
		return upper
	case "alpha":
		return lower || upper
	case "digit":
		return digit
	case "alnum":
		return lower || upper || digit
	case "xdigit":
		return hex
	case "space":
		return c == ' ' || '\t' <= c && c <= '\r'
	case "blank":
		return c == ' ' || c == '\t'
	case "punct":
		return '!' <= c && c <= '~' && !lower && !upper && !digit
	case "graph":
		return '!' <= c && c <= '~'
	case "print":
		return ' ' <= c && c <= '~'
	case "cntrl":
		return c < ' ' || c == 0x7f
	}
	return false
}
