package identity

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"path/filepath"
	"testing"

	"github.com/youmark/pkcs8"
	"golang.org/x/crypto/ssh"
)

// A damaged PKCS #8 file is an error, whatever its lengths say.
func TestDamagedPKCS8(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := pkcs8.MarshalPrivateKey(key, []byte(passphrase), nil)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range 200 {
		if _, err := parsePKCS8(der[:len(der)-1-cut*len(der)/200], []byte(passphrase)); err == nil {
			t.Fatalf("cut %d: no error", cut)
		}
	}
	for i := range der {
		damaged := bytes.Clone(der)
		damaged[i] ^= 0x55
		if i > 80 && i < len(der)-40 {
			continue // the key itself: a wrong passphrase looks the same
		}
		parsePKCS8(damaged, []byte(passphrase)) // must not panic
	}
	if _, err := parsePKCS8(der, []byte("other")); !errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("another passphrase: %v", err)
	}
}

func TestWhenUnlocked(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "id"), string(encode(t, "ed25519", "openssh", true)))
	called := 0
	var unlocked ssh.Signer
	signer, err := OpenPrivateKey(path, PrivateKeyOptions{
		Passphrase: func() ([]byte, error) { return []byte(passphrase), nil },
		WhenUnlocked: func(raw any) {
			var err error
			if unlocked, err = ssh.NewSignerFromKey(raw); err != nil {
				t.Error(err)
			}
			called++
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	checkSigns(t, signer, signer.PublicKey())
	checkSigns(t, signer, signer.PublicKey())
	if called != 1 || !bytes.Equal(unlocked.PublicKey().Marshal(), signer.PublicKey().Marshal()) {
		t.Errorf("called %d times, with %v", called, unlocked)
	}
}
