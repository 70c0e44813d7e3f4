package sshconfig

import "slices"

// settings are the values read so far, under the keyword's name in ssh -G. A
// missing entry is a setting nobody has made yet.
type settings struct {
	text         map[string]string   // one value, in the form ssh -G prints
	list         map[string][]string // several values, or the lines of an accumulating keyword
	identities   []providedFile
	certificates []providedFile
	jump         *jump // ProxyJump; {host: "none"} after "ProxyJump none"
	forwards     []forward
	cnames       []cnameRule
}

// providedFile is an IdentityFile or CertificateFile. OpenSSH drops a repeated
// name only if both came from the same side, the user's or the system's.
type providedFile struct {
	path   string
	byUser bool
}

// jump is a ProxyJump: the last hop taken apart and those before it as written.
type jump struct {
	target
	none   bool
	before string
}

// cnameRule is a pair of CanonicalizePermittedCNAMEs.
type cnameRule struct{ source, target string }

func newSettings() *settings {
	return &settings{text: make(map[string]string), list: make(map[string][]string)}
}

func (s *settings) has(name string) bool {
	_, ok := s.text[name]
	return ok
}

// set makes a setting unless it was made before: the first value wins.
func (s *settings) set(name, value string) {
	if !s.has(name) {
		s.text[name] = value
	}
}

// or returns a setting or, where nobody made it, the default.
func (s *settings) or(name, otherwise string) string {
	if v, ok := s.text[name]; ok {
		return v
	}
	return otherwise
}

// is reports whether a yes/no setting is on.
func (s *settings) is(name string, otherwise bool) bool {
	v, ok := s.text[name]
	if !ok {
		return otherwise
	}
	return v == "yes" || v == "true"
}

// addFile adds to identities or certificates, without repetition.
func addFile(files []providedFile, f providedFile) []providedFile {
	if slices.Contains(files, f) {
		return files
	}
	return append(files, f)
}

// cleared returns a text setting, or "" if it is not made or "none"
// (option_clear_or_none in readconf.c).
func (s *settings) cleared(name string) string {
	v := s.text[name]
	if asciiLower(v) == "none" {
		return ""
	}
	return v
}
