package sshkey

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

func signer(t *testing.T, private any) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// certified is a certificate for a key, as an agent's file has it.
func certified(t *testing.T, key ssh.PublicKey, ca ssh.Signer) *ssh.Certificate {
	t.Helper()
	cert := &ssh.Certificate{Key: key, CertType: ssh.UserCert, ValidPrincipals: []string{"ann"}, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	return cert
}

// held is a key as an agent lists it: its type and its bytes.
func held(key ssh.PublicKey) ssh.PublicKey {
	return &agent.Key{Format: key.Type(), Blob: key.Marshal()}
}

// TestFacts: name and length of keys are those ssh-keygen -l shows.
func TestFacts(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ca, plainRSA := signer(t, ed), signer(t, rsaKey).PublicKey()
	certificate := certified(t, plainRSA, ca)
	dsa := &agent.Key{Format: DSA, Blob: ssh.Marshal(struct {
		Type       string
		P, Q, G, Y *big.Int
	}{DSA, new(big.Int).Lsh(big.NewInt(1), 1023), big.NewInt(3), big.NewInt(2), big.NewInt(5)})}
	sk := &agent.Key{Format: ssh.KeyAlgoSKED25519, Blob: ssh.Marshal(struct{ Type, Key, Application string }{ssh.KeyAlgoSKED25519, "k", "ssh:"})}
	type row struct {
		key       ssh.PublicKey
		name      string
		bits, rsa int
	}
	rows := []row{
		{ca.PublicKey(), "ED25519", 256, 0},
		{plainRSA, "RSA", 2048, 2048},
		{held(plainRSA), "RSA", 2048, 2048},
		{certificate, "RSA-CERT", 2048, 2048},
		{held(certificate), certificate.Type(), 2048, 2048},
		{certified(t, ca.PublicKey(), ca), "ED25519-CERT", 256, 0},
		{dsa, "DSA", 1024, 0},
		{&agent.Key{Format: DSA, Blob: []byte("damaged")}, "DSA", 0, 0},
		{sk, "ED25519-SK", 256, 0},
		{&agent.Key{Format: MLDSAEd25519, Blob: []byte("x")}, "MLDSA44-ED25519", 512, 0},
		{&agent.Key{Format: MLDSAEd25519Beta, Blob: []byte("x")}, "MLDSA44-ED25519", 512, 0},
		{&agent.Key{Format: "ssh-new", Blob: []byte("x")}, "ssh-new", 0, 0},
		{&agent.Key{Format: ssh.KeyAlgoRSA, Blob: []byte("damaged")}, "RSA", 0, 0},
	}
	for bits, curve := range map[int]elliptic.Curve{256: elliptic.P256(), 384: elliptic.P384(), 521: elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row{signer(t, key).PublicKey(), "ECDSA", bits, 0})
	}
	for _, r := range rows {
		if name, bits, rsaBits := TypeName(r.key), Bits(r.key), RSABits(r.key); name != r.name || bits != r.bits || rsaBits != r.rsa {
			t.Errorf("%s: %s of %d bits, %d of RSA; want %s, %d, %d", r.key.Type(), name, bits, rsaBits, r.name, r.bits, r.rsa)
		}
	}
}

// TestSame: a key is the same in whatever form it comes, and a certificate is
// another one.
func TestSame(t *testing.T) {
	_, one, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, two, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a, b := signer(t, one), signer(t, two)
	certificate := certified(t, a.PublicKey(), b)
	for _, c := range []struct {
		a, b ssh.PublicKey
		same bool
	}{
		{a.PublicKey(), a.PublicKey(), true},
		{a.PublicKey(), held(a.PublicKey()), true},
		{a.PublicKey(), b.PublicKey(), false},
		{a.PublicKey(), certificate, false},
		{a.PublicKey(), Plain(certificate), true},
		{certificate, held(certificate), true},
	} {
		if Equal(c.a, c.b) != c.same || (IDOf(c.a) == IDOf(c.b)) != c.same {
			t.Errorf("%s and %s: want %v", c.a.Type(), c.b.Type(), c.same)
		}
	}
	if Equal(nil, nil) || Equal(a.PublicKey(), nil) {
		t.Error("nil is no key")
	}
}
