package sshconfig

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzResolve feeds a configuration file and a destination: no panic, no
// endless loop, and what can be resolved can be printed line by line.
func FuzzResolve(f *testing.F) {
	for _, c := range readCases(f) {
		for _, file := range c.files {
			f.Add(strings.Join(file.lines, "\n"), c.args[len(c.args)-1])
		}
	}
	f.Fuzz(func(t *testing.T, text, destination string) {
		h, err := resolveText(t, text, func(in *Input) {
			in.Destination = destination
			in.SystemConfig = filepath.Join(in.Home, "absent")
			in.Exec = func(string) bool { return true }
			in.LookupHost = func(string) (string, bool) { return "", false }
		})
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without words")
			}
			return
		}
		var out strings.Builder
		if err := h.Dump(&out); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "\nport ") || h.Port < 1 || h.Port > 65535 {
			t.Errorf("port %d in %q", h.Port, out.String())
		}
	})
}

// FuzzPlain checks that the lexer and our own splitting agree on every line
// that is given to the lexer.
func FuzzPlain(f *testing.F) {
	for _, line := range []string{"Port 22", " \tPort\t=\t22 ", "Port=22", "A-b  c d=e", "x =y", "host a", "Port=", "a ="} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		line, _, _ = strings.Cut(line, "\n")
		if !plain(line) {
			return
		}
		directives := parseLines("f", []byte(line))
		keyword, rest := splitLine(line)
		if len(directives) != 1 || directives[0].keyword != keyword || directives[0].rest != rest || directives[0].line != 1 {
			t.Errorf("%q: %+v, we split %q %q", line, directives, keyword, rest)
		}
	})
}

// FuzzPattern compares matchPattern with the plain recursive definition.
func FuzzPattern(f *testing.F) {
	f.Add("abc", "a*c")
	f.Add("", "*")
	f.Add("aab", "?*b")
	var slow func(s, p string) bool
	slow = func(s, p string) bool {
		if p == "" {
			return s == ""
		}
		if p[0] == '*' {
			return slow(s, p[1:]) || s != "" && slow(s[1:], p)
		}
		return s != "" && (p[0] == '?' || p[0] == s[0]) && slow(s[1:], p[1:])
	}
	f.Fuzz(func(t *testing.T, s, pattern string) {
		if len(s) > 12 || len(pattern) > 12 {
			return
		}
		if got, want := matchPattern(s, pattern), slow(s, pattern); got != want {
			t.Errorf("%q against %q: %v", s, pattern, got)
		}
	})
}

// largeConfig writes 5,000 lines in a main file and 50 included ones.
func largeConfig(t testing.TB) Input {
	t.Helper()
	home := t.TempDir()
	parts := filepath.Join(home, ".ssh", "conf.d")
	if err := os.MkdirAll(parts, 0o700); err != nil {
		t.Fatal(err)
	}
	block := func(b *strings.Builder, name string) {
		fmt.Fprintf(b, "Host %s *.%s.example.org\n    HostName %s.internal\n    User u-%s\n    Port 2222\n    IdentityFile ~/.ssh/%s\n", name, name, name, name, name)
	}
	for i := range 50 {
		var b strings.Builder
		for j := range 15 {
			block(&b, fmt.Sprintf("h%d-%d", i, j))
		}
		if err := os.WriteFile(filepath.Join(parts, fmt.Sprintf("%02d.conf", i)), []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	b.WriteString("Include conf.d/*.conf\n")
	for j := range 250 {
		block(&b, fmt.Sprintf("m%d", j))
	}
	if err := os.WriteFile(filepath.Join(home, ".ssh", "config"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return Input{Destination: "m249", Home: home, LocalUser: "me", SystemConfig: filepath.Join(home, "absent")}
}

func TestLargeConfig(t *testing.T) {
	h, err := Resolve(largeConfig(t))
	if err != nil || h.User != "u-m249" || h.HostName != "m249.internal" {
		t.Errorf("%v %v", h, err)
	}
}

// BenchmarkResolve resolves 5,000 lines in 51 files.
func BenchmarkResolve(b *testing.B) {
	in := largeConfig(b)
	for b.Loop() {
		if _, err := Resolve(in); err != nil {
			b.Fatal(err)
		}
	}
}
