package sshconfig

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func unsupportedNotice(d *directive) string {
	return fmt.Sprintf("%s line %d: Unsupported option \"%s\"", d.file, d.line, d.keyword)
}

// parseSendEnv adds names; one with a leading '-' takes earlier ones out again.
func parseSendEnv(l *line, name string) error {
	for len(l.left) > 0 {
		arg := l.next()
		if arg == "" || strings.Contains(arg, "=") {
			return l.bad("Invalid environment name.")
		}
		if !l.active {
			continue
		}
		list := l.evaluation.set.list
		if pattern, remove := strings.CutPrefix(arg, "-"); remove {
			list[name] = slices.DeleteFunc(list[name], func(s string) bool { return matchPattern(s, pattern) })
			continue
		}
		list[name] = append(list[name], arg)
	}
	return nil
}

// parseSetEnv takes the first line only, and of each variable the first value.
func parseSetEnv(l *line, name string) error {
	made := len(l.evaluation.set.list[name]) > 0
	for len(l.left) > 0 {
		arg := l.next()
		variable, _, ok := strings.Cut(arg, "=")
		if !ok {
			return l.bad("Invalid SetEnv.")
		}
		list := l.evaluation.set.list
		if !l.active || made || slices.ContainsFunc(list[name], func(s string) bool {
			return strings.HasPrefix(s, variable+"=")
		}) {
			continue
		}
		list[name] = append(list[name], arg)
	}
	return nil
}

func parseAddKeysToAgent(l *line, name string) error {
	how := map[string]string{"yes": "true", "true": "true", "no": "false", "false": "false",
		"ask": "ask", "confirm": "confirm"}
	first, second := l.next(), l.next()
	if first == "" {
		return l.bad("missing argument.")
	}
	value, known := how[asciiLower(first)]
	lifetime := second
	if !known {
		value, lifetime = "", first
	}
	switch {
	case known && second == "":
	case known && value == "confirm", !known && second == "":
		seconds, ok := convertTime(lifetime)
		if !ok && known {
			return l.bad("invalid time value.")
		}
		if !ok {
			return l.bad("unsupported option")
		}
		if seconds > 0 {
			value = strings.TrimSpace(value + " " + strconv.Itoa(seconds))
		} else if !known {
			value = "true"
		}
	default:
		return l.bad("unsupported option")
	}
	l.set(name, value)
	return nil
}

func parseControlPersist(l *line, name string) error {
	arg := l.next()
	switch arg {
	case "":
		return l.bad("Missing ControlPersist argument.")
	case "no", "false":
		l.set(name, "no")
	case "yes", "true":
		l.set(name, "yes")
	default:
		seconds, ok := convertTime(arg)
		switch {
		case !ok:
			return l.bad("Bad ControlPersist argument.")
		case seconds == 0:
			l.set(name, "yes")
		default:
			l.set(name, strconv.Itoa(seconds))
		}
	}
	return nil
}

func parseEscapeChar(l *line, name string) error {
	arg := l.next()
	switch {
	case arg == "":
		return l.bad("Missing argument.")
	case arg == "none", len(arg) == 1:
	case len(arg) == 2 && arg[0] == '^' && arg[1] >= 64 && arg[1] < 128:
		arg = `\^` + string(arg[1]&31|64)
	default:
		return l.bad("Bad escape character.")
	}
	l.set(name, arg)
	return nil
}

func parseFingerprintHash(l *line, name string) error {
	arg := l.next()
	if arg == "" {
		return l.bad("Missing argument.")
	}
	switch upper := strings.ToUpper(arg); upper {
	case "MD5", "SHA1", "SHA256", "SHA384", "SHA512":
		l.set(name, upper)
		return nil
	}
	return l.bad("Invalid hash algorithm \"%s\".", arg)
}

// agentPath checks what may name an agent's socket: a path with ${VAR}, or $VAR.
func (l *line) agentPath(arg string) error {
	if _, err := expand(arg, nil, l.lookupEnv); err != nil {
		return l.bad("Invalid environment expansion %s.", arg)
	}
	if name, ok := strings.CutPrefix(arg, "$"); ok && !strings.HasPrefix(name, "{") && !validVariable(name) {
		return l.bad("Invalid environment name %s.", arg)
	}
	return nil
}

// validVariable is valid_env_name in misc.c.
func validVariable(name string) bool {
	for i := 0; i < len(name); i++ {
		c := name[i] | 0x20
		if !('a' <= c && c <= 'z' || '0' <= name[i] && name[i] <= '9' || name[i] == '_') {
			return false
		}
	}
	return name != ""
}

func parseIdentityAgent(l *line, name string) error {
	arg := l.next()
	if arg == "" {
		return l.bad("Missing argument.")
	}
	if err := l.agentPath(arg); err != nil {
		return err
	}
	l.set(name, arg)
	return nil
}

func parseForwardAgent(l *line, name string) error {
	arg := l.next()
	switch asciiLower(arg) {
	case "":
		return l.bad("missing argument.")
	case "yes", "true":
		l.set(name, "yes")
		return nil
	case "no", "false":
		l.set(name, "no")
		return nil
	}
	if err := l.agentPath(arg); err != nil {
		return err
	}
	l.set(name, arg)
	return nil
}

func parseLogLevel(l *line, name string) error {
	arg := l.next()
	level := strings.ToUpper(arg)
	switch level {
	case "DEBUG1":
		level = "DEBUG"
	case "QUIET", "FATAL", "ERROR", "INFO", "VERBOSE", "DEBUG", "DEBUG2", "DEBUG3":
	default:
		return l.bad("unsupported log level '%s'", orNone(arg))
	}
	l.set(name, level)
	return nil
}

func parseSyslogFacility(l *line, name string) error {
	arg := l.next()
	facility := strings.ToUpper(arg)
	local := len(facility) == 6 && strings.HasPrefix(facility, "LOCAL") && facility[5] >= '0' && facility[5] <= '7'
	if !local && !slices.Contains([]string{"DAEMON", "USER", "AUTH", "AUTHPRIV"}, facility) {
		return l.bad("unsupported log facility '%s'", orNone(arg))
	}
	l.set(name, facility)
	return nil
}

// orNone stands in for a missing argument in a message.
func orNone(arg string) string {
	if arg == "" {
		return "<NONE>"
	}
	return arg
}

func parseBindMask(l *line, name string) error {
	arg := l.next()
	if arg == "" {
		return l.bad("Missing StreamLocalBindMask argument.")
	}
	digits := 0
	for digits < len(arg) && '0' <= arg[digits] && arg[digits] <= '7' {
		digits++
	}
	mask, err := strconv.ParseUint(arg[:digits], 8, 32)
	if err != nil || mask > 0o777 {
		return l.bad("Bad mask.")
	}
	l.set(name, "0"+strconv.FormatUint(mask, 8))
	return nil
}

func parseTunnelDevice(l *line, name string) error {
	arg := l.next()
	if arg == "" {
		return l.bad("Missing argument.")
	}
	local, remote, both := strings.Cut(arg, ":")
	if !both {
		remote = "any"
	}
	for _, device := range []*string{&local, &remote} {
		if asciiLower(*device) == "any" {
			*device = "any"
			continue
		}
		n, wrong := parseInteger(*device, 0x7ffffffd)
		if wrong != "" {
			return l.bad("Bad tun device.")
		}
		*device = strconv.Itoa(n)
	}
	l.set(name, local+":"+remote)
	return nil
}
