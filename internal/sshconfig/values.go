package sshconfig

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"syscall"
)

// scope says what a line of configuration may do where it stands.
type scope struct {
	commandLine bool // an -o option
	byUser      bool // the user's side, not the system's file
	never       bool // inside an Include that does not apply: nothing can become active
	active      bool // the enclosing Host or Match block applies
	depth       int  // levels of Include
}

// line is a directive being evaluated; next consumes its arguments.
type line struct {
	*evaluation
	*directive
	*scope
	left []string
}

// next returns the next argument, "" at the end of the line.
func (l *line) next() string {
	if len(l.left) == 0 {
		return ""
	}
	arg := l.left[0]
	l.left = l.left[1:]
	return arg
}

// bad complains about the line, with file and number, and refuses it.
func (l *line) bad(format string, args ...any) error {
	l.complain("%s line %d: "+format, append([]any{l.file, l.directive.line}, args...)...)
	return errBadLine
}

// set makes the setting if the block applies and nobody made it before.
func (l *line) set(name, value string) {
	if l.active {
		l.evaluation.set.set(name, value)
	}
}

// parser reads the arguments of one keyword and makes its settings. It checks
// them whether or not the block applies.
type parser func(l *line, name string) error

// states is a keyword with a fixed choice of values: what may be written, and
// what ssh -G prints for it.
func states(pairs ...string) parser {
	values := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return func(l *line, name string) error {
		arg := l.next()
		if arg == "" {
			return l.bad("missing argument.")
		}
		value, ok := values[asciiLower(arg)]
		if !ok {
			return l.bad("unsupported option %q.", arg)
		}
		l.set(name, value)
		return nil
	}
}

var (
	flag        = states("yes", "yes", "true", "yes", "no", "no", "false", "no")
	yesNoAsk    = states("yes", "true", "true", "true", "no", "false", "false", "false", "ask", "ask")
	compression = states("yes", "yes", "no", "no")
)

func parseText(l *line, name string) error {
	arg := l.next()
	if arg == "" {
		return l.bad("Missing argument.")
	}
	l.set(name, arg)
	return nil
}

// parseCommand keeps the rest of the line as it stands, quotes and '#' included.
func parseCommand(l *line, name string) error {
	l.set(name, strings.TrimLeft(l.rest, whitespace+"="))
	l.left = nil
	return nil
}

func parseInt(l *line, name string) error {
	n, wrong := parseInteger(l.next(), math.MaxInt32)
	if wrong != "" {
		return l.bad("integer value %s.", wrong)
	}
	l.set(name, strconv.Itoa(n))
	return nil
}

// parseTime reads a time in seconds; "none" is the same as saying nothing.
func parseTime(l *line, name string) error {
	arg := l.next()
	if arg == "" {
		return l.bad("missing time value.")
	}
	if arg == "none" {
		return nil
	}
	seconds, ok := convertTime(arg)
	if !ok {
		return l.bad("invalid time value.")
	}
	l.set(name, strconv.Itoa(seconds))
	return nil
}

// convertTime reads a time such as 90, 5m or 1h30m into seconds (convtime in
// misc.c).
func convertTime(s string) (seconds int, ok bool) {
	if s == "" {
		return 0, false
	}
	for s != "" {
		s = strings.TrimLeft(s, " \t\n\v\f\r")
		s = strings.TrimPrefix(s, "+")
		end := 0
		for end < len(s) && '0' <= s[end] && s[end] <= '9' {
			end++
		}
		n, err := strconv.ParseInt(s[:end], 10, 32)
		if err != nil {
			return 0, false
		}
		s = s[end:]
		if s != "" {
			unit := strings.IndexByte("smhdw", s[0]|0x20)
			if unit < 0 {
				return 0, false
			}
			n *= []int64{1, 60, 3600, 86400, 604800}[unit]
			s = s[1:]
		}
		if n > math.MaxInt32-int64(seconds) {
			return 0, false
		}
		seconds += int(n)
	}
	return seconds, true
}

// parseScaled reads a size such as 500M, 1.5G or 4096 (scan_scaled in
// openbsd-compat), with its errors.
func parseScaled(s string) (int64, error) {
	number := strings.TrimLeft(s, " \t\n\v\f\r")
	unit := strings.TrimLeft(number, "+-0123456789.")
	number = number[:len(number)-len(unit)]
	if number == "" {
		number = "0" // a unit alone is nothing of it
	}
	shift := 0
	if unit != "" {
		i := strings.IndexByte("bkmgtpe", unit[0]|0x20)
		if i < 0 || len(unit) > 1 {
			return 0, syscall.EINVAL
		}
		shift = 10 * i
	}
	if strings.Contains(number, ".") {
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return 0, syscall.EINVAL
		}
		if value = math.Ldexp(value, shift); math.Abs(value) >= math.MaxInt64 {
			return 0, syscall.ERANGE
		}
		return int64(value), nil
	}
	n, err := strconv.ParseInt(number, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange), n > math.MaxInt64>>shift, n < math.MinInt64>>shift:
		return 0, syscall.ERANGE
	case err != nil:
		return 0, syscall.EINVAL
	}
	return n << shift, nil
}

func parseRekeyLimit(l *line, name string) error {
	arg := l.next()
	if arg == "" {
		return l.bad("Missing argument.")
	}
	limit := int64(0)
	if arg != "default" {
		var err error
		if limit, err = parseScaled(arg); err != nil {
			return l.bad("Bad number '%s': %s", arg, cause(err))
		}
		if limit != 0 && limit < 16 {
			return l.bad("RekeyLimit too small")
		}
	}
	l.set(name, strconv.FormatInt(limit, 10))
	if len(l.left) == 0 {
		return nil
	}
	return parseTime(l, "rekeyinterval")
}

func parsePortLine(l *line, name string) error {
	arg := l.next()
	if arg == "" {
		return l.bad("Missing argument.")
	}
	port := ParsePort(arg)
	if port <= 0 {
		return l.bad("Bad port '%s'.", arg)
	}
	l.set(name, strconv.Itoa(port))
	return nil
}

// listOf reads several words of which only the first line counts. "none" must
// stand alone.
func listOf(limit int, check func(*line, string) error) parser {
	return func(l *line, name string) error {
		_, made := l.evaluation.set.list[name]
		var words []string
		for len(l.left) > 0 {
			arg := l.next()
			if arg == "" {
				return l.bad("keyword %s empty argument", l.keyword)
			}
			if asciiLower(arg) == "none" && (len(words) > 0 || len(l.left) > 0) {
				return l.bad("keyword %s \"none\" argument must appear alone.", l.keyword)
			}
			if check != nil {
				if err := check(l, arg); err != nil {
					return err
				}
			}
			if words = append(words, arg); l.active && !made && len(words) > limit {
				return l.bad("too many %s entries.", l.keyword)
			}
		}
		if l.active && !made && len(words) > 0 {
			l.evaluation.set.list[name] = words
		}
		return nil
	}
}

// maxKeyFiles is SSH_MAX_IDENTITY_FILES and SSH_MAX_CERTIFICATE_FILES.
const maxKeyFiles = 100

func parseIdentityFile(l *line, _ string) error {
	return l.keyFile(&l.evaluation.set.identities, "identity")
}

func parseCertificateFile(l *line, _ string) error {
	return l.keyFile(&l.evaluation.set.certificates, "certificate")
}

func (l *line) keyFile(files *[]providedFile, what string) error {
	arg := l.next()
	if arg == "" {
		return l.bad("Missing argument.")
	}
	if !l.active {
		return nil
	}
	if len(*files) >= maxKeyFiles {
		return l.bad("Too many %s files specified (max %d).", what, maxKeyFiles)
	}
	*files = addFile(*files, providedFile{arg, l.byUser})
	return nil
}

// algorithmsOf reads an algorithm list and refuses names OpenSSH never had.
func algorithmsOf(kind *AlgorithmKind) parser {
	return func(l *line, name string) error {
		arg := l.next()
		if arg == "" {
			return l.bad("Missing argument.")
		}
		if !kind.valid(strings.Split(arg, ",")) {
			return l.bad(kind.refusal, arg)
		}
		l.set(name, arg)
		return nil
	}
}
