package device

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ssh-copy-id/authkeys"
)

var update = flag.Bool("update", false, "write the golden files in testdata")

// testEntries are the keys of testdata/keys.pub, one of each kind.
func testEntries(t testing.TB) []authkeys.Entry {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "keys.pub"))
	if err != nil {
		t.Fatal(err)
	}
	var entries []authkeys.Entry
	for line := range strings.Lines(string(data)) {
		entry, err := authkeys.ParseEntry(line)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry)
	}
	if len(entries) < 10 {
		t.Fatalf("only %d keys in testdata/keys.pub", len(entries))
	}
	return entries
}

// entry is the key of testdata/keys.pub with that comment.
func entry(t testing.TB, comment string) authkeys.Entry {
	t.Helper()
	for _, e := range testEntries(t) {
		if e.Comment == comment {
			return e
		}
	}
	t.Fatalf("no key %q in testdata/keys.pub", comment)
	return authkeys.Entry{}
}

// commands fails the test where they cannot be had.
func commands(t testing.TB, name, user string, entries ...authkeys.Entry) Commands {
	t.Helper()
	p, ok := ByName(name)
	if !ok {
		t.Fatalf("no platform %q", name)
	}
	c, err := p.Commands(user, entries)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestGolden shows for each platform what it says for all kinds of keys.
func TestGolden(t *testing.T) {
	entries := testEntries(t)
	for _, p := range Platforms() {
		t.Run(p.Name, func(t *testing.T) {
			c, err := p.Commands("alice", entries)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			fmt.Fprintf(&got, "%s\n\n", p.Title)
			for _, line := range c.Lines {
				fmt.Fprintln(&got, line)
			}
			for _, note := range c.Notes {
				fmt.Fprintf(&got, "\nnote: %s", note)
			}
			for _, r := range c.Refused {
				fmt.Fprintf(&got, "\nrefused: %s %s, %s %d", r.Entry.Key.Type(), r.Entry.Comment, r.Reason, r.Limit)
			}
			fmt.Fprintln(&got)
			file := filepath.Join("testdata", p.Name+".txt")
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s has\n%s\nwant\n%s", file, want, got.Bytes())
			}
		})
	}
}

func TestGoldenFilesHaveAPlatform(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(Platforms()) {
		t.Errorf("%d files in testdata, %d platforms", len(files), len(Platforms()))
	}
}

func TestPlatforms(t *testing.T) {
	word := regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	last := ""
	for _, p := range Platforms() {
		if !word.MatchString(p.Name) || p.Title == "" {
			t.Errorf("name %q, title %q", p.Name, p.Title)
		}
		if p.Name <= last {
			t.Errorf("%q stands behind %q", p.Name, last)
		}
		last = p.Name
		for _, name := range []string{p.Name, strings.ToUpper(p.Name)} {
			if found, ok := ByName(name); !ok || found.Name != p.Name {
				t.Errorf("ByName(%q) is %q, %v", name, found.Name, ok)
			}
		}
		for _, note := range p.spec.notes {
			if strings.HasSuffix(note, ".") || strings.ContainsAny(note, "\n\t") {
				t.Errorf("%s: note %q", p.Name, note)
			}
		}
	}
	for _, name := range []string{"", "mikrotik ", "cisco", "-"} {
		if p, ok := ByName(name); ok {
			t.Errorf("ByName(%q) is %q", name, p.Name)
		}
	}
}

func TestRecognise(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"SSH-2.0-ROSSSH", "mikrotik"},
		{"SSH-2.0-ROSSSH\r\n", "mikrotik"},
		{"SSH-2.0-Cisco-1.25", "cisco-ios"},
		{"SSH-1.99-Cisco-1.25", "cisco-ios"},
		{"SSH-2.0-NetScreen", "netscreen"},

		{"", ""},
		{"SSH-2.0-", ""},
		{"ROSSSH", ""},
		{"SSH-1.5-Cisco-1.25", ""},
		{"SSH-2.0-Cisco-2.0", ""}, // IOS XR
		{"SSH-2.0-CISCO_WLC", ""},
		{"SSH-2.0-Cisco-1.25 more", ""},
		{"SSH-2.0-rosssh", ""},
		{"SSH-2.0-ROSSSH\n\n", ""},
		{"SSH-2.0-Mocana SSH 6.3", ""},
		{"SSH-2.0-FortiSSH_2.5", ""},
		{"SSH-2.0-OpenSSH_7.5", ""},
		{"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3", ""},
		{"SSH-2.0-dropbear_2022.83", ""},
		{"SSH-2.0-ROSSSH" + strings.Repeat("\x00", 1<<20), ""},
	} {
		p, ok := Recognise(test.line)
		if p.Name != test.want || ok != (test.want != "") {
			t.Errorf("Recognise(%.40q) is %q, %v, want %q", test.line, p.Name, ok, test.want)
		}
	}
}

func TestRefusedUsers(t *testing.T) {
	for _, test := range []struct {
		user string
		want UserReason
	}{
		{"", UserEmpty},
		{"-rf", UserDash},
		{strings.Repeat("a", 129), UserTooLong},
		{"a b", UserCharacters},
		{"a\nexit", UserCharacters},
		{"a\r", UserCharacters},
		{"a\x00", UserCharacters},
		{"a\x7f", UserCharacters},
		{`a"`, UserCharacters},
		{"a'", UserCharacters},
		{"a;reboot", UserCharacters},
		{"a|b", UserCharacters},
		{"a&b", UserCharacters},
		{"$a", UserCharacters},
		{"`a`", UserCharacters},
		{`dom\a`, UserCharacters},
		{"a?", UserCharacters}, // help on a Cisco, even inside quotes
		{"a!", UserCharacters},
		{"a#", UserCharacters},
		{"../a", UserCharacters},
		{"{a}", UserCharacters},
		{"zoë", UserCharacters},
		{"a\u2028", UserCharacters},
		{"alice", ""},
		{"a.b_c-d@e+1", ""},
		{strings.Repeat("a", 128), ""},
	} {
		for _, p := range Platforms() {
			c, err := p.Commands(test.user, testEntries(t))
			var refused *UserError
			switch {
			case test.want == "" && err != nil:
				t.Errorf("%s: %q: %v", p.Name, test.user, err)
			case test.want != "" && !errors.As(err, &refused):
				t.Errorf("%s: %q: %v", p.Name, test.user, err)
			case test.want != "":
				if refused.Reason != test.want || refused.User != test.user || refused.Platform != p.Name {
					t.Errorf("%s: %q: %+v, want %q", p.Name, test.user, refused, test.want)
				}
				if len(c.Lines)+len(c.Notes)+len(c.Refused) > 0 {
					t.Errorf("%s: %q: refused, but commands are %+v", p.Name, test.user, c)
				}
				if !printable(err.Error()) || len(err.Error()) > 2000 {
					t.Errorf("%s: %q: error text %q", p.Name, test.user, err)
				}
			}
		}
	}
}

func TestNoPlatform(t *testing.T) {
	_, err := Platform{Name: "toaster\n"}.Commands("alice", testEntries(t))
	var unknown *PlatformError
	if !errors.As(err, &unknown) || unknown.Name != "toaster\n" || !printable(err.Error()) {
		t.Errorf("error is %v", err)
	}
}

func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

func TestNoKeyLeft(t *testing.T) {
	for _, p := range Platforms() {
		for _, entries := range [][]authkeys.Entry{nil, {{}}, {{Comment: "without a key"}}, {entry(t, "sk@desk")}} {
			c, err := p.Commands("alice", entries)
			if err != nil || len(c.Lines) > 0 || len(c.Notes) > 0 || len(c.Refused) != len(entries) {
				t.Errorf("%s: %d entries: %+v, %v", p.Name, len(entries), c, err)
			}
		}
	}
}

// TestEveryKeyIsSomewhere: an entry is typed or refused, never forgotten.
func TestEveryKeyIsSomewhere(t *testing.T) {
	for _, p := range Platforms() {
		c := commands(t, p.Name, "alice", testEntries(t)...)
		all := strings.Join(c.Lines, "")
		all = strings.ReplaceAll(all, "key-string row ", "")
		for _, e := range testEntries(t) {
			typed := strings.Contains(all, e.Blob())
			refused := slices.ContainsFunc(c.Refused, func(r Refused) bool { return r.Entry.Blob() == e.Blob() })
			if typed == refused {
				t.Errorf("%s: %s: typed %v, refused %v", p.Name, e.Comment, typed, refused)
			}
		}
	}
}
