package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
)

// published is the content of testdata/NAME.pub, one line.
func published(t testing.TB, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name+".pub"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(content))
}

// exported is a public key as ssh-keygen -e or, of Ed25519 in PEM, openssl pkey
// wrote it; the key is that of published.
func exported(t testing.TB, file string) string { return content(t, "exported", file) }

// putty is a file that PuTTYgen 0.78 wrote. The keys of one name are the same,
// NAME.pub is what puttygen -L says of it, NAME.ssh2 what it exports.
func putty(t testing.TB, file string) string { return content(t, "putty", file) }

func content(t testing.TB, dir, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func parsed(t testing.TB, line string) authkeys.Entry {
	t.Helper()
	entry, err := authkeys.ParseEntry(line)
	if err != nil {
		t.Fatal(err)
	}
	return entry
}

// bare keys: the first two fields of a line.
func keyOf(line string) string {
	fields := strings.Fields(line)
	return fields[0] + " " + fields[1]
}

// securityKey is a key line of a security key, which cannot be made without
// one.
func securityKey(t testing.TB) string {
	raw, err := base64.StdEncoding.DecodeString(strings.Fields(published(t, "ed25519"))[1])
	if err != nil {
		t.Fatal(err)
	}
	inside := ssh.Marshal(struct {
		Type        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, raw[len(raw)-32:], "ssh:"})
	return ssh.KeyAlgoSKED25519 + " " + base64.StdEncoding.EncodeToString(inside)
}

func writeFile(t testing.TB, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// keygen is the installed ssh-keygen, the oracle of these tests.
func keygen(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("ssh-keygen")
	if err != nil {
		if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
			t.Fatal("ssh-keygen is not installed, and SSHCOPYID_REQUIRE_ALL is set")
		}
		t.Skip("ssh-keygen is not installed")
	}
	return path
}

// testKeys are private keys of every kind, made once. The ed25519 key is that
// of testdata/encrypted: its passphrase is checked in one round, where a file
// made here would take sixteen.
var testKeys = sync.OnceValue(func() map[string]crypto.Signer {
	content, err := os.ReadFile("testdata/encrypted")
	if err != nil {
		panic(err)
	}
	raw, errEd := ssh.ParseRawPrivateKeyWithPassphrase(content, []byte(passphrase))
	ed, ok := raw.(*ed25519.PrivateKey)
	if !ok {
		panic(errEd)
	}
	ec, errEC := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	rsaKey, errRSA := rsa.GenerateKey(rand.Reader, 2048)
	if errEC != nil || errRSA != nil {
		panic("no keys for the tests")
	}
	return map[string]crypto.Signer{"ed25519": *ed, "ecdsa": ec, "rsa": rsaKey}
})

func testKey(t testing.TB, kind string) (crypto.Signer, ssh.PublicKey) {
	t.Helper()
	key := testKeys()[kind]
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return key, public
}

const passphrase = "open sesame"

// encode writes a private key in a format.
func encode(t testing.TB, kind, format string, encrypted bool) []byte {
	t.Helper()
	key, _ := testKey(t, kind)
	var block *pem.Block
	var err error
	switch format {
	case "openssh":
		switch {
		case !encrypted:
			block, err = ssh.MarshalPrivateKey(key, "me")
		case kind == "ed25519":
			content, err := os.ReadFile("testdata/encrypted")
			if err != nil {
				t.Fatal(err)
			}
			return content
		default:
			block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "me", []byte(passphrase))
		}
	case "pkcs8":
		block = &pem.Block{Type: "PRIVATE KEY"}
		block.Bytes, err = x509.MarshalPKCS8PrivateKey(key)
	case "pem":
		switch key := key.(type) {
		case *rsa.PrivateKey:
			block = &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
		case *ecdsa.PrivateKey:
			block = &pem.Block{Type: "EC PRIVATE KEY"}
			block.Bytes, err = x509.MarshalECPrivateKey(key)
		}
		if encrypted && err == nil {
			// The format is obsolete, and people have such keys.
			block, err = x509.EncryptPEMBlock(rand.Reader, block.Type, block.Bytes, []byte(passphrase), x509.PEMCipherAES128) //lint:ignore SA1019 the format under test
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block)
}
