package sshconfig

import "strings"

// matchPattern matches the whole of s against a pattern in which '*' stands for
// any run of bytes and '?' for one byte (match_pattern in match.c). It takes
// time proportional to len(s)*len(pattern) at most.
func matchPattern(s, pattern string) bool {
	si, pi := 0, 0
	star, retry := -1, 0
	for si < len(s) {
		switch {
		case pi < len(pattern) && pattern[pi] == '*':
			star, retry = pi, si
			pi++
		case pi < len(pattern) && (pattern[pi] == '?' || pattern[pi] == s[si]):
			si++
			pi++
		case star >= 0:
			retry++
			si, pi = retry, star+1
		default:
			return false
		}
	}
	for pi < len(pattern) && pattern[pi] == '*' {
		pi++
	}
	return pi == len(pattern)
}

// matchList matches s against a comma separated list with negation
// (match_pattern_list in match.c): a negated pattern that matches decides at
// once, and a list of negations alone matches nothing.
func matchList(s, list string, lower bool) bool {
	matched := false
	for list != "" {
		var p string
		p, list, _ = strings.Cut(list, ",")
		p, negated := strings.CutPrefix(p, "!")
		if lower {
			p = asciiLower(p)
		}
		if matchPattern(s, p) {
			if negated {
				return false
			}
			matched = true
		}
	}
	return matched
}

// matchHostList is matchList for host names, which have no case
// (match_hostname in match.c).
func matchHostList(host, list string) bool {
	return matchList(asciiLower(host), list, true)
}

// matchHostLine decides a Host line: patterns separated by white space, upper
// and lower case distinct, a negated match switching the block off.
func matchHostLine(host string, patterns []string) bool {
	active := false
	for _, p := range patterns {
		p, negated := strings.CutPrefix(p, "!")
		if matchPattern(host, p) {
			if negated {
				return false
			}
			active = true
		}
	}
	return active
}
