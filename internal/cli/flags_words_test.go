package cli

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"ssh-copy-id/copyid"
)

// TestTrimmedWords: what a line of a script or the output of a program ends
// with is no part of a host or a port; a newline is none of the value of -o and
// -F either. Everything else stays.
func TestTrimmedWords(t *testing.T) {
	for _, end := range []string{"", "\n", "\n\n", "\r\n", "\r", " ", "\t", " \r\n"} {
		f, err := ParseFlags([]string{"-p", "22" + end, "user@host" + end}, keyFile)
		if err != nil || f.Port != "22" || f.Hosts[0] != "user@host" {
			t.Errorf("%q: %+v, %v", end, f, err)
		}
	}
	f, err := ParseFlags([]string{"-o", "User=x\n", "-F", "cfg\n", "-o", "A=b \r", "-i", "key\n", "-t", "file\n", " host"}, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if want := []Passed{{"-o", "User=x"}, {"-F", "cfg"}, {"-o", "A=b \r"}}; !reflect.DeepEqual(f.Passed, want) {
		t.Errorf("passed on is %q", f.Passed)
	}
	if f.Identity != "key\n" || f.Target != "file\n" || f.Config != "cfg" || f.Hosts[0] != "host" {
		t.Errorf("%+v", f)
	}
	for _, empty := range []string{"", " ", "\n", "\r\n\t"} {
		if _, err := ParseFlags([]string{empty}, keyFile); err == nil || err.Error() != "Missing hostname: the name given is empty" {
			t.Errorf("%q: %v", empty, err)
		}
	}
}

// TestHintsAboutWords: an error says what may have been meant.
func TestHintsAboutWords(t *testing.T) {
	for _, c := range []struct {
		args       []string
		text, hint string
	}{
		{[]string{"-p 22 u@h"}, "Bad port ' 22 u@h'", `"-p 22 u@h" is one word here`},
		{[]string{"-p22 u@h"}, "Bad port '22 u@h'", "is one word here"},
		{[]string{"--port=22 u@h"}, "Bad port '22 u@h'", "is one word here"},
		{[]string{"--port 22", "u@h"}, "unrecognized option '--port 22'", "is one word here"},
		{[]string{"-i key u@h"}, "illegal option --  ", "is one word here"},
		{[]string{"-f h"}, "illegal option --  ", "is one word here"},
		{[]string{"-o A=b h"}, "Missing hostname", "is one word here"},
		{[]string{"-oA=b ", "-p", "x y", "h"}, "Bad port 'x y'", ""},
		{[]string{"-p", "x", "-o A b", "h"}, "Bad port 'x'", "is one word here"},
		{[]string{"-p", "x", "--", "-o A b"}, "Bad port 'x'", ""},
		{[]string{"key.pub"}, "Missing hostname", "-i key.pub [user@]hostname"},
		{[]string{"sftp://u@h/x"}, `"sftp://u@h/x": of URLs only ssh:// is known`, "ssh://u@h"},
		{[]string{"key.pub", "h"}, "Too many arguments.  Expecting a target hostname, got: 2: key.pub h", "-i key.pub"},
		{[]string{"KEY.PUB", "h"}, "Too many arguments.  Expecting a target hostname, got: 2: KEY.PUB h", "-i KEY.PUB"},
		{[]string{"h", "key"}, "Too many arguments.  Expecting a target hostname, got: 2: h key", "-i key"},
		{[]string{"my key.pub", "h"}, "Too many arguments.  Expecting a target hostname, got: 2: my key.pub h", "-i " + shellWord("my key.pub")},
		{[]string{"-i", "key", "other.pub", "h"}, "Too many arguments.  Expecting a target hostname, got: 2: other.pub h", ""},
		{[]string{"h", "22"}, "Too many arguments.  Expecting a target hostname, got: 2: h 22", "-p 22"},
		{[]string{"a", "b"}, "Too many arguments.  Expecting a target hostname, got: 2: a b", ""},
	} {
		f, err := ParseFlags(c.args, isKeyHere)
		if err == nil && len(f.Hosts) > 1 {
			err = f.tooManyHosts(isKeyHere)
		}
		var usage *UsageError
		if !errors.As(err, &usage) || usage.Text != c.text {
			t.Errorf("%q: %v, want %s", c.args, err, c.text)
			continue
		}
		if (c.hint == "") != (usage.Hint == "") || !strings.Contains(usage.Hint, c.hint) {
			t.Errorf("%q: hint %q, want %q", c.args, usage.Hint, c.hint)
		}
	}
}

func isKeyHere(path string) bool { return path == "key" || path == "key.pub" }

// TestNamesOfHosts: a host may have the name of a file, an option that holds
// blanks is none of several words, and ssh:// is a URL.
func TestNamesOfHosts(t *testing.T) {
	for _, args := range [][]string{
		{"key"}, {"other.pub"}, {"-i", "other", "key.pub"}, {"-oProxyCommand=nc %h %p", "h"}, {"-o ProxyCommand nc %h %p", "h"},
		{"ssh://u@h:22"}, {"u:w//x@h"}, {"://h"}, {"a+b://h"},
	} {
		if _, err := ParseFlags(args, isKeyHere); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestUnresolvedHint(t *testing.T) {
	for host, want := range map[string]string{
		"box": "", "fe80::1": "", "::1": "", "a:b:22": "",
		"box:22": "-p 22 box)", "[::1]:22": "-p 22 ::1)", "box:": "without a colon", "box:/tmp": "without a colon", "box:file": "without a colon",
		"box:99999": "without a colon", "id.pub": "-i FILE",
	} {
		if got := unresolvedHint(host); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

func TestDestinationSentence(t *testing.T) {
	for destination, want := range map[string]string{
		"u@h true":      `hostname contains invalid characters: "u@h true"` + "\n\t(it is one word here: options and the host are words of their own)",
		"h\nx":          `hostname contains invalid characters: "h\nx"` + "\n\t(it is one word here: options and the host are words of their own)",
		"h;id":          `hostname contains invalid characters: "h;id"`,
		"-h":            `hostname contains invalid characters: "-h"`,
		"u;id@h":        `remote username contains invalid characters: "u;id@h"`,
		"u@":            `no host in destination "u@"`,
		"@h":            `no user name before @ in destination "@h"`,
		"ssh://h:22/x":  `invalid ssh:// destination "ssh://h:22/x"` + "\n\t(the form is ssh://[user@]host[:port], with a port from 1 to 65535 and no path; -t names another file)",
		"ssh://h:99999": `invalid ssh:// destination "ssh://h:99999"` + "\n\t(the form is ssh://[user@]host[:port], with a port from 1 to 65535 and no path; -t names another file)",
	} {
		_, err := copyid.New(copyid.Options{Home: "/nowhere", User: "me"}).Dial(t.Context(), copyid.Target{Destination: destination, ConfigFile: "none"})
		if err == nil {
			t.Errorf("%q: no error", destination)
		} else if got := sentence(err); got != want {
			t.Errorf("%q:\n%s\nwant\n%s", destination, got, want)
		}
	}
}
