package identity

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGenerate: what is made is read back as a key that signs, with its
// passphrase and no other.
func TestGenerate(t *testing.T) {
	for _, passphrase := range []string{"", "five5"} {
		private, public, err := Generate("me@laptop", []byte(passphrase))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "id_ed25519")
		if err := os.WriteFile(file, private, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file+".pub", []byte(public.Line()+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		ids, err := ReadFile(file + ".pub")
		if err != nil || len(ids) != 1 || ids[0].Entry.Comment != "me@laptop" || ids[0].Entry.Key.Type() != "ssh-ed25519" {
			t.Fatalf("%v, %v", ids, err)
		}
		key, err := openKey(file, func() ([]byte, error) { return []byte(passphrase), nil })
		if err != nil {
			t.Fatal(err)
		}
		if key.Encrypted() != (passphrase != "") || !bytes.Equal(key.PublicKey().Marshal(), public.Key.Marshal()) {
			t.Errorf("%q: encrypted %v", passphrase, key.Encrypted())
		}
		data := []byte("data")
		signature, err := key.Sign(rand.Reader, data)
		if err != nil || public.Key.Verify(data, signature) != nil {
			t.Errorf("%q: %v", passphrase, err)
		}
		if passphrase != "" {
			answers := 0
			other, err := openKey(file, func() ([]byte, error) {
				if answers++; answers == 1 {
					return []byte("another one"), nil
				}
				return nil, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := other.Sign(rand.Reader, data); !errors.Is(err, ErrNoPassphrase) || answers != 2 {
				t.Errorf("another passphrase: %v after %d answers", err, answers)
			}
		}
	}
}

func TestGenerateRefuses(t *testing.T) {
	if _, _, err := Generate("", []byte("four")); !errors.Is(err, ErrShortPassphrase) {
		t.Errorf("a short passphrase: %v", err)
	}
}

// TestGenerateComment: a newline would make a second line of the .pub file.
func TestGenerateComment(t *testing.T) {
	_, public, err := Generate("a\nssh-ed25519 b", nil)
	if err != nil || strings.ContainsAny(public.Line(), "\r\n") {
		t.Errorf("%q, %v", public.Line(), err)
	}
}
