package identity

import (
	"bytes"
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

// TestReadFileFormats reads public keys as other programs write them. want are
// the lines to install, and where in the file the keys begin.
func TestReadFileFormats(t *testing.T) {
	bare := func(name string) string { return keyOf(published(t, name)) }
	theirs := func(name string) string { return strings.TrimRight(putty(t, name+".pub"), " \n") }
	two := exported(t, "rsa.rfc4716") + "\n" + exported(t, "ed25519.rfc4716")
	tests := []struct {
		name, content string
		format        Format
		want          []string
		numbers       []int
	}{
		{"RFC 4716 of ssh-keygen", exported(t, "rsa.rfc4716"), FormatRFC4716, []string{bare("rsa") + " 2048-bit RSA, converted by alice@laptop from OpenSSH"}, []int{1}},
		{"RFC 4716 of PuTTYgen", putty(t, "ed25519.ssh2"), FormatRFC4716, []string{theirs("ed25519")}, []int{1}},
		{"RFC 4716, RSA", putty(t, "rsa.ssh2"), FormatRFC4716, []string{theirs("rsa")}, []int{1}},
		{"RFC 4716, no comment", putty(t, "ecdsa521.ssh2"), FormatRFC4716, []string{theirs("ecdsa521")}, []int{1}},
		{"RFC 4716, two keys", "\n" + two, FormatRFC4716, []string{
			bare("rsa") + " 2048-bit RSA, converted by alice@laptop from OpenSSH",
			bare("ed25519") + " 256-bit ED25519, converted by alice@laptop from OpenSSH",
		}, []int{2, 12}},
		{"RFC 4716 of Tectia", strings.Replace(exported(t, "ed25519.rfc4716"), "Comment: ", "Subject: alice\nx-note: one line\\\n and another\nComment: \"[256-bit ed25519, \\\nalice@laptop]\"\nComment: ", 1),
			FormatRFC4716, []string{bare("ed25519") + " [256-bit ed25519, alice@laptop]"}, []int{1}},
		{"PKCS #1", exported(t, "rsa.pkcs1"), FormatPEM, []string{bare("rsa")}, []int{1}},
		{"PKCS #8, RSA", exported(t, "rsa.pkcs8"), FormatPEM, []string{bare("rsa")}, []int{1}},
		{"PKCS #8, Ed25519", exported(t, "ed25519.pkcs8"), FormatPEM, []string{bare("ed25519")}, []int{1}},
		{"PKCS #8, P-256", exported(t, "ecdsa256.pkcs8"), FormatPEM, []string{bare("ecdsa256")}, []int{1}},
		{"PKCS #8, P-384", exported(t, "ecdsa384.pkcs8"), FormatPEM, []string{bare("ecdsa384")}, []int{1}},
		{"PKCS #8, P-521", exported(t, "ecdsa521.pkcs8"), FormatPEM, []string{bare("ecdsa521")}, []int{1}},
		{"PKCS #8, DSA", exported(t, "dsa.pkcs8"), FormatPEM, []string{bare("dsa")}, []int{1}},
		{"PEM, two keys", "\n" + exported(t, "ed25519.pkcs8") + "\n" + exported(t, "rsa.pkcs1"), FormatPEM, []string{bare("ed25519"), bare("rsa")}, []int{2, 6}},
		{"lines", "# mine\n" + published(t, "rsa") + "\n", FormatOpenSSH, []string{published(t, "rsa")}, []int{2}},
		{"lines, a comment beyond ASCII", bare("ed25519") + " J\u00fcrgen \U0001f511\n", FormatOpenSSH, []string{bare("ed25519") + " J\u00fcrgen \U0001f511"}, []int{1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for how, content := range written(test.content, test.format) {
				path := writeFile(t, filepath.Join(t.TempDir(), "id.pub"), content)
				wide := strings.HasPrefix(how, "UTF-16")
				for _, read := range []func(string) ([]Identity, error){ReadFile, ReadPublicHalf} {
					ids, err := read(path)
					if err != nil {
						t.Errorf("%s: %v", how, err)
						continue
					}
					var got []string
					var numbers []int
					for _, id := range ids {
						got, numbers = append(got, id.Entry.Line()), append(numbers, id.Origin.Line)
						if want := (Origin{Source: File, Path: path, Line: id.Origin.Line, Format: test.format, UTF16: wide}); id.Origin != want {
							t.Errorf("%s: origin %+v, want %+v", how, id.Origin, want)
						}
					}
					if !slices.Equal(got, test.want) || !slices.Equal(numbers, test.numbers) {
						t.Errorf("%s:\ngot  %q %v\nwant %q %v", how, got, numbers, test.want, test.numbers)
					}
				}
			}
		})
	}
}

func TestReadFileRefusesFormats(t *testing.T) {
	a := published(t, "ed25519")
	private := string(encode(t, "ed25519", "openssh", false))
	for _, test := range []refusal{
		{name: "UTF-16, half a unit at the end", content: utf16Text("\ufeff"+a+"\r\n", false) + "\x00", err: ErrUTF16},
		{name: "UTF-16, half a character at the end", content: utf16Text("\ufeff"+a, false) + "\x3d\xd8", err: ErrUTF16},
		{name: "UTF-16, half a character within", content: utf16Text("\ufeff"+a, false) + "\x3d\xd8x\x00", err: ErrUTF16},
		{name: "UTF-16, the second half first", content: utf16Text("\ufeff"+a, true) + "\xde\x00\xd8\x3d", err: ErrUTF16},
		{name: "UTF-16, only a mark", content: "\xff\xfe", err: ErrNoKeys},
		{name: "UTF-16, text", content: utf16Text("\ufeffnot a key\r\n", false), line: 1, reason: authkeys.NotAKey},
		{name: "UTF-16, private key", content: utf16Text("\ufeff"+private, false), line: 1, err: ErrPrivateKey},
		{name: "UTF-32", content: "\xff\xfe\x00\x00s\x00\x00\x00", line: 1, reason: authkeys.NotText},
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
		{name: "text behind PEM", content: exported(t, "ed25519.pkcs8") + "\n# mine\n", line: 5, err: ErrPEMStray},
		{name: "a key behind PEM", content: exported(t, "ed25519.pkcs8") + a + "\n", line: 4, err: ErrPEMStray},
	} {
		t.Run(test.name, test.check)
	}
}

// written is a file as editors leave it.
func written(content string, format Format) map[string]string {
	windows := strings.ReplaceAll(content, "\n", "\r\n")
	ways := map[string]string{
		"as it is": content, "CRLF": windows, "no last newline": strings.TrimSuffix(content, "\n"),
		"a byte order mark": "\ufeff" + content, "a byte order mark and CRLF": "\ufeff" + windows,
		"UTF-16":                             utf16Text("\ufeff"+windows, false),
		"UTF-16, big-endian":                 utf16Text("\ufeff"+content, true),
		"UTF-16 without a mark":              utf16Text(strings.TrimLeft(content, "\n"), false),
		"UTF-16, big-endian, without a mark": utf16Text(strings.TrimLeft(windows, "\r\n"), true),
	}
	if strings.HasPrefix(content, "\n") { // the line numbers would be others
		delete(ways, "UTF-16 without a mark")
		delete(ways, "UTF-16, big-endian, without a mark")
	}
	if format != FormatOpenSSH { // a carriage return within a line is refused there
		ways["CR"] = strings.ReplaceAll(content, "\n", "\r")
	}
	return ways
}

// A reading of any bytes gives keys that are read back as they are, or an error
// that does not show them.
func FuzzReadFile(f *testing.F) {
	a := published(f, "ed25519")
	for _, seed := range []string{
		a, "\ufeff# x\r\nrestrict " + a + "\r\n", a + "\r" + a, utf16Text("\ufeff"+a, true), "-----BEGIN PRIVATE KEY-----", "",
		exported(f, "rsa.rfc4716"), exported(f, "ed25519.rfc4716") + exported(f, "ed25519.rfc4716"), putty(f, "ed25519.ssh2"),
		exported(f, "rsa.pkcs1"), exported(f, "ed25519.pkcs8") + exported(f, "ecdsa256.pkcs8"), exported(f, "dsa.pkcs8"),
		putty(f, "ed25519-v3.ppk"), utf16Text("\ufeff"+putty(f, "ed25519-v2.ppk"), false),
		string(encode(f, "ed25519", "openssh", false)), string(encode(f, "ecdsa", "pem", false)), string(encode(f, "ecdsa", "pkcs8", false)),
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "id.pub")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		ids, err := ReadFile(path)
		checkRead(t, data, ids, err)
		for _, id := range ids {
			if id.Origin.Format.Private() {
				t.Errorf("%v is read as a public key", id.Origin.Format)
			}
		}
		half, err := ReadPublicHalf(path)
		checkRead(t, data, half, err)
		if ids != nil && !slices.EqualFunc(ids, half, func(a, b Identity) bool { return a.Entry.Line() == b.Entry.Line() && a.Origin == b.Origin }) {
			t.Errorf("%v, and with private keys %v", ids, half)
		}
	})
}

func checkRead(t *testing.T, data []byte, ids []Identity, err error) {
	t.Helper()
	if (err == nil) == (len(ids) == 0) {
		t.Fatalf("%d keys and the error %v", len(ids), err)
	}
	text, _, _ := plainText(data)
	for _, id := range ids {
		line := id.Entry.Line()
		if strings.ContainsAny(line, "\r\n\x00") || id.Origin.Format == FormatOpenSSH && !bytes.Contains(text, []byte(line)) {
			t.Errorf("the line to install is %q", line)
		}
		if again, err := authkeys.ParseEntry(line); err != nil || again.Blob() != id.Entry.Blob() {
			t.Errorf("%q is read as %v, %v", line, again, err)
		}
	}
}
