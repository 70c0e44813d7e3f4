package authkeys

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// pub is the line of testdata/NAME.pub and its first two fields.
func pub(t testing.TB, name string) (line, key string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name+".pub"))
	if err != nil {
		t.Fatal(err)
	}
	line = strings.TrimSpace(string(content))
	fields := strings.Fields(line)
	return line, fields[0] + " " + fields[1]
}

// skPub is a key line of a security key, which cannot be made without one.
func skPub(keyType string, fields any) string {
	inside := append(ssh.Marshal(struct{ Type string }{keyType}), ssh.Marshal(fields)...)
	return keyType + " " + base64.StdEncoding.EncodeToString(inside)
}

func skEd25519(t testing.TB) string {
	_, key := pub(t, "ed25519")
	raw, _ := base64.StdEncoding.DecodeString(strings.Fields(key)[1])
	return skPub(ssh.KeyAlgoSKED25519, struct {
		Key         []byte
		Application string
	}{raw[len(raw)-32:], "ssh:"})
}

func skECDSA(t testing.TB) string {
	_, key := pub(t, "ecdsa256")
	raw, _ := base64.StdEncoding.DecodeString(strings.Fields(key)[1])
	return skPub(ssh.KeyAlgoSKECDSA256, struct {
		Curve       string
		Key         []byte
		Application string
	}{"nistp256", raw[len(raw)-65:], "ssh:"})
}

// A lineTest is one line of an authorized_keys file and what it says.
type lineTest struct {
	name, line string
	options    []string
	comment    string
	reason     Reason // not an entry, for this reason
	type_      string // the key type in the error
	keygen     bool   // ssh-keygen -l judges otherwise than sshd; see TestKeygenAgrees
}

func lineTests(t testing.TB) []lineTest {
	_, k := pub(t, "ed25519")
	_, rsa := pub(t, "rsa")
	_, certificate := pub(t, "ed25519-cert")
	blob := strings.Fields(k)[1]
	raw, _ := base64.StdEncoding.DecodeString(blob)
	cut := base64.StdEncoding.EncodeToString(raw[:len(raw)-1])
	long := strings.Repeat("x", 65)
	return append(keyLines(t), []lineTest{
		// What stands around the key.
		{name: "no comment", line: k},
		{name: "comment of several words", line: k + " alice's  old\tlaptop", comment: "alice's  old\tlaptop"},
		{name: "blanks and tabs around the fields", line: " \t" + strings.Replace(k, " ", " \t ", 1) + "\t \talice \t", comment: "alice"},
		{name: "carriage return at the end", line: k + " alice\r", comment: "alice"},
		{name: "carriage return right behind the key", line: k + "\r"},
		{name: "newline at the end", line: k + " alice\r\n", comment: "alice"},
		{name: "a key as comment", line: k + " " + rsa, comment: rsa},
		{name: "a comment sign behind the key", line: k + " #alice", comment: "#alice"},
		{name: "a vertical tab in the base64", line: k[:40] + "\v" + k[40:]},

		{name: "a signature algorithm in place of the type", line: strings.Replace(rsa, "ssh-rsa", "rsa-sha2-256", 1)},

		// Options.
		{name: "one option", line: "restrict " + k, options: []string{"restrict"}},
		{name: "options", line: `restrict,pty,from="10.0.0.0/8" ` + k + " alice", options: []string{"restrict", "pty", `from="10.0.0.0/8"`}, comment: "alice"},
		{name: "a comma in quotes", line: `from="*.example.org,!bad.example.org",no-pty ` + k, options: []string{`from="*.example.org,!bad.example.org"`, "no-pty"}},
		{name: "blanks in quotes", line: `command="ls -l	/tmp" ` + k + " alice", options: []string{`command="ls -l	/tmp"`}, comment: "alice"},
		{name: "an escaped quote in quotes", line: `command="echo \"a, b\"",pty ` + k, options: []string{`command="echo \"a, b\""`, "pty"}},
		{name: "a backslash before the last quote is one more escaped quote", line: `command="a\",pty ` + k, reason: BadOptions},
		{name: "two backslashes escape the quote too", line: `command="a\\",pty ` + k, reason: BadOptions},
		{name: "a key in quotes", line: `command="` + rsa + `" ` + k, options: []string{`command="` + rsa + `"`}},
		{name: "several blanks behind the options", line: "restrict \t " + k, options: []string{"restrict"}, keygen: true},
		{name: "a comma at the end of the options", line: "restrict, " + k, options: []string{"restrict"}},
		{name: "an option sshd does not know", line: "no-such-option " + k, options: []string{"no-such-option"}},
		{name: "an open quote", line: `from="10.0.0.0/8 ` + k, reason: BadOptions},
		{name: "options behind the key are a comment", line: k + ` from="10.0.0.0/8"`, comment: `from="10.0.0.0/8"`},

		// No entries.
		{name: "empty", line: "", reason: NoEntry},
		{name: "blank", line: " \t\r\n", reason: NoEntry},
		{name: "comment", line: "  # " + k, reason: NoEntry},
		{name: "text", line: "The agent has no identities.", reason: NotAKey},
		{name: "a key without its type", line: blob, reason: NotAKey},
		{name: "a type without its key", line: "ssh-ed25519", reason: NotAKey},
		{name: "a type without its key, options", line: "restrict ssh-ed25519", reason: NotAKey},
		{name: "cut short in the base64", line: k[:len(k)-3], reason: BadBase64},
		{name: "cut short in the key", line: "ssh-ed25519 " + cut, reason: Malformed, type_: "ssh-ed25519"},
		{name: "cut short, options", line: "restrict " + k[:len(k)-3], reason: BadBase64},
		{name: "stray bits in the base64", line: rsa[:len(rsa)-2] + "R=", reason: BadBase64},
		{name: "another type written before the key", line: "ssh-rsa " + blob, reason: TypeMismatch, type_: "ssh-rsa"},
		{name: "an option called as a key type", line: "ssh-rsa " + k, reason: BadBase64, keygen: true},
		{name: "a signature algorithm of another kind of key", line: "rsa-sha2-256 " + blob, reason: TypeMismatch, type_: "rsa-sha2-256"},
		{name: "a type and no key", line: "ssh-xmss@openssh.com AAAAFHNzaC14bXNzQG9wZW5zc2guY29t", reason: Malformed, type_: "ssh-xmss@openssh.com"},
		{name: "a type and no key, options", line: `command="ls" ssh-new AAAAB3NzaC1uZXc=`, reason: Malformed, type_: "ssh-new"},
		{name: "a word that is not the type in the key", line: "ssh-new " + blob, reason: UnknownType, type_: "ssh-new"},
		{name: "an option and a key without its type", line: "restrict " + blob, reason: UnknownType, type_: "restrict"},
		{name: "a word before base64 of something else", line: "hello AAAAd29ybGQ= all", reason: UnknownType, type_: "hello"},
		{name: "an unknown type in another case", line: "SSH-FOO " + opaqueBlob("ssh-foo"), reason: UnknownType, type_: "SSH-FOO"},
		{name: "an unknown type, cut short in the base64", line: "ssh-foo " + opaqueBlob("ssh-foo")[:21], reason: BadBase64},
		{name: "an unknown type, glued to the next key", line: "ssh-foo " + opaqueBlob("ssh-foo") + rsa, reason: GluedKeys},
		{name: "a damaged DSA key", line: "ssh-dss " + opaqueBlob("ssh-dss"), reason: Malformed, type_: "ssh-dss"},
		{name: "a type longer than a name may be", line: long + " " + opaqueBlob(long), reason: NotAKey},
		{name: "byte order mark", line: "\ufeff" + k, reason: ByteOrderMark},
		{name: "byte order mark before options", line: "\ufeffrestrict " + k, reason: ByteOrderMark, keygen: true},
		{name: "glued to the next key", line: k + rsa, reason: GluedKeys},
		{name: "glued to the next key by its comment", line: k + " alice" + rsa, comment: "alice" + rsa},
		{name: "UTF-16", line: "s\x00s\x00h\x00-\x00", reason: NotText},
		{name: "two lines", line: k + "\n" + rsa, reason: SeveralLines, keygen: true},
		{name: "an SSH1 key", line: "1024 35 1234567890", reason: NotAKey},
		{name: "private key", line: "-----BEGIN OPENSSH PRIVATE KEY-----", reason: PrivateKey},
		{name: "private key, PEM", line: "-----BEGIN RSA PRIVATE KEY-----", reason: PrivateKey},
		{name: "private key, PuTTY", line: "PuTTY-User-Key-File-3: ssh-ed25519", reason: PrivateKey},
		{name: "RFC 4716", line: "---- BEGIN SSH2 PUBLIC KEY ----", reason: ForeignFormat},
		{name: "PEM", line: "-----BEGIN PUBLIC KEY-----", reason: ForeignFormat},
		{name: "certificate", line: certificate},
	}...)
}

// opaqueTypes are types that are not understood here, and opaqueBlob is a key of
// one in base64.
var opaqueTypes = []string{
	"ssh-mldsa44-ed25519", "ssh-mldsa44-ed25519@openssh.com", "ssh-foo@example.com", "x", "ssh-xmss+2@host.example.org",
	"ssh-mldsa44-ed25519-cert", "ssh-foo-cert-v01@example.com",
}

func opaqueBlob(keyType string) string {
	wire := append([]byte{0, 0, 0, byte(len(keyType))}, keyType...)
	return base64.StdEncoding.EncodeToString(append(wire, "\x00\x00\x00\x05bytes"...))
}

// keyLines are keys of every type.
func keyLines(t testing.TB) []lineTest {
	var tests []lineTest
	for _, name := range []string{"ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa", "dsa", "ed25519-cert", "rsa-cert"} {
		line, key := pub(t, name)
		comment := strings.TrimPrefix(line[len(key):], " ")
		tests = append(tests, lineTest{name: name, line: line, comment: comment})
	}
	for _, name := range opaqueTypes {
		tests = append(tests, lineTest{name: name, line: name + " " + opaqueBlob(name) + " new kind", comment: "new kind", keygen: true})
	}
	return append(tests,
		lineTest{name: "ed25519-sk", line: skEd25519(t) + " yubi", comment: "yubi"},
		lineTest{name: "ecdsa-sk", line: skECDSA(t) + " yubi", comment: "yubi"})
}

func TestParseEntry(t *testing.T) {
	for _, test := range lineTests(t) {
		t.Run(test.name, func(t *testing.T) {
			e, err := ParseEntry(test.line)
			if test.reason != 0 {
				var failed *ParseError
				if !errors.As(err, &failed) || failed.Reason != test.reason || failed.Type != test.type_ {
					t.Fatalf("got %v, want %v (%s)", err, test.reason, test.type_)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(e.Options, test.options) || e.Comment != test.comment {
				t.Errorf("options %q, comment %q; want %q, %q", e.Options, e.Comment, test.options, test.comment)
			}
			if want := strings.TrimLeft(strings.TrimRight(test.line, " \t\r\n"), " \t"); e.Line() != want {
				t.Errorf("line %q, want %q", e.Line(), want)
			}
			if want := base64.StdEncoding.EncodeToString(e.Key.Marshal()); e.Blob() != want {
				t.Errorf("blob %q, want %q", e.Blob(), want)
			}
			if want := strings.Contains(test.line, "-cert"); e.Certificate() != want {
				t.Errorf("certificate: %v, want %v", e.Certificate(), want)
			}
		})
	}
}

// TestOpaqueKeys: nothing but the type and the bytes of an unknown key is used.
func TestOpaqueKeys(t *testing.T) {
	e, err := ParseEntry(`from="10.0.0.0/8" ssh-mldsa44-ed25519 ` + opaqueBlob("ssh-mldsa44-ed25519") + " pq")
	if err != nil {
		t.Fatal(err)
	}
	if !Opaque(e.Key) || e.Key.Type() != "ssh-mldsa44-ed25519" || len(e.Options) != 1 {
		t.Errorf("got %#v", e)
	}
	if err := e.Key.Verify([]byte("data"), &ssh.Signature{Format: e.Key.Type()}); !errors.Is(err, ErrOpaque) {
		t.Errorf("a signature: %v", err)
	}
	if file := Parse([]byte(e.Line() + "\n")); len(file.Find(e.Key)) != 1 || len(file.Remove(e.Key)) != 1 || len(file.Bytes()) != 0 {
		t.Errorf("the key is not found again")
	}
	plain, err := ParseEntry(func() string { line, _ := pub(t, "ed25519"); return line }())
	if err != nil || Opaque(plain.Key) {
		t.Errorf("an Ed25519 key: %v", err)
	}
	for _, blob := range []string{"", "\x00\x00\x00", "\x00\x00\x00\x09ssh-foo", "\x00\x00\x00\x00x", "\x00\x00\x00\x03a bx"} {
		if key, err := ParseKey([]byte(blob)); err == nil {
			t.Errorf("%q is a key: %v", blob, key)
		}
	}
}

func TestErrorsHoldNoContent(t *testing.T) {
	const secret = "correct-horse-battery-staple"
	for _, line := range []string{secret, secret + " " + secret, "ssh-rsa " + secret, `command="` + secret, secret + "! AAAA" + secret} {
		_, err := ParseEntry(line)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestNewEntry(t *testing.T) {
	line, k := pub(t, "ed25519")
	parsed, err := ParseEntry(line)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, comment string
		options       []string
		want          string
	}{
		{"no comment", "", nil, k},
		{"comment", "alice@laptop", nil, k + " alice@laptop"},
		{"options", "alice", []string{"restrict", `command="ls -l"`}, `restrict,command="ls -l" ` + k + " alice"},
		{"a newline cannot start a second entry", "a\nssh-ed25519 AAAA", nil, k + " a?ssh-ed25519 AAAA"},
		{"nor can a carriage return", "a\rb", nil, k + " a?b"},
		{"nor a newline in an option", "", []string{"restrict\n" + k}, "restrict?" + k + " " + k},
		{"terminal controls", "\x1b[31mred\x7f\u009b\u2028\x00", nil, k + " ?[31mred????"},
		{"accents and Latin-1 stay", "J\u00fcrgen J\xfcrgen", nil, k + " J\u00fcrgen J\xfcrgen"},
		{"outer blanks go", "  alice  ", nil, k + " alice"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := NewEntry(parsed.Key, test.comment, test.options...)
			if e.Line() != test.want {
				t.Errorf("line %q, want %q", e.Line(), test.want)
			}
			if e.Blob() != parsed.Blob() {
				t.Errorf("blob %q, want %q", e.Blob(), parsed.Blob())
			}
		})
	}
	if empty := (Entry{}); empty.Line() != "" || empty.Blob() != "" || empty.Certificate() {
		t.Errorf("an entry without a key has the line %q, the blob %q", empty.Line(), empty.Blob())
	}
}
