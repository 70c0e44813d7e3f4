package hostkey

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// newKey makes a host key; certified by ca where that is given.
func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func newKey(t testing.TB) ssh.PublicKey { return newSigner(t).PublicKey() }

// certify signs a host certificate for key.
func certify(t testing.TB, ca ssh.Signer, key ssh.PublicKey, principals ...string) *ssh.Certificate {
	t.Helper()
	cert := &ssh.Certificate{
		Key: key, CertType: ssh.HostCert, ValidPrincipals: principals, ValidBefore: ssh.CertTimeInfinity,
	}
	if len(principals) > 0 {
		if err := cert.SignCert(rand.Reader, ca); err != nil {
			t.Fatal(err)
		}
		return cert
	}
	// SignCert makes no certificate for every host; ssh-keygen -h without -n does.
	cert.Nonce, cert.SignatureKey = make([]byte, 32), ca.PublicKey()
	signature, err := ca.Sign(rand.Reader, signedPart(cert))
	if err != nil {
		t.Fatal(err)
	}
	cert.Signature = signature
	return cert
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
		if err := os.Mkdir(filepath.Dir(w.file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(w.file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return w
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

func (w *world) content() string {
	b, err := os.ReadFile(w.file)
	if err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
	return string(b)
}

var peer = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 22}

// TestKnown is what lines make a key trusted, unknown, changed or revoked.
func TestKnown(t *testing.T) {
	key, other := newKey(t), newKey(t)
	base := func(k ssh.PublicKey) string { return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))) }
	for _, c := range []struct {
		name, line string
		host       string
		port       int
		want       string // "", unknown, changed, revoked
	}{
		{"plain name", "box " + base(key), "box", 22, ""},
		{"name among others", "a,box,b " + base(key), "box", 22, ""},
		{"case does not matter", "BOX " + base(key), "Box", 22, ""},
		{"hashed name", xknownhosts.HashHostname("box") + " " + base(key), "box", 22, ""},
		{"hashed other name", xknownhosts.HashHostname("bix") + " " + base(key), "box", 22, "unknown"},
		{"port", "[box]:2222 " + base(key), "box", 2222, ""},
		{"port of another", "[box]:2222 " + base(key), "box", 22, "unknown"},
		{"wildcard", "*.example.org " + base(key), "box.example.org", 22, ""},
		{"question mark", "bo? " + base(key), "box", 22, ""},
		{"negation", "*.example.org,!box.example.org " + base(key), "box.example.org", 22, "unknown"},
		{"other key", "box " + base(other), "box", 22, "changed"},
		{"other and right key", "box " + base(other) + "\nbox " + base(key), "box", 22, ""},
		{"revoked", "@revoked box " + base(key) + "\nbox " + base(key), "box", 22, "revoked"},
		{"revoked for another", "@revoked bix " + base(key) + "\nbox " + base(key), "box", 22, ""},
		{"authority's own key", "@cert-authority box " + base(key), "box", 22, "unknown"},
		{"comment and blank line", "# box\n\nbox " + base(key) + " a comment", "box", 22, ""},
		{"CRLF", "box " + base(key) + "\r", "box", 22, ""},
		{"malformed line before", "box ssh-ed25519 %%%%\nbox " + base(key), "box", 22, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.line)
			before := w.content()
			err := w.verifier(w.policy("yes"), c.host, c.port).Callback()(c.host, peer, key)
			if got := kind(err); got != c.want {
				t.Errorf("got %q (%v), want %q", got, err, c.want)
			}
			if w.content() != before {
				t.Error("strict checking wrote to the file")
			}
		})
	}
}

func kind(err error) string {
	var unknown *UnknownError
	var changed *ChangedError
	var revoked *RevokedError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &unknown):
		return "unknown"
	case errors.As(err, &changed):
		return "changed"
	case errors.As(err, &revoked):
		return "revoked"
	}
	return err.Error()
}

// TestQuestion: an unknown host is asked about in ssh's words, until the answer
// is one.
func TestQuestion(t *testing.T) {
	key := newKey(t)
	for _, c := range []struct {
		name    string
		answers []string
		accept  bool
		asked   int
	}{
		{"yes", []string{"yes"}, true, 1},
		{"no", []string{"no"}, false, 1},
		{"fingerprint", []string{ssh.FingerprintSHA256(key)}, true, 1},
		{"wrong fingerprint, then no", []string{"SHA256:AAAA", "no"}, false, 2},
		{"nonsense, then yes", []string{"y", "yes"}, true, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.answers = c.answers
			err := w.verifier(w.policy("ask"), "box", 22).Callback()("box:22", peer, key)
			if (err == nil) != c.accept || len(w.asked) != c.asked {
				t.Errorf("%v after %d questions", err, len(w.asked))
			}
			if !strings.HasPrefix(w.asked[0], "The authenticity of host 'box (192.0.2.7)' can't be established.\n"+
				"ED25519 key fingerprint is "+ssh.FingerprintSHA256(key)+".\n") ||
				!strings.HasSuffix(w.asked[0], "(yes/no/[fingerprint])? ") {
				t.Errorf("asked %q", w.asked[0])
			}
			if c.asked == 2 && w.asked[1] != "Please type 'yes', 'no' or the fingerprint: " {
				t.Errorf("asked again %q", w.asked[1])
			}
			if wrote := w.content() != ""; wrote != c.accept {
				t.Errorf("file %q", w.content())
			}
		})
	}
}

// TestPolicies: who is let in without a question, and what that writes.
func TestPolicies(t *testing.T) {
	key, other := newKey(t), newKey(t)
	line := func(k ssh.PublicKey) string { return "box " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))) }
	for _, c := range []struct {
		name    string
		lines   []string
		change  func(*Policy)
		want    string
		secrets bool
		writes  bool
	}{
		{"accept-new takes a new host", nil, func(p *Policy) { p.Strict = "accept-new" }, "", true, true},
		{"accept-new refuses a changed one", []string{line(other)}, func(p *Policy) { p.Strict = "accept-new" }, "changed", true, false},
		{"no takes a new host", nil, func(p *Policy) { p.Strict = "no" }, "", true, true},
		{"no goes on without secrets when it changed", []string{line(other)}, func(p *Policy) { p.Strict = "no" }, "", false, false},
		{"yes refuses a new host", nil, func(p *Policy) { p.Strict = "yes" }, "unknown", true, false},
		{"batch asks nobody", nil, func(p *Policy) { p.Batch = true }, "unknown", true, false},
		{"nobody to ask", nil, func(p *Policy) { p.Ask = nil }, "unknown", true, false},
		{"right pin", nil, func(p *Policy) { p.Pins = []string{ssh.FingerprintSHA256(key)} }, "", true, true},
		{"wrong pin", nil, func(p *Policy) { p.Pins = []string{ssh.FingerprintSHA256(other)} }, "unknown", true, false},
		{"alias", []string{strings.Replace(line(key), "box", "other", 1)}, func(p *Policy) { p.Alias = "other" }, "", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.lines...)
			before := w.content()
			p := w.policy("ask")
			c.change(&p)
			v := w.verifier(p, "box", 22)
			err := v.Callback()("box:22", peer, key)
			if got := kind(err); got != c.want {
				t.Fatalf("got %q (%v), want %q", got, err, c.want)
			}
			if len(w.asked) > 0 {
				t.Errorf("asked %q", w.asked)
			}
			if err == nil && v.SecretsAllowed() != c.secrets {
				t.Errorf("secrets allowed: %v", v.SecretsAllowed())
			}
			if wrote := w.content() != before; wrote != c.writes {
				t.Errorf("file was %q, is %q", before, w.content())
			}
		})
	}
}

// TestCertificates: an authority vouches for the hosts its lines and its
// certificates name.
func TestCertificates(t *testing.T) {
	ca, key := newSigner(t), newKey(t)
	line := "@cert-authority *.example.org " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(ca.PublicKey())))
	w := newWorld(t, line)
	good := certify(t, ca, key, "box.example.org")
	v := w.verifier(w.policy("yes"), "box.example.org", 22)
	if algorithms := v.Algorithms([]string{ssh.KeyAlgoED25519, ssh.CertAlgoED25519v01}); algorithms[0] != ssh.CertAlgoED25519v01 {
		t.Errorf("certificates should come first: %v", algorithms)
	}
	if err := v.Callback()("box.example.org:22", peer, good); err != nil {
		t.Error(err)
	}
	if err := v.Callback()("box.example.org:22", peer, certify(t, ca, key)); err != nil {
		t.Errorf("without principals: %v", err)
	}
	forged := certify(t, ca, key)
	forged.Serial++
	for name, cert := range map[string]*ssh.Certificate{
		"changed after it was signed": forged,
		"another principal":           certify(t, ca, key, "bix.example.org"),
		"another authority":           certify(t, newSigner(t), key, "box.example.org"),
	} {
		if err := w.verifier(w.policy("yes"), "box.example.org", 22).Callback()("box.example.org:22", peer, cert); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// TestMalformedRevoked: skipping such a line would trust what its owner wanted
// refused.
func TestMalformedRevoked(t *testing.T) {
	w := newWorld(t, "@revoked box ssh-ed25519 %%%%")
	_, err := New(w.policy("yes"), "box", 22)
	var file *FileError
	if !errors.As(err, &file) || file.Line != 1 {
		t.Errorf("got %v", err)
	}
}

// TestChangedWords: the warning and its provenance.
func TestChangedWords(t *testing.T) {
	key, other := newKey(t), newKey(t)
	w := newWorld(t, "# first", "box "+strings.TrimSpace(string(ssh.MarshalAuthorizedKey(other))))
	err := w.verifier(w.policy("ask"), "box", 22).Callback()("box:22", peer, key)
	text := Explain(err)
	for _, want := range []string{
		"@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
		ssh.FingerprintSHA256(key), "Offending ED25519 key in " + w.file + ":2", "Host key verification failed.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if len(w.asked) > 0 {
		t.Error("a changed key is no question")
	}
}

// TestTwoWriters: two copies that note the same host at once leave whole lines.
func TestTwoWriters(t *testing.T) {
	w := newWorld(t)
	keys := make([]ssh.PublicKey, 20)
	for i := range keys {
		keys[i] = newKey(t)
	}
	var wait sync.WaitGroup
	for i, key := range keys {
		wait.Go(func() {
			host := "box" + string(rune('a'+i))
			v, err := New(Policy{Strict: "accept-new", UserFiles: []string{w.file}}, host, 22)
			if err == nil {
				err = v.Callback()(host+":22", peer, key)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if lines := strings.Count(w.content(), "\n"); lines != len(keys) {
		t.Errorf("%d lines for %d hosts:\n%s", lines, len(keys), w.content())
	}
	for i, key := range keys {
		host := "box" + string(rune('a'+i))
		if err := w.verifier(w.policy("yes"), host, 22).Callback()(host+":22", peer, key); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// FuzzFile: no file makes the reader fail but for a damaged @revoked line, and
// none lets in a key it does not hold.
func FuzzFile(f *testing.F) {
	key := newKey(f)
	f.Add([]byte("box " + string(ssh.MarshalAuthorizedKey(newKey(f)))))
	f.Add([]byte("@revoked * \n|1|x|y ssh-ed25519 AAAA\n\xff\x00"))
	f.Add([]byte("@cert-authority * " + string(ssh.MarshalAuthorizedKey(newKey(f)))))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := New(Policy{Strict: "yes", UserFiles: []string{file}}, "box", 22)
		if err != nil {
			if !strings.Contains(string(data), "@revoked") {
				t.Fatal(err)
			}
			return
		}
		if v.Callback()("box:22", peer, key) == nil {
			t.Fatal("a key the file does not hold was accepted")
		}
	})
}
