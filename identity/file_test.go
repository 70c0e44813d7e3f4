package identity

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ssh-copy-id/authkeys"
)

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

// refusal is a file that is not read, and why.
type refusal struct {
	name, content string
	line          int
	err           error           // the cause, or
	reason        authkeys.Reason // that of a ParseError, or
	reason4716    authkeys.RFC4716Reason
}

func (r refusal) check(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "id.pub"), r.content)
	ids, err := ReadFile(path)
	var file *FileError
	if !errors.As(err, &file) || file.Path != path || file.Line != r.line || ids != nil {
		t.Fatalf("got %v, %#v; want an error about line %d", ids, err, r.line)
	}
	var parse *authkeys.ParseError
	if errors.As(err, &parse); r.reason != 0 && (parse == nil || parse.Reason != r.reason) {
		t.Errorf("got %v, want %v", err, r.reason)
	}
	var parse4716 *authkeys.RFC4716Error
	if errors.As(err, &parse4716); r.reason4716 != 0 && (parse4716 == nil || parse4716.Reason != r.reason4716) {
		t.Errorf("got %v, want %v", err, r.reason4716)
	}
	if r.err != nil && !errors.Is(err, r.err) {
		t.Errorf("got %v, want %v", err, r.err)
	}
	for _, line := range strings.Split(strings.ReplaceAll(r.content, "\x00", ""), "\n") {
		if len(line) > 20 && strings.Contains(err.Error(), line[len(line)-20:]) {
			t.Errorf("the error shows the content: %v", err)
		}
	}
}

func TestReadFileRefuses(t *testing.T) {
	a := published(t, "ed25519")
	private := string(encode(t, "ed25519", "openssh", false))
	for _, test := range []refusal{
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
		{name: "too large", content: "#" + strings.Repeat("x", maxFile), err: ErrTooLarge},
		{name: "two lines parted by a lone carriage return", content: a + "\r" + a + "\n", line: 1, err: ErrCarriageReturn},
		{name: "what ssh-add -L says of an empty agent", content: "The agent has no identities.\n", line: 1, reason: authkeys.NotAKey},
		{name: "text behind a key", content: a + "\n\nkey\n", line: 3, reason: authkeys.NotAKey},
		{name: "cut short", content: a[:50] + "\n", line: 1, reason: authkeys.BadBase64},
		{name: "an open quote", content: "# x\ncommand=\"ls " + a + "\n", line: 2, reason: authkeys.BadOptions},
		{name: "another type written before the key", content: "ssh-rsa " + strings.Fields(a)[1], line: 1, reason: authkeys.TypeMismatch},
		{name: "another type than the key's", content: "ssh-new AAAAB3NzaC1uZXd4\nssh-old AAAAB3NzaC1uZXd4\n", line: 2, reason: authkeys.UnknownType},
		{name: "NUL", content: a + " a\x00b\n", line: 1, reason: authkeys.NotText},
	} {
		t.Run(test.name, test.check)
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
