package cli

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// keyFile answers for ParseFlags: the one readable key file is called "key".
func keyFile(path string) bool { return path == "key" }

// TestParseFlags is the command line by example: words are separated by one
// space, and ” is an empty word.
func TestParseFlags(t *testing.T) {
	host := []string{"host"}
	for _, c := range []struct {
		line string
		want Flags
	}{
		{"host", Flags{Hosts: host}},
		{"user@host", Flags{Hosts: []string{"user@host"}}},
		{"ssh://user@host:22", Flags{Hosts: []string{"ssh://user@host:22"}}},
		{"a b", Flags{Hosts: []string{"a", "b"}}},

		// letters, one by one and in bundles
		{"-f host", Flags{Force: true, Hosts: host}},
		{"-n host", Flags{DryRun: true, Hosts: host}},
		{"-s host", Flags{SFTP: true, Hosts: host}},
		{"-x host", Flags{Debug: true, Hosts: host}},
		{"-fnsx host", Flags{Force: true, DryRun: true, SFTP: true, Debug: true, Hosts: host}},
		{"-f -f host", Flags{Force: true, Hosts: host}},
		{"-v host", Flags{Verbose: 1, Hosts: host}},
		{"-vv -v host", Flags{Verbose: 3, Hosts: host}},
		{"-vvvvv host", Flags{Verbose: 3, Hosts: host}},

		// options with an argument
		{"-p 22 host", Flags{Port: "22", Hosts: host}},
		{"-p22 host", Flags{Port: "22", Hosts: host}},
		{"-fp22 host", Flags{Force: true, Port: "22", Hosts: host}},
		{"-np 22 host", Flags{DryRun: true, Port: "22", Hosts: host}},
		{"-p 22 -p 33 host", Flags{Port: "33", Hosts: host}},
		{"-t path host", Flags{Target: "path", Hosts: host}},
		{"-t -path host", Flags{Target: "-path", Hosts: host}},
		{"-t -- host", Flags{Target: "--", Hosts: host}},
		{"-F file host", Flags{Config: "file", Passed: []Passed{{"-F", "file"}}, Hosts: host}},
		{"-F a -F b host", Flags{Config: "b", Passed: []Passed{{"-F", "a"}, {"-F", "b"}}, Hosts: host}},
		{"-oA=b host", Flags{Passed: []Passed{{"-o", "A=b"}}, Hosts: host}},
		{"-o A=b,c -F f -oD=e host", Flags{Config: "f",
			Passed: []Passed{{"-o", "A=b,c"}, {"-F", "f"}, {"-o", "D=e"}}, Hosts: host}},

		// where pflag by itself would not do what getopts does
		{"-t=path host", Flags{Target: "=path", Hosts: host}},
		{"-ft=path host", Flags{Force: true, Target: "=path", Hosts: host}},
		{"-test.v host", Flags{Target: "est.v", Hosts: host}},
		{"-ntest.v host", Flags{DryRun: true, Target: "est.v", Hosts: host}},

		// long names
		{"--force --dry-run --sftp --debug --verbose host",
			Flags{Force: true, DryRun: true, SFTP: true, Debug: true, Verbose: 1, Hosts: host}},
		{"--no-repair --verify host", Flags{NoRepair: true, Verify: true, Hosts: host}},
		{"--no-verify host", Flags{NoVerify: true, Hosts: host}},
		{"--port 22 --target-path=t --config f --option A=b host", Flags{Port: "22", Target: "t", Config: "f",
			Passed: []Passed{{"-F", "f"}, {"-o", "A=b"}}, Hosts: host}},
		{"--identity=key host", Flags{IdentitySet: true, Identity: "key", Hosts: host}},

		// options behind the host, and the end of options
		{"host -p 22 -f", Flags{Port: "22", Force: true, Hosts: host}},
		{"-- host", Flags{Hosts: host}},
		{"-f -- -host", Flags{Force: true, Hosts: []string{"-host"}}},
		{"-- host -f", Flags{Hosts: []string{"host", "-f"}}},
		{"-", Flags{Hosts: []string{"-"}}},
		{"ho\nst", Flags{Hosts: []string{"ho\nst"}}},

		// help and version win over what is wrong behind them
		{"-h", Flags{ShortHelp: true}},
		{"-?", Flags{ShortHelp: true}},
		{"-f? host", Flags{Force: true, ShortHelp: true}},
		{"-nh -z", Flags{DryRun: true, ShortHelp: true}},
		{"--usage", Flags{ShortHelp: true}},
		{"--help", Flags{Help: true}},
		{"--version -p", Flags{Version: true}},
		{"--help -i key", Flags{Help: true, IdentitySet: true}},
	} {
		t.Run(c.line, func(t *testing.T) {
			got, err := ParseFlags(words(c.line), keyFile)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Help && !got.ShortHelp && !got.Version && len(got.Hosts) == 0 {
				t.Error("no host and no error")
			}
			if !reflect.DeepEqual(*got, c.want) {
				t.Errorf("got\n%+v\nwant\n%+v", *got, c.want)
			}
		})
	}
}

// words splits a test's command line.
func words(line string) []string {
	if line == "" {
		return nil
	}
	w := strings.Split(line, " ")
	for i := range w {
		if w[i] == "''" {
			w[i] = ""
		}
	}
	return w
}

// TestUsageErrors has what is said about a command line that cannot be
// carried out. "getopt" is what a shell's getopts says by itself.
func TestUsageErrors(t *testing.T) {
	const getopt, usage, plain = "getopt", "usage", "plain"
	for _, c := range []struct{ line, kind, text string }{
		{"", usage, ""},
		{"-f", usage, "Missing hostname"},
		{"--", usage, "Missing hostname"},
		{"''", usage, "Missing hostname: the name given is empty"},
		{"a ''", usage, "Missing hostname: the name given is empty"},
		{"-n -i", usage, "Missing hostname"},
		{"-i", usage, "Missing hostname"},
		{"-i key", usage, `Missing hostname. Use "-i -- key" if you really mean to use this as the hostname`},
		{"-i key -p 22", usage, `Missing hostname. Use "-i -- key" if you really mean to use this as the hostname`},
		{"-if key", usage, `Missing hostname. Use "-i -- key" if you really mean to use this as the hostname`},
		{"-i a -i b host", usage, "-i option must not be specified more than once"},
		{"-i -i host", usage, "-i option must not be specified more than once"},
		{"-ii host", usage, "-i option must not be specified more than once"},
		{"-i key --identity=key host", usage, "-i option must not be specified more than once"},
		{"-itest host", usage, "-itest: put a space before the file of -i, or before the path of -t"},
		{"--verify --no-verify host", usage, "--verify and --no-verify exclude each other"},

		{"-z host", getopt, "illegal option -- z"},
		{"-fz host", getopt, "illegal option -- z"},
		{"-ikey host", getopt, "illegal option -- k"},
		{"-i=key host", getopt, "illegal option -- ="},
		{"-f=no host", getopt, "illegal option -- ="},
		{"-f-n host", getopt, "illegal option -- -"},
		{"-i-help host", getopt, "illegal option -- -"},
		{"-é host", getopt, "illegal option -- é"},
		{"-z -h", getopt, "illegal option -- z"},
		{"-p", getopt, "option requires an argument -- p"},
		{"host -fo", getopt, "option requires an argument -- o"},
		{"host -t", getopt, "option requires an argument -- t"},
		{"host -F", getopt, "option requires an argument -- F"},
		{"host --port", getopt, "option '--port' requires an argument"},
		{"--forc host", getopt, "unrecognized option '--forc'"},
		{"---force host", getopt, "unrecognized option '---force'"},
		{"--force=maybe host", getopt, "option '--force' does not take the value 'maybe'"},

		{"-p 0 host", plain, "Bad port '0'"},
		{"-p abc host", plain, "Bad port 'abc'"},
		{"-p '' host", plain, "Bad port ''"},
		{"-p=22 host", plain, "Bad port '=22'"},
		{"-t '' host", plain, "the target path of -t is empty"},
		{"-F '' host", plain, "the file name of -F is empty"},
	} {
		t.Run(c.line, func(t *testing.T) {
			f, err := ParseFlags(words(c.line), keyFile)
			var got *UsageError
			if !errors.As(err, &got) {
				t.Fatalf("flags %+v, error %v; want a usage error", f, err)
			}
			want := UsageError{Text: c.text, ShowUsage: c.kind != plain, Getopt: c.kind == getopt}
			if *got != want {
				t.Errorf("got  %+v\nwant %+v", *got, want)
			}
			if err.Error() == "" {
				t.Error("an error without a word")
			}
		})
	}
}

// TestPort has what ssh takes for a port; TestPortOracle asks ssh.
func TestPort(t *testing.T) {
	for text, want := range map[string]string{
		"1": "1", "65535": "65535", "022": "22", "+22": "22", " 22": "22", "\t22": "22", "ssh": "22", "08": "8",
		"22 ": "22", "22\r\n": "22", "ssh\n": "22", // what came along with the word
		"0": "", "-1": "", "65536": "", "2 2": "", "0x16": "", "22abc": "", "1e3": "", "": "", " ": "",
		"9223372036854775808": "", "no-such-service": "", "22\x00": "",
	} {
		f, err := ParseFlags([]string{"-p", text, "host"}, keyFile)
		switch {
		case want == "" && err == nil:
			t.Errorf("-p %q: taken for %s, want an error", text, f.Port)
		case want != "" && err != nil:
			t.Errorf("-p %q: %v, want %s", text, err, want)
		case want != "" && f.Port != want:
			t.Errorf("-p %q: %s, want %s", text, f.Port, want)
		}
	}
}

// TestConfigLines: the stock script hands -p to ssh before every -o, the last
// one given; everything else keeps its order, of which ssh takes the first.
func TestConfigLines(t *testing.T) {
	for line, want := range map[string][]string{
		"host":                                 nil,
		"-o Port=1 -o User=u -p 2 host":        {"-p2", "Port=1", "User=u"},
		"-p 2 -o Port=1 -p 3 host":             {"-p3", "Port=1"},
		"-G -o Port=1 -p 2 host":               {"-p2", "Port=1"},
		"-o A=1 -J hop -F f host -o B=2":       {"A=1", "-Jhop", "B=2"},
		"-J hop -o ProxyCommand=none host -vv": {"LogLevel=DEBUG2", "-Jhop", "ProxyCommand=none"},
	} {
		f, err := ParseFlags(words(line), keyFile)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.ConfigLines(); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}
