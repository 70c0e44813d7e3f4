package hostkey

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// keysOfEachType are public keys of the types that a host can have, and some
// that only users have.
func keysOfEachType(t *testing.T) map[string]ssh.PublicKey {
	keys := map[string]ssh.PublicKey{}
	for name, key := range cast() {
		keys[name] = key.PublicKey()
	}
	for name, curve := range map[string]elliptic.Curve{"P384": elliptic.P384(), "P521": elliptic.P521()} {
		keys[name] = must(ssh.NewPublicKey(&must(ecdsa.GenerateKey(curve, rand.Reader)).PublicKey))
	}
	point := keys["ECDSA"].(ssh.CryptoPublicKey).CryptoPublicKey().(*ecdsa.PublicKey)
	keys["sk-ed25519"] = must(ssh.ParsePublicKey(ssh.Marshal(struct {
		Type        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, make([]byte, 32), "ssh:"})))
	keys["SK-ECDSA"] = must(ssh.ParsePublicKey(ssh.Marshal(struct {
		Type, Curve string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKECDSA256, "nistp256", must(point.Bytes()), "ssh:"})))
	keys["certificate"] = certify(t, cast()["CA"], cast()["KEY"].PublicKey(), "box")
	keys["RSA-certificate"] = certify(t, cast()["CA"], cast()["RSA"].PublicKey(), "box")
	return keys
}

// TestPins: what counts as a fingerprint of a host key.
func TestPins(t *testing.T) {
	key := cast()["KEY"].PublicKey()
	sha256, md5 := ssh.FingerprintSHA256(key), ssh.FingerprintLegacyMD5(key)
	for _, pin := range []string{
		sha256, " " + sha256 + "\n", strings.Replace(sha256, "SHA256", "sha256", 1), sha256 + "=", "MD5:" + md5, "md5:" + strings.ToUpper(md5),
		fingerprint(key, "sha1"), fingerprint(key, "sha384"), fingerprint(key, "sha512"),
	} {
		if err := CheckPin(pin); err != nil {
			t.Errorf("%q: %v", pin, err)
		}
		w := newWorld(t)
		p := w.policy("yes")
		p.Pins = []string{pin}
		if err := w.check(p, peer, key); err != nil {
			t.Errorf("%q: %v", pin, err)
		}
	}
	for _, pin := range []string{
		"", ":", sha256[len("SHA256:"):], md5, "SHA256:", sha256[:len(sha256)-1], sha256 + "A", "SHA1:" + sha256[len("SHA256:"):],
		"MD5:" + md5[1:], "MD5:" + strings.Replace(md5, ":", "g", 1), "SHA256:" + strings.Repeat("!", 43), "SHA256:" + strings.Repeat("-", 43), "CRC32:AAAA",
	} {
		if err := CheckPin(pin); err == nil {
			t.Errorf("%q is taken for a fingerprint", pin)
		}
	}
}
