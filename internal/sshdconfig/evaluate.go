// Package sshdconfig reads what the configuration of an OpenSSH server says for one
// login, from the files that sshd would read (servconf.c).
package sshdconfig

import (
	"path"
	"strings"
)

// Login is what the conditions of a Match line are about.
type Login struct {
	Account string
	Groups  []string
	// MemberOf, if not nil, answers for Groups what a pattern list says of them.
	MemberOf func(list string) (met, known bool)
	// Client, Address and Port are the client's address, and the server's
	// that it connected to.
	Client, Address, Port string
}

// File is a configuration file, perhaps without comments and empty lines.
type File struct {
	Path  string
	Lines []string
}

// Config is what is known of sshd's options for a login.
type Config struct {
	// Options are the values by keyword in lower case. A keyword that counts
	// several times has several. Only those that are written down are there.
	Options map[string][]string
	// Unsure: a Match condition or an Include could not be followed.
	Unsure bool
}

// listOptions gather their values over several lines; of all others the first
// line counts (servconf.c).
var listOptions = map[string]bool{"allowusers": true, "denyusers": true, "allowgroups": true, "denygroups": true}

// reader follows sshd_config files for one login.
type reader struct {
	login  Login
	files  []File
	global map[string][]string
	match  map[string][]string
	// active: the lines here count; inMatch: because of a Match line.
	active, inMatch bool
	unsure          bool
	left            int // words that are still looked at
	patterns        *Matcher
}

// Evaluate reads the options from files, the first of which is sshd's. It
// follows the order of servconf.c: of the lines outside Match blocks the first
// counts, and what a block that matches says wins over those.
func Evaluate(files []File, login Login) Config {
	r := &reader{login: login, files: files, global: map[string][]string{}, match: map[string][]string{}, active: true, left: 200_000, patterns: NewMatcher()}
	r.file(files[0], 0)
	for keyword, values := range r.match {
		r.global[keyword] = values
	}
	return Config{Options: r.global, Unsure: r.unsure || r.patterns.Spent()}
}

func (r *reader) file(f File, depth int) {
	for _, line := range f.Lines {
		words := Words(line)
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
				r.include(words[1:], path.Dir(r.files[0].Path), depth)
			}
		default:
			r.option(keyword, words[1:])
		}
	}
}

// include reads the files there are of those it names. Match blocks end with
// the file they are in.
func (r *reader) include(patterns []string, dir string, depth int) {
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
			if ok, _ := path.Match(pattern, f.Path); ok {
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

func (r *reader) option(keyword string, values []string) {
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
func (r *reader) matches(words []string) bool {
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

func (r *reader) condition(name, value string) (met, known bool) {
	switch name {
	case "user":
		return r.patterns.List(r.login.Account, value), true
	case "group":
		if r.login.MemberOf != nil {
			return r.login.MemberOf(value)
		}
		for _, group := range r.login.Groups {
			if r.patterns.List(group, value) {
				return true, true
			}
		}
		return false, true
	case "address":
		return r.patterns.Address(r.login.Client, value), true
	case "localaddress":
		return r.patterns.Address(r.login.Address, value), true
	case "localport":
		return r.login.Port == value, true
	}
	return false, false
}

// Words splits a line of sshd_config: blanks or one "=" after the
// keyword, double quotes around words, "#" begins a comment.
func Words(line string) []string {
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
