package sshconfig

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// errUnsetVariable is a ${NAME} whose variable is not set.
var errUnsetVariable = errors.New("invalid environment variable expansion")

// expand replaces %x by tokens[x], %% by %, and, where getenv is given,
// ${NAME} by the variable's value (vdollar_percent_expand in misc.c). With nil
// tokens a percent sign has no meaning.
func expand(s string, tokens map[byte]string, getenv func(string) (string, bool)) (string, error) {
	var b strings.Builder
	unset := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case getenv != nil && strings.HasPrefix(s[i:], "${"):
			name, _, closed := strings.Cut(s[i+2:], "}")
			if !closed {
				return "", fmt.Errorf("environment variable '%s' missing closing '}'", s[i+2:])
			}
			if name == "" {
				return "", errors.New("zero-length environment variable")
			}
			value, ok := getenv(name)
			unset = unset || !ok
			b.WriteString(value)
			i += len("${") + len(name)
		case c != '%' || tokens == nil:
			b.WriteByte(c)
		case i+1 == len(s):
			return "", errors.New("invalid format: the text ends in %")
		case s[i+1] == '%':
			b.WriteByte('%')
			i++
		default:
			value, ok := tokens[s[i+1]]
			if !ok {
				return "", fmt.Errorf("unknown key %%%c", s[i+1])
			}
			b.WriteString(value)
			i++
		}
	}
	if unset {
		return "", errUnsetVariable
	}
	return b.String(), nil
}

// connection is what the tokens of ssh_config(5) speak about.
type connection struct {
	home, localUser, uid, localHost string
	typed, host, user, alias, jump  string
	port                            int
}

// tokens is the table of default_client_percent_expand in ssh.c.
func (c connection) tokens() map[byte]string {
	short, _, _ := strings.Cut(c.localHost, ".")
	port := strconv.Itoa(c.port)
	alias := c.alias
	if alias == "" {
		alias = c.typed
	}
	return map[byte]string{
		'C': connectionHash(c.localHost, c.host, port, c.user, c.jump),
		'L': short,
		'l': c.localHost,
		'd': c.home,
		'h': c.host,
		'i': c.uid,
		'j': c.jump,
		'k': alias,
		'n': c.typed,
		'p': port,
		'r': c.user,
		'u': c.localUser,
	}
}

// connectionHash is the value of %C (ssh_connection_hash in readconf.c).
func connectionHash(parts ...string) string {
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

// expandTilde replaces a leading ~ by the user's home and ~name by that of the
// account (tilde_expand in misc.c).
func (e *evaluation) expandTilde(path string) (string, error) {
	if !strings.HasPrefix(path, "~") {
		return localPath(path, e.in.Getenv), nil
	}
	name, rest := path[1:], ""
	if i := strings.IndexAny(name, separators); i >= 0 {
		name, rest = name[:i], name[i+1:]
	}
	home := e.in.Home
	if name == "" && home == "" {
		return path, nil // whoever needs the file finds that it has no place
	}
	if name != "" {
		var ok bool
		if home, ok = homeOf(name); !ok {
			return "", fmt.Errorf("No such user %s", name) //lint:ignore ST1005 ssh's own words
		}
	}
	if !strings.ContainsAny(home[max(len(home)-1, 0):], separators) {
		home += "/"
	}
	return home + strings.TrimLeft(rest, separators), nil
}

// expandPath expands ~, tokens and variables in a file name. The home directory
// is not searched for tokens: a percent sign in its name is one. ssh stops
// there.
func (e *evaluation) expandPath(path string, tokens map[byte]string) (string, error) {
	home := ""
	if i := strings.IndexAny(path, separators); i > 0 && strings.HasPrefix(path, "~") {
		var err error
		if home, err = e.expandTilde(path[:i+1]); err != nil {
			return "", err
		}
		path = strings.TrimLeft(path[i+1:], separators)
	} else {
		var err error
		if path, err = e.expandTilde(path); err != nil {
			return "", err
		}
	}
	rest, err := expand(path, tokens, e.lookupEnv)
	return home + rest, err
}
