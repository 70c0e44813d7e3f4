package device

import (
	"slices"
	"strings"
	"testing"

	"ssh-copy-id/authkeys"
)

func TestFold(t *testing.T) {
	for _, width := range []int{1, 4, lineWidth, 253} {
		for length := range 3 * 253 {
			text := strings.Repeat("0123456789", 80)[:length]
			pieces := fold(text, width)
			if strings.Join(pieces, "") != text {
				t.Fatalf("%d bytes at width %d: %q", length, width, pieces)
			}
			if len(pieces) != (length+width-1)/width {
				t.Fatalf("%d bytes at width %d: %d pieces", length, width, len(pieces))
			}
			for _, piece := range pieces {
				if len(piece) > width || len(piece) < len(pieces[0]) {
					t.Fatalf("%d bytes at width %d: %q", length, width, pieces)
				}
			}
		}
	}
}

// TestCiscoLines: IOS takes no line of 254 characters, and a piece of a key
// must not be a word that ends it.
func TestCiscoLines(t *testing.T) {
	for _, comment := range []string{"rsa2048@desk", "rsa3072@desk", "rsa4096@desk"} {
		e := entry(t, comment)
		lines := commands(t, "cisco-ios", strings.Repeat("u", maxUser), e).Lines
		start := slices.Index(lines, "key-string") + 1
		end := start + slices.Index(lines[start:], "exit")
		if got := strings.Join(lines[start:end], ""); got != e.Blob() {
			t.Errorf("%s: the pieces make %q", comment, got)
		}
		for i, line := range lines {
			if len(line) >= 254 {
				t.Errorf("%s: a line of %d characters", comment, len(line))
			}
			if i >= start && i < end && (len(line) > 72 || len(line) < 36) {
				t.Errorf("%s: a piece of %d characters", comment, len(line))
			}
		}
		if want := []string{"exit", "exit", "exit", "end", "write memory"}; !slices.Equal(lines[end:], want) {
			t.Errorf("%s: ends with %q", comment, lines[end:])
		}
	}
	for _, line := range commands(t, "cisco-asa", strings.Repeat("u", maxUser), entry(t, "rsa2048@desk")).Lines {
		if len(line) >= 512 {
			t.Errorf("cisco-asa: a line of %d characters", len(line))
		}
	}
}

func TestLimits(t *testing.T) {
	keys := testEntries(t)
	for _, test := range []struct {
		name   string
		keys   []authkeys.Entry
		reason Reason
		limit  int
	}{
		{"procurve", []authkeys.Entry{entry(t, "rsa3072@desk"), entry(t, "rsa4096@desk")}, TooLong, 3072},
		{"cisco-asa", []authkeys.Entry{entry(t, "rsa2048@desk"), entry(t, "rsa3072@desk")}, TooLong, 2048},
		{"cisco-catalyst1200", keys[:2], TooMany, 1},
		{"dell-os10", keys[:2], TooMany, 1},
		{"fortigate", keys[:4], TooMany, 3},
		{"junos", []authkeys.Entry{keys[0], entry(t, "limited@desk")}, Restricted, 0},
		{"nokia-sros", []authkeys.Entry{keys[0], entry(t, "ed25519@desk")}, UnknownType, 0},
	} {
		c := commands(t, test.name, "alice", test.keys...)
		last := test.keys[len(test.keys)-1]
		if len(c.Refused) != 1 || c.Refused[0].Reason != test.reason || c.Refused[0].Limit != test.limit ||
			c.Refused[0].Entry.Blob() != last.Blob() {
			t.Errorf("%s: refused %+v, want the last key for its %s %d", test.name, c.Refused, test.reason, test.limit)
		}
		if len(c.Lines) == 0 {
			t.Errorf("%s: no lines for the other keys", test.name)
		}
	}
}

func TestKeyListedTwice(t *testing.T) {
	for _, p := range Platforms() {
		e := entry(t, "rsa2048@desk")
		if p.Name == "netscreen" {
			e = entry(t, "dsa@desk")
		}
		again := authkeys.NewEntry(e.Key, "the same key")
		once, twice := commands(t, p.Name, "alice", e), commands(t, p.Name, "alice", e, again, e)
		if !slices.Equal(once.Lines, twice.Lines) || len(once.Lines) == 0 || len(twice.Refused) > 0 {
			t.Errorf("%s: once %+v, three times %+v", p.Name, once, twice)
		}
	}
}

func TestComments(t *testing.T) {
	key := entry(t, "rsa2048@desk").Key
	for comment, kept := range map[string]bool{
		"alice@desk 2026-11":              true,
		"https://host:1/a=b":              true,
		strings.Repeat("c", maxComment):   true,
		strings.Repeat("c", maxComment+1): false,
		`a" ; reboot`:                     false,
		"a'; reboot":                      false,
		"$(reboot)":                       false,
		"a\nexit":                         false,
		"[reboot]":                        false,
		`a\`:                              false,
		"Zoë":                             false,
		"what?":                           false,
	} {
		for _, p := range Platforms() {
			c := commands(t, p.Name, "alice", authkeys.Entry{Key: key, Comment: comment})
			all := strings.Join(c.Lines, "\n")
			if got := strings.Contains(all, comment); got != (kept && p.spec.comments && len(c.Lines) > 0) {
				t.Errorf("%s: comment %q: kept is %v:\n%s", p.Name, comment, got, all)
			}
			told := strings.Contains(strings.Join(c.Notes, "\n"), "a comment was left out")
			if told != (!kept && p.spec.comments && len(c.Lines) > 0) {
				t.Errorf("%s: comment %q: notes %q", p.Name, comment, c.Notes)
			}
		}
	}
}

// TestOptions: a device that knows no options must not get the key without
// them, and options that cannot stand in a line refuse the key.
func TestOptions(t *testing.T) {
	key := entry(t, "rsa2048@desk").Key
	for _, test := range []struct {
		options []string
		fits    bool
	}{
		{[]string{"restrict"}, true},
		{[]string{`from="192.0.2.0/24"`, `command="ls -l $HOME"`}, true},
		{[]string{`command="echo \"a\""`}, true},
		{[]string{`command="echo 'a'"`}, false},
		{[]string{`command="a` + "\n" + `b"`}, false},
		{[]string{`from="192.0.2.0/24`}, false},
		{[]string{"# "}, false},
		{[]string{""}, false},
		{[]string{"zoë"}, false},
	} {
		for _, p := range Platforms() {
			e := authkeys.Entry{Key: key, Options: test.options}
			c := commands(t, p.Name, "alice", e)
			if !test.fits || !p.spec.file {
				if len(c.Lines) > 0 || len(c.Refused) != 1 {
					t.Errorf("%s: options %q: %+v", p.Name, test.options, c)
				}
				continue
			}
			want := strings.Join(test.options, ",") + " ssh-rsa "
			if !strings.Contains(strings.Join(c.Lines, "\n"), " '"+want) || len(c.Refused) > 0 {
				t.Errorf("%s: options %q: %+v", p.Name, test.options, c)
			}
		}
	}
}

func TestSpecialUsers(t *testing.T) {
	rsa := entry(t, "rsa2048@desk")
	for _, test := range []struct{ platform, user, want string }{
		{"junos", "root", "set system root-authentication ssh-rsa "},
		{"junos", "rooty", "set system login user rooty authentication ssh-rsa "},
		{"procurve", "operator", "ip ssh public-key operator "},
		{"procurve", "manager", "ip ssh public-key manager "},
		{"procurve", "alice", "ip ssh public-key manager "},
		{"esxi", "root", "mkdir -p /etc/ssh/keys-root"},
	} {
		lines := commands(t, test.platform, test.user, rsa).Lines
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, test.want) }) {
			t.Errorf("%s: %s: %q, want a line that begins with %q", test.platform, test.user, lines, test.want)
		}
	}
}

// TestNokiaNumbers: RSA and ECDSA keys are numbered apart, and never below 1.
func TestNokiaNumbers(t *testing.T) {
	lines := strings.Join(commands(t, "nokia-sros", "alice", testEntries(t)...).Lines, "\n")
	for _, want := range []string{"rsa rsa-key 32 ", "rsa rsa-key 30 ", "ecdsa ecdsa-key 32 ", "ecdsa ecdsa-key 30 "} {
		if strings.Count(lines, want) != 1 {
			t.Errorf("%q stands %d times in\n%s", want, strings.Count(lines, want), lines)
		}
	}
}

// TestCommandsAreTheCallers: who changes what was returned changes nothing
// for the next one.
func TestCommandsAreTheCallers(t *testing.T) {
	for _, p := range Platforms() {
		c := commands(t, p.Name, "alice", testEntries(t)...)
		lines, notes := slices.Clone(c.Lines), slices.Clone(c.Notes)
		clear(c.Lines)
		clear(c.Notes)
		again := commands(t, p.Name, "alice", testEntries(t)...)
		if !slices.Equal(again.Lines, lines) || !slices.Equal(again.Notes, notes) {
			t.Errorf("%s: first %q, then %q", p.Name, lines, again.Lines)
		}
	}
}
