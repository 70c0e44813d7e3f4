package authkeys

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// An optionTest is an option and how it is written, or why it is refused.
type optionTest struct {
	name, value string
	want        string
	reason      OptionReason
	part        string
	sshd        bool // refused here, taken by sshd
}

func optionTests() []optionTest {
	tests := []optionTest{
		// Without a value.
		{name: "restrict", want: "restrict"},
		{name: "ReStRiCt", want: "restrict"},
		{name: "no-x11-FORWARDING", want: "no-X11-forwarding"},
		{name: "cert-authority", want: "cert-authority"},
		{name: "no-touch-required", want: "no-touch-required"},
		{name: "verify-required", want: "verify-required"},
		{name: "restrict", value: "yes", reason: OptionTakesNoValue},
		{name: "no-restrict", reason: OptionUnknown},
		{name: "no-command", value: "ls", reason: OptionUnknown},
		{name: "restrict,pty", reason: OptionUnknown},
		{name: "", reason: OptionUnknown},
		{name: "frm", value: "10.0.0.0/8", reason: OptionUnknown},
		{name: "from ", value: "10.0.0.0/8", reason: OptionUnknown},

		// Quoting.
		{name: "command", value: "ls -l", want: `command="ls -l"`},
		{name: "COMMAND", value: `echo "a, b"`, want: `command="echo \"a, b\""`},
		{name: "command", value: `printf '%s\n' "\"" \\`, reason: OptionTrailingBackslash},
		{name: "command", value: `a\"b`, want: `command="a\\"b"`},
		{name: "command", value: `"`, want: `command="\""`},
		{name: "command", value: `\\x`, want: `command="\\x"`},
		{name: "command", value: `caf` + "\u00e9", want: `command="caf` + "\u00e9" + `"`},
		{name: "command", value: "ls\nrm", reason: OptionControlCharacter},
		{name: "command", value: "ls\x00", reason: OptionControlCharacter},
		{name: "command", value: "a\tb", reason: OptionControlCharacter},
		{name: "command", value: "a\u2028b", reason: OptionControlCharacter},

		// environment
		{name: "environment", value: "LANG=C", want: `environment="LANG=C"`},
		{name: "environment", value: "A=", want: `environment="A="`},
		{name: "environment", value: "LANG", reason: OptionBadEnvironment, part: "LANG"},
		{name: "environment", value: "A-B=c", reason: OptionBadEnvironment, part: "A-B"},
		{name: "environment", value: "=c", reason: OptionBadEnvironment},

		// expiry-time
		{name: "expiry-time", value: "20991231", want: `expiry-time="20991231"`},
		{name: "expiry-time", value: "20991231Z", want: `expiry-time="20991231Z"`},
		{name: "expiry-time", value: "209912312359", want: `expiry-time="209912312359"`},
		{name: "expiry-time", value: "20960229235959z", want: `expiry-time="20960229235959z"`},
		{name: "expiry-time", value: "20990229", reason: OptionBadTime, sshd: true},
		{name: "expiry-time", value: "20990230", reason: OptionBadTime, sshd: true},
		{name: "expiry-time", value: "20991301", reason: OptionBadTime},
		{name: "expiry-time", value: "20991232", reason: OptionBadTime},
		{name: "expiry-time", value: "20990001", reason: OptionBadTime},
		{name: "expiry-time", value: "209912312400", reason: OptionBadTime},
		{name: "expiry-time", value: "209912312360", reason: OptionBadTime},
		{name: "expiry-time", value: "20991231235960", reason: OptionBadTime, sshd: true},
		{name: "expiry-time", value: "2099-12-31", reason: OptionBadTime},
		{name: "expiry-time", value: "2099123112", reason: OptionBadTime},
		{name: "expiry-time", value: "19600101", reason: OptionBadTime},
		{name: "expiry-time", value: "20991231ZZ", reason: OptionBadTime},
		{name: "expiry-time", value: "+30d", reason: OptionBadTime},

		{name: "principals", value: "alice,bob", want: `principals="alice,bob"`},
		{name: "principals", value: "alice,,bob", reason: OptionBadPrincipals, sshd: true},
		{name: "tunnel", value: "0", want: `tunnel="0"`},
		{name: "tunnel", value: "any", want: `tunnel="any"`},
		{name: "tunnel", value: "-1", reason: OptionBadTunnel},
		{name: "tunnel", value: "2147483646", reason: OptionBadTunnel},
		{name: "tunnel", value: "tun0", reason: OptionBadTunnel},
	}
	for _, name := range []string{"command", "environment", "expiry-time", "from", "permitlisten", "permitopen", "principals", "tunnel"} {
		reason := map[string]OptionReason{"command": 0}[name]
		if name != "command" {
			reason = OptionNeedsValue
		}
		test := optionTest{name: name, reason: reason, sshd: name == "principals"}
		if reason == 0 {
			test.want = name + `=""`
		}
		tests = append(tests, test)
	}
	return append(append(tests, fromTests()...), permitTests()...)
}

func fromTests() []optionTest {
	var tests []optionTest
	for _, value := range []string{
		"10.0.0.0/8", "10.1.2.3", "*.example.org,!bad.example.org", "!10.0.0.1,10.0.0.0/8",
		"2001:db8::/32", "192.168.?.*", "0.0.0.0/0,::/0", "host_name", "10.0.0.0/08", "fe80::1%eth0",
	} {
		tests = append(tests, optionTest{name: "from", value: value, want: `from="` + value + `"`})
	}
	long := strings.Repeat("a", 1023)
	return append(tests, []optionTest{
		{name: "from", value: "127.0.0.1,10.0.0.1/8", reason: OptionBadNetwork, part: "10.0.0.1/8"},
		{name: "from", value: "127.0.0.1,10.0.0.0/33", reason: OptionBadNetwork, part: "10.0.0.0/33"},
		{name: "from", value: "127.0.0.1,2001:db8::1/32", reason: OptionBadNetwork, part: "2001:db8::1/32"},
		{name: "from", value: "127.0.0.1,10.0.0.0/129", reason: OptionBadNetwork, part: "10.0.0.0/129", sshd: true},
		{name: "from", value: "127.0.0.1,10.0.0.0/", reason: OptionBadNetwork, part: "10.0.0.0/", sshd: true},
		{name: "from", value: "127.0.0.1,*.example.org/8", reason: OptionBadNetwork, part: "*.example.org/8", sshd: true},
		{name: "from", value: "127.0.0.1, 10.0.0.0/8", reason: OptionBadNetwork, part: " 10.0.0.0/8", sshd: true},
		{name: "from", value: "127.0.0.1, a.example.org", reason: OptionBadPattern, part: " a.example.org", sshd: true},
		{name: "from", value: "127.0.0.1,," + "b", reason: OptionBadPattern},
		{name: "from", value: "127.0.0.1,!", reason: OptionBadPattern, part: "!"},
		{name: "from", value: "127.0.0.1," + long, reason: OptionBadPattern, part: long, sshd: true},
		{name: "from", value: "!10.0.0.0/8", reason: OptionOnlyNegated, sshd: true},
	}...)
}

func permitTests() []optionTest {
	var tests []optionTest
	for _, value := range []string{"localhost:80", "[::1]:443", "192.0.2.1:*", "db.example.org:65535"} {
		tests = append(tests,
			optionTest{name: "permitopen", value: value, want: `permitopen="` + value + `"`},
			optionTest{name: "permitlisten", value: value, want: `permitlisten="` + value + `"`})
	}
	for _, value := range []string{"80", "*", "*:80", ":80", "*.example.org:8080"} {
		tests = append(tests, optionTest{name: "permitlisten", value: value, want: `permitlisten="` + value + `"`})
	}
	for _, name := range []string{"permitopen", "permitlisten"} {
		for value, part := range map[string]string{
			"localhost:0": "0", "localhost:65536": "65536", "localhost:": "", "localhost:-1": "-1", "[::1]": "", "[::1": "[", "[::1]80": "80", "a:b:80": "b:80",
		} {
			test := optionTest{name: name, value: value, reason: OptionBadHostPort, part: part}
			if strings.HasPrefix(value, "[") {
				test.part = partOfBrackets[value]
			}
			tests = append(tests, test)
		}
		tests = append(tests,
			optionTest{name: name, value: "a/b:80", reason: OptionBadHostPort, part: "a/b"},
			optionTest{name: name, value: "a b:80", reason: OptionBadHostPort, part: "a b", sshd: true},
			optionTest{name: name, value: "localhost:http", reason: OptionBadHostPort, part: "http", sshd: true},
			optionTest{name: name, value: strings.Repeat("a", 1025) + ":80", reason: OptionBadHostPort, part: strings.Repeat("a", 1025)})
	}
	return append(tests,
		optionTest{name: "permitopen", value: ":80", reason: OptionBadHostPort, sshd: true},
		optionTest{name: "permitopen", value: "80", reason: OptionBadHostPort, part: "80"},
		optionTest{name: "permitopen", value: "none", reason: OptionBadHostPort, part: "none"},
		optionTest{name: "permitopen", value: "[*]:80", reason: OptionBadHostPort, part: "*", sshd: true})
}

// partOfBrackets is what is wrong with an address in brackets.
var partOfBrackets = map[string]string{"[::1]": "::1", "[::1": "[::1", "[::1]80": "::1"}

// raw is the option as it would stand in a file, where it can.
func (test optionTest) raw() (option string, ok bool) {
	if test.reason == OptionControlCharacter || test.reason == OptionTrailingBackslash || strings.ContainsAny(test.name, " ,") {
		return "", false
	}
	kind := optionKinds[strings.ToLower(test.name)]
	if test.value == "" && (kind == nil || kind.check == nil) {
		return test.name, test.name != ""
	}
	return test.name + `="` + strings.ReplaceAll(test.value, `"`, `\"`) + `"`, true
}

func TestOption(t *testing.T) {
	key := entry(t, "ed25519").Key
	for _, test := range optionTests() {
		t.Run(test.name+"="+test.value, func(t *testing.T) {
			got, err := Option(test.name, test.value)
			if test.reason != 0 {
				var failed *OptionError
				if !errors.As(err, &failed) {
					t.Fatalf("%q, %v; want the reason %v", got, err, test.reason)
				}
				if want := (OptionError{Option: test.name, Value: test.value, Part: test.part, Reason: test.reason}); *failed != want {
					t.Errorf("%#v; want %#v", *failed, want)
				}
				if strings.ContainsAny(err.Error(), "\n\x00\t") {
					t.Errorf("control characters in %q", err)
				}
				if raw, ok := test.raw(); ok {
					if _, _, err := ReadOption(raw); (err == nil) != test.sshd {
						t.Errorf("in a file: %v", err)
					}
				}
				return
			}
			if err != nil || got != test.want {
				t.Fatalf("%q, %v; want %q", got, err, test.want)
			}
			e, err := ParseEntry(NewEntry(key, "alice", got, "restrict").Line())
			if err != nil || !slices.Equal(e.Options, []string{got, "restrict"}) || e.Comment != "alice" {
				t.Fatalf("read back as %q %q, %v", e.Options, e.Comment, err)
			}
			if name, value, err := ReadOption(e.Options[0]); err != nil || !strings.EqualFold(name, test.name) || value != test.value {
				t.Errorf("read back as %q = %q, %v", name, value, err)
			}
		})
	}
}

func TestParseOption(t *testing.T) {
	for _, test := range []struct {
		text, want string
		reason     OptionReason
	}{
		{"restrict", "restrict", 0},
		{"restrict=", "", OptionTakesNoValue},
		{"pty=yes", "", OptionTakesNoValue},
		{"command", "", OptionNeedsValue},
		{"from", "", OptionNeedsValue},
		{"command=", `command=""`, 0},
		{"command=ls -l", `command="ls -l"`, 0},
		{"environment=A=b=c", `environment="A=b=c"`, 0},
		{`command="ls -l"`, `command="ls -l"`, 0},
		{`command="echo \"a\""`, `command="echo \"a\""`, 0},
		{`command="/a b" "c"`, `command="\"/a b\" \"c\""`, 0},
		{`command="/a b`, `command="\"/a b"`, 0},
		{`from="10.0.0.0/8"`, `from="10.0.0.0/8"`, 0},
		{`from="10.0.0.1/8"`, "", OptionBadNetwork},
		{`command="a\`, "", OptionTrailingBackslash},
		{`restrict ssh-rsa AAAA`, "", OptionUnknown},
		{"", "", OptionUnknown},
		{"=x", "", OptionUnknown},
	} {
		t.Run(test.text, func(t *testing.T) {
			got, err := ParseOption(test.text)
			var failed *OptionError
			if test.reason != 0 && (!errors.As(err, &failed) || failed.Reason != test.reason) || test.reason == 0 && err != nil || got != test.want {
				t.Errorf("%q, %v; want %q, reason %v", got, err, test.want, test.reason)
			}
		})
	}
}

func TestReadOption(t *testing.T) {
	for _, test := range []struct {
		option, name, value string
		reason              OptionReason
	}{
		{"RESTRICT", "restrict", "", 0},
		{`From="a,b"`, "from", "a,b", 0},
		{`command="a\\"b"`, "command", `a\"b`, 0},
		{`command="a\b"`, "command", `a\b`, 0},
		{"from=10.0.0.0/8", "from", "", OptionBadQuotes},
		{`from="a"b`, "from", "a", OptionBadQuotes},
		{`from="a`, "from", "a", OptionBadQuotes},
		{"from", "from", "", OptionNeedsValue},
		{`pty="x"`, "pty", "", OptionTakesNoValue},
		{"ptyx", "ptyx", "", OptionUnknown},
		{`x="y"`, "x", "", OptionUnknown},
		{`expiry-time="20990230"`, "expiry-time", "20990230", 0},
		{`expiry-time="20990230UTC"`, "expiry-time", "20990230UTC", 0},
		{`expiry-time="2099"`, "expiry-time", "2099", OptionBadTime},
		{`from="10.0.0.0/129"`, "from", "10.0.0.0/129", 0},
		{`from="10.0.0.1/8"`, "from", "10.0.0.1/8", OptionBadNetwork},
		{`permitopen="h:ssh"`, "permitopen", "h:ssh", 0},
		{`permitopen="h/22"`, "permitopen", "h/22", 0},
	} {
		t.Run(test.option, func(t *testing.T) {
			name, value, err := ReadOption(test.option)
			var failed *OptionError
			if errors.As(err, &failed) != (test.reason != 0) || failed != nil && failed.Reason != test.reason {
				t.Errorf("%v, want %v", err, test.reason)
			}
			if name != test.name || value != test.value {
				t.Errorf("%q = %q, want %q = %q", name, value, test.name, test.value)
			}
		})
	}
}

func TestCheckOptions(t *testing.T) {
	for _, test := range []struct {
		options []string
		reason  OptionReason
	}{
		{nil, 0},
		{[]string{"restrict", "", `permitopen="a:1"`, `permitopen="a:2"`, "pty", "pty"}, 0},
		{[]string{`command="a"`, `Command="a"`}, OptionRepeated},
		{[]string{`from="a"`, `from="b"`}, OptionRepeated},
		{[]string{`principals="a"`, `principals="b"`, "cert-authority"}, OptionRepeated},
		{[]string{`principals="a"`}, OptionNeedsCertAuthority},
		{[]string{`principals="a"`, "cert-authority"}, 0},
		{[]string{"restrict", "new-option"}, OptionUnknown},
	} {
		err := CheckOptions(test.options)
		var failed *OptionError
		if errors.As(err, &failed) != (test.reason != 0) || failed != nil && failed.Reason != test.reason {
			t.Errorf("%q: %v, want %v", test.options, err, test.reason)
		}
	}
}

func TestComment(t *testing.T) {
	if got, err := Comment("  alice's J\u00fcrgen \t"); err == nil || got != "" {
		t.Errorf("a tab: %q, %v", got, err)
	}
	if got, err := Comment("  alice's  J\u00fcrgen "); err != nil || got != "alice's  J\u00fcrgen" {
		t.Errorf("%q, %v", got, err)
	}
	for _, text := range []string{"a\nb", "a\r", "\x1b[31m", "\x00", "\u2029"} {
		var failed *OptionError
		if _, err := Comment(text); !errors.As(err, &failed) || failed.Option != "comment" || failed.Reason != OptionControlCharacter {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestOptionErrorHoldsNoCommand(t *testing.T) {
	const secret = "correct-horse-battery-staple"
	for _, value := range []string{secret + "\n", secret + `\`} {
		if _, err := Option("command", value); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// What Option writes is read back by ParseEntry and ReadOption as what went
// in, beside other options and a comment, and is never a second entry.
func FuzzOption(f *testing.F) {
	for _, test := range optionTests() {
		f.Add(test.name, test.value)
	}
	key := entry(f, "ed25519").Key
	f.Fuzz(func(t *testing.T, name, value string) {
		option, err := Option(name, value)
		if err != nil {
			var failed *OptionError
			if option != "" || !errors.As(err, &failed) || failed.Reason == 0 || harmless(err.Error()) != err.Error() {
				t.Fatalf("%q, %v", option, err)
			}
			return
		}
		made := NewEntry(key, "the comment", "restrict", option, "pty")
		e, err := ParseEntry(made.Line())
		if err != nil || !slices.Equal(e.Options, []string{"restrict", option, "pty"}) || e.Comment != "the comment" || e.Blob() != made.Blob() {
			t.Fatalf("%q is read as %q %q, %v", made.Line(), e.Options, e.Comment, err)
		}
		readName, readValue, err := ReadOption(e.Options[1])
		if err != nil || !strings.EqualFold(readName, name) || readValue != value {
			t.Fatalf("%q is read as %q = %q, %v", option, readName, readValue, err)
		}
		again, err := ParseOption(option)
		if err != nil || again != option {
			t.Fatalf("%q is written again as %q, %v", option, again, err)
		}
	})
}

// Options of any file are read without a fault, and what is taken from a
// command line is taken from a file.
func FuzzReadOption(f *testing.F) {
	for _, test := range optionTests() {
		f.Add(test.name + "=" + test.value)
		f.Add(test.want)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, err := ReadOption(text); err != nil && err.Error() == "" {
			t.Error("an error without text")
		}
		if option, err := ParseOption(text); err == nil {
			if _, _, err := ReadOption(option); err != nil {
				t.Errorf("%q was written and is not read: %v", option, err)
			}
		}
	})
}

// TestSameOptions: the order of options counts where a server goes by it.
func TestSameOptions(t *testing.T) {
	for _, c := range []struct {
		a, b string // with blanks between
		same bool
	}{
		{"", "", true},
		{"no-pty", "no-pty", true},
		{"NO-PTY", "no-pty", true},
		{"no-pty", "", false},
		{`no-pty from="10.0.0.1"`, `from="10.0.0.1" no-pty`, true},
		{`from="a" command="b"`, `command="b" From="a"`, true},
		{`command="b"`, `command="B"`, false},
		{`command="b"`, `command=b`, false},
		{"no-pty no-X11-forwarding", "no-X11-forwarding no-pty", true},
		{"pty no-X11-forwarding", "no-X11-forwarding pty", true},
		{"restrict no-pty", "no-pty restrict", true},
		{"pty no-pty", "no-pty pty", false},
		{"restrict pty", "pty restrict", false},
		{"restrict pty", "restrict pty", true},
		{`environment="A=1" environment="A=2"`, `environment="A=2" environment="A=1"`, false},
		{`permitopen="a:1" no-pty permitopen="b:1"`, `permitopen="a:1" permitopen="b:1" no-pty`, true},
		{"no-pty no-pty", "no-pty", false},
		{`odd="1"`, `odd="2"`, false},
		{`odd="1"`, `odd="1"`, true},
	} {
		a, b := strings.Fields(c.a), strings.Fields(c.b)
		if SameOptions(a, b) != c.same || SameOptions(b, a) != c.same {
			t.Errorf("%s and %s: want %v", c.a, c.b, c.same)
		}
	}
}
