package identity

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestLooksLikeKey has what is taken for a key file in the place of a host.
func TestLooksLikeKey(t *testing.T) {
	wide := func(text string) string { return utf16Text("\ufeff"+text, false) }
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
		{"too large", "ssh" + strings.Repeat(" ", maxFile), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := writeFile(t, filepath.Join(t.TempDir(), "file"), test.content)
			if got := LooksLikeKey(path); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
	if dir := t.TempDir(); LooksLikeKey(dir) || LooksLikeKey(filepath.Join(dir, "none")) {
		t.Error("a directory or nothing at all is taken for a key file")
	}
}
