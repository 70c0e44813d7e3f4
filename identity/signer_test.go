package identity

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
)

// person answers for a passphrase, and counts how often.
type person struct {
	answers []string // the last one is repeated
	err     error
	asked   atomic.Int32
}

func (p *person) answer() ([]byte, error) {
	n := int(p.asked.Add(1))
	if p.err != nil {
		return nil, p.err
	}
	return []byte(p.answers[min(n, len(p.answers))-1]), nil
}

// checkSigns signs with every algorithm of the key and checks the signatures.
func checkSigns(t *testing.T, signer *PrivateKey, public ssh.PublicKey) {
	t.Helper()
	data := []byte("session")
	for _, algorithm := range append(signer.Algorithms(), "") {
		signature, err := signer.SignWithAlgorithm(rand.Reader, data, algorithm)
		if err != nil {
			t.Errorf("%q: %v", algorithm, err)
			continue
		}
		if algorithm != "" && signature.Format != algorithm {
			t.Errorf("%q: the signature is %s", algorithm, signature.Format)
		}
		if err := public.Verify(data, signature); err != nil {
			t.Errorf("%q: %v", algorithm, err)
		}
	}
}

func TestSigner(t *testing.T) {
	tests := []struct {
		kind, format string
		encrypted    bool
		pub          bool // a .pub file is needed
	}{
		{kind: "ed25519", format: "openssh"},
		{kind: "ecdsa", format: "openssh"},
		{kind: "rsa", format: "openssh"},
		{kind: "ed25519", format: "openssh", encrypted: true},
		{kind: "ed25519", format: "pkcs8"},
		{kind: "rsa", format: "pkcs8"},
		{kind: "rsa", format: "pem"},
		{kind: "ecdsa", format: "pem"},
		{kind: "rsa", format: "pem", encrypted: true, pub: true},
		{kind: "ecdsa", format: "pem", encrypted: true, pub: true},
	}
	for _, test := range tests {
		name := test.kind + " " + test.format
		if test.encrypted {
			name += " encrypted"
		}
		for _, beside := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", .pub beside it"}[beside], func(t *testing.T) {
				_, public := testKey(t, test.kind)
				path := writeFile(t, filepath.Join(t.TempDir(), "id"), string(encode(t, test.kind, test.format, test.encrypted)))
				if beside {
					writeFile(t, path+".pub", string(ssh.MarshalAuthorizedKey(public)))
				}
				me := &person{answers: []string{passphrase}}
				signer, err := openKey(path, me.answer)
				if test.pub && !beside {
					if !errors.Is(err, ErrNoPublicKey) {
						t.Errorf("without a public key: %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if string(signer.PublicKey().Marshal()) != string(public.Marshal()) {
					t.Error("another public key")
				}
				if encrypted, err := Encrypted(path); encrypted != test.encrypted || err != nil || signer.Encrypted() != test.encrypted {
					t.Errorf("encrypted: %v, %v, %v", encrypted, err, signer.Encrypted())
				}
				if n := me.asked.Load(); n != 0 {
					t.Errorf("asked %d times before it signs", n)
				}
				checkSigns(t, signer, public)
				if n := me.asked.Load(); test.encrypted && n != 1 || !test.encrypted && n != 0 {
					t.Errorf("asked %d times", n)
				}
			})
		}
	}
}

func TestAlgorithms(t *testing.T) {
	for kind, want := range map[string]string{
		"rsa": "rsa-sha2-512 rsa-sha2-256 ssh-rsa", "ed25519": "ssh-ed25519", "ecdsa": "ecdsa-sha2-nistp256",
	} {
		path := writeFile(t, filepath.Join(t.TempDir(), "id"), string(encode(t, kind, "openssh", false)))
		signer, err := openKey(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(signer.Algorithms(), " "); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}

func TestPassphrases(t *testing.T) {
	interrupted := errors.New("interrupted")
	tests := []struct {
		name  string
		me    *person
		asked int32
		err   error
	}{
		{"right", &person{answers: []string{passphrase}}, 1, nil},
		{"right at last", &person{answers: []string{"a", "b", passphrase}}, 3, nil},
		{"wrong", &person{answers: []string{"a"}}, 3, ErrWrongPassphrase},
		{"empty", &person{answers: []string{""}}, 1, ErrNoPassphrase},
		{"wrong, then empty", &person{answers: []string{"a", ""}}, 2, ErrNoPassphrase},
		{"interrupted", &person{err: interrupted}, 1, interrupted},
	}
	for kind, format := range map[string]string{"ed25519": "openssh", "rsa": "pem"} {
		_, public := testKey(t, kind)
		path := writeFile(t, filepath.Join(t.TempDir(), "id"), string(encode(t, kind, format, true)))
		writeFile(t, path+".pub", string(ssh.MarshalAuthorizedKey(public)))
		for _, test := range tests {
			t.Run(format+" "+test.name, func(t *testing.T) {
				test.me.asked.Store(0)
				signer, err := openKey(path, test.me.answer)
				if err != nil {
					t.Fatal(err)
				}
				for range 2 { // the answer is kept, whatever it is
					_, err = signer.SignWithAlgorithm(rand.Reader, []byte("x"), signer.Algorithms()[0])
					if !errors.Is(err, test.err) || test.err == nil && err != nil {
						t.Errorf("got %v, want %v", err, test.err)
					}
				}
				if n := test.me.asked.Load(); n != test.asked {
					t.Errorf("asked %d times, want %d", n, test.asked)
				}
				if err != nil && !strings.Contains(err.Error(), path) {
					t.Errorf("the error does not name the file: %v", err)
				}
			})
		}
		signer, err := openKey(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signer.Sign(rand.Reader, nil); !errors.Is(err, ErrNoPassphrase) {
			t.Errorf("nobody to ask: %v", err)
		}
	}
}

// Two connections may sign at once; the person is asked once.
func TestSignersAtOnce(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "id"), string(encode(t, "ed25519", "openssh", true)))
	me := &person{answers: []string{passphrase}}
	signer, err := openKey(path, me.answer)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := signer.Sign(rand.Reader, []byte("x")); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := me.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestPassphraseIsForgotten(t *testing.T) {
	path := writeFile(t, filepath.Join(t.TempDir(), "id"), string(encode(t, "ed25519", "openssh", true)))
	given := []byte(passphrase)
	signer, err := openKey(path, func() ([]byte, error) { return given, nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signer.Sign(rand.Reader, nil); err != nil {
		t.Fatal(err)
	}
	if strings.Trim(string(given), "\x00") != "" {
		t.Errorf("still there: %q", given)
	}
}

func TestSignerMismatch(t *testing.T) {
	_, other := testKey(t, "ecdsa")
	path := writeFile(t, filepath.Join(t.TempDir(), "id"), string(encode(t, "rsa", "pem", true)))
	writeFile(t, path+".pub", string(ssh.MarshalAuthorizedKey(other)))
	signer, err := openKey(path, (&person{answers: []string{passphrase}}).answer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signer.Sign(rand.Reader, nil); !errors.Is(err, ErrMismatch) {
		t.Errorf("got %v", err)
	}
	// An OpenSSH key tells its own public half, which counts for more.
	_, own := testKey(t, "ed25519")
	writeFile(t, path, string(encode(t, "ed25519", "openssh", true)))
	signer, err = openKey(path, nil)
	if err != nil || string(signer.PublicKey().Marshal()) != string(own.Marshal()) {
		t.Errorf("the public key is not its own: %v", err)
	}
}

func TestSignerRefuses(t *testing.T) {
	good := string(encode(t, "ed25519", "openssh", false))
	tests := []struct {
		name, content string
		err           error
	}{
		{"empty", "", ErrNotPrivateKey},
		{"public key", published(t, "rsa"), ErrNotPrivateKey},
		{"PuTTY", "PuTTY-User-Key-File-3: ssh-ed25519\n", ErrUnsupported},
		{"PKCS #8, encrypted", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", ErrNoPublicKey},
		{"cut short", good[:len(good)/2], ErrDamaged},
		{"not what it says", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", ErrDamaged},
		{"not what it says, PEM", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", ErrDamaged},
		{"unknown cipher", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: CAMELLIA-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", ErrUnsupported},
		{"too large", strings.Repeat("x", maxFile+1), ErrTooLarge},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := writeFile(t, filepath.Join(t.TempDir(), "id"), test.content)
			signer, err := openKey(path, nil)
			var file *FileError
			if signer != nil || !errors.Is(err, test.err) || !errors.As(err, &file) || file.Path != path {
				t.Errorf("got %v, want %v", err, test.err)
			}
		})
	}
	if _, err := openKey(filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := Encrypted(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	pkcs8 := writeFile(t, filepath.Join(t.TempDir(), "id"), tests[3].content)
	if encrypted, err := Encrypted(pkcs8); !encrypted || err != nil {
		t.Errorf("PKCS #8: %v, %v", encrypted, err)
	}
}

// openKey opens a private key that needs nothing but a passphrase.
func openKey(path string, passphrase func() ([]byte, error)) (*PrivateKey, error) {
	return OpenPrivateKey(path, PrivateKeyOptions{Passphrase: passphrase})
}
