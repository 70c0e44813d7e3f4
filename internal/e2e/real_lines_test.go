//go:build unix

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"ssh-copy-id/internal/sshtest/realsshd"
)

// lineCase is an authorized_keys file that holds the key in some way. KEY is the
// line of the .pub file, TYPE, BLOB and COMMENT are its fields, OTHER is another
// key's line.
type lineCase struct {
	name, file string
	// sshd and dropbear are the servers on which `ssh -i key` logs in by it.
	sshd, dropbear bool
	// said are words of the warning or error about the line, by which server
	// does not log in; "" for a file that is reported as usual.
	said string
	// stays: nothing is added although nobody gets in: the line is the one that
	// would be written. pub is the .pub file then, where it is not KEY.
	stays bool
	pub   string
}

var lineCases = []lineCase{
	{name: "plain", file: "KEY\n", sshd: true, dropbear: true},
	{name: "crlf", file: "OTHER\r\nKEY\r\n", sshd: true, dropbear: true},
	{name: "restrict", file: "restrict,pty KEY\n", sshd: true, said: "refuses its option pty"},
	{name: "nopty", file: "no-pty,no-X11-forwarding KEY\n", sshd: true, dropbear: true},
	{name: "nouserrc", file: "no-user-rc,restrict KEY\n", sshd: true, said: "refuses its option no-user-rc"},
	{name: "from", file: "from=\"127.0.0.0/8\" KEY\n", sshd: true, said: "refuses its option from"},
	{name: "indented", file: "  KEY\n", sshd: true, said: "one blank"},
	{name: "tabs", file: "TYPE\tBLOB\tCOMMENT\n", sshd: true, said: "one blank"},
	{name: "tabcomment", file: "TYPE BLOB\tCOMMENT\n", sshd: true, said: "one blank"},
	{name: "blanks", file: "TYPE  BLOB COMMENT\n", sshd: true, said: "one blank"},
	{name: "optionblanks", file: "no-pty  KEY\n", sshd: true, said: "one blank"},
	{name: "optiontab", file: "no-pty\tKEY\n", sshd: true, dropbear: true},
	{name: "long", file: "KEY" + strings.Repeat("x", 4200) + "\n", sshd: true, said: "no line longer than"},
	{name: "nulbehind", file: "KEY\x00\x00\n", sshd: true, said: "NUL bytes"},
	{name: "nulbefore", file: "\x00\x00\x00KEY\n", said: "NUL bytes"},
	{name: "nulblock", file: strings.Repeat("\x00", 600) + "\nKEY\n", sshd: true, dropbear: true},
	{name: "nulend", file: "OTHER" + strings.Repeat("\x00", 4096)},
	{name: "latin1", file: "# \xff\xfe \xe9\nOTHER \xff\n"},
	{name: "utf16tail", file: "OTHER\ns\x00s\x00h\x00\r\x00\n\x00"},
	{name: "authority", file: "cert-authority KEY\n", said: "cert-authority"},
	{name: "unknownoption", file: "no-such-option KEY\n", said: "refuses its option no-such-option"},
	{name: "quotes", file: "command=true KEY\n", said: "refuses its option command"},
	{name: "openquote", file: "command=\"true KEY\n", said: "a quote is missing"},
	{name: "badnetwork", file: "from=\"10.0.0.1/8\" KEY\n", said: "refuses its option from"},
	{name: "principals", file: "principals=\"a\" KEY\n", said: "refuses its option principals"},
	{name: "expired", file: "expiry-time=\"20010101\" KEY\n", said: "expiry-time"},
	{name: "bom", file: "\xef\xbb\xbfKEY\n", said: "byte order mark"},
	{name: "glued", file: "OTHERKEY\n", said: "another key is on the same line"},
	{name: "commented", file: "#KEY\n", said: "commented out"},
	{name: "returns", file: "OTHER\rKEY\r", dropbear: true, said: "carriage returns"},
	{name: "rfc4716", file: "---- BEGIN SSH2 PUBLIC KEY ----\nBLOB\n---- END SSH2 PUBLIC KEY ----\n", said: "does not read it"},
	{name: "samerefused", file: "no-such-option KEY\n", pub: "no-such-option KEY\n", said: "refuses its option no-such-option", stays: true},
	{name: "sameexpired", file: "OTHER\nexpiry-time=\"20010101\" KEY\r\n", pub: "expiry-time=\"20010101\" KEY\n", said: "expiry-time", stays: true},
}

// TestRealLines: a key counts as present where `ssh -i key` logs in by its line,
// on that server. Elsewhere it is added, and the line is reported; the line that
// would be written is never written again.
func TestRealLines(t *testing.T) {
	for _, server := range []string{realsshd.OpenSSH, realsshd.Dropbear} {
		t.Run(server, func(t *testing.T) {
			cfg := realsshd.Config{Server: server}
			if server == realsshd.OpenSSH {
				cfg.ConfigLines = []string{"MaxStartups 100"}
			}
			for _, c := range lineCases {
				cfg.Accounts = append(cfg.Accounts, realsshd.Account{Name: c.name, Password: "secret", Keys: []string{}})
			}
			s := start(t, cfg)
			for _, test := range lineCases {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					test.try(t, s, server == realsshd.Dropbear)
				})
			}
		})
	}
}

func (test lineCase) try(t *testing.T, s *realsshd.Server, dropbear bool) {
	live := test.sshd
	if dropbear {
		live = test.dropbear
	}
	c := newClient(t, s)
	line := strings.TrimSpace(c.key("id_ed25519"))
	fields := strings.Fields(line)
	fill := strings.NewReplacer("OTHER", oldKey, "KEY", line, "TYPE", fields[0], "BLOB", fields[1], "COMMENT", fields[2]).Replace
	if test.pub != "" {
		c.write(".ssh/id_ed25519.pub", fill(test.pub))
	}
	before := fill(test.file)
	file := filepath.Join(s.Home(test.name), ".ssh/authorized_keys")
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	destination := test.name + "@127.0.0.1"
	logsIn := func() bool {
		return c.run("ssh", append(c.port(), "-F", "none", "-i", c.home+"/.ssh/id_ed25519", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
			"-o", "UserKnownHostsFile="+c.home+"/.ssh/known_hosts", destination, "exit")...).status == 0
	}
	if got := logsIn(); got != live {
		t.Fatalf("ssh logs in by the line: %v, want %v", got, live)
	}
	if live {
		c.installUnattended(destination).want(t, 0, "All keys were skipped")
		if got := c.remote(test.name); got != before {
			t.Errorf("the file has changed: %q", got)
		}
		return
	}
	r := c.installUnattended(destination)
	if test.stays && dropbear && strings.HasPrefix(test.pub, "expiry-time") {
		r.want(t, 1, "cannot read the option expiry-time")
		if got := c.remote(test.name); got != before {
			t.Errorf("the file has changed: %q", got)
		}
		return
	}
	if test.stays {
		r.want(t, 1, "ERROR: line ", test.said, "the same line is not added again")
		if strings.Contains(r.stderr, "All keys were skipped") || c.remote(test.name) != before {
			t.Errorf("%s\nthe file: %q", r.stderr, c.remote(test.name))
		}
		c.installUnattended("-n", destination).want(t, 1, "ERROR: line ", test.said)
		return
	}
	r.want(t, 0, "Number of key(s) added: 1", test.said, "verified: logged in with 1 key")
	want := before
	if !strings.HasSuffix(want, "\n") {
		want += "\n"
	}
	if got := c.remote(test.name); got != want+line+"\n" {
		t.Errorf("the file is %q, want %q", got, want+line+"\n")
	}
	if !logsIn() {
		t.Error("ssh does not log in after the install")
	}
}

// TestRealCopies: 3,000 copies of a line that does nothing are one warning.
func TestRealCopies(t *testing.T) {
	s := start(t, realsshd.Config{Accounts: []realsshd.Account{{Name: "copies", Password: "secret", Keys: []string{}}}})
	c := newClient(t, s)
	line := c.key("id_ed25519")
	text := strings.Repeat("no-such-option "+line, 3000)
	if err := os.WriteFile(filepath.Join(s.Home("copies"), ".ssh/authorized_keys"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := c.installUnattended("copies@127.0.0.1")
	r.want(t, 0, "Number of key(s) added: 1", "lines 1, 2, 3 and 2997 more of ")
	if n := strings.Count(r.stderr, "WARNING"); n != 1 {
		t.Errorf("%d warnings", n)
	}
}

// TestRealDropbearOptions: options that dropbear does not know are refused
// before anything is written, and what it can read is written so that it does.
func TestRealDropbearOptions(t *testing.T) {
	s := start(t, realsshd.Config{Server: realsshd.Dropbear, Accounts: accounts("refused", "written", "toolong")})
	for i, flags := range [][]string{{"--from", "10.0.0.0/8"}, {"--expiry-time", "20990101"}, {"--key-option", "no-user-rc"}, {"-f", "--key-option", "environment=A=b"}} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			c := newClient(t, s)
			c.key("id_ed25519")
			r := c.installUnattended(append(flags, "refused@127.0.0.1")...)
			r.want(t, 1, "ERROR: the server (dropbear ", "cannot read the option")
			if text := c.remote("refused"); text != "" || strings.Count(r.stderr, "ERROR") != 1 {
				t.Errorf("the file is %q\n%s", text, r.stderr)
			}
		})
	}
	c := newClient(t, s)
	fields := strings.Fields(c.key("id_ed25519"))
	c.write(".ssh/id_ed25519.pub", fmt.Sprintf("restrict,no-pty \t%s\t %s\t%s\n", fields[0], fields[1], fields[2]))
	c.installUnattended("written@127.0.0.1").want(t, 0, "verified: logged in with 1 key")
	if got, want := c.remote("written"), "restrict,no-pty "+strings.Join(fields, " ")+"\n"; got != want {
		t.Errorf("the file is %q, want %q", got, want)
	}
	c.installUnattended("--comment", strings.Repeat("x", 4200), "toolong@127.0.0.1").want(t, 1, "reads no line longer than 4199 bytes")
	if text := c.remote("toolong"); text != "" {
		t.Errorf("the file is %.100q", text)
	}
}
