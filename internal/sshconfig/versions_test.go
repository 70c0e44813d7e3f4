//go:build linux

package sshconfig

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// difference is something about which releases of OpenSSH say different things
// on `ssh -G`. This package follows the newest.
type difference struct {
	since string // the first release that does it as this package does
	kind  differenceKind
	what  string // a keyword, or the name of an algorithm
}

type differenceKind int

const (
	printed   differenceKind = iota // older releases do not print the keyword
	algorithm                       // older releases do not know the name
	order                           // older releases have another order of these defaults
	value                           // older releases print another value
	never                           // no release, or only some builds, print what this package prints
)

// differences is the whole list, from 9.2 on. What a case needs besides is
// written with the case (since, until).
var differences = []difference{
	{"9.4", printed, "tag"},
	{"9.5", printed, "obscurekeystroketiming"},
	{"9.6", printed, "channeltimeout"},
	{"9.9", algorithm, "mlkem768x25519-sha256"},
	{"10.0", order, "ciphers"},
	{"10.0", printed, "versionaddendum"},
	{"10.1", value, "ipqos"}, // the default, and what lowdelay means
	{"10.1", printed, "warnweakcrypto"},
	{"10.3", printed, "revokedhostkeys"}, // "none" where there is none
	{"10.4", algorithm, "webauthn-sk-ecdsa-sha2-nistp256-cert-v01@openssh.com"},
	{"10.4", algorithm, "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"},
	{"10.6", algorithm, "ssh-mldsa44-ed25519"}, // in 10.5 with @openssh.com, and no default
	{"10.6", algorithm, "ssh-mldsa44-ed25519-cert"},

	// 10.3 to 10.6 print only the first word of LogVerbose.
	{"", never, "logverbose"},
	// Debian's builds: its own default, true for yes in 10.6, GSSAPI until 10.0.
	{"", never, "forwardx11trusted"},
	{"", never, "tcpkeepalive"},
	{"", never, "gssapiauthentication"},
	{"", never, "gssapidelegatecredentials"},
	{"", never, "gssapikeyexchange"},
	{"", never, "gssapitrustdns"},
	{"", never, "gssapirenewalforcesrekey"},
	{"", never, "gssapikexalgorithms"},
	{"", never, "xauthlocation"},
	{"", never, "securitykeyprovider"},
	{"", never, "canonicalizepermittedcnames"}, // spelled with capitals before 10.6
}

// comparable returns lines of ssh -G without what the release at hand and this
// package cannot agree about.
func comparable(version string, lines []string) (out []string) {
	for _, line := range lines {
		keyword, text, _ := strings.Cut(line, " ")
		keep := true
		for _, d := range differences {
			if d.kind != never && !before(version, d.since) {
				continue
			}
			switch {
			case d.kind == algorithm && strings.Contains(text, d.what):
				names := slices.DeleteFunc(strings.Split(text, ","), func(s string) bool { return s == d.what })
				text = strings.Join(names, ",")
			case d.kind == order && d.what == keyword:
				names := strings.Split(text, ",")
				slices.Sort(names)
				text = strings.Join(names, ",")
			case d.what == asciiLower(keyword):
				keep = false
			}
		}
		if keep {
			out = append(out, strings.TrimSuffix(keyword+" "+text, " "))
		}
	}
	return out
}

// before compares release numbers such as 9.2 and 10.1.
func before(a, b string) bool {
	number := func(s string) (n [2]int) {
		for i, part := range strings.SplitN(s, ".", 2) {
			n[i], _ = strconv.Atoi(part)
		}
		return n
	}
	left, right := number(a), number(b)
	return slices.Compare(left[:], right[:]) < 0
}

// versionOf asks a program of OpenSSH for its release.
func versionOf(t *testing.T, ssh string) string {
	t.Helper()
	out, err := exec.Command(ssh, "-V").CombinedOutput()
	match := regexp.MustCompile(`OpenSSH_(\d+\.\d+)`).FindSubmatch(out)
	if err != nil || match == nil {
		t.Fatalf("%s -V: %v %s", ssh, err, out)
	}
	return string(match[1])
}

// newestSSH is the variable that names a newer ssh than the installed one. The
// cases were last compared with that of Debian sid, 10.6.
const newestSSH = "SSHCOPYID_NEWEST_SSH"

// TestAgainstNewestSSH gives every case to the newest ssh there is.
func TestAgainstNewestSSH(t *testing.T) {
	ssh := os.Getenv(newestSSH)
	if ssh == "" {
		t.Logf("NOT COMPARED with a newer ssh than the installed one: %s does not name one", newestSSH)
		return
	}
	againstSSH(t, ssh)
}

func TestComparable(t *testing.T) {
	lines := []string{"tag x", "ciphers b,a", "kexalgorithms mlkem768x25519-sha256,c", "port 22", "warnweakcrypto yes"}
	for version, want := range map[string]string{
		"9.2":  "ciphers a,b|kexalgorithms c|port 22",
		"9.9":  "tag x|ciphers a,b|kexalgorithms mlkem768x25519-sha256,c|port 22",
		"10.0": "tag x|ciphers b,a|kexalgorithms mlkem768x25519-sha256,c|port 22",
		"10.6": "tag x|ciphers b,a|kexalgorithms mlkem768x25519-sha256,c|port 22|warnweakcrypto yes",
	} {
		if got := strings.Join(comparable(version, lines), "|"); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
}

// quiet drops what Debian's ssh says about the terminal it will not get.
func quiet(stderr string) string {
	var out bytes.Buffer
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "Pseudo-terminal will not be allocated") {
			out.WriteString(line)
		}
	}
	return out.String()
}
