package sshconfig

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// testCase is one case of testdata/cases; the README there has the format.
type testCase struct {
	name, where string
	args        []string
	env         map[string]string
	fails       bool
	message     string
	want        []string
	ignore      []string
	since       string
	until       string
	passwd      bool
	files       []*testFile
}

type testFile struct {
	path                    string
	mode                    os.FileMode
	dir, crlf, noeol, other bool
	lines                   []string
}

func readCases(t testing.TB) []*testCase {
	t.Helper()
	paths, err := filepath.Glob("testdata/cases/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var cases []*testCase
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(data), "\n") {
			line = strings.TrimSuffix(line, "\r")
			word, rest, _ := strings.Cut(line, " ")
			if word == "case" {
				cases = append(cases, &testCase{name: rest, env: map[string]string{}, where: fmt.Sprintf("%s:%d", path, i+1)})
			} else if err := cases[len(cases)-1].read(word, rest); err != nil {
				t.Fatalf("%s:%d: %v", path, i+1, err)
			}
		}
	}
	return cases
}

func (c *testCase) read(word, rest string) error {
	switch word {
	case "", "#":
	case "args":
		var ok bool
		if c.args, ok = splitArguments(rest); !ok {
			return fmt.Errorf("open quote")
		}
	case "env":
		name, value, _ := strings.Cut(rest, "=")
		c.env[name] = value
	case "fails":
		c.fails, c.message = true, rest
	case "want":
		c.want = append(c.want, rest)
	case "ignore":
		c.ignore = append(c.ignore, strings.Fields(rest)...)
	case "passwd":
		c.passwd = true
	case "since":
		c.since = rest
	case "until":
		c.until = rest
	case "file", "dir":
		f := &testFile{mode: 0o644, dir: word == "dir"}
		if f.dir {
			f.mode = 0o755
		}
		words := strings.Fields(rest)
		for len(words) > 1 {
			last := words[len(words)-1]
			mode, err := strconv.ParseUint(last, 8, 32)
			switch {
			case last == "crlf":
				f.crlf = true
			case last == "noeol":
				f.noeol = true
			case last == "other":
				f.other = true
			case err == nil && last[0] == '0':
				f.mode = os.FileMode(mode)
			default:
				f.path = strings.Join(words, " ")
			}
			if f.path != "" {
				break
			}
			words = words[:len(words)-1]
		}
		f.path = strings.Join(words, " ")
		c.files = append(c.files, f)
	case "|", "|e":
		if len(c.files) == 0 {
			return fmt.Errorf("text without a file")
		}
		if word == "|e" {
			text, err := strconv.Unquote(`"` + rest + `"`)
			if err != nil {
				return err
			}
			rest = text
		}
		f := c.files[len(c.files)-1]
		f.lines = append(f.lines, rest)
	default:
		return fmt.Errorf("what is %q?", word)
	}
	return nil
}

// layOut writes the case's files under home, and those of /etc/ssh under etc.
func (c *testCase) layOut(t testing.TB, home, etc string) {
	t.Helper()
	for _, f := range c.files {
		path := filepath.Join(home, f.path)
		if rest, ok := strings.CutPrefix(f.path, "/etc/ssh/"); ok {
			path = filepath.Join(etc, rest)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		eol := "\n"
		if f.crlf {
			eol = "\r\n"
		}
		text := strings.ReplaceAll(strings.Join(f.lines, eol), "@HOME@", home)
		if !f.noeol && len(f.lines) > 0 {
			text += eol
		}
		var err error
		if f.dir {
			err = os.MkdirAll(path, f.mode)
		} else {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err == nil {
			err = os.Chmod(path, f.mode)
		}
		if err == nil && f.other {
			err = os.Chown(path, 65534, 65534)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// resolve runs the case through Resolve. home is the working directory.
func (c *testCase) resolve(home, system string) (lines []string, err error) {
	in := Input{Home: home, LocalUser: "root", UID: "0", SystemConfig: system}
	in.LookupEnv = func(name string) (string, bool) {
		v, ok := c.env[name]
		if !ok {
			return os.LookupEnv(name)
		}
		return v, ok
	}
	in.Getenv = os.Getenv
	in.LookupHost = func(string) (string, bool) { return "", false }
	args := c.args
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			in.Destination = args[0]
			args = nil
		case arg == "-o":
			in.Options, args = append(in.Options, args[0]), args[1:]
		case arg == "-F":
			in.ConfigFile, args = args[0], args[1:]
		case arg == "-4" || arg == "-6":
			in.Options = append(in.Options, arg)
		case strings.HasPrefix(arg, "-"):
			in.Options, args = append(in.Options, arg+args[0]), args[1:]
		default:
			in.Destination = arg
		}
	}
	h, err := Resolve(in)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := h.Dump(&out); err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n"), nil
}

// needsRoot reports whether only root can lay the case out.
func (c *testCase) needsRoot() bool {
	return slices.ContainsFunc(c.files, func(f *testFile) bool { return f.other })
}

// check compares an outcome with what the case says.
func (c *testCase) check(t *testing.T, home string, lines []string, err error) {
	t.Helper()
	if c.fails {
		if message := strings.ReplaceAll(c.message, "@HOME@", home); err == nil {
			t.Errorf("%s: accepted, want a refusal", c.where)
		} else if !strings.Contains(err.Error(), message) {
			t.Errorf("%s: refused with %q, want %q", c.where, err, message)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", c.where, err)
	}
	left := slices.Clone(lines)
	for _, want := range c.want {
		want = strings.ReplaceAll(want, "@HOME@", home)
		if keyword, absent := strings.CutPrefix(want, "!"); absent {
			if i := slices.IndexFunc(lines, func(s string) bool { return strings.HasPrefix(s, keyword+" ") }); i >= 0 {
				t.Errorf("%s: unexpected %q", c.where, lines[i])
			}
			continue
		}
		i := slices.Index(left, want)
		if i < 0 {
			keyword, _, _ := strings.Cut(want, " ")
			t.Errorf("%s: no line %q; there is %q", c.where, want, only(lines, keyword))
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
}

// only returns the lines of one keyword.
func only(lines []string, keyword string) (out []string) {
	for _, line := range lines {
		if strings.HasPrefix(line, keyword+" ") {
			out = append(out, line)
		}
	}
	return out
}

func resolved(t testing.TB, dir string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
