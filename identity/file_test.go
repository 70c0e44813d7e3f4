package identity

import (
	"errors"
	"io/fs"
	"os/exec"
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

func TestReadFileRefuses(t *testing.T) {
	a := published(t, "ed25519")
	private := string(encode(t, "ed25519", "openssh", false))
	tests := []struct {
		name, content string
		line          int
		err           error           // the cause, or
		reason        authkeys.Reason // that of a ParseError
		reason4716    authkeys.RFC4716Reason
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
		{name: "UTF-16, half a unit at the end", content: utf16Text("\ufeff"+a+"\r\n", false) + "\x00", err: ErrUTF16},
		{name: "UTF-16, half a character at the end", content: utf16Text("\ufeff"+a, false) + "\x3d\xd8", err: ErrUTF16},
		{name: "UTF-16, half a character within", content: utf16Text("\ufeff"+a, false) + "\x3d\xd8x\x00", err: ErrUTF16},
		{name: "UTF-16, the second half first", content: utf16Text("\ufeff"+a, true) + "\xde\x00\xd8\x3d", err: ErrUTF16},
		{name: "UTF-16, only a mark", content: "\xff\xfe", err: ErrNoKeys},
		{name: "UTF-16, text", content: utf16Text("\ufeffnot a key\r\n", false), line: 1, reason: authkeys.NotAKey},
		{name: "UTF-16, private key", content: utf16Text("\ufeff"+private, false), line: 1, err: ErrPrivateKey},
		{name: "UTF-32", content: "\xff\xfe\x00\x00s\x00\x00\x00", line: 1, reason: authkeys.NotText},
		{name: "too large", content: "#" + strings.Repeat("x", maxFile), err: ErrTooLarge},
		{name: "two lines parted by a lone carriage return", content: a + "\r" + a + "\n", line: 1, err: ErrCarriageReturn},
		{name: "what ssh-add -L says of an empty agent", content: "The agent has no identities.\n", line: 1, reason: authkeys.NotAKey},
		{name: "text behind a key", content: a + "\n\nkey\n", line: 3, reason: authkeys.NotAKey},
		{name: "cut short", content: a[:50] + "\n", line: 1, reason: authkeys.BadBase64},
		{name: "an open quote", content: "# x\ncommand=\"ls " + a + "\n", line: 2, reason: authkeys.BadOptions},
		{name: "another type written before the key", content: "ssh-rsa " + strings.Fields(a)[1], line: 1, reason: authkeys.TypeMismatch},
		{name: "unknown type", content: "ssh-new AAAAB3NzaC1uZXc=\n", line: 1, reason: authkeys.UnknownType},
		{name: "RFC 4716 behind a key", content: a + "\n" + exported(t, "rsa.rfc4716"), line: 2, reason: authkeys.ForeignFormat},
		{name: "a key behind RFC 4716", content: exported(t, "ed25519.rfc4716") + a + "\n", line: 5, reason4716: authkeys.RFC4716Stray},
		{name: "RFC 4716, no end", content: "\n---- BEGIN SSH2 PUBLIC KEY ----\n", line: 2, reason4716: authkeys.RFC4716NoEnd},
		{name: "RFC 4716, damaged", content: strings.Replace(exported(t, "rsa.rfc4716"), "AAAA", "AAA", 1), line: 1, reason: authkeys.BadBase64},
		{name: "private key of SSH.COM", content: "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/56wAAAgIAAAAmZGwtbW9kcA==\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\n", line: 1, err: ErrPrivateKey},
		{name: "certificate in RFC 4716", content: exported(t, "rsa.rfc4716") + string(authkeys.MarshalRFC4716(parsed(t, published(t, "rsa-cert")))), line: 10, err: ErrCertificate},
		{name: "PEM, damaged", content: strings.Replace(exported(t, "rsa.pkcs8"), "MIIB", "MIIC", 1), line: 1, err: ErrPEM},
		{name: "PEM, not base64", content: "\n" + strings.Replace(exported(t, "rsa.pkcs8"), "MIIB", "MI.B", 1), line: 2, err: ErrPEM},
		{name: "PEM, the first of two damaged", content: strings.Replace(exported(t, "rsa.pkcs8"), "MIIB", "MI.B", 1) + exported(t, "ed25519.pkcs8"), line: 1, err: ErrPEM},
		{name: "PEM, cut short", content: exported(t, "rsa.pkcs8")[:200], line: 1, err: ErrPEM},
		{name: "PEM, one in the place of the other", content: strings.ReplaceAll(exported(t, "rsa.pkcs8"), "PUBLIC", "RSA PUBLIC"), line: 1, err: ErrPEM},
		{name: "PEM of X25519", content: "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAoqnX/QcXoeU+FDL2PJ9zXiT4McDAgoTKrbbSPaJajOk=\n-----END PUBLIC KEY-----\n", line: 1, err: ErrPEMType},
		{name: "an X.509 certificate", content: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", line: 1, reason: authkeys.ForeignFormat},
		{name: "private key behind PEM", content: exported(t, "ed25519.pkcs8") + string(encode(t, "ecdsa", "pkcs8", false)), line: 4, err: ErrPrivateKey},
		{name: "text behind PEM", content: exported(t, "ed25519.pkcs8") + "\n# mine\n", line: 5, reason: authkeys.ForeignFormat},
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
			if errors.As(err, &parse); test.reason != 0 && (parse == nil || parse.Reason != test.reason) {
				t.Errorf("got %v, want %v", err, test.reason)
			}
			var parse4716 *authkeys.RFC4716Error
			if errors.As(err, &parse4716); test.reason4716 != 0 && (parse4716 == nil || parse4716.Reason != test.reason4716) {
				t.Errorf("got %v, want %v", err, test.reason4716)
			}
			if test.err != nil && !errors.Is(err, test.err) {
				t.Errorf("got %v, want %v", err, test.err)
			}
			for _, line := range strings.Split(strings.ReplaceAll(test.content, "\x00", ""), "\n") {
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

// ssh-keygen -l must see the keys that ReadFile sees.
func TestDescribeAsKeygen(t *testing.T) {
	program := keygen(t)
	tests := []string{published(t, "dsa"), securityKey(t) + " yubi"}
	for _, name := range []string{"ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa", "ed25519-cert", "rsa-cert"} {
		tests = append(tests, published(t, name))
	}
	for _, line := range tests {
		path := writeFile(t, filepath.Join(t.TempDir(), "id.pub"), line+"\n")
		out, err := exec.Command(program, "-l", "-f", path).Output()
		if err != nil {
			t.Errorf("ssh-keygen -l does not know the key %.30s: %v", line, err)
			continue
		}
		entry, err := authkeys.ParseEntry(line)
		if err != nil {
			t.Fatal(err)
		}
		if got := keygenLine(entry); got != strings.TrimSpace(string(out)) {
			t.Errorf("got  %s\nwant %s", got, out)
		}
	}
}
