package sshconfig

import (
	"slices"
	"strconv"
	"strings"
)

// Limits of a forwarding: NI_MAXHOST and the size of a socket address.
const (
	maxHostname   = 1025
	maxSocketPath = 108
)

// forward is a LocalForward, RemoteForward or DynamicForward, which this
// program checks and prints but never opens.
type forward struct {
	keyword                string
	listenHost, listenPath string
	hasListenHost          bool
	listenPort             int
	connectHost            string
	connectPath            string
	connectPort            int
	dynamic                bool
}

// forwardField is one part of a forwarding between colons.
type forwardField struct {
	text string
	path bool
}

func parseForward(l *line, name string) error {
	arg := l.next()
	if arg == "" {
		return l.bad("Missing argument.")
	}
	f := forward{keyword: name, dynamic: name == "dynamicforward"}
	if !f.dynamic {
		switch target := l.next(); {
		case target != "":
			arg += ":" + target
		case name == "remoteforward":
			f.dynamic = true
		default:
			return l.bad("Missing target argument.")
		}
	}
	text, err := expand(arg, nil, l.lookupEnv)
	if err != nil || !f.read(text) {
		return l.bad("Bad forwarding specification.")
	}
	if l.active && !slices.Contains(l.evaluation.set.forwards, f) {
		l.evaluation.set.forwards = append(l.evaluation.set.forwards, f)
	}
	return nil
}

// read is parse_forward in readconf.c.
func (f *forward) read(text string) bool {
	fields, ok := forwardFields(strings.TrimLeft(text, " \t\n\v\f\r"))
	if !ok {
		return false
	}
	listen := func(host *forwardField, port forwardField) {
		if port.path {
			f.listenPath = port.text
			return
		}
		if host != nil {
			f.listenHost, f.hasListenHost = host.text, true
		}
		f.listenPort = ParsePort(port.text)
	}
	n := len(fields)
	switch {
	case n == 1:
		listen(nil, fields[0])
	case n == 2 && fields[1].path:
		listen(nil, fields[0])
		f.connectPath = fields[1].text
	case n == 2:
		listen(&fields[0], fields[1])
	case n == 3 && !fields[0].path && fields[2].path:
		listen(&fields[0], fields[1])
		f.connectPath = fields[2].text
	case n == 3:
		listen(nil, fields[0])
		f.connectHost, f.connectPort = fields[1].text, ParsePort(fields[2].text)
	case n == 4:
		listen(&fields[0], fields[1])
		f.connectHost, f.connectPort = fields[2].text, ParsePort(fields[3].text)
	}
	if f.dynamic {
		if n > 2 {
			return false
		}
	} else if n < 3 && f.connectPath == "" && f.listenPath == "" || f.connectPort <= 0 && f.connectPath == "" {
		return false
	}
	if f.listenPath == "" && (f.listenPort < 0 || f.listenPort == 0 && f.keyword != "remoteforward") {
		return false
	}
	return len(f.connectHost) < maxHostname && len(f.listenHost) < maxHostname &&
		len(f.connectPath) < maxSocketPath && len(f.listenPath) < maxSocketPath
}

// forwardFields splits at colons; a part in brackets is taken as it is and a
// backslash takes the meaning from the next byte (parse_fwd_field).
func forwardFields(s string) (fields []forwardField, ok bool) {
	for s != "" {
		if len(fields) == 4 {
			return nil, false
		}
		if s[0] == '[' {
			end := strings.IndexByte(s, ']')
			if end < 0 || end+1 < len(s) && s[end+1] != ':' {
				return nil, false
			}
			text := s[1:end]
			fields = append(fields, forwardField{text, strings.Contains(text, "/")})
			s = strings.TrimPrefix(s[end+1:], ":")
			continue
		}
		var text strings.Builder
		i := 0
		for ; i < len(s) && s[i] != ':'; i++ {
			if s[i] == '\\' {
				if i++; i == len(s) {
					return nil, false
				}
			}
			text.WriteByte(s[i])
		}
		fields = append(fields, forwardField{text.String(), strings.Contains(text.String(), "/")})
		s = s[min(i+1, len(s)):]
	}
	return fields, len(fields) > 0
}

// String prints the forwarding as dump_cfg_forwards does.
func (f forward) String() string {
	side := func(path, host string, hasHost bool, port int) string {
		switch {
		case path != "":
			return " " + path
		case hasHost:
			return " [" + host + "]:" + strconv.Itoa(port)
		}
		return " " + strconv.Itoa(port)
	}
	out := f.keyword + side(f.listenPath, f.listenHost, f.hasListenHost, f.listenPort)
	switch {
	case f.keyword == "dynamicforward":
		return out
	case f.dynamic:
		return out + " [socks]:0"
	}
	return out + side(f.connectPath, f.connectHost, true, f.connectPort)
}

// parsePermitRemoteOpen accepts any, none, or host:port pairs with * for the
// port.
func parsePermitRemoteOpen(l *line, name string) error {
	if len(l.left) == 0 || l.left[0] == "" {
		return l.stop("%s line %d: missing %s specification", l.file, l.directive.line, name)
	}
	if first := l.left[0]; first == "any" || first == "none" {
		l.next()
		l.set(name, first)
		return nil
	}
	words := l.left
	for len(l.left) > 0 {
		_, delimiter, port, ok := cutHost(l.next())
		if !ok || delimiter == '/' {
			return l.stop("%s line %d: missing host in %s", l.file, l.directive.line, name)
		}
		if port == "" || port != "*" && ParsePort(port) <= 0 {
			return l.stop("%s line %d: bad port number in %s", l.file, l.directive.line, name)
		}
	}
	l.set(name, strings.Join(words, " "))
	return nil
}
