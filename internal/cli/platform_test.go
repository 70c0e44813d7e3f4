package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestAdviceForWindows(t *testing.T) {
	for _, tt := range []struct {
		windows bool
		getenv  func(string) string
		want    string
	}{
		{true, environment("MSYSTEM", "MINGW64"), "winpty"},
		{true, environment("TERM_PROGRAM", "mintty"), "winpty"},
		{true, environment(), "run this in one"},
		{false, environment("MSYSTEM", "MINGW64"), "run this in one"},
	} {
		if got := adviceFor(tt.windows, tt.getenv); !strings.Contains(got, tt.want) || !strings.Contains(got, "SSH_ASKPASS") {
			t.Errorf("windows %v: %q", tt.windows, got)
		}
	}
}

func TestInHome(t *testing.T) {
	home := filepath.Join("x", "me")
	for in, want := range map[string]string{
		"~": home, "~/.ssh/id": filepath.Join(home, ".ssh/id"), "~me/id": "~me/id", "id~": "id~", "": "", `a\~\b`: `a\~\b`,
	} {
		if got := inHome(in, home); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if got := inHome(`~\id`, home); !strings.HasPrefix(got, home) || strings.Contains(got, "~") {
		t.Errorf("with a backslash: %s", got)
	}
}

func TestQuoteForWindows(t *testing.T) {
	for in, want := range map[string]string{
		"alice@box": "alice@box", "ssh://alice@[::1]:22": "ssh://alice@[::1]:22", "C:/Users/me/.ssh/id": "C:/Users/me/.ssh/id",
		"C:/A Person/id": `"C:/A Person/id"`, `corp\me@box`: `"corp\me@box"`, "ProxyCommand=nc %h %p": `"ProxyCommand=nc %h %p"`,
		"": `""`, "a&b": `"a&b"`, `a"b`: `"a\"b"`, `a b\`: `"a b\\"`,
	} {
		if got := quoteForWindows(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestRewritten(t *testing.T) {
	for _, tt := range []struct {
		windows bool
		getenv  func(string) string
		path    string
		want    bool
	}{
		{true, environment("MSYSTEM", "MINGW64"), "C:/Program Files/Git/etc/keys", true},
		{true, environment("MSYSTEM", "MINGW64"), `C:\ProgramData\ssh\keys`, false},
		{true, environment("MSYSTEM", "MINGW64", "MSYS_NO_PATHCONV", "1"), "C:/ProgramData/ssh/keys", false},
		{true, environment("MSYSTEM", "MINGW64", "MSYS2_ARG_CONV_EXCL", "*"), "C:/ProgramData/ssh/keys", false},
		{true, environment("MSYSTEM", "MINGW64"), ".ssh/keys", false},
		{true, environment(), "C:/ProgramData/ssh/keys", false},
		{false, environment("MSYSTEM", "MINGW64"), "C:/ProgramData/ssh/keys", false},
	} {
		if got := rewritten(tt.windows, tt.getenv, tt.path); got != tt.want {
			t.Errorf("windows %v, %s: %v", tt.windows, tt.path, got)
		}
	}
}
