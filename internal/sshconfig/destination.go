package sshconfig

import (
	"net"
	"strconv"
	"strings"
)

// target is a destination or a jump host taken apart.
type target struct {
	user    string
	hasUser bool
	host    string
	port    int // 0: not given
}

// parseDestination reads [user@]host or ssh://[user@]host[:port] as main in
// ssh.c does: the user ends at the last @, in a URI at the first.
func parseDestination(s string) (target, error) {
	refuse := func(reason DestinationReason) (target, error) {
		return target{}, &DestinationError{Destination: s, Reason: reason}
	}
	if t, isURI, ok := parseURI(s); isURI {
		if !ok {
			return refuse(BadURI)
		}
		return t, nil
	}
	t := target{host: s}
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		if at == 0 {
			return refuse(EmptyUser)
		}
		t = target{user: s[:at], hasUser: true, host: s[at+1:]}
	}
	if t.host == "" {
		return refuse(NoHost)
	}
	return t, nil
}

// ValidHostname reports whether a host name may reach a ProxyCommand: no
// leading '-', no shell metacharacters, blanks or control characters
// (valid_hostname in ssh.c). ssh applies it to the command line only.
func ValidHostname(s string) bool {
	if strings.HasPrefix(s, "-") {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == 0x7f || strings.IndexByte("'`\"$\\;&<>|(){}", c) >= 0 {
			return false
		}
	}
	return !onWindows || hostInCmd(s)
}

// ValidUser is ValidHostname for the remote user name (valid_ruser in ssh.c).
// Blanks, '$' and backslashes are allowed within it, for the sake of Windows
// and Kerberos names.
func ValidUser(s string) bool {
	if strings.HasPrefix(s, "-") || strings.HasSuffix(s, `\`) {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c == 0x7f || strings.IndexByte("'`\";&<>|(){}", c) >= 0 {
			return false
		}
		if c == ' ' && strings.HasPrefix(s[i+1:], "-") {
			return false
		}
	}
	return !onWindows || userInCmd(s)
}

// userInCmd tells whether cmd.exe takes a user name as it is. It has other
// metacharacters than a shell: a caret quotes, and what stands between two
// percent signs, in whichever word, is a variable.
func userInCmd(s string) bool { return !strings.ContainsAny(s, "^%") }

// hostInCmd is userInCmd for a host, which may be an IPv6 address with one
// percent sign, before its zone.
func hostInCmd(s string) bool {
	address, zone, scoped := strings.Cut(s, "%")
	return userInCmd(address) && userInCmd(zone) && (!scoped || strings.Contains(address, ":"))
}

// parseURI reads ssh://[user[;params]@]host[:port][/] (parse_ssh_uri in
// readconf.c). isURI is false where the text does not begin with ssh://.
func parseURI(s string) (t target, isURI, ok bool) {
	rest, isURI := strings.CutPrefix(s, "ssh://")
	if !isURI {
		return target{}, false, false
	}
	if user, after, found := strings.Cut(rest, "@"); found {
		user, _, _ = strings.Cut(user, ";")
		decoded, ok := urlDecode(user)
		if user == "" || !ok {
			return target{}, true, false
		}
		t.user, t.hasUser, rest = decoded, true, after
	}
	host, delimiter, after, ok := cutHost(rest)
	if !ok || host == "" {
		return target{}, true, false
	}
	t.host = cleanHostname(host)
	valid, _ := validDomain(t.host)
	if valid == "" {
		return target{}, true, false
	}
	t.host = valid
	if delimiter == ':' && after != "" {
		port, path, _ := strings.Cut(after, "/")
		if t.port = ParsePort(port); t.port <= 0 {
			return target{}, true, false
		}
		after = path
	}
	return t, true, after == "" // a path is not allowed
}

// parseUserHostPort reads [user@]host[:port], the host possibly in brackets
// (parse_user_host_port in misc.c).
func parseUserHostPort(s string) (t target, ok bool) {
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		if at == 0 {
			return target{}, false
		}
		t.user, t.hasUser, s = s[:at], true, s[at+1:]
	}
	host, delimiter, after, ok := cutHost(s)
	if !ok || host == "" || delimiter == '/' {
		return target{}, false
	}
	t.host = cleanHostname(host)
	if after != "" {
		if t.port = ParsePort(after); t.port <= 0 {
			return target{}, false
		}
	}
	return t, true
}

// cutHost splits at the first ':' or '/' that is not inside brackets (hpdelim2
// in misc.c). delimiter is 0 where there is none.
func cutHost(s string) (host string, delimiter byte, after string, ok bool) {
	end := strings.IndexAny(s, ":/")
	if strings.HasPrefix(s, "[") {
		if end = strings.IndexByte(s, ']'); end < 0 {
			return "", 0, "", false
		}
		if end++; end == len(s) {
			end = -1
		}
	}
	if end < 0 {
		return s, 0, "", true
	}
	if s[end] != ':' && s[end] != '/' {
		return "", 0, "", false
	}
	return s[:end], s[end], s[end+1:], true
}

// cleanHostname takes the brackets off an address.
func cleanHostname(host string) string {
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		return host[1 : len(host)-1]
	}
	return host
}

// ParsePort reads a port number or the name of a TCP service (a2port in misc.c):
// -1 if it is neither. A port can be 0.
func ParsePort(s string) int {
	if n, wrong := parseInteger(s, 65535); wrong == "" {
		return n
	}
	if s == "" || strings.ContainsRune(s, 0) || s != asciiLower(s) {
		// The net package takes upper case for lower; getservbyname(3) does not.
		return -1
	}
	if n, err := net.LookupPort("tcp", s); err == nil && n > 0 {
		return n
	}
	return -1
}

// parseInteger reads a decimal number from 0 to limit; what is wrong with it is
// told in the words of strtonum(3).
func parseInteger(s string, limit int) (n int, wrong string) {
	if s == "" {
		return 0, "missing"
	}
	text := strings.TrimLeft(s, " \t\n\v\f\r")
	digits := strings.TrimLeft(text, "+-")
	if digits == "" || len(text)-len(digits) > 1 || strings.Trim(digits, "0123456789") != "" {
		return 0, "invalid"
	}
	v, err := strconv.ParseInt(text, 10, 64)
	switch {
	case text[0] == '-' && (err != nil || v < 0):
		return 0, "too small"
	case err != nil || v > int64(limit):
		return 0, "too large"
	}
	return int(v), ""
}

// urlDecode undoes percent encoding and turns + into a space.
func urlDecode(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b.WriteByte(' ')
		case s[i] == '%':
			if i+2 >= len(s) {
				return "", false
			}
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil || n == 0 {
				return "", false
			}
			b.WriteByte(byte(n))
			i += 2
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), true
}

// validDomain checks a domain name and takes a trailing dot off (valid_domain
// in misc.c). The result is empty, and wrong says why, if it is none.
func validDomain(name string) (domain, wrong string) {
	if name == "" {
		return "", "empty domain name"
	}
	alnum := func(c byte) bool {
		return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	if !alnum(name[0]) {
		return "", `domain name "` + name + `" starts with invalid character`
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '.' && i > 0 && name[i-1] == '.' {
			return "", `domain name "` + name + `" contains consecutive separators`
		}
		if !alnum(c) && c != '.' && c != '-' && c != '_' {
			return "", `domain name "` + name + `" contains invalid characters`
		}
	}
	return strings.TrimSuffix(name, "."), ""
}
