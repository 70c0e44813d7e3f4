package authkeys

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// keygen runs ssh-keygen, and skips or fails the test where there is none.
func keygen(t *testing.T, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath("ssh-keygen")
	if err != nil {
		if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
			t.Fatal("ssh-keygen is not installed, and SSHCOPYID_REQUIRE_ALL is set")
		}
		t.Skip("ssh-keygen is not installed")
	}
	var errs bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ssh-keygen %q: %v\n%s", args, err, errs.String())
	}
	return out
}

// written is a file with some content.
func written(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// comments that are hard to fold, for this package or for ssh-keygen -i.
var hardComments = []string{
	"", "alice@laptop", `"`, `""`, `a "quoted" word`, `back\slash`, `ends with a backslash\`,
	strings.Repeat(`\`, 200),
	strings.Repeat("x", 61), strings.Repeat("x", 62), strings.Repeat("x", 63), strings.Repeat("x", 64), strings.Repeat("x", 500),
	strings.Repeat("J\u00fcrgen \u65e5\u672c ", 30),
	strings.Repeat("J\xfcrgen ", 30),
	strings.Repeat("\x80\xbf", 100),
	strings.Repeat("word ", 15) + "Subject: me, and so on " + strings.Repeat("word ", 15) + "a: b: c: d",
	strings.Repeat("-", 300),
	strings.Repeat("x", 62) + "---- END SSH2 PUBLIC KEY ----",
	"the END of it ", " END  END ", "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
	strings.Repeat("y", 61) + "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
	strings.Repeat(": ", 100), "Comment: Comment: ",
}

// checkRFC4716 holds for every entry: short lines, and the same key and
// comment when it is read again.
func checkRFC4716(t *testing.T, e Entry) []byte {
	t.Helper()
	data := MarshalRFC4716(e)
	for line := range strings.Lines(string(data)) {
		if n := len(strings.TrimSuffix(line, "\n")); n > 72 || n == 0 {
			t.Errorf("a line of %d bytes: %q", n, line)
		}
	}
	for _, variant := range [][]byte{
		data,
		bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")),
		bytes.ReplaceAll(data, []byte("\n"), []byte("\r")),
		append([]byte(bom), data...),
		bytes.TrimSuffix(data, []byte("\n")),
	} {
		again, err := ParseRFC4716(variant)
		if err != nil || len(again) != 1 {
			t.Fatalf("%q is read as %d keys, %v", variant, len(again), err)
		}
		want := strings.Trim(cut(harmless(e.Comment), 1022), " ")
		if again[0].Blob() != e.Blob() || again[0].Comment != want {
			t.Errorf("%q is read as %q, want the comment %q", variant, again[0].Line(), want)
		}
	}
	return data
}

func TestMarshalRFC4716(t *testing.T) {
	key := entry(t, "ecdsa521").Key
	for _, comment := range append(hardComments, strings.Repeat("x", 1022), strings.Repeat("\u00e9", 600), "a\nb\x1b") {
		e := NewEntry(key, comment, "restrict")
		if data := checkRFC4716(t, e); bytes.Contains(data, []byte("restrict")) {
			t.Errorf("options were written: %s", data)
		}
	}
	if got := MarshalRFC4716(Entry{}); got != nil {
		t.Errorf("an entry without a key is written as %q", got)
	}
}

// The examples of RFC 4716 section 3.6, with keys of our own.
func TestParseRFC4716(t *testing.T) {
	rsa, ed := entry(t, "rsa"), entry(t, "ed25519")
	body := func(e Entry) string {
		lines := strings.SplitAfter(string(MarshalRFC4716(Entry{Key: e.Key})), "\n")
		return strings.Join(lines[1:len(lines)-2], "")
	}
	file := func(headers, body string) string { return RFC4716Begin + "\n" + headers + body + end4716 + "\n" }
	tests := []struct {
		name, data string
		comments   []string // of an RSA key, then of an Ed25519 one
	}{
		{"no headers", file("", body(rsa)), []string{""}},
		{"a folded comment", file("Comment: \"1024-bit RSA, converted from OpenSSH by me\\\n@example.com\"\n", body(rsa)), []string{"1024-bit RSA, converted from OpenSSH by me@example.com"}},
		{"no quotes", file("Comment: DSA Public Key for use with MyIsp\n", body(rsa)), []string{"DSA Public Key for use with MyIsp"}},
		{"single quotes", file("Comment: 'mine'\n", body(rsa)), []string{"mine"}},
		{"one quote", file("Comment: \"mine\n", body(rsa)), []string{`"mine`}},
		{"other headers", file("x-command: /home/me/bin/lock-in-guest.sh\\\n  Comment: no\nSubject: me\nCOMMENT: This is my public key for use on \\\nservers which I don't like.\nx-y: z\n", body(rsa)),
			[]string{"This is my public key for use on servers which I don't like."}},
		{"no blank behind the colon", file("Comment:mine\n", body(rsa)), []string{"mine"}},
		{"the first comment counts", file("Comment: a\nComment: b\n", body(rsa)), []string{"a"}},
		{"two keys", "\n" + file("Comment: a\n", body(rsa)) + "\n\n" + file("Comment: b\n", body(ed)), []string{"a", "b"}},
		{"blanks at the ends", strings.ReplaceAll(file("Comment: a\n", "\n"+body(rsa)), "\n", " \t\r\n"), []string{"a"}},
		{"long lines", file("Comment: "+strings.Repeat("y", 3000)+"\n", strings.ReplaceAll(body(rsa), "\n", "")+"\n"), []string{strings.Repeat("y", 3000)}},
		{"a comment that steers", file("Comment: \x1b[31mred\n", body(rsa)), []string{"?[31mred"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			entries, err := ParseRFC4716([]byte(test.data))
			if err != nil || len(entries) != len(test.comments) {
				t.Fatalf("%d keys, %v", len(entries), err)
			}
			for i, e := range entries {
				if want := []Entry{rsa, ed}[i]; e.Blob() != want.Blob() || e.Comment != test.comments[i] || e.Options != nil {
					t.Errorf("key %d: %q", i, e.Line())
				}
			}
		})
	}
}

func TestRFC4716OpaqueKey(t *testing.T) {
	e, err := ParseEntry("ssh-mldsa44-ed25519 " + opaqueBlob("ssh-mldsa44-ed25519") + " pq")
	if err != nil {
		t.Fatal(err)
	}
	read, err := ParseRFC4716(MarshalRFC4716(e))
	if err != nil || len(read) != 1 || read[0].Line() != e.Line() {
		t.Errorf("got %v, %v; want %s", read, err, e.Line())
	}
}

func TestParseRFC4716Errors(t *testing.T) {
	good := string(MarshalRFC4716(entry(t, "rsa")))
	lines := strings.SplitAfter(good, "\n")
	tests := []struct {
		name, data string
		line       int
		reason     RFC4716Reason
		inner      Reason
	}{
		{"empty", "", 0, RFC4716Empty, 0},
		{"blank", "\r\n\n", 0, RFC4716Empty, 0},
		{"UTF-16", "-\x00-\x00", 0, RFC4716NotText, 0},
		{"too large", strings.Repeat("\n", 1<<20+1), 0, RFC4716TooLarge, 0},
		{"another format", "ssh-ed25519 AAAA\n", 1, RFC4716Stray, 0},
		{"text behind the key", good + "\nssh-ed25519 AAAA\n", strings.Count(good, "\n") + 2, RFC4716Stray, 0},
		{"a private key", "\n---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", 2, RFC4716PrivateKey, 0},
		{"a private key of OpenSSH", "-----BEGIN OPENSSH PRIVATE KEY-----\n", 1, RFC4716PrivateKey, 0},
		{"cut short", "\n" + good[:len(good)-len(end4716)-1], 2, RFC4716NoEnd, 0},
		{"the next key begins", lines[0] + lines[1] + good, 1, RFC4716NoEnd, 0},
		{"only a begin marker", RFC4716Begin, 1, RFC4716NoEnd, 0},
		{"a header in the key", lines[0] + lines[1] + lines[2] + "Comment: x\n" + strings.Join(lines[3:], ""), 4, RFC4716BadHeader, 0},
		{"a header that is not continued", lines[0] + "Comment: x\\\n" + end4716 + "\n", 3, RFC4716BadHeader, 0},
		{"a header that ends the file", lines[0] + "Comment: x\\", 2, RFC4716BadHeader, 0},
		{"no key", "\n" + RFC4716Begin + "\n" + end4716 + "\n", 2, RFC4716BadKey, Malformed},
		{"a line is missing", lines[0] + strings.Join(lines[3:], ""), 1, RFC4716BadKey, BadBase64},
		{"two lines are missing", lines[0] + strings.Join(lines[4:], ""), 1, RFC4716BadKey, Malformed},
		{"not base64", lines[0] + "!" + strings.Join(lines[2:], ""), 1, RFC4716BadKey, BadBase64},
		{"a type and no key", RFC4716Begin + "\nAAAAB3NzaC1uZXc=\n" + end4716 + "\n", 1, RFC4716BadKey, Malformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			entries, err := ParseRFC4716([]byte(test.data))
			var failed *RFC4716Error
			if !errors.As(err, &failed) || failed.Line != test.line || failed.Reason != test.reason || entries != nil {
				t.Fatalf("%v, %v; want line %d, %v", entries, err, test.line, test.reason)
			}
			var inner *ParseError
			if errors.As(err, &inner) != (test.inner != 0) || inner != nil && inner.Reason != test.inner {
				t.Errorf("%v, want %v", err, test.inner)
			}
		})
	}
}

func FuzzMarshalRFC4716(f *testing.F) {
	for _, comment := range hardComments {
		f.Add(comment)
	}
	key := entry(f, "ed25519").Key
	f.Fuzz(func(t *testing.T, comment string) { checkRFC4716(t, NewEntry(key, comment)) })
}

// Whatever is read as a file of keys is read as the same keys when written
// again.
func FuzzParseRFC4716(f *testing.F) {
	for _, name := range []string{"ed25519", "ed25519-cert", "rsa"} {
		data := MarshalRFC4716(entry(f, name))
		f.Add(data)
		f.Add(append(bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")), data...))
	}
	f.Add([]byte(RFC4716Begin + "\nComment: \"a\\\nb\"\nSubject: x\n" + end4716))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := ParseRFC4716(data)
		var failed *RFC4716Error
		if (err == nil) == (len(entries) == 0) || err != nil && !errors.As(err, &failed) {
			t.Fatalf("%d keys, %v", len(entries), err)
		}
		for _, e := range entries {
			if strings.ContainsAny(e.Line(), "\n\r\x00") {
				t.Errorf("the line %q", e.Line())
			}
			again, err := ParseRFC4716(MarshalRFC4716(e))
			if err != nil || len(again) != 1 || ssh.FingerprintSHA256(again[0].Key) != ssh.FingerprintSHA256(e.Key) {
				t.Errorf("written again: %v, %v", again, err)
			}
		}
	})
}
