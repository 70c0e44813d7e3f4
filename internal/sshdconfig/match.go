package sshdconfig

import (
	"net/netip"
	"strings"
)

// Matcher compares names and patterns, until it has had enough of them: a bad
// server could send some that take days.
type Matcher struct{ left int }

// NewMatcher makes a Matcher.
func NewMatcher() *Matcher { return &Matcher{left: 100_000_000} }

// Spent reports whether there were too many.
func (m *Matcher) Spent() bool { return m.left < 0 }

// Pattern is match_pattern of match.c ("*" and "?"), false once there were too many.
func (m *Matcher) Pattern(text, pattern string) bool {
	if m.left -= (len(text) + 1) * (len(pattern) + 1); m.left < 0 {
		return false
	}
	return matchPattern(text, pattern)
}

// matchPattern is match_pattern of match.c: "*" and "?".
func matchPattern(text, pattern string) bool {
	t, p, star, from := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0:
			from++
			p, t = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// List is match_pattern_list of match.c: commas between patterns, "!" excludes.
func (m *Matcher) List(text, list string) bool {
	met := false
	for pattern := range strings.SplitSeq(list, ",") {
		pattern, not := strings.CutPrefix(pattern, "!")
		if m.Pattern(text, pattern) {
			if not {
				return false
			}
			met = true
		}
	}
	return met
}

// Address is addr_match_list of addrmatch.c: networks, or patterns.
func (m *Matcher) Address(address, list string) bool {
	ip, err := netip.ParseAddr(address)
	ip = ip.Unmap()
	met := false
	for pattern := range strings.SplitSeq(list, ",") {
		pattern, not := strings.CutPrefix(pattern, "!")
		network, bad := netip.ParsePrefix(pattern)
		if err == nil && bad == nil && network.Contains(ip) || m.Pattern(address, pattern) {
			if not {
				return false
			}
			met = true
		}
	}
	return met
}
