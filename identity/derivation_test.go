package identity

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"
)

// A pkcs8File is an encrypted key that asks for this derivation; there is no key
// in it.
func pkcs8File(t testing.TB, function asn1.ObjectIdentifier, parameters any) []byte {
	t.Helper()
	marshal := func(v any) asn1.RawValue {
		der, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return asn1.RawValue{FullBytes: der}
	}
	aes := asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
	pbes2 := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	scheme := struct{ Derivation, Cipher pkix.AlgorithmIdentifier }{
		pkix.AlgorithmIdentifier{Algorithm: function, Parameters: marshal(parameters)},
		pkix.AlgorithmIdentifier{Algorithm: aes, Parameters: marshal(make([]byte, 16))},
	}
	return marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}{pkix.AlgorithmIdentifier{Algorithm: pbes2, Parameters: marshal(scheme)}, make([]byte, 64)}).FullBytes
}

// TestWorkIsBounded: a file that asks for too much is refused before anybody is
// asked for a passphrase. What is accepted ends with a wrong passphrase or a
// damaged key; only what is quick is tried.
func TestWorkIsBounded(t *testing.T) {
	type scrypt struct {
		Salt    []byte
		N, R, P int
	}
	type pbkdf2 struct {
		Salt   []byte
		Rounds int
	}
	salt := []byte("saltsalt")
	tests := []struct {
		function asn1.ObjectIdentifier
		params   any
		want     string // "" where the work is done
	}{
		{oidPBKDF2, pbkdf2{salt, 2048}, ""},
		{oidPBKDF2, pbkdf2{salt, maxPBKDF2Rounds + 1}, "PBKDF2 with 10000001 rounds; at most 10000000 are accepted"},
		{oidPBKDF2, pbkdf2{salt, 1 << 31}, "PBKDF2 with 2147483648 rounds; at most 10000000 are accepted"},
		{oidPBKDF2, pbkdf2{salt, 1 << 62}, "PBKDF2 with 4611686018427387904 rounds; at most 10000000 are accepted"},
		{oidPBKDF2, pbkdf2{salt, -1}, "a damaged private key"},
		{oidPBKDF2, pbkdf2{salt, 0}, "a damaged private key"},
		{oidScrypt, scrypt{salt, 16, 8, 1}, ""},
		{oidScrypt, scrypt{salt, 1 << 15, 8, 1}, "scrypt with N=32768, r=8, p=1; at most 32 MiB of memory are accepted"},
		{oidScrypt, scrypt{salt, 1 << 24, 8, 1}, "scrypt with N=16777216, r=8, p=1; at most 32 MiB of memory are accepted"},
		{oidScrypt, scrypt{salt, 1 << 62, 8, 1}, "scrypt with N=4611686018427387904, r=8, p=1; at most 32 MiB of memory are accepted"},
		{oidScrypt, scrypt{salt, 2, 1 << 40, 1 << 40}, "scrypt with N=2, r=1099511627776, p=1099511627776; at most 32 MiB of memory are accepted"},
		{oidScrypt, scrypt{salt, 1 << 14, 8, 1 << 13}, "scrypt with N=16384, r=8, p=8192; at most N*r*p=8388608 are accepted"},
		{oidScrypt, scrypt{salt, 1000, 8, 1}, "a damaged private key"},
		{oidScrypt, scrypt{salt, -1 << 62, 8, 1}, "a damaged private key"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.params), func(t *testing.T) {
			der := pkcs8File(t, test.function, test.params)
			path := writeFile(t, filepath.Join(t.TempDir(), "id"), string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})))
			_, public := testKey(t, "ed25519")
			writeFile(t, path+".pub", string(ssh.MarshalAuthorizedKey(public)))
			checkWork(t, path, test.want)
			if _, err := parsePKCS8(der, []byte("x")); test.want != "" && err.Error() != pkcs8Derivation(der).Error() {
				t.Errorf("decoding: %v", err)
			}
		})
	}
	for rounds, want := range map[uint32]string{
		16:      "",
		2048:    "",
		2049:    "bcrypt with 2049 rounds; at most 2048 are accepted",
		1 << 31: "bcrypt with 2147483648 rounds; at most 2048 are accepted",
	} {
		options := ssh.Marshal(struct {
			Salt   []byte
			Rounds uint32
		}{salt, rounds})
		_, public := testKey(t, "ed25519")
		body := ssh.Marshal(openSSHHeader{Cipher: "aes256-ctr", KDF: "bcrypt", KDFOptions: string(options), Keys: 1, Public: public.Marshal(), Private: make([]byte, 64)})
		path := writeFile(t, filepath.Join(t.TempDir(), "id"), string(pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: append([]byte(openSSHMagic), body...)})))
		checkWork(t, path, want)
	}
}

// checkWork looks at what Signer says about a file, which must not ask.
func checkWork(t *testing.T, path, want string) {
	t.Helper()
	_, err := openKey(path, func() ([]byte, error) { t.Error("asked for a passphrase"); return nil, nil })
	if want == "" {
		if err != nil {
			t.Errorf("got %v", err)
		}
		return
	}
	var file *FileError
	if !errors.As(err, &file) || file.Path != path {
		t.Fatalf("got %v", err)
	}
	if text := file.Err.Error(); text != want && text != "the passphrase of this private key takes too much work: "+want {
		t.Errorf("got %q, want %q", text, want)
	}
}
