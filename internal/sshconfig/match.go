package sshconfig

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// criterion is one test of a Match line.
type criterion struct {
	name    string // lower case
	negated bool
	arg     string
}

// matchArguments tells which criteria exist and whether they take an argument.
var matchArguments = map[string]bool{
	"all": false, "canonical": false, "final": false,
	"host": true, "originalhost": true, "user": true, "localuser": true, "exec": true,
	"tagged": true, "localnetwork": true, "version": true, "sessiontype": true, "command": true,
}

// evaluateMatch decides a Match line (match_cfg_line in readconf.c).
func (l *line) evaluateMatch() error {
	if l.commandLine {
		l.complain("Host directive not supported as a command-line option")
		return errBadLine
	}
	criteria, extra, complaint := l.matchCriteria()
	if complaint != "" {
		l.complain("%s", complaint)
		return l.bad("Bad Match condition")
	}
	matched := true
	for _, c := range criteria {
		if c.name == "final" {
			l.wantFinal = true
		}
		if matched {
			hit, err := l.criterionHolds(c)
			if err != nil {
				return err
			}
			matched = hit != c.negated
		}
	}
	l.active = matched && !l.never
	if !extra {
		l.left = nil
	}
	return nil
}

// matchCriteria takes the line apart the way OpenSSH did up to 9.8, by
// double quotes and '='; where that yields no sense it follows the newer way,
// by the quoting rules of all other lines.
func (l *line) matchCriteria() (criteria []criterion, extra bool, complaint string) {
	r := delimReader{rest: l.rest}
	words := r.next
	criteria, comment, complaint := readCriteria(words, l)
	extra = !comment && !r.done && r.rest != ""
	if complaint == "" || !strings.ContainsAny(l.rest, `\'`) {
		return criteria, extra, complaint
	}
	left := l.args
	words = func() (string, bool) {
		if len(left) == 0 {
			return "", false
		}
		word := left[0]
		left = left[1:]
		return word, true
	}
	if newer, _, problem := readCriteria(words, l); problem == "" {
		return newer, false, ""
	}
	return criteria, extra, complaint
}

// readCriteria reads words to the end of the line or to a comment; complaint is
// what is wrong with them.
func readCriteria(next func() (string, bool), l *line) (criteria []criterion, comment bool, complaint string) {
	refuse := func(text string) ([]criterion, bool, string) { return nil, false, text }
	for {
		word, ok := next()
		if comment = strings.HasPrefix(word, "#"); comment || !ok || word == "" {
			break
		}
		name, negated := strings.CutPrefix(word, "!")
		c := criterion{name: asciiLower(name), negated: negated}
		takesArgument, known := matchArguments[c.name]
		switch {
		case c.name == "all":
			arg, ok := next()
			if len(criteria) > 1 || ok && arg != "" && arg[0] != '#' {
				return refuse(l.file + " line " + strconv.Itoa(l.directive.line) + ": '" + word +
					"' cannot be combined with other Match attributes")
			}
			return append(criteria, c), strings.HasPrefix(arg, "#"), ""
		case !known:
			if arg, ok := next(); !ok || arg == "" || arg[0] == '#' {
				return refuse("Missing Match criteria for " + name)
			}
			return refuse("Unsupported Match attribute " + name)
		case takesArgument:
			c.arg, ok = next()
			mayBeEmpty := c.name == "tagged" || c.name == "command"
			if !ok || c.arg == "" && !mayBeEmpty || strings.HasPrefix(c.arg, "#") {
				return refuse("Missing Match criteria for " + name)
			}
		}
		criteria = append(criteria, c)
	}
	if len(criteria) == 0 {
		return refuse("One or more attributes required for Match")
	}
	return criteria, comment, ""
}

func (l *line) criterionHolds(c criterion) (bool, error) {
	set := l.evaluation.set
	user := set.or("user", l.in.LocalUser)
	switch c.name {
	case "canonical", "final":
		return l.final, nil
	case "host":
		host, err := l.matchHost()
		return err == nil && matchHostList(host, c.arg), err
	case "originalhost":
		return matchHostList(l.typed, c.arg), nil
	case "user":
		return matchList(user, c.arg, false), nil
	case "localuser":
		return matchList(l.in.LocalUser, c.arg, false), nil
	case "tagged":
		return matchOrEmpty(set.text["tag"], c.arg), nil
	case "localnetwork":
		return l.onLocalNetwork(c.arg)
	case "sessiontype":
		return matchList(l.sessionType(), c.arg, false), nil
	case "version":
		return matchList(release, c.arg, false), nil
	case "command":
		return matchOrEmpty(l.in.RemoteCommand, c.arg), nil
	case "exec":
		host, err := l.matchHost()
		if err != nil {
			return false, err
		}
		return l.matchExec(c.arg, host)
	}
	return true, nil // all
}

// matchHost is the host name that Match looks at: what HostName makes of the
// typed name so far, in the second pass the name that was settled on.
func (e *evaluation) matchHost() (string, error) {
	hostname, ok := e.set.text["hostname"]
	if !ok || e.final {
		return e.host, nil
	}
	host, err := expand(hostname, map[byte]string{'h': e.host}, nil)
	if err != nil {
		return "", e.expandFailed(err)
	}
	return host, nil
}

// expandFailed words a token that does not exist, in a setting that ssh cannot
// go on without.
func (e *evaluation) expandFailed(err error) error {
	e.complain("vdollar_percent_expand: %s", err)
	return e.stop("percent_expand: failed")
}

// matchExec runs the command of a "Match exec", unless the block could not
// become active anyway.
func (l *line) matchExec(command, host string) (bool, error) {
	text, err := expand(command, l.connectionSoFar(host).tokens(), nil)
	if err != nil {
		return false, l.expandFailed(err)
	}
	if l.never {
		return false, nil
	}
	return l.in.Exec(text), nil
}

// connectionSoFar is what is known of the connection while files are being read.
func (e *evaluation) connectionSoFar(host string) connection {
	set := e.set
	port, _ := strconv.Atoi(set.or("port", strconv.Itoa(defaultPort)))
	c := connection{home: e.in.Home, localUser: e.in.LocalUser, uid: e.in.UID, localHost: e.in.LocalHost,
		typed: e.typed, host: host, user: set.or("user", e.in.LocalUser), alias: set.or("hostkeyalias", host), port: port}
	if set.jump != nil && !set.jump.none {
		c.jump = set.jump.host
	}
	return c
}

// sessionType is what "Match sessiontype" sees.
func (l *line) sessionType() string {
	switch kind := l.evaluation.set.text["sessiontype"]; {
	case kind == "subsystem", kind == "none":
		return kind
	case l.in.RemoteCommand != "":
		return "exec"
	}
	return "shell"
}

// matchOrEmpty is a pattern list for a value that may be empty, which only an
// empty list matches.
func matchOrEmpty(value, list string) bool {
	if value == "" {
		return list == ""
	}
	return matchList(value, list, false)
}

// onLocalNetwork reports whether an address of this machine lies in one of the
// networks listed, in CIDR notation and possibly negated.
func (l *line) onLocalNetwork(list string) (bool, error) {
	type network struct {
		netip.Prefix
		negated bool
	}
	var networks []network
	for _, text := range strings.Split(list, ",") {
		text, negated := strings.CutPrefix(text, "!")
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			var addr netip.Addr
			if addr, err = netip.ParseAddr(text); err == nil {
				prefix = netip.PrefixFrom(addr, addr.BitLen())
			}
		}
		if err != nil || prefix != prefix.Masked() {
			return false, l.stop("%s line %d: Invalid addr match network list", l.file, l.directive.line)
		}
		networks = append(networks, network{prefix, negated})
	}
	for _, addr := range l.in.Addresses() {
		hit := false
		for _, n := range networks {
			if n.Contains(addr.Unmap()) {
				if n.negated {
					hit = false
					break
				}
				hit = true
			}
		}
		if hit {
			return true, nil
		}
	}
	return false, nil
}

// localAddresses lists the addresses of this machine.
func localAddresses() []netip.Addr {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, a := range addrs {
		if ipnet, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(ipnet.IP); ok {
				out = append(out, addr.Unmap())
			}
		}
	}
	return out
}
