package hostkey

import (
	"fmt"
	"os"
	"strings"
	"testing"

	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// The lines of known_hosts that speak of a name, as ssh-keygen -F finds them:
// "2", "2 CA", "2 REVOKED", with commas between.
var knownLines = []struct {
	name string
	text string // with the keys of cast
	host string // as known_hosts writes it
	want string
	// ours is set where we differ from ssh-keygen on purpose, with the reason.
	ours string
}{
	{name: "plain name", text: "box $KEY\n", host: "box", want: "1"},
	{name: "part of a name", text: "box $KEY\n", host: "bo"},
	{name: "longer name", text: "box $KEY\n", host: "boxx"},
	{name: "among others", text: "a,box,b $KEY\n", host: "box", want: "1"},
	{name: "last of others", text: "a,b,box $KEY\n", host: "box", want: "1"},
	{name: "blanks are part of no name", text: "a, box $KEY\n", host: "box"},
	{name: "empty names", text: ",,box, $KEY\n", host: "box", want: "1"},
	{name: "capitals in the file", text: "BOX $KEY\n", host: "box", want: "1"},
	{name: "comment", text: "# box $KEY\n#box $KEY\nbox $KEY a comment # more\n", host: "box", want: "3"},
	{name: "blank lines", text: "\n  \n\t\nbox $KEY\n", host: "box", want: "4"},
	{name: "indented", text: " \t box $KEY\n", host: "box", want: "1"},
	{name: "tabs", text: "box\t$KEY\tcomment\n", host: "box", want: "1"},
	{name: "many blanks", text: "box  \t $KEY  \n", host: "box", want: "1"},
	{name: "no newline at the end", text: "box $KEY", host: "box", want: "1"},
	{name: "CRLF", text: "box $KEY\r\n\r\nbox $OTHER\r\n", host: "box", want: "1,3"},
	{name: "carriage returns alone", text: "box $KEY\rbox $OTHER\r", host: "box", want: ""},
	{name: "byte order mark", text: "\ufeffbox $KEY\nbox $KEY\n", host: "box", want: "1,2", ours: "editors leave it; ssh takes it for a part of the name"},
	{name: "byte order mark later", text: "box $KEY\n\ufeffbox $KEY\n", host: "box", want: "1"},

	{name: "port", text: "[box]:2222 $KEY\nbox $OTHER\n", host: "[box]:2222", want: "1"},
	{name: "without port", text: "[box]:2222 $KEY\nbox $OTHER\n", host: "box", want: "2"},
	{name: "another port", text: "[box]:2222 $KEY\n", host: "[box]:2223"},
	{name: "any port", text: "[box]:* $KEY\n", host: "[box]:2222", want: "1"},
	{name: "brackets around port 22", text: "[box]:22 $KEY\n", host: "box"},
	{name: "IPv6 address", text: "2001:db8::1 $KEY\n[2001:db8::1]:2222 $KEY\n", host: "2001:db8::1", want: "1"},
	{name: "IPv6 address in capitals", text: "2001:DB8::1 $KEY\n", host: "2001:db8::1", want: "1"},
	{name: "another spelling of an address", text: "2001:db8:0::1 $KEY\n", host: "2001:db8::1"},
	{name: "IPv6 address and port", text: "2001:db8::1 $KEY\n[2001:db8::1]:2222 $KEY\n", host: "[2001:db8::1]:2222", want: "2"},

	{name: "everything", text: "* $KEY\n", host: "box", want: "1"},
	{name: "nothing is matched too", text: "box* $KEY\n", host: "box", want: "1"},
	{name: "end", text: "*.example $KEY\n", host: "box.example", want: "1"},
	{name: "dots are no borders", text: "*.example $KEY\n", host: "a.b.example", want: "1"},
	{name: "the domain itself", text: "*.example $KEY\n", host: "example"},
	{name: "several stars", text: "b*x*mple $KEY\n", host: "box.example", want: "1"},
	{name: "stars that go back", text: "*a*ab $KEY\n", host: "aaaab", want: "1"},
	{name: "question mark", text: "b?x $KEY\n", host: "box", want: "1"},
	{name: "question mark is one", text: "box? $KEY\n", host: "box"},
	{name: "negated", text: "*.example,!box.example $KEY\n", host: "box.example"},
	{name: "negated first", text: "!box.example,*.example $KEY\n", host: "box.example"},
	{name: "negated another", text: "*.example,!bix.example $KEY\n", host: "box.example", want: "1"},
	{name: "negated only", text: "!bix $KEY\n", host: "box"},
	{name: "negated pattern", text: "*,!b*x $KEY\n", host: "box"},
	{name: "brackets are no pattern", text: "[ab]ox $KEY\n", host: "box"},

	{name: "hashed", text: "#BOX $KEY\n", host: "box", want: "1"},
	{name: "hashed another", text: "#BIX $KEY\n", host: "box"},
	{name: "hashed and named", text: "#BIX $KEY\n#BOX $KEY\nbox $KEY\n", host: "box", want: "2,3"},
	{name: "hashed with port", text: "#PORT $KEY\n", host: "[box]:2222", want: "1"},
	{name: "two hashes in one line", text: "#BOX,#BIX $KEY\n", host: "box"},
	{name: "cut hash", text: "|1|c2FsdA==|aGFzaA== $KEY\nbox $KEY\n", host: "box", want: "2"},
	{name: "hash of another kind", text: "|2|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= $KEY\nbox $KEY\n", host: "box", want: "2"},
	{name: "hash that is no base64", text: "|1|%AAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= $KEY\nbox $KEY\n", host: "box", want: "2"},
	{name: "sum that is no base64", text: "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|%AAAAAAAAAAAAAAAAAAAAAAAAAA= $KEY\nbox $KEY\n", host: "box", want: "2"},

	{name: "authority", text: "@cert-authority box $KEY\n", host: "box", want: "1 CA"},
	{name: "authority of many", text: "@cert-authority *.example,*.test $KEY\nbox.test $KEY\n", host: "box.test", want: "1 CA,2"},
	{name: "revoked", text: "@revoked box $KEY\nbox $KEY\n", host: "box", want: "1 REVOKED,2"},
	{name: "revoked everywhere", text: "@revoked * $KEY\n", host: "box", want: "1 REVOKED"},
	{name: "revoked elsewhere", text: "@revoked bix $KEY\n", host: "box"},
	{name: "revoked, hashed", text: "@revoked #BOX $KEY\n", host: "box", want: "1 REVOKED"},
	{name: "blanks after the marker", text: "@revoked \t box $KEY\n", host: "box", want: "1 REVOKED"},
	{name: "unknown marker", text: "@known box $KEY\nbox $KEY\n", host: "box", want: "2"},
	{name: "marker in capitals", text: "@CERT-AUTHORITY box $KEY\nbox $KEY\n", host: "box", want: "2"},
	{name: "two markers", text: "@cert-authority @cert-authority box $KEY\nbox $KEY\n", host: "box", want: "2"},

	{name: "name alone", text: "box\nbox $KEY\n", host: "box", want: "2"},
	{name: "no key", text: "box ssh-ed25519\nbox $KEY\n", host: "box", want: "2"},
	{name: "comment in place of a key", text: "box # ssh-ed25519\nbox $KEY\n", host: "box", want: "2"},
	{name: "key that is no base64", text: "box ssh-ed25519 %%%%\nbox $KEY\n", host: "box", want: "2"},
	{name: "cut key", text: "box ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqh\nbox $KEY\n", host: "box", want: "2"},
	{name: "key of another type than named", text: "box ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIKqhmv1noP9p3AjUMfWqXWsrHul4/mLaGW5RFN1ueNMF\nbox $KEY\n", host: "box", want: "2"},
	{name: "unknown type", text: "box ssh-none AAAACHNzaC1ub25l\nbox $KEY\n", host: "box", want: "2"},
	{name: "protocol 1", text: "box 1024 35 1234567890\nbox $KEY\n", host: "box", want: "2"},
	{name: "other types", text: "box $RSA\nbox $ECDSA\nbox $KEY\n", host: "box", want: "1,2,3"},
	{name: "noise", text: "\x00\xff\x01\nbox $KEY\n", host: "box", want: "2"},
}

// knownText is the text of a row.
func knownText(text string) string {
	return strings.NewReplacer("#BOX", xknownhosts.HashHostname("box"), "#BIX", xknownhosts.HashHostname("bix"),
		"#PORT", xknownhosts.HashHostname("[box]:2222")).Replace(expand(text))
}

// TestKnownLines: the lines that speak of a name are those ssh-keygen finds.
func TestKnownLines(t *testing.T) {
	for _, c := range knownLines {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.write(knownText(c.text))
			v := &Verifier{policy: w.policy("yes"), warned: map[string]bool{}}
			entries, err := v.load(c.host)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, e := range entries {
				found = append(found, fmt.Sprint(e.line, map[marker]string{markCA: " CA", markRevoked: " REVOKED"}[e.marker]))
			}
			if got := strings.Join(found, ","); got != c.want {
				t.Errorf("found %q, want %q; %q", got, c.want, w.notices)
			}
		})
	}
}

// TestDamagedRevocation: to skip a line that revokes a key would trust what its
// owner wants refused, so that the whole file is refused.
func TestDamagedRevocation(t *testing.T) {
	for _, text := range []string{
		"@revoked\n", "@revoked box\n", "@revoked box ssh-ed25519\n", "@revoked box ssh-ed25519 %%%%\n", "@revoked |1|x|y $KEY\n",
		"@revoked bix ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqh\n", "@revoked @revoked box $KEY\n", "@revokedbox $KEY\n",
		"@revoked box ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIKqhmv1noP9p3AjUMfWqXWsrHul4/mLaGW5RFN1ueNMF\n",
		"@revoked box ssh-ed25519 " + strings.Repeat("A", maxLine) + "\n",
	} {
		w := newWorld(t)
		w.write("# first\n" + expand(text))
		_, err := New(w.policy("yes"), "box", 22)
		if kind(err) != "file" || err.(*FileError).Line != 2 || err.(*FileError).File != w.file {
			t.Errorf("%.80q: %v", text, err)
		}
	}
	// A key of a type that no server can show us is not damaged.
	w := newWorld(t)
	w.write("@revoked box ssh-none AAAACHNzaC1ub25l\n@revoked box 1024 35 1234567890\n")
	if _, err := New(w.policy("yes"), "box", 22); err == nil || err.(*FileError).Line != 2 {
		t.Errorf("a protocol 1 key is revoked: %v", err)
	}
}

// TestLimits: what is longer than any file ssh writes is told once a file.
func TestLimits(t *testing.T) {
	w := newWorld(t)
	w.write("box ssh-ed25519 " + strings.Repeat("A", maxLine) + expand("\nbox $KEY\n") + strings.Repeat("box\n", maxWarnings+2))
	if err := w.check(w.policy("yes"), peer, cast()["KEY"].PublicKey()); err != nil {
		t.Error(err)
	}
	if len(w.notices) != maxWarnings+1 || w.notices[0] != w.file+":1: malformed line skipped: line is too long" ||
		w.notices[maxWarnings] != w.file+": 3 more malformed lines skipped" {
		t.Errorf("%q", w.notices)
	}
	f, err := os.OpenFile(w.file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(maxFile + 1); err != nil {
		t.Skip("the file system has no holes:", err)
	}
	if _, err := New(w.policy("yes"), "box", 22); kind(err) != "file" || err.Error() != w.file+": larger than 256 MiB" {
		t.Error(err)
	}
}

// TestFilesThatCannotBeRead count as empty, with a word about it.
func TestFilesThatCannotBeRead(t *testing.T) {
	w := newWorld(t, "x")
	p := w.policy("yes")
	p.UserFiles = []string{t.TempDir(), w.file + ".missing", "none", ""}
	p.GlobalFiles = []string{"a\x00b", w.beside("global", expand("box $KEY\n"))}
	if err := w.check(p, peer, cast()["KEY"].PublicKey()); err != nil {
		t.Error(err)
	}
	if len(w.notices) != 2 || w.notices[0] != p.UserFiles[0]+": is a directory" || !strings.HasPrefix(w.notices[1], "a\x00b: ") {
		t.Errorf("%q", w.notices)
	}
}
