package cli

import (
	"reflect"
	"strings"
	"testing"
)

// settle calls settleIdentity with the program's own options.
func settle(args []string, readable func(string) bool) ([]string, error) {
	return settleIdentity(new(Flags).flagSet(), args, readable)
}

// TestSettleIdentity has the rules for the word after -i. "-" in want stands
// for -i without a file.
func TestSettleIdentity(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		// the next word is the file if another word can be the host
		{"-i key host", "--identity=key host"},
		{"-i file host", "--identity=file host"},
		{"-i a b c", "--identity=a b c"},
		{"-i a -i b", "--identity=a - b"},
		{"-i key -p 22 host", "--identity=key -p 22 host"},
		{"-i key -- host", "--identity=key -- host"},
		{"-i key -- -host", "--identity=key -- -host"},
		{"host -i key", "host --identity=key"},
		{"-p 22 host -i key -f", "-p 22 host --identity=key -f"},
		{"-i key ''", "--identity=key ''"},
		{"-i - host", "--identity=- host"},

		// else it is the host
		{"-i host", "- host"},
		{"-i host -p 22", "- host -p 22"},
		{"-i host -o A=b -f", "- host -o A=b -f"},
		{"-i host --port 22", "- host --port 22"},
		{"-p 22 -i host", "-p 22 - host"},
		{"-i host --", "- host --"},

		// an option or nothing behind -i: no file
		{"-i", "-"},
		{"-n -i", "-n -"},
		{"host -i", "host -"},
		{"-i -f host", "- -f host"},
		{"-i -f key host", "- -f key host"},
		{"-i -- host", "- -- host"},
		{"-i -- key", "- -- key"},
		{"-i -p 22 host", "- -p 22 host"},

		// an empty word asks for the default identity, as without a file
		{"-i '' host", "- host"},

		// in a bundle the look goes to the word behind the bundle
		{"-in host", "- -n host"},
		{"-in key host", "-n --identity=key host"},
		{"-fi key host", "-f --identity=key host"},
		{"-if key host", "-f --identity=key host"},
		{"-fin key host", "-f -n --identity=key host"},
		{"-fi host", "-f - host"},
		{"-ip 22 host", "- -p 22 host"},
		{"-ip22 host", "- -p22 host"},
		{"-ip22 key host", "-p22 --identity=key host"},
		{"-ioA=b host", "- -oA=b host"},
		{"-ih", "- -h"},

		// an i that is not the option
		{"-tid host", "-tid host"},
		{"-oi -Fi host", "-oi -Fi host"},
		{"-t -i host", "-t -i host"},
		{"--port -i host", "--port -i host"},
		{"-p 1 -- -i host", "-p 1 -- -i host"},
		{"--sftp host", "--sftp host"},

		// the long name
		{"--identity key host", "--identity=key host"},
		{"--identity host", "- host"},
		{"--identity=key host", "--identity=key host"},
		{"--identity= host", "- host"},

		// what is wrong is left for pflag to say
		{"-ikey host", "- -key host"},
		{"-zi key host", "-zi key host"},
		{"--unknown -i key host", "--unknown --identity=key host"},
	} {
		t.Run(c.line, func(t *testing.T) {
			got, err := settle(words(c.line), func(string) bool { return false })
			if err != nil {
				t.Fatal(err)
			}
			want := words(c.want)
			for i := range want {
				if want[i] == "-" {
					want[i] = bareIdentity
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// TestForgottenHost: only the word that would be the host is looked at, and
// only where -i might have meant it.
func TestForgottenHost(t *testing.T) {
	for line, looked := range map[string]string{
		"-i key":         "key",
		"-i host":        "host",
		"-i key -f":      "key",
		"-fi key":        "key",
		"--identity key": "key",
		"-i key host":    "",
		"host -i key":    "",
		"-i -- key":      "",
		"-i -f key":      "",
		"--identity=key": "",
		"key":            "",
	} {
		var asked []string
		_, err := settle(words(line), func(path string) bool {
			asked = append(asked, path)
			return keyFile(path)
		})
		if got := strings.Join(asked, ","); got != looked {
			t.Errorf("%s: looked at %q, want %q", line, got, looked)
		}
		if (err != nil) != (looked == "key") {
			t.Errorf("%s: error %v", line, err)
		}
	}
}

// FuzzSettleIdentity: no command line makes it panic, a settled one stays as
// it is, no word is lost or changes its place, and pflag agrees about what
// the other words are.
func FuzzSettleIdentity(f *testing.F) {
	for _, line := range []string{
		"", "-", "--", "-i key host", "-fi key host", "-if key host", "-i host -p 22", "-i -- host", "-n -i", "-ii a b",
		"-itest.x h", "-i=x h", "-f=-i h", "-f-i a b", "-i-help a b", "--identity a b", "--identity=a b", "-ot=i -i a b", "-ip 2 h", "-? -é",
	} {
		f.Add(line, false)
		f.Add(line, true)
	}
	f.Fuzz(func(t *testing.T, line string, key bool) {
		args := strings.Split(line, " ")
		readable := func(string) bool { return key }
		settled, _ := settle(args, readable)
		if again, _ := settle(settled, readable); !reflect.DeepEqual(again, settled) {
			t.Errorf("%q settled is\n%q, settled again\n%q", args, settled, again)
		}
		if before, after := withoutIdentity(args), withoutIdentity(settled); before != after {
			t.Errorf("%q became %q: %q is not %q", args, settled, before, after)
		}
		parsed, err := ParseFlags(args, readable)
		if err != nil {
			return
		}
		rest := args
		for _, host := range parsed.Hosts {
			at := 0
			for at < len(rest) && rest[at] != host {
				at++
			}
			if at == len(rest) {
				t.Fatalf("%q: the hosts %q are not its words in their order", args, parsed.Hosts)
			}
			rest = rest[at+1:]
		}
	})
}

// withoutIdentity is what settleIdentity must keep of a command line: its
// bytes without those that -i is written with and without where words end.
func withoutIdentity(args []string) string {
	text := strings.NewReplacer("-", "", "i", "", "=", "").Replace(strings.Join(args, ""))
	name := strings.ReplaceAll("identity", "i", "")
	for strings.Contains(text, name) {
		text = strings.ReplaceAll(text, name, "")
	}
	return text
}
