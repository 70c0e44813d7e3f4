package authkeys

import (
	"strings"
	"testing"
)

// Which release knows which option, by the release notes of OpenSSH and
// svr-authpubkeyoptions.c at the tags of Dropbear.
func TestReaderOptions(t *testing.T) {
	for _, c := range []struct {
		reader Reader
		option string
		lacks  bool
	}{
		{Reader{}, `expiry-time="20990101"`, false},
		{SSHD("7.4"), `expiry-time="20990101"`, true},
		{SSHD("7.4"), "restrict", false},
		{SSHD("7.1p2"), "restrict", true},
		{SSHD("10.0"), `permitlisten="8080"`, false},
		{SSHD("strange"), `permitlisten="8080"`, false},
		{SSHD("9.2p1"), "no-such", false}, // no sshd knows it
		{Dropbear("2022.83"), "RESTRICT", false},
		{Dropbear("2020.81"), "restrict", true},
		{Dropbear("2022.82"), `permitopen="a:1"`, true},
		{Dropbear("2022.83"), `permitopen="a:1"`, false},
		{Dropbear("2022.83"), `permitlisten="8080"`, true},
		{Dropbear("2026.90"), `permitlisten="8080"`, false},
		{Dropbear("2026.90"), `permitlisten="localhost:8080"`, true},
		{Dropbear(""), `permitlisten="8080"`, false},
		{Dropbear("2026.94"), `from="10.0.0.0/8"`, true},
		{Dropbear("2026.94"), "no-user-rc", true},
		{Dropbear("2026.94"), `command="a \"b\", c"`, false},
		{Dropbear("0.51"), "no-pty", true},
	} {
		if got := c.reader.Lacks([]string{c.option}) != nil; got != c.lacks {
			t.Errorf("%v lacks %s: %v, want %v", c.reader, c.option, got, c.lacks)
		}
	}
}

func TestReaderLimits(t *testing.T) {
	for version, want := range map[string][2]int{"2022.83": {4199, 0}, "2026.91": {4199, 0}, "2026.92": {3000, 300}, "": {0, 0}} {
		if r := Dropbear(version); r.MaxLine() != want[0] || r.MaxLines() != want[1] {
			t.Errorf("%v: %d, %d, want %v", r, r.MaxLine(), r.MaxLines(), want)
		}
	}
	_, key := pub(t, "ed25519")
	e, err := ParseEntry("  no-pty,\t" + strings.Replace(key, " ", "\t ", 1) + "\tme")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Dropbear("2022.83").Compose(e).Line(), "no-pty "+strings.Join(strings.Fields(key)[:2], " ")+" me"; got != want {
		t.Errorf("composed: %q, want %q", got, want)
	}
	if got := (Reader{}).Compose(e).Line(); got != e.Line() {
		t.Errorf("for sshd: %q", got)
	}
}
