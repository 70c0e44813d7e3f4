package sshconfig

import (
	"fmt"
	"strconv"
	"strings"
)

// commandLine is the name of the -o options in messages.
const commandLine = "command-line"

// parseProxyCommand keeps the command as it stands. A ProxyJump that came
// first wins over it, unless it is "none".
func parseProxyCommand(l *line, name string) error {
	if j := l.evaluation.set.jump; j != nil && !j.none {
		l.left = nil
		return nil
	}
	return parseCommand(l, name)
}

// parseProxyJump checks all hops and keeps the last one taken apart (parse_jump
// in readconf.c). A ProxyCommand that came first wins over it.
func parseProxyJump(l *line, _ string) error {
	spec := strings.TrimLeft(l.rest, whitespace+"=")
	j, wrong := parseJump(spec, l.file == commandLine)
	if j == nil {
		if wrong != "" {
			l.complain("%s", wrong)
		}
		return l.bad("Invalid ProxyJump \"%s\"", spec)
	}
	l.left = nil
	l.setJump(j)
	return nil
}

func (l *line) setJump(j *jump) {
	set := l.evaluation.set
	if !l.active || set.has("proxycommand") || set.jump != nil {
		return
	}
	set.jump = j
	if !j.none {
		set.set("proxycommand", "none")
	}
}

// parseJump takes a list of hops apart, which ends at the first blank. What
// stands on the command line must not hold shell metacharacters; in wrong is
// what to say of it besides.
func parseJump(spec string, strict bool) (j *jump, wrong string) {
	if asciiLower(spec) == "none" {
		return &jump{target: target{host: "none"}, none: true}, ""
	}
	before, _, _ := strings.Cut(spec, "#")
	if i := strings.IndexAny(before, whitespace); i >= 0 {
		before = before[:i]
	}
	hops := strings.Split(before, ",")
	j = &jump{}
	for i, hop := range hops {
		t, ok := parseHop(hop)
		switch {
		case !ok:
			return nil, ""
		case strict && t.hasUser && !ValidUser(t.user):
			return nil, fmt.Sprintf("parse_jump: invalid username \"%s\"", t.user)
		case strict && !ValidHostname(t.host):
			return nil, fmt.Sprintf("parse_jump: invalid hostname \"%s\"", t.host)
		}
		if i == len(hops)-1 {
			j.target = t
			j.before = strings.Join(hops[:i], ",")
		}
	}
	return j, ""
}

func parseHop(hop string) (target, bool) {
	if t, isURI, ok := parseURI(hop); isURI {
		return t, ok
	}
	return parseUserHostPort(hop)
}

// Hop takes a jump host apart as it stands in ProxyJump: [user@]host[:port] or a
// URI. What comes out are the destination and the options with which it is to
// be resolved, as ssh starts an ssh of its own for it (main in ssh.c).
func Hop(text string) (destination string, options []string, err error) {
	t, ok := parseHop(text)
	if !ok || !ValidHostname(t.host) || t.hasUser && !ValidUser(t.user) {
		return "", nil, &DestinationError{Destination: text, Reason: BadJump}
	}
	if t.hasUser {
		options = append(options, "-l"+t.user)
	}
	if t.port > 0 {
		options = append(options, "-p"+strconv.Itoa(t.port))
	}
	return t.host, options, nil
}

// String prints the hops as ssh -G does: the last one in one form, those before
// it as they were written.
func (j *jump) String() string {
	var b strings.Builder
	if j.before != "" {
		b.WriteString(j.before + ",")
	}
	if j.hasUser {
		b.WriteString(j.user + "@")
	}
	if strings.Contains(j.host, ":") || strings.Trim(j.host, "1234567890.") == "" {
		b.WriteString("[" + j.host + "]")
	} else {
		b.WriteString(j.host)
	}
	if j.port > 0 {
		b.WriteString(":" + strconv.Itoa(j.port))
	}
	return b.String()
}

// jumpLoop reports whether the jump host is the destination itself.
func jumpLoop(j *jump, host string, port int, set *settings) bool {
	jumpPort := j.port
	if jumpPort <= 0 {
		jumpPort = defaultPort
	}
	if j.host != host || jumpPort != port {
		return false
	}
	return !j.hasUser || j.user == set.text["user"]
}
