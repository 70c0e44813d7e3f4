package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ssh-copy-id/identity"
)

// TestReadableKeyFile has what is taken for a key file where a host should
// stand.
func TestReadableKeyFile(t *testing.T) {
	wide := func(text string) string {
		return "\xff\xfe" + strings.Join(strings.SplitAfter(text, ""), "\x00") + "\x00"
	}
	tests := []struct {
		name, content string
		want          bool
	}{
		{"public key", "ssh-ed25519 AAAA me\n", true},
		{"public key in UTF-16", wide("ssh-ed25519 AAAA me\r\n"), true},
		{"private key of OpenSSH", "-----BEGIN OPENSSH PRIVATE KEY-----\n", true},
		{"PuTTY", "PuTTY-User-Key-File-3: ssh-rsa\r\n", true},
		{"PuTTY, ECDSA", "PuTTY-User-Key-File-3: ecdsa-sha2-nistp256\r\nEncryption: none\r\nComment: me\r\n", true},
		{"RFC 4716", "---- BEGIN SSH2 PUBLIC KEY ----\n", true},
		{"RFC 4716 in UTF-16", wide("---- BEGIN SSH2 PUBLIC KEY ----\r\n"), true},
		{"PEM", "-----BEGIN PUBLIC KEY-----\n", true},
		{"PEM, private", "-----BEGIN RSA PRIVATE KEY-----\n", true},
		{"text", "hello\n", false},
		{"PEM further down", "x\n-----BEGIN PUBLIC KEY-----\n", false},
		{"empty", "", false},
		{"too large", "ssh" + strings.Repeat(" ", maxKeyFile), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := readableKeyFile(path); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
	if dir := t.TempDir(); readableKeyFile(dir) || readableKeyFile(filepath.Join(dir, "none")) {
		t.Error("a directory or nothing at all is taken for a key file")
	}
}

func TestFileNotes(t *testing.T) {
	const half = `INFO: "k.pub" does not exist: the public half of the private key is used` + "\n"
	tests := []struct {
		origin identity.Origin
		want   string
	}{
		{identity.Origin{}, ""},
		{identity.Origin{Format: identity.FormatRFC4716}, ""},
		{identity.Origin{Format: identity.FormatPEM}, ""},
		{identity.Origin{Format: identity.FormatOpenSSHPrivate}, half},
		{identity.Origin{Format: identity.FormatPEMPrivate}, half},
		{identity.Origin{Format: identity.FormatPPK}, `INFO: the public half of the PuTTY key "k" is used; PuTTY can log in with this file, ssh cannot` + "\n"},
		{identity.Origin{UTF16: true}, `WARNING: "k" is in UTF-16, which ssh cannot read; its keys were read all the same, save it as UTF-8` + "\n"},
		{identity.Origin{UTF16: true, Format: identity.FormatOpenSSHPrivate}, half + `WARNING: "k" is in UTF-16, and no program can log in with it; save it as UTF-8` + "\n"},
		{identity.Origin{UTF16: true, Format: identity.FormatPPK}, `INFO: the public half of the PuTTY key "k" is used` + "\n" + `WARNING: "k" is in UTF-16, and no program can log in with it; save it as UTF-8` + "\n"},
	}
	for _, test := range tests {
		var err bytes.Buffer
		p := &printer{name: "me", err: &err}
		test.origin.Path = "k"
		p.fileNotes(test.origin, "k.pub")
		if got := strings.ReplaceAll(err.String(), "me: ", ""); got != test.want {
			t.Errorf("%v, UTF-16 %v: %s", test.origin.Format, test.origin.UTF16, got)
		}
	}
}
