package hostkey

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// newSigner makes a host key.
func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	return must(newEd25519())
}

func newKey(t testing.TB) ssh.PublicKey {
	t.Helper()
	return newSigner(t).PublicKey()
}

func newEd25519() (ssh.Signer, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return ssh.NewSignerFromKey(private)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// cast are the keys that the tables name, as $KEY: the host's own, another of
// its type and of other types, and an authority's.
var cast = sync.OnceValue(func() map[string]ssh.Signer {
	return map[string]ssh.Signer{
		"KEY":   must(newEd25519()),
		"OTHER": must(newEd25519()),
		"CA":    must(newEd25519()),
		"RSA":   must(ssh.NewSignerFromKey(must(rsa.GenerateKey(rand.Reader, 2048)))),
		"ECDSA": must(ssh.NewSignerFromKey(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)))),
	}
})

// line is a key as a file writes it.
func line(key ssh.PublicKey) string { return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) }

// expand puts the keys of the cast into a text.
func expand(text string) string {
	return os.Expand(text, func(name string) string { return line(cast()[name].PublicKey()) })
}

// certify signs a host certificate for key.
func certify(t testing.TB, ca ssh.Signer, key ssh.PublicKey, principals ...string) *ssh.Certificate {
	t.Helper()
	cert := &ssh.Certificate{
		Key: key, CertType: ssh.HostCert, ValidPrincipals: principals, ValidBefore: ssh.CertTimeInfinity,
	}
	sign(t, ca, "", cert)
	return cert
}

// sign signs a certificate as it is. SignCert makes none for every host;
// ssh-keygen -h without -n does.
func sign(t testing.TB, ca ssh.Signer, algorithm string, cert *ssh.Certificate) {
	t.Helper()
	cert.Nonce, cert.SignatureKey = make([]byte, 32), ca.PublicKey()
	signature, err := ca.(ssh.AlgorithmSigner).SignWithAlgorithm(rand.Reader, signedPart(cert), algorithm)
	if err != nil {
		t.Fatal(err)
	}
	cert.Signature = signature
}

// world is a known_hosts file and what a Verifier says about it.
type world struct {
	t       *testing.T
	file    string
	asked   []string
	notices []string
	answers []string
}

func newWorld(t *testing.T, lines ...string) *world {
	w := &world{t: t, file: filepath.Join(t.TempDir(), ".ssh", "known_hosts")}
	if len(lines) > 0 {
		w.write(strings.Join(lines, "\n") + "\n")
	}
	return w
}

// write replaces the file.
func (w *world) write(text string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(w.file), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(w.file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// beside writes another file into the directory of known_hosts.
func (w *world) beside(name, text string) string {
	w.t.Helper()
	file := filepath.Join(filepath.Dir(w.file), name)
	if err := os.MkdirAll(filepath.Dir(w.file), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return file
}

func (w *world) policy(strict string) Policy {
	return Policy{
		Strict: strict, UserFiles: []string{w.file},
		Notice: func(text string) { w.notices = append(w.notices, text) },
		Ask: func(prompt string) (string, error) {
			w.asked = append(w.asked, prompt)
			if len(w.answers) == 0 {
				return "", errors.New("no answer left")
			}
			answer := w.answers[0]
			w.answers = w.answers[1:]
			return answer, nil
		},
	}
}

func (w *world) verifier(p Policy, host string, port int) *Verifier {
	w.t.Helper()
	v, err := New(p, host, port)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// check has a new verifier judge the key of box.
func (w *world) check(p Policy, remote net.Addr, key ssh.PublicKey) error {
	w.t.Helper()
	return w.verifier(p, "box", 22).Callback()("box:22", remote, key)
}

func (w *world) content() string {
	b, err := os.ReadFile(w.file)
	if err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
	return string(b)
}

// The addresses of servers: one of our own network, and one that a proxy hides.
var (
	peer    = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 22}
	proxied = &net.UnixAddr{Name: "proxy", Net: "unix"}
)

// kind is which of the refusals an error is.
func kind(err error) string {
	var unknown *UnknownError
	var changed *ChangedError
	var revoked *RevokedError
	var address *AddressError
	var file *FileError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &unknown):
		return "unknown"
	case errors.As(err, &changed):
		return "changed"
	case errors.As(err, &revoked):
		return "revoked"
	case errors.As(err, &address):
		return "address"
	case errors.As(err, &file):
		return "file"
	}
	return err.Error()
}
