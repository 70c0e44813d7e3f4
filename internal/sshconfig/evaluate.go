package sshconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// maxIncludeDepth is READCONF_MAX_DEPTH in readconf.c.
const maxIncludeDepth = 16

// evaluation is one run over the command line and the files.
type evaluation struct {
	in       *Input
	set      *settings
	sources  map[string]*source // files read so far: a second pass sees the same text
	notices  []string           // told to the person, stops nothing
	messages []string           // complaints, in the order ssh prints them

	typed     string // the host as typed
	host      string // the host Host and Match lines look at
	final     bool   // the second pass
	wantFinal bool   // "Match final" was seen

	defaultUser bool // nobody has set User

	systemFile string
}

// lookupEnv makes Input.Getenv tell unset from empty: empty counts as unset
// unless the process itself has the variable.
func (e *evaluation) lookupEnv(name string) (string, bool) {
	if e.in.LookupEnv != nil {
		return e.in.LookupEnv(name)
	}
	v := e.in.Getenv(name)
	return v, v != ""
}

// option evaluates one -o argument.
func (e *evaluation) option(text string) error {
	d := &directive{file: commandLine}
	if d.keyword, d.rest = splitLine(text); d.keyword == "" {
		return nil
	}
	args, ok := splitArguments(d.rest)
	d.args, d.badArgs = args, !ok
	err := e.evaluate(d, &scope{commandLine: true, byUser: true, active: true})
	if errors.Is(err, errBadLine) {
		return &Error{Messages: e.messages}
	}
	return err
}

// files evaluates the configuration files, in the order of process_config_files
// in ssh.c.
func (e *evaluation) files() error {
	in := e.in
	if in.ConfigFile != "" {
		if asciiLower(in.ConfigFile) == "none" {
			return nil
		}
		file := localPath(in.ConfigFile, in.Getenv)
		if err := e.source(file).err; err != nil {
			return e.stop("Can't open user config file %s: %s", in.ConfigFile, cause(err))
		}
		return e.readFile(file, false, &scope{byUser: true, active: true})
	}
	if in.Home != "" {
		user := filepath.Join(in.Home, ".ssh", "config")
		if err := e.readFile(user, true, &scope{byUser: true, active: true}); err != nil {
			return err
		}
	}
	return e.readFile(e.systemFile, false, &scope{active: true})
}

// source reads a file unless it was read before.
func (e *evaluation) source(path string) *source {
	src, ok := e.sources[path]
	if !ok {
		src = readSource(path)
		e.sources[path] = src
	}
	return src
}

// readAhead reads the files of an Include side by side: taking their lines
// apart is most of the work of a large configuration.
func (e *evaluation) readAhead(paths []string) {
	var wanted []string
	for _, path := range paths {
		if _, ok := e.sources[path]; !ok {
			wanted = append(wanted, path)
		}
	}
	read := make([]*source, len(wanted))
	var next atomic.Int64
	var readers sync.WaitGroup
	for range min(len(wanted), runtime.GOMAXPROCS(0)) {
		readers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(wanted)); i = next.Add(1) - 1 {
				read[i] = readSource(wanted[i])
			}
		})
	}
	readers.Wait()
	for i, path := range wanted {
		e.sources[path] = read[i]
	}
}

// readFile evaluates one file. One that cannot be opened is passed over; the caller
// looks at source first where that is an error.
func (e *evaluation) readFile(path string, mustBeTrusted bool, sc *scope) error {
	if sc.depth > maxIncludeDepth {
		return e.stop("Too many recursive configuration includes")
	}
	src := e.source(path)
	if src.err != nil {
		return nil
	}
	if src.converted {
		e.notices = append(e.notices, path+": "+convertedNotice)
	}
	if mustBeTrusted && src.untrusted {
		return e.stop("Bad owner or permissions on %s", path)
	}
	bad := 0
	for i := range src.directives {
		err := e.evaluate(&src.directives[i], sc)
		if errors.Is(err, errBadLine) {
			bad++
		} else if err != nil {
			return err
		}
	}
	if bad > 0 {
		return e.stop("%s: terminating, %d bad configuration options", path, bad)
	}
	return nil
}

// evaluate is process_config_line_depth in readconf.c.
func (e *evaluation) evaluate(d *directive, sc *scope) error {
	l := &line{e, d, sc, d.args}
	if d.rest == "" {
		return l.bad("no argument after keyword \"%s\"", d.keyword)
	}
	kw, known := keywords[d.keyword]
	if !known {
		kw.parse = ignored
		if patterns := e.set.text["ignoreunknown"]; !matchList(d.keyword, patterns, true) {
			e.complain("%s: line %d: Bad configuration option: %s", d.file, d.line, d.keyword)
			kw.parse = func(*line, string) error { return errBadLine }
		}
	}
	if d.badArgs {
		return l.bad("invalid quotes")
	}
	var err error
	switch d.keyword {
	case "host":
		err = l.evaluateHost()
	case "match":
		err = l.evaluateMatch()
	case "include":
		err = l.evaluateInclude()
	default:
		err = kw.parse(l, kw.name)
	}
	if err == nil && len(l.left) > 0 {
		err = l.bad("keyword %s extra arguments at end of line", d.keyword)
	}
	return err
}

func (l *line) evaluateHost() error {
	if l.commandLine {
		l.complain("Host directive not supported as a command-line option")
		return errBadLine
	}
	for _, pattern := range l.left {
		if pattern == "" {
			l.active = false
			return l.bad("keyword host empty argument")
		}
	}
	l.active = !l.never && matchHostLine(l.host, l.left)
	l.left = nil
	return nil
}

// evaluateInclude reads the files of an Include line, each in a scope of its
// own: what a Host or Match line in them switches ends with the file.
func (l *line) evaluateInclude() error {
	if l.commandLine {
		l.complain("Include directive not supported as a command-line option")
		return errBadLine
	}
	for len(l.left) > 0 {
		arg := l.next()
		if arg == "" {
			return l.bad("keyword include empty argument")
		}
		path, err := l.expandInclude(arg)
		if errors.Is(err, errUnset) {
			l.notices = append(l.notices, fmt.Sprintf("%s line %d: Unable to expand user config file '%s': %s", l.file, l.directive.line, arg, err))
			continue
		}
		if err != nil {
			return err
		}
		arg = path
		if strings.HasPrefix(arg, "~") && !l.byUser {
			return l.bad("bad include path %s.", arg)
		}
		paths := glob(slashed(l.includePath(arg)))
		l.readAhead(paths)
		for _, path := range paths {
			if err := l.source(path).err; err != nil && !errors.Is(err, fs.ErrNotExist) {
				l.complain("Can't open user config file %s: %s", path, cause(err))
				return errBadLine
			}
			inner := &scope{byUser: l.byUser, active: l.active, never: l.never || !l.active, depth: l.depth + 1}
			if err := l.readFile(path, true, inner); err != nil {
				return err
			}
		}
	}
	return nil
}

// errUnset marks an Include that ssh passes over with a message, since a variable
// in it is not set or not written right.
var errUnset = errors.New("cannot be expanded")

// expandInclude replaces tokens and ${VARIABLES} in the path of an Include
// (since OpenSSH 9.9). An unknown token ends everything, as in ssh.
func (l *line) expandInclude(arg string) (string, error) {
	if !strings.ContainsAny(arg, "%$") {
		return arg, nil
	}
	host, err := l.matchHost()
	if err != nil {
		return "", err
	}
	if _, err := expand(arg, nil, l.lookupEnv); err != nil {
		return "", fmt.Errorf("%w: %v", errUnset, err)
	}
	path, err := expand(arg, l.connectionSoFar(host).tokens(), l.lookupEnv)
	if err != nil {
		return "", l.expandFailed(err)
	}
	return path, nil
}

// includePath anchors the path of an Include: relative to ~/.ssh on the user's
// side, to the system file's directory on the other.
func (l *line) includePath(arg string) string {
	arg = localPath(arg, l.in.Getenv)
	switch {
	case strings.HasPrefix(arg, "~"):
		if path, err := l.expandTilde(arg); err == nil {
			return path
		}
		return arg
	case filepath.IsAbs(arg):
		return arg
	case l.byUser:
		return l.in.Home + "/.ssh/" + arg
	}
	return filepath.Dir(l.systemFile) + "/" + arg
}

// cause is the operating system's word for a failure, as strerror has it.
func cause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		text := errno.Error()
		return strings.ToUpper(text[:1]) + text[1:]
	}
	return err.Error()
}
