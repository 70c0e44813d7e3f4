package sshconfig

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The keywords that came with OpenSSH 9.5 to 10.1, or that take more there.

// release is the release of OpenSSH that "Match version" sees: the one whose
// ssh_config this package reads.
const release = "OpenSSH_10.6p1"

// defaultKeystrokeInterval is SSH_KEYSTROKE_DEFAULT_INTERVAL_MS, for which ssh -G
// prints "yes".
const defaultKeystrokeInterval = 20

// parseObscureKeystrokes reads yes, no or interval:MILLISECONDS.
func parseObscureKeystrokes(l *line, name string) error {
	arg := l.next()
	interval, isInterval := strings.CutPrefix(arg, "interval:")
	switch {
	case arg == "":
		return l.bad("missing argument")
	case arg == "yes", arg == "true":
		arg = "yes"
	case arg == "no", arg == "false":
		arg = "no"
	case isInterval:
		n, wrong := parseInteger(interval, 1<<31-1)
		if wrong != "" {
			return l.bad("integer value %s.", wrong)
		}
		if n <= 0 || n > 1000 {
			return l.bad("value out of range.")
		}
		if arg = strconv.Itoa(n); n == defaultKeystrokeInterval {
			arg = "yes"
		}
	default:
		return l.bad("unsupported argument \"%s\"", arg)
	}
	if len(l.left) > 0 {
		return l.bad("invalid arguments")
	}
	l.set(name, arg)
	return nil
}

// channelTimeout checks a word of ChannelTimeout: type=interval
// (parse_pattern_interval in misc.c).
func (l *line) channelTimeout(word string) error {
	if asciiLower(word) == "none" {
		return nil
	}
	kind, interval, ok := strings.Cut(word, "=")
	if _, isTime := convertTime(interval); !ok || kind == "" || !isTime {
		return l.bad("invalid channel timeout %s", word)
	}
	return nil
}

// parseVersionAddendum takes the rest of the line, quotes and '#' included.
func parseVersionAddendum(l *line, name string) error {
	text := l.rest
	if strings.Contains(text, "\r") {
		return l.bad("Invalid %s argument", l.keyword)
	}
	if asciiLower(text) == "none" {
		text = ""
	}
	l.left = nil
	l.set(name, text)
	return nil
}

// parseRefuseConnection ends everything where the line applies, as ssh does, -G
// included.
func parseRefuseConnection(l *line, _ string) error {
	arg := l.next()
	if arg == "" {
		return l.bad("Missing argument.")
	}
	if l.active {
		return l.stop("%s line %d: RefuseConnection: %s", l.file, l.directive.line, arg)
	}
	return nil
}

// expandUser replaces the tokens of a User that the configuration sets, but %r
// and %C, which are made of it (main in ssh.c since 10.0).
func (e *evaluation) expandUser(user string, tokens map[byte]string) (string, error) {
	known := make(map[byte]string)
	for token, value := range tokens {
		if token != 'r' && token != 'C' {
			known[token] = value
		}
	}
	expanded, err := expand(user, known, e.lookupEnv)
	switch {
	case err != nil:
		return "", e.stop("User %s: %s", user, err)
	case expanded != user && !ValidUser(expanded):
		return "", e.stop("remote username contains invalid characters")
	}
	return expanded, nil
}

// qosNames are the names of parse_ipqos in misc.c, with their values. The last
// three mean nothing since 10.1: the system's default is kept.
var qosNames = map[string]int{
	"none": -1, "af11": 0x28, "af12": 0x30, "af13": 0x38, "af21": 0x48, "af22": 0x50, "af23": 0x58,
	"af31": 0x68, "af32": 0x70, "af33": 0x78, "af41": 0x88, "af42": 0x90, "af43": 0x98,
	"cs0": 0x00, "cs1": 0x20, "cs2": 0x40, "cs3": 0x60, "cs4": 0x80, "cs5": 0xa0, "cs6": 0xc0,
	"cs7": 0xe0, "ef": 0xb8, "le": 0x04, "va": 0xb0,
	"lowdelay": -1, "throughput": -1, "reliability": -1,
}

func parseIPQoS(l *line, name string) error {
	words := l.left
	if len(words) == 0 {
		words = []string{""}
	}
	var values []string
	for _, arg := range words[:min(len(words), 2)] {
		value, known := qosNames[asciiLower(arg)]
		if !known {
			n, err := strconv.ParseUint(arg, 0, 8) // also 0x10, which releases before 10.1 take
			if err != nil {
				return l.bad("Bad IPQoS value: %s", arg)
			}
			value = int(n)
		}
		values = append(values, qosName(value))
	}
	l.left = l.left[len(values):]
	if len(values) == 1 {
		values = append(values, values[0])
	}
	l.set(name, strings.Join(values, " "))
	return nil
}

// qosName prints a value as iptos2str does.
func qosName(n int) string {
	if n < 0 {
		return "none"
	}
	var names []string
	for name, value := range qosNames {
		if value == n {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return fmt.Sprintf("0x%02x", n)
	}
	slices.Sort(names)
	return names[0]
}
