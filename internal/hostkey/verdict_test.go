package hostkey

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// verdict is what files and settings say of a key that a server shows. Texts
// hold $KEY and the others of cast.
type verdict struct {
	name    string
	known   string // "-": there is no file
	strict  string // "": ask
	host    string // "": box
	port    int    // 0: 22
	alias   string
	answers []string
	set     []string // of ssh_config
	revoked string   // the file of RevokedHostKeys
	// certificate, if set, is shown where the verifier prefers certificates.
	certificate func(*ssh.Certificate)
	authority   string // "": CA
	algorithm   string // of the authority's signature

	ours string // why the verdict is not ssh's
	says string // why the words are not ssh's

	want  string // what kind gives
	adds  string // to the file; names that are hashed as HASH
	risky bool   // accepted, but for no secrets
}

var verdicts = []verdict{
	{name: "unknown, strict", strict: "yes", want: "unknown"},
	{name: "unknown, no file", known: "-", strict: "yes", want: "unknown"},
	{name: "known", known: "box $KEY\n", strict: "yes"},
	{name: "known, capitals", known: "box $KEY\n", host: "BOX", strict: "yes"},
	{name: "known, asked nothing", known: "box $KEY\n"},
	{name: "known twice", known: "box $OTHER\nbox $KEY\n", strict: "yes"},
	{name: "known by another type", known: "box $RSA\n", strict: "yes", want: "changed"},
	{name: "known with a port", known: "[box]:2222 $KEY\n", port: 2222, strict: "yes"},
	{name: "damaged line before", known: "box ssh-ed25519 %%%%\nbox $KEY\n", strict: "yes", says: "ssh skips it in silence"},
	{name: "other host", known: "bix $KEY\n", strict: "yes", want: "unknown"},
	{name: "other port", known: "[box]:2222 $KEY\n", strict: "yes", want: "unknown"},
	{name: "known without the port", known: "box $KEY\n", port: 2222, strict: "yes"},
	{name: "another key without the port", known: "box $OTHER\n", port: 2222, strict: "yes", want: "unknown"},
	{name: "another key without the port, new", known: "box $OTHER\n", port: 2222, strict: "accept-new", adds: "[box]:2222 $KEY\n"},
	{name: "revoked without the port", known: "@revoked box $KEY\n", port: 2222, strict: "accept-new", want: "revoked", ours: "ssh warns, and takes it for a new one of that port"},
	{name: "changed", known: "box $OTHER\n", strict: "yes", want: "changed"},
	{name: "changed, ask", known: "# mine\nbox $OTHER\n", want: "changed"},
	{name: "changed, accept-new", known: "box $OTHER\n", strict: "accept-new", want: "changed"},
	{name: "changed, unchecked", known: "box $OTHER\n", strict: "no", risky: true},
	{name: "changed twice", known: "box $OTHER\nbox $RSA\n", strict: "yes", want: "changed"},
	{name: "changed with a port", known: "[box]:2222 $OTHER\nbox $KEY\n", port: 2222, strict: "yes", want: "changed"},
	{name: "revoked", known: "@revoked box $KEY\nbox $KEY\n", strict: "yes", want: "revoked"},
	{name: "revoked, ask", known: "box $KEY\n@revoked * $KEY\n", want: "revoked"},
	{name: "revoked, unchecked", known: "@revoked box $KEY\n", strict: "no", risky: true},
	{name: "another revoked", known: "@revoked box $OTHER\nbox $KEY\n", strict: "yes"},
	{name: "revoked for another", known: "@revoked bix $KEY\nbox $KEY\n", strict: "yes"},
	{name: "an authority's own key", known: "@cert-authority box $KEY\n", strict: "yes", want: "unknown"},
	{name: "alias", known: "other $KEY\n", alias: "other", port: 2222, strict: "yes"},
	{name: "alias in capitals", known: "other $KEY\n", alias: "OTHER", strict: "yes"},
	{name: "alias only", known: "box $KEY\n", alias: "other", strict: "yes", want: "unknown"},
	{name: "alias has no port", known: "[other]:2222 $KEY\n", alias: "other", port: 2222, strict: "yes", want: "unknown"},

	{name: "new", strict: "accept-new", adds: "box $KEY\n"},
	{name: "new, unchecked", strict: "no", adds: "box $KEY\n"},
	{name: "new, no file", known: "-", strict: "accept-new", adds: "box $KEY\n"},
	{name: "new, with a port", strict: "accept-new", port: 2222, adds: "[box]:2222 $KEY\n"},
	{name: "new, alias", strict: "accept-new", alias: "other", port: 2222, adds: "other $KEY\n"},
	{name: "new, hashed", strict: "accept-new", port: 2222, set: []string{"HashKnownHosts=yes"}, adds: "HASH $KEY\n"},
	{name: "new, shown", strict: "accept-new", set: []string{"VisualHostKey=yes"}, adds: "box $KEY\n"},
	{name: "known, shown", known: "box $KEY\n", strict: "yes", set: []string{"VisualHostKey=yes", "FingerprintHash=md5"}},

	{name: "asked, yes", answers: []string{"yes"}, adds: "box $KEY\n"},
	{name: "asked, no", answers: []string{"no"}, want: "unknown"},
	{name: "asked, nothing", answers: []string{""}, want: "unknown"},
	{name: "asked, no answer", want: "unknown"},
	{name: "asked, blanks around", answers: []string{" \tYES  please"}, adds: "box $KEY\n"},
	{name: "asked, y is no answer", answers: []string{"y", "NO"}, want: "unknown"},
	{name: "asked, nonsense first", answers: []string{"y", "SHA256:AAAA", "yes"}, adds: "box $KEY\n"},
	{name: "asked, fingerprint", answers: []string{"PRINT"}, adds: "box $KEY\n"},
	{name: "asked, fingerprint in small letters", answers: []string{"print", "no"}, want: "unknown"},
	{name: "asked, known by other names", known: "a,b $KEY\n[c]:2222 $KEY\n|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= $KEY\n" +
		"@revoked d $KEY\nbix $OTHER\n", answers: []string{"no"}, want: "unknown"},
	{name: "asked, known by many names", known: strings.Repeat("bix $KEY\n", 10), answers: []string{"no"}, want: "unknown"},
	{name: "asked, shown", set: []string{"VisualHostKey=yes", "FingerprintHash=sha512"}, answers: []string{"no"}, want: "unknown"},

	{name: "listed", known: "box $KEY\n", strict: "yes", revoked: "# ours\n\n$OTHER\n$KEY gone\n", want: "revoked"},
	{name: "listed, unchecked", known: "box $KEY\n", strict: "no", revoked: "$KEY\n", want: "revoked"},
	{name: "not listed", known: "box $KEY\n", strict: "yes", revoked: "$OTHER\n"},
	{name: "empty list", known: "box $KEY\n", strict: "yes", revoked: "#\n"},
	{name: "no list", known: "box $KEY\n", strict: "yes", revoked: "-", want: "file", says: "a system error begins with a small letter"},
	{name: "damaged KRL", known: "box $KEY\n", strict: "yes", revoked: krlMagic + "\x00", want: "file", says: "ssh has many words for damage"},

	{name: "certificate", known: "@cert-authority box $CA\n", strict: "yes", certificate: plain},
	{name: "certificate for every host", known: "@cert-authority * $CA\n", strict: "yes", certificate: func(c *ssh.Certificate) { c.ValidPrincipals = nil }},
	{name: "certificate, name without the port", known: "@cert-authority box $CA\n", port: 2222, strict: "yes", certificate: plain},
	{name: "certificate, alias", known: "@cert-authority other $CA\n", alias: "other", strict: "yes", certificate: func(c *ssh.Certificate) { c.ValidPrincipals = []string{"other"} }},
	{name: "certificate, second authority", known: "@cert-authority box $OTHER\n@cert-authority box $CA\n", strict: "yes", certificate: plain},
	{name: "certificate, shown", known: "@cert-authority box $CA\n", strict: "yes", set: []string{"VisualHostKey=yes"}, certificate: plain},
	{name: "certificate for another", known: "@cert-authority box $CA\n", strict: "yes", certificate: func(c *ssh.Certificate) { c.ValidPrincipals = []string{"bix"} }, want: "unknown"},
	{name: "certificate of a user", known: "@cert-authority box $CA\n", strict: "yes", certificate: func(c *ssh.Certificate) { c.CertType = ssh.UserCert }, want: "unknown"},
	{name: "certificate, too early", known: "@cert-authority box $CA\n", strict: "yes", certificate: func(c *ssh.Certificate) { c.ValidAfter = soon(time.Hour) }, want: "unknown"},
	{name: "certificate, too late", known: "@cert-authority box $CA\n", strict: "yes", certificate: func(c *ssh.Certificate) { c.ValidBefore = soon(-time.Hour) }, want: "unknown"},
	{name: "certificate, critical option", known: "@cert-authority box $CA\n", strict: "yes", certificate: func(c *ssh.Certificate) { c.CriticalOptions = map[string]string{"some": "thing"} }, want: "unknown", says: "ssh has no (s) after option"},
	{name: "certificate of another", known: "@cert-authority box $OTHER\n", strict: "yes", certificate: plain, want: "unknown"},
	{name: "certificate of another, new", known: "@cert-authority box $OTHER\n", strict: "accept-new", certificate: plain, adds: "box $KEY\n"},
	{name: "certificate signed with SHA-1", known: "@cert-authority box $RSA\n", strict: "yes", authority: "RSA", algorithm: ssh.KeyAlgoRSA, certificate: plain, want: "unknown"},
	{name: "certificate signed with RSA", known: "@cert-authority box $RSA\n", strict: "yes", authority: "RSA", algorithm: ssh.KeyAlgoRSASHA256, certificate: plain},
	{name: "certificate, algorithm not allowed", known: "@cert-authority box $CA\n", strict: "yes", set: []string{"CASignatureAlgorithms=rsa-sha2-512"}, certificate: plain, want: "unknown"},
	{name: "certificate, key revoked", known: "@cert-authority box $CA\n@revoked box $KEY\n", strict: "yes", certificate: plain, want: "revoked"},
	{name: "certificate, authority revoked", known: "@cert-authority box $CA\n@revoked box $CA\n", strict: "yes", certificate: plain, want: "revoked"},
	{name: "certificate, authority revoked and unchecked", known: "@cert-authority box $CA\n@revoked box $CA\n", strict: "no", certificate: plain, risky: true},
	{name: "certificate, authority listed", known: "@cert-authority box $CA\n", strict: "yes", revoked: "$CA\n", certificate: plain, want: "revoked"},
	{name: "certificate, plain key known", known: "@cert-authority box $OTHER\nbox $KEY\n", strict: "yes", certificate: plain},
	{name: "certificate, changed", known: "@cert-authority * $OTHER\nbox $RSA\n", strict: "yes", certificate: plain, want: "changed"},
}

func plain(*ssh.Certificate) {}

func soon(d time.Duration) uint64 { return uint64(time.Now().Add(d).Unix()) }

// cert is the certificate of a row, or nil.
func (c verdict) cert(t *testing.T) *ssh.Certificate {
	if c.certificate == nil {
		return nil
	}
	cert := certify(t, cast()["CA"], cast()["KEY"].PublicKey(), "box")
	c.certificate(cert)
	authority := cast()["CA"]
	if c.authority != "" {
		authority = cast()[c.authority]
	}
	sign(t, authority, c.algorithm, cert)
	return cert
}

// prepare writes the files of a row.
func (c verdict) prepare(w *world) (revoked string) {
	w.t.Helper()
	w.write(expand(c.known))
	if c.known == "-" {
		if err := os.Remove(w.file); err != nil {
			w.t.Fatal(err)
		}
	}
	switch c.revoked {
	case "":
		return "none"
	case "-":
		return w.file + ".missing"
	}
	return w.beside("revoked", expand(c.revoked))
}

// completed has the defaults and the words that stand for others.
func (c verdict) completed() verdict {
	print := ssh.FingerprintSHA256(cast()["KEY"].PublicKey())
	c.answers = slices.Clone(c.answers)
	for i, answer := range c.answers {
		c.answers[i] = strings.NewReplacer("PRINT", print, "print", strings.ToLower(print)).Replace(answer)
	}
	if c.strict == "" {
		c.strict = "ask"
	}
	if c.host == "" {
		c.host = "box"
	}
	if c.port == 0 {
		c.port = 22
	}
	return c
}

func (c verdict) policy(w *world, revoked string) Policy {
	p := w.policy(c.strict)
	p.Alias, p.RevokedFiles = c.alias, []string{revoked}
	for _, setting := range c.set {
		switch name, value, _ := strings.Cut(setting, "="); name {
		case "HashKnownHosts":
			p.Hash = value == "yes"
		case "VisualHostKey":
			p.VisualHostKey = value == "yes"
		case "FingerprintHash":
			p.FingerprintHash = value
		case "CASignatureAlgorithms":
			p.CASignatureAlgorithms = strings.Split(value, ",")
		default:
			w.t.Fatal(setting)
		}
	}
	return p
}

var hashedName = regexp.MustCompile(`(?m)^\|1\|\S+`)

// run judges the key as a connection would: the server has a plain key and
// perhaps a certificate, and shows what the verifier prefers.
func (c verdict) run(t *testing.T) (w *world, v *Verifier, err error) {
	w = newWorld(t)
	p := c.policy(w, c.prepare(w))
	w.answers = c.answers
	v = w.verifier(p, c.host, c.port)
	var shown ssh.PublicKey = cast()["KEY"].PublicKey()
	for _, name := range v.Algorithms(nil) {
		if name == shown.Type() {
			break
		}
		if cert := c.cert(t); cert != nil && name == cert.Type() {
			shown = cert
			break
		}
	}
	return w, v, v.Callback()(c.host, proxied, shown)
}

// TestVerdicts: whom the files let in, what is asked and what is written.
func TestVerdicts(t *testing.T) {
	for _, c := range verdicts {
		t.Run(c.name, func(t *testing.T) {
			c := c.completed()
			w, v, err := c.run(t)
			if got := kind(err); got != c.want {
				t.Fatalf("got %q (%v), want %q; asked %q", got, err, c.want, w.asked)
			}
			if err == nil && v.SecretsAllowed() == c.risky {
				t.Errorf("secrets allowed: %v", v.SecretsAllowed())
			}
			if want := strings.TrimPrefix(expand(c.known), "-") + expand(c.adds); hashedName.ReplaceAllString(w.content(), "HASH") != hashedName.ReplaceAllString(want, "HASH") {
				t.Errorf("the file is %q, want %q", w.content(), want)
			}
			if len(c.answers) > 0 && (len(w.answers) > 0 || len(w.asked) != len(c.answers)) {
				t.Errorf("asked %q, answers left %q", w.asked, w.answers)
			}
		})
	}
}
