package identity

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

func TestReadPublicHalf(t *testing.T) {
	tests := []struct {
		name, kind, file string
		comment          string
		format           Format
		sealed           bool // of no use to sign with
	}{
		{name: "OpenSSH", kind: "ed25519", file: string(encode(t, "ed25519", "openssh", false)), comment: "me", format: FormatOpenSSHPrivate},
		{name: "OpenSSH, RSA", kind: "rsa", file: string(encode(t, "rsa", "openssh", false)), comment: "me", format: FormatOpenSSHPrivate},
		{name: "OpenSSH, ECDSA", kind: "ecdsa", file: string(encode(t, "ecdsa", "openssh", false)), comment: "me", format: FormatOpenSSHPrivate},
		{name: "OpenSSH, encrypted", kind: "ed25519", file: string(encode(t, "ed25519", "openssh", true)), format: FormatOpenSSHPrivate},
		{name: "OpenSSH in UTF-16", kind: "ed25519", file: utf16Text("\ufeff"+string(encode(t, "ed25519", "openssh", false)), false), comment: "me", format: FormatOpenSSHPrivate, sealed: true},
		{name: "PKCS #1", kind: "rsa", file: string(encode(t, "rsa", "pem", false)), format: FormatPEMPrivate},
		{name: "SEC 1", kind: "ecdsa", file: string(encode(t, "ecdsa", "pem", false)), format: FormatPEMPrivate},
		{name: "SEC 1 behind its curve", kind: "ecdsa", file: "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + string(encode(t, "ecdsa", "pem", false)), format: FormatPEMPrivate},
		{name: "PKCS #8", kind: "ed25519", file: string(encode(t, "ed25519", "pkcs8", false)), format: FormatPEMPrivate},
		{name: "PKCS #8 behind a text", kind: "rsa", file: "Bag Attributes\n    friendlyName: me\n" + string(encode(t, "rsa", "pkcs8", false)), format: FormatPEMPrivate},
		{name: "behind another public key", kind: "ecdsa", file: published(t, "rsa") + "\n" + string(encode(t, "ecdsa", "pkcs8", false)), format: FormatPEMPrivate},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, public := testKey(t, test.kind)
			path := writeFile(t, filepath.Join(t.TempDir(), "id"), test.file)
			writeFile(t, path+".pub", published(t, "rsa")) // not looked at
			ids, err := ReadPublicHalf(path)
			if err != nil || len(ids) != 1 {
				t.Fatalf("%v, %v", ids, err)
			}
			want := Origin{Source: File, Path: path, Format: test.format, PrivateKey: path, UTF16: strings.Contains(test.name, "UTF-16")}
			if test.sealed {
				want.PrivateKey = ""
			}
			if got := ids[0]; got.Origin != want || got.Entry.Comment != test.comment || string(got.Entry.Key.Marshal()) != string(public.Marshal()) {
				t.Errorf("got %q, %+v", got.Entry.Line(), got.Origin)
			}
			if _, err := ReadFile(path); err == nil {
				t.Error("it is read as a public key file")
			}
		})
	}
}

func TestReadPublicHalfRefuses(t *testing.T) {
	openSSH := string(encode(t, "ed25519", "openssh", false))
	tests := []struct {
		name, file string
		line       int
		err        error
	}{
		{"PEM, encrypted", string(encode(t, "rsa", "pem", true)), 0, ErrNoPublicKey},
		{"PKCS #8, encrypted", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", 0, ErrNoPublicKey},
		{"a kind that is not known", "-----BEGIN ED448 PRIVATE KEY-----\nAAAA\n-----END ED448 PRIVATE KEY-----\n", 0, ErrUnsupported},
		{"cut short", openSSH[:len(openSSH)/2], 0, ErrDamaged},
		{"not what it says", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", 0, ErrDamaged},
		{"SSH.COM", "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nAAAA\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\n", 1, ErrPrivateKey},
		{"SSH-1", "SSH PRIVATE KEY FILE FORMAT 1.1\n", 1, ErrPrivateKey},
		{"a certificate", published(t, "ed25519-cert") + "\n", 1, ErrCertificate},
		{"empty", "", 0, ErrNoKeys},
		{"half a character", "\xff\xfe\x3d\xd8", 0, ErrUTF16},
		{"too large", strings.Repeat("x", maxFile+1), 0, ErrTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := writeFile(t, filepath.Join(t.TempDir(), "id"), test.file)
			ids, err := ReadPublicHalf(path)
			var file *FileError
			if ids != nil || !errors.Is(err, test.err) || !errors.As(err, &file) || file.Path != path || file.Line != test.line {
				t.Errorf("got %v, %v; want %v", ids, err, test.err)
			}
		})
	}
	if _, err := ReadPublicHalf(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := ReadPublicHalf(t.TempDir()); !errors.Is(err, ErrDirectory) {
		t.Errorf("a directory: %v", err)
	}
}

// The comment is found or not found, whatever the lengths in the file say.
func TestPrivateComment(t *testing.T) {
	ed := ssh.Marshal(struct {
		Check, Again    uint32
		Type            string
		Public, Private []byte
		Comment         string
	}{1, 1, ssh.KeyAlgoED25519, make([]byte, 32), make([]byte, 64), "me"})
	if got := privateComment(append(ed, 1, 2, 3)); got != "me" {
		t.Errorf("got %q", got)
	}
	for cut := range ed {
		if got := privateComment(ed[:cut]); got != "" {
			t.Errorf("cut at %d: %q", cut, got)
		}
	}
	if got := privateComment(ssh.Marshal(struct {
		Check, Again uint32
		Type         string
	}{1, 1, "sk-ssh-ed25519@openssh.com"})); got != "" {
		t.Errorf("a security key: %q", got)
	}
}

// TestPrivateCommentOfSecurityKey: the flags are a byte between strings
// (PROTOCOL.u2f in OpenSSH's sources).
func TestPrivateCommentOfSecurityKey(t *testing.T) {
	private := ssh.Marshal(struct {
		Check, Again       uint32
		Type, Key, Applies string
		Flags              byte
		Handle, Reserved   string
		Comment            string
		Padding            [3]byte
	}{1, 1, ssh.KeyAlgoSKED25519, "key", "ssh:", 1, "handle", "", "a comment", [3]byte{1, 2, 3}})
	if got := privateComment(private); got != "a comment" {
		t.Errorf("%q", got)
	}
	for n := range private[:len(private)-3] {
		if got := privateComment(private[:n]); got != "" {
			t.Errorf("cut at %d: %q", n, got)
		}
	}
}
