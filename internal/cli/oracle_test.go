//go:build unix

package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"ssh-copy-id/internal/sshconfig"
)

// TestOracle reads the same command lines as the installed stock script and
// compares what both make of them: whether the usage is shown, what getopts
// says, and what ssh is to be called with.
//
// The script is run with -f, -n and stand-ins for ssh and ssh-add, so that it
// gets as far as calling ssh and no further. Releases differ about -i: only
// `-i FILE` before a host, which all of them take, is compared; -t and -x are
// left out since old releases lack them.
func TestOracle(t *testing.T) {
	script := needed(t, "/usr/bin/ssh-copy-id")
	bash := needed(t, "bash")
	for _, line := range []string{
		"", "-h", "-?", "-h -z", "-z", "-z host", "-fz host", "-f? host", "-nh host", "-f=x host", "-f-n host",
		"-p", "-o", "-F", "-fp", "-n", "-i key", "a b", "-f a b",
		"host", "user@host", "-s host", "-fns host", "-p 22 host", "-p22 host", "-fp22 host", "-np 22 host",
		"-o A=b host", "-oA=b host", "-o A=b -o C=d host", "-oA=b -F cfg -oC=d host", "-F cfg host", "-Fcfg host",
		"-o=A host", "-- host", "-f -- host", "-o -- host", "-o A='b host", "-",
		"-i key host", "-fi key host", "-i key -p 22 host", "-i key -- host", "-p 22 -i key host", "-i key -i key host",
	} {
		t.Run(line, func(t *testing.T) {
			home := oracleHome(t)
			stock := runStock(t, bash, script, home, words(line))
			f, err := ParseFlags(words(line), func(path string) bool { return path == "key" })
			var usage *UsageError
			errors.As(err, &usage)
			if err == nil && len(f.Hosts) > 1 {
				usage = &UsageError{ShowUsage: true}
			}
			shown := usage != nil && usage.ShowUsage || usage == nil && f.ShortHelp
			if stock.usage != shown {
				t.Fatalf("usage shown: stock %v, ours %v (%v)\n%s", stock.usage, shown, err, stock.stderr)
			}
			if stock.status == 0 && shown {
				t.Errorf("stock status %d with its usage", stock.status)
			}
			said := ""
			if usage != nil && usage.Getopt {
				said = usage.Text
			}
			if stock.getopt != said {
				t.Errorf("getopts says %q, ours %q", stock.getopt, said)
			}
			if shown {
				return
			}
			if got := sshArguments(f); !reflect.DeepEqual(got, stock.ssh) {
				t.Errorf("ssh gets\n%q from the script and\n%q from ours\n%s", stock.ssh, got, stock.stderr)
			}
		})
	}
}

// TestOracleLineEnds: newlines at the end of a word that ssh gets are dropped
// by the script's quoting, and others are not.
func TestOracleLineEnds(t *testing.T) {
	script := needed(t, "/usr/bin/ssh-copy-id")
	bash := needed(t, "bash")
	for _, args := range [][]string{
		{"host\n"}, {"user@host\n\n"}, {"-p", "22\n", "host"}, {"-o", "A=b\n", "host\n"}, {"-o", "A=b\n\n", "-F", "cfg\n", "host"},
		{"-o", "A=b\r", "host"}, {"-o", "A=b ", "host"}, {"-o", "\nA=b", "host"}, {"-o", "A=b\nC=d\n", "host"},
		{"-i", "key", "host\n"}, {"--", "host\n"},
	} {
		stock := runStock(t, bash, script, oracleHome(t), args)
		f, err := ParseFlags(args, func(string) bool { return false })
		if err != nil {
			t.Errorf("%q: %v", args, err)
			continue
		}
		// A newline inside a word is one in the file that stands in for ssh.
		want, got := strings.Join(stock.ssh, "\n"), strings.Join(sshArguments(f), "\n")
		if got != want {
			t.Errorf("%q: ssh gets\n%q from the script and\n%q from ours\n%s", args, want, got, stock.stderr)
		}
	}
}

// TestPortOracle asks the installed ssh what it takes for a port.
func TestPortOracle(t *testing.T) {
	ssh := needed(t, "ssh")
	for _, text := range []string{
		"1", "22", "65535", "022", "+22", " 22", "\t22", "ssh", "https", "0", "-1", "65536", "2 2", "0x16", "22abc", "", " ",
		"9223372036854775808", "no-such-service", "x11-1", "SSH", "08", "+", "-", "+-1",
	} {
		want, said := "", ""
		resolved, err := exec.Command(ssh, "-F", "none", "-G", "-p", text, "host").Output()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			said = strings.TrimRight(string(exit.Stderr), "\r\n")
		}
		for line := range strings.Lines(string(resolved)) {
			if port, ok := strings.CutPrefix(line, "port "); ok {
				want = strings.TrimSpace(port)
			}
		}
		f, failed := ParseFlags([]string{"-p", text, "host"}, keyFile)
		switch {
		case failed != nil && failed.Error() != said:
			t.Errorf("-p %q: ours says %q, ssh %q (port %s)", text, failed, said, want)
		case failed == nil && f.Port != want:
			t.Errorf("-p %q: ours %s, ssh %s %s", text, f.Port, want, said)
		}
		viaOption, err := sshconfig.Resolve(sshconfig.Input{Destination: "host", Options: []string{`Port="` + text + `"`},
			ConfigFile: "none", Home: "/", LocalUser: "u"})
		switch {
		case (err == nil) != (failed == nil):
			t.Errorf("-p %q: %v, -o Port: %v", text, failed, err)
		case err == nil && fmt.Sprint(viaOption.Port) != want:
			t.Errorf("-o Port=%q: %d, ssh %s", text, viaOption.Port, want)
		}
	}
}

// sshArguments is what the script hands to ssh for these flags where -p
// stands first or alone.
func sshArguments(f *Flags) []string {
	var args []string
	if f.Port != "" {
		args = append(args, "-p", f.Port)
	}
	for _, p := range f.Passed {
		args = append(args, p.Flag, p.Value)
	}
	return append(args, f.Hosts...)
}

// stockRun is what the script did.
type stockRun struct {
	status int
	stderr string
	usage  bool
	getopt string   // what getopts said
	ssh    []string // what the first ssh was called with, without the script's own options
}

// oracleHome makes a home directory with a default identity, the files that
// the command lines name, and the stand-ins.
func oracleHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	for name, text := range map[string]string{
		".ssh/id_test": "ssh", ".ssh/id_test.pub": "ssh-ed25519 AAAA test\n", "key": "ssh", "key.pub": "ssh-ed25519 AAAA test\n",
		"bin/ssh-add": "#!/bin/sh\nexit 2\n",
		"bin/ssh":     "#!/bin/sh\n[ -e \"$HOME/argv\" ] || for a; do printf '%s\\n' \"$a\"; done >\"$HOME/argv\"\nexit 255\n",
	} {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

// runStock runs the script as bash does, whose getopts names the program.
func runStock(t *testing.T, bash, script, home string, args []string) stockRun {
	t.Helper()
	cmd := exec.Command(bash, append([]string{script}, args...)...)
	if len(args) > 0 {
		cmd.Args = append([]string{bash, script, "-f", "-n"}, args...)
	}
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "PATH=" + filepath.Join(home, "bin") + ":/usr/bin:/bin", "LC_ALL=C"}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r := stockRun{status: cmd.ProcessState.ExitCode(), stderr: stderr.String() + stdout.String()}
	for line := range strings.Lines(stderr.String()) {
		line = strings.TrimSuffix(line, "\n")
		r.usage = r.usage || strings.HasPrefix(line, "Usage: ")
		text := strings.TrimPrefix(line, script+": ")
		if strings.HasPrefix(text, "illegal option") || strings.HasPrefix(text, "option requires") {
			r.getopt = text
		}
	}
	if argv, err := os.ReadFile(filepath.Join(home, "argv")); err == nil {
		_, own, _ := strings.Cut(string(argv), "ControlPath=none\n")
		r.ssh = strings.Split(strings.TrimSuffix(own, "\n"), "\n")
	}
	return r
}

// needed finds a program that the test compares with.
func needed(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
		t.Fatalf("%s is needed: %v", program, err)
	}
	t.Skipf("%s is not here: %v", program, err)
	return ""
}
