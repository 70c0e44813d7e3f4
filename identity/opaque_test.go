package identity

import (
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"ssh-copy-id/authkeys"
)

// opaqueWire is a key of a type that is not understood here.
func opaqueWire(keyType string) []byte {
	return ssh.Marshal(struct{ Type, Key string }{keyType, strings.Repeat("k", 1344)})
}

func opaqueLine(t testing.TB, keyType, comment string) string {
	t.Helper()
	key, err := authkeys.ParseKey(opaqueWire(keyType))
	if err != nil {
		t.Fatal(err)
	}
	return authkeys.NewEntry(key, comment).Line()
}

// opaquePrivate is a private key file as OpenSSH writes it without a passphrase:
// the private half of these keys is one string, as of Ed25519.
func opaquePrivate(keyType, comment string) string {
	private := ssh.Marshal(struct {
		Check, Again               uint32
		Type, Public, Seed, Remark string
	}{1, 1, keyType, strings.Repeat("k", 1344), strings.Repeat("s", 64), comment})
	return string(pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: append([]byte(openSSHMagic),
		ssh.Marshal(openSSHHeader{Cipher: "none", KDF: "none", Keys: 1, Public: opaqueWire(keyType), Private: private})...)}))
}

// The bits and the name are those that ssh-keygen -l of OpenSSH 10.6 prints.
func TestOpaqueKeysAreListed(t *testing.T) {
	for keyType, want := range map[string]string{
		"ssh-mldsa44-ed25519":             "512 MLDSA44-ED25519",
		"ssh-mldsa44-ed25519@openssh.com": "512 MLDSA44-ED25519",
		"ssh-foo@example.com":             "0 ssh-foo@example.com",
	} {
		path := writeFile(t, filepath.Join(t.TempDir(), "id.pub"), opaqueLine(t, keyType, "new kind")+"\n")
		ids, err := ReadFile(path)
		if err != nil || len(ids) != 1 || ids[0].Entry.Comment != "new kind" {
			t.Errorf("%s: %v, %v", keyType, ids, err)
			continue
		}
		bits, kind, sha256 := Describe(ids[0].Entry.Key)
		if got := fmt.Sprintf("%d %s", bits, kind); got != want || sha256 != ssh.FingerprintSHA256(ids[0].Entry.Key) {
			t.Errorf("%s is listed as %s %s, want %s", keyType, got, sha256, want)
		}
	}
}

func TestOpaqueKeysOfAnAgent(t *testing.T) {
	held := func(keyType string) *agent.Key {
		return &agent.Key{Format: keyType, Blob: opaqueWire(keyType), Comment: "c"}
	}
	ids, skipped, err := FromAgent(listingAgent{keys: []*agent.Key{
		held("ssh-mldsa44-ed25519"), held("ssh-mldsa44-ed25519-cert"), held("ssh-foo@example.com"), held("ssh-foo-cert-v01@example.com"),
	}})
	if err != nil || len(ids) != 2 || len(skipped) != 2 {
		t.Fatalf("%d keys, %d skipped, %v", len(ids), len(skipped), err)
	}
	for i, keyType := range []string{"ssh-mldsa44-ed25519", "ssh-foo@example.com"} {
		if want := opaqueLine(t, keyType, "c"); ids[i].Entry.Line() != want {
			t.Errorf("got %s, want %s", ids[i].Entry.Line(), want)
		}
	}
	for _, s := range skipped {
		if s.Reason != SkipCertificate {
			t.Errorf("%s: %s", s.Entry.Key.Type(), s.Reason)
		}
	}
}

// TestOpaquePrivateKey: the public half of a private key that cannot sign here.
func TestOpaquePrivateKey(t *testing.T) {
	dir := t.TempDir()
	for keyType, comment := range map[string]string{"ssh-mldsa44-ed25519": "pq", "ssh-mldsa44-ed25519@openssh.com": "pq", "ssh-foo@example.com": ""} {
		path := writeFile(t, filepath.Join(dir, keyType), opaquePrivate(keyType, "pq"))
		ids, err := ReadPublicHalf(path)
		if err != nil || len(ids) != 1 || ids[0].Entry.Line() != opaqueLine(t, keyType, comment) || ids[0].Origin.PrivateKey != "" {
			t.Errorf("%s: %v, %v", keyType, ids, err)
		}
		if _, err := openKey(path, nil); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s signs: %v", keyType, err)
		}
	}
}

// TestCommentsOfAnAgent: what is replaced in a comment is reported.
func TestCommentsOfAnAgent(t *testing.T) {
	_, public := testKey(t, "ed25519")
	for comment, want := range map[string]bool{
		"": false, " alice@laptop ": false, "J\u00fcrgen \u4e2d\u6587": false, "a\tb": false,
		"\x1b[31m": true, "a\u0085b": true, "a\u202eb": true, "a\u2066b": true, "a\xffb": true, "a\nb": true,
	} {
		ids, _, err := FromAgent(listingAgent{keys: []*agent.Key{{Format: public.Type(), Blob: public.Marshal(), Comment: comment}}})
		if err != nil || len(ids) != 1 || ids[0].Entry.CommentCleaned() != want {
			t.Errorf("comment %q: %v, %v; want cleaned: %v", comment, ids, err, want)
		}
	}
}
