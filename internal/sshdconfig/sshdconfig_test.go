package sshdconfig

import (
	"slices"
	"testing"
)

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		"":                                nil,
		"Port 22":                         {"Port", "22"},
		"Port=22":                         {"Port", "22"},
		"Port = 22\r":                     {"Port", "22"},
		"Match Address=::1 User a,b # c":  {"Match", "Address=::1", "User", "a,b"},
		`AuthorizedKeysFile "/a b/%u" "c`: {"AuthorizedKeysFile", "/a b/%u"},
		"X a#b":                           {"X", "a#b"},
	} {
		if got := Words(line); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestMatchPattern(t *testing.T) {
	for _, tt := range []struct {
		text, pattern string
		want          bool
	}{
		{"", "", true}, {"", "*", true}, {"a", "", false}, {"alice", "a*e", true}, {"alice", "a*c", false}, {"alice", "?lic?", true},
		{"alice", "?????*?", false}, {"abab", "*ab", true}, {"a*", "a\\*", false}, {"aaab", "a*a*b", true},
	} {
		if got := matchPattern(tt.text, tt.pattern); got != tt.want {
			t.Errorf("%q %q: %v", tt.text, tt.pattern, got)
		}
	}
}
