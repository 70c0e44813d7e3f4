package identity

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"ssh-copy-id/authkeys"
)

// utf16Text is a text as Windows' own tools write it.
func utf16Text(text string, bigEndian bool) string {
	var data []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		if bigEndian {
			data = append(data, byte(unit>>8), byte(unit))
		} else {
			data = append(data, byte(unit), byte(unit>>8))
		}
	}
	return string(data)
}

func TestReadFile(t *testing.T) {
	a, b := published(t, "ed25519"), published(t, "rsa")
	options := `from="10.0.0.0/8",command="echo \"a  b\" c\d" ` + a
	tests := []struct {
		name, content string
		lines         []string // the lines to install
		numbers       []int    // where they stand
	}{
		{"one key", a + "\n", []string{a}, []int{1}},
		{"no last newline", a, []string{a}, []int{1}},
		{"no comment", keyOf(a) + "\n", []string{keyOf(a)}, []int{1}},
		{"several keys", a + "\n" + b + "\n", []string{a, b}, []int{1, 2}},
		{"comments and blank lines", "# mine\n\n  \t\n" + a + "\n  # old: " + b + "\n", []string{a}, []int{4}},
		{"options stay", options + "\n", []string{options}, []int{1}},
		{"outer blanks go, inner ones stay", " \t" + a + "   b\\c\t d \t\n", []string{a + "   b\\c\t d"}, []int{1}},
		{"CRLF", a + "\r\n" + b + "\r\n", []string{a, b}, []int{1, 2}},
		{"byte order mark", "\ufeff" + a + "\n", []string{a}, []int{1}},
		{"byte order mark, options, CRLF", "\ufeff" + options + "\r\n", []string{options}, []int{1}},
		{"byte order mark, comment", "\ufeff# mine\n" + a, []string{a}, []int{2}},
		{"a security key", securityKey(t) + " yubi\n", []string{securityKey(t) + " yubi"}, []int{1}},
		{"the same key twice", a + "\n" + a + "\n", []string{a, a}, []int{1, 2}},
		{"a long line", `environment="X=` + strings.Repeat("x", 500_000) + `" ` + a, []string{`environment="X=` + strings.Repeat("x", 500_000) + `" ` + a}, []int{1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := writeFile(t, filepath.Join(t.TempDir(), "id.pub"), test.content)
			ids, err := ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			var numbers []int
			for _, id := range ids {
				got, numbers = append(got, id.Entry.Line()), append(numbers, id.Origin.Line)
				if id.Origin.Source != File || id.Origin.Path != path || id.Origin.PrivateKey != "" {
					t.Errorf("origin %+v", id.Origin)
				}
			}
			if !slices.Equal(got, test.lines) || !slices.Equal(numbers, test.numbers) {
				t.Errorf("got  %.300q %v\nwant %.300q %v", got, numbers, test.lines, test.numbers)
			}
		})
	}
}

func TestReadFileRefuses(t *testing.T) {
	a := published(t, "ed25519")
	private := string(encode(t, "ed25519", "openssh", false))
	tests := []struct {
		name, content string
		line          int
		err           error           // the cause, or
		reason        authkeys.Reason // that of a ParseError
	}{
		{name: "empty", content: "", err: ErrNoKeys},
		{name: "only comments", content: "# nothing\n\n", err: ErrNoKeys},
		{name: "private key", content: private, line: 1, err: ErrPrivateKey},
		{name: "private key in PEM", content: string(encode(t, "rsa", "pem", true)), line: 1, err: ErrPrivateKey},
		{name: "private key in PKCS #8", content: string(encode(t, "ecdsa", "pkcs8", false)), line: 1, err: ErrPrivateKey},
		{name: "private key behind a public one", content: a + "\n" + private, line: 2, err: ErrPrivateKey},
		{name: "private key behind a byte order mark", content: "\ufeff" + private, line: 1, err: ErrPrivateKey},
		{name: "private key of PuTTY", content: "PuTTY-User-Key-File-3: ssh-ed25519\n", line: 1, err: ErrPrivateKey},
		{name: "certificate", content: published(t, "ed25519-cert") + "\n", line: 1, err: ErrCertificate},
		{name: "certificate behind a key", content: a + "\n" + published(t, "ed25519-cert") + "\n", line: 2, err: ErrCertificate},
		{name: "UTF-16", content: utf16Text("\ufeff"+a+"\r\n", false), err: ErrUTF16},
		{name: "UTF-16, big-endian", content: utf16Text("\ufeff"+a+"\r\n", true), err: ErrUTF16},
		{name: "UTF-16 without a mark", content: utf16Text(a, false), err: ErrUTF16},
		{name: "too large", content: "#" + strings.Repeat("x", maxFile), err: ErrTooLarge},
		{name: "two lines parted by a lone carriage return", content: a + "\r" + a + "\n", line: 1, err: ErrCarriageReturn},
		{name: "what ssh-add -L says of an empty agent", content: "The agent has no identities.\n", line: 1, reason: authkeys.NotAKey},
		{name: "text behind a key", content: a + "\n\nkey\n", line: 3, reason: authkeys.NotAKey},
		{name: "cut short", content: a[:50] + "\n", line: 1, reason: authkeys.BadBase64},
		{name: "an open quote", content: "# x\ncommand=\"ls " + a + "\n", line: 2, reason: authkeys.BadOptions},
		{name: "another type written before the key", content: "ssh-rsa " + strings.Fields(a)[1], line: 1, reason: authkeys.TypeMismatch},
		{name: "unknown type", content: "ssh-new AAAAB3NzaC1uZXc=\n", line: 1, reason: authkeys.UnknownType},
		{name: "RFC 4716", content: "---- BEGIN SSH2 PUBLIC KEY ----\n", line: 1, reason: authkeys.ForeignFormat},
		{name: "NUL", content: a + " a\x00b\n", line: 1, reason: authkeys.NotText},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := writeFile(t, filepath.Join(t.TempDir(), "id.pub"), test.content)
			ids, err := ReadFile(path)
			var file *FileError
			if !errors.As(err, &file) || file.Path != path || file.Line != test.line || ids != nil {
				t.Fatalf("got %v, %#v; want an error about line %d", ids, err, test.line)
			}
			var parse *authkeys.ParseError
			if errors.As(err, &parse); test.err == nil && (parse == nil || parse.Reason != test.reason) {
				t.Errorf("got %v, want %v", err, test.reason)
			}
			if test.err != nil && !errors.Is(err, test.err) {
				t.Errorf("got %v, want %v", err, test.err)
			}
			for _, line := range strings.Split(test.content, "\n") {
				if len(line) > 20 && strings.Contains(err.Error(), line[len(line)-20:]) {
					t.Errorf("the error shows the content: %v", err)
				}
			}
		})
	}
}

func TestReadFileCannotRead(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadFile(filepath.Join(dir, "none.pub")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := ReadFile(dir); !errors.Is(err, ErrDirectory) {
		t.Errorf("directory: %v", err)
	}
	_, err := ReadFile(filepath.Join(dir, "none.pub"))
	if n := strings.Count(err.Error(), "none.pub"); n != 1 {
		t.Errorf("the path is told %d times: %v", n, err)
	}
}

func TestPrivateKeyBeside(t *testing.T) {
	dir := t.TempDir()
	pub := writeFile(t, filepath.Join(dir, "id.pub"), published(t, "rsa")+"\n"+published(t, "ed25519")+"\n")
	private := writeFile(t, filepath.Join(dir, "id"), "x")
	ids, err := ReadFile(pub)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if id.Origin.PrivateKey != private {
			t.Errorf("line %d: %q", id.Origin.Line, id.Origin.PrivateKey)
		}
	}
	other := writeFile(t, filepath.Join(dir, "keys"), published(t, "rsa"))
	if ids, err := ReadFile(other); err != nil || ids[0].Origin.PrivateKey != "" {
		t.Errorf("a file that is not called .pub has a private key beside it: %v, %v", ids, err)
	}
}

func TestPubPath(t *testing.T) {
	for name, want := range map[string]string{
		"id": "id.pub", "id.pub": "id.pub", "a.b/id": "a.b/id.pub", ".pub": ".pub", "idpub": "idpub.pub", "id.pub.pub": "id.pub.pub",
	} {
		if got := PubPath(name); got != want {
			t.Errorf("PubPath(%q) = %q, want %q", name, got, want)
		}
	}
}

func FuzzReadFile(f *testing.F) {
	a := published(f, "ed25519")
	for _, seed := range []string{a, "\ufeff# x\r\nrestrict " + a + "\r\n", a + "\r" + a, utf16Text("\ufeff"+a, true), "-----BEGIN PRIVATE KEY-----", ""} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "id.pub")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		ids, err := ReadFile(path)
		if (err == nil) == (len(ids) == 0) {
			t.Fatalf("%d keys and the error %v", len(ids), err)
		}
		for _, id := range ids {
			line := id.Entry.Line()
			if strings.ContainsAny(line, "\r\n\x00") || !strings.Contains(string(data), line) {
				t.Errorf("the line to install is %q", line)
			}
			if again, err := authkeys.ParseEntry(line); err != nil || again.Blob() != id.Entry.Blob() {
				t.Errorf("%q is read as %v, %v", line, again, err)
			}
		}
	})
}
