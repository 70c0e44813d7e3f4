package remote

import (
	"net/netip"
	"path"
	"strings"
)

// listOptions gather their values over several lines; of all others the first
// line counts (servconf.c).
var listOptions = map[string]bool{"allowusers": true, "denyusers": true, "allowgroups": true, "denygroups": true}

// configReader follows sshd_config files for one login.
type configReader struct {
	d      *Diagnosis
	files  []confFile
	global map[string][]string
	match  map[string][]string
	// active: the lines here count; inMatch: because of a Match line.
	active, inMatch bool
	unsure          bool
	left            int // words that are still looked at
	patterns        *matcher
}

// evaluate reads the options from files, the first of which is sshd's. It
// follows the order of servconf.c: of the lines outside Match blocks the first
// counts, and what a block that matches says wins over those.
func (s *ServerConfig) evaluate(files []confFile, d *Diagnosis) {
	r := &configReader{d: d, files: files, global: map[string][]string{}, match: map[string][]string{}, active: true, left: 200_000, patterns: newMatcher()}
	r.file(files[0], 0)
	for keyword, values := range r.match {
		r.global[keyword] = values
	}
	s.Source, s.Path, s.Options, s.Unsure = FromFiles, files[0].path, r.global, r.unsure || r.patterns.left < 0
}

func (r *configReader) file(f confFile, depth int) {
	for _, line := range f.lines {
		words := configWords(line)
		if r.left -= 1 + len(words); r.left < 0 {
			r.unsure = true
			return
		}
		if len(words) < 2 {
			continue
		}
		keyword := strings.ToLower(words[0])
		switch keyword {
		case "match":
			r.inMatch, r.active = true, r.matches(words[1:])
		case "include":
			if r.active {
				r.include(words[1:], path.Dir(r.files[0].path), depth)
			}
		default:
			r.option(keyword, words[1:])
		}
	}
}

// include reads the files there are of those it names. Match blocks end with
// the file they are in.
func (r *configReader) include(patterns []string, dir string, depth int) {
	if depth >= 16 {
		r.unsure = true
		return
	}
	for _, pattern := range patterns {
		if !path.IsAbs(pattern) {
			pattern = path.Join(dir, pattern)
		}
		found := false
		for _, f := range r.files[1:] {
			if ok, _ := path.Match(pattern, f.path); ok {
				active, inMatch := r.active, r.inMatch
				r.file(f, depth+1)
				r.active, r.inMatch, found = active, inMatch, true
			}
		}
		if !found && !strings.ContainsAny(pattern, "*?[") {
			r.unsure = true // not readable, or elsewhere
		}
	}
}

func (r *configReader) option(keyword string, values []string) {
	if !r.active {
		return
	}
	to := r.global
	if r.inMatch {
		to = r.match
	}
	if _, ok := to[keyword]; !ok || listOptions[keyword] {
		to[keyword] = append(to[keyword], strings.Join(values, " "))
	}
}

// matches evaluates the conditions of a Match line; one it does not know is
// taken for not met.
func (r *configReader) matches(words []string) bool {
	for len(words) > 0 {
		name, value, joined := strings.Cut(words[0], "=")
		words = words[1:]
		if strings.EqualFold(name, "all") {
			continue
		}
		if !joined {
			if len(words) == 0 {
				return false
			}
			value, words = words[0], words[1:]
		}
		met, known := r.condition(strings.ToLower(name), value)
		r.unsure = r.unsure || !known
		if !met {
			return false
		}
	}
	return true
}

func (r *configReader) condition(name, value string) (met, known bool) {
	s := &r.d.Server
	switch name {
	case "user":
		return r.patterns.list(r.d.Account, value), true
	case "group":
		if r.d.memberOf != nil {
			return r.d.memberOf(value)
		}
		for _, group := range r.d.Groups {
			if r.patterns.list(group, value) {
				return true, true
			}
		}
		return false, true
	case "address":
		return r.patterns.address(s.Client, value), true
	case "localaddress":
		return r.patterns.address(s.Address, value), true
	case "localport":
		return s.Port == value, true
	}
	return false, false
}

// configWords splits a line of sshd_config: blanks or one "=" after the
// keyword, double quotes around words, "#" begins a comment.
func configWords(line string) []string {
	var words []string
	for rest := line; ; {
		rest = strings.TrimLeft(rest, " \t\r")
		if len(words) == 1 {
			rest = strings.TrimLeft(strings.TrimPrefix(rest, "="), " \t")
		}
		if rest == "" || rest[0] == '#' {
			return words
		}
		if rest[0] == '"' {
			word, tail, ok := strings.Cut(rest[1:], `"`)
			if !ok {
				return words
			}
			words, rest = append(words, word), tail
			continue
		}
		end := strings.IndexAny(rest, " \t\r")
		if len(words) == 0 {
			end = strings.IndexAny(rest, " \t\r=")
		}
		if end < 0 {
			end = len(rest)
		}
		words, rest = append(words, rest[:end]), rest[end:]
	}
}

// matcher compares names and patterns, until it has had enough of them: a bad
// server could send some that take days.
type matcher struct{ left int }

func newMatcher() *matcher { return &matcher{left: 100_000_000} }

// pattern is matchPattern, false once there were too many.
func (m *matcher) pattern(text, pattern string) bool {
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

// list is match_pattern_list of match.c: commas between patterns, "!" excludes.
func (m *matcher) list(text, list string) bool {
	met := false
	for pattern := range strings.SplitSeq(list, ",") {
		pattern, not := strings.CutPrefix(pattern, "!")
		if m.pattern(text, pattern) {
			if not {
				return false
			}
			met = true
		}
	}
	return met
}

// address is addr_match_list of addrmatch.c: networks, or patterns.
func (m *matcher) address(address, list string) bool {
	ip, err := netip.ParseAddr(address)
	ip = ip.Unmap()
	met := false
	for pattern := range strings.SplitSeq(list, ",") {
		pattern, not := strings.CutPrefix(pattern, "!")
		network, bad := netip.ParsePrefix(pattern)
		if err == nil && bad == nil && network.Contains(ip) || m.pattern(address, pattern) {
			if not {
				return false
			}
			met = true
		}
	}
	return met
}
