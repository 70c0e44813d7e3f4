package hostkey

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// TestPolicies are the settings that ssh does not have, or that need nobody to
// ask: who is let in without a question, and what that writes.
func TestPolicies(t *testing.T) {
	key, other := cast()["KEY"].PublicKey(), cast()["OTHER"].PublicKey()
	interrupted := errors.New("interrupted")
	for _, c := range []struct {
		name   string
		known  string
		change func(*Policy)
		want   string
		reason Reason // of an UnknownError
		adds   string
	}{
		{"batch asks nobody", "", func(p *Policy) { p.Batch = true }, "unknown", CannotAsk, ""},
		{"nobody to ask", "", func(p *Policy) { p.Ask = nil }, "unknown", CannotAsk, ""},
		{"interrupted", "", func(p *Policy) { p.Ask = func(string) (string, error) { return "", interrupted } }, "unknown", Declined, ""},
		{"a program that answers nonsense for ever", "", func(p *Policy) { p.Ask = func(string) (string, error) { return "y", nil } }, "unknown", Declined, ""},
		{"strict", "", func(p *Policy) { p.Strict = "yes" }, "unknown", Strict, ""},
		{"no file", "", func(p *Policy) { p.UserFiles = []string{"none"} }, "unknown", NotRecordable, ""},
		{"right pin", "", func(p *Policy) { p.Pins = []string{ssh.FingerprintSHA256(key)} }, "", "", "box $KEY\n"},
		{"second pin", "", func(p *Policy) {
			p.Pins = []string{ssh.FingerprintSHA256(other), "MD5:" + ssh.FingerprintLegacyMD5(key)}
		}, "", "", "box $KEY\n"},
		{"right pin, strict", "", func(p *Policy) { p.Strict, p.Pins = "yes", []string{ssh.FingerprintSHA256(key)} }, "", "", "box $KEY\n"},
		{"right pin, no file", "", func(p *Policy) { p.UserFiles, p.Pins = nil, []string{ssh.FingerprintSHA256(key)} }, "", "", ""},
		{"wrong pin", "", func(p *Policy) { p.Pins = []string{ssh.FingerprintSHA256(other)} }, "unknown", PinMismatch, ""},
		{"wrong pin, unchecked", "", func(p *Policy) { p.Strict, p.Pins = "no", []string{ssh.FingerprintSHA256(other)} }, "unknown", PinMismatch, ""},
		{"wrong pin of a known host", "box $KEY\n", func(p *Policy) { p.Pins = []string{ssh.FingerprintSHA256(other)} }, "", "", ""},
		{"right pin of a changed host", "box $OTHER\n", func(p *Policy) { p.Pins = []string{ssh.FingerprintSHA256(key)} }, "changed", "", ""},
		{"words of ssh_config", "", func(p *Policy) { p.Strict = "TRUE" }, "unknown", Strict, ""},
		{"off", "", func(p *Policy) { p.Strict = "off" }, "", "", "box $KEY\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.write(expand(c.known))
			p := w.policy("")
			c.change(&p)
			err := w.check(p, peer, key)
			if got := kind(err); got != c.want {
				t.Fatalf("got %q (%v), want %q", got, err, c.want)
			}
			var unknown *UnknownError
			if errors.As(err, &unknown) && (unknown.Reason != c.reason || unknown.Key == nil || err.Error() == "") {
				t.Errorf("%+v", unknown)
			}
			if errors.Is(err, interrupted) != (c.name == "interrupted") {
				t.Error(err)
			}
			if len(w.asked) > 0 {
				t.Errorf("asked %q", w.asked)
			}
			if want := expand(c.known + c.adds); w.content() != want {
				t.Errorf("the file is %q, want %q", w.content(), want)
			}
		})
	}
}

// TestPoliciesNotUnderstood are refused before a connection is made.
func TestPoliciesNotUnderstood(t *testing.T) {
	for _, p := range []Policy{
		{Strict: "perhaps"}, {FingerprintHash: "crc32"}, {Pins: []string{"AAAA"}}, {Pins: []string{"CRC:AAAA"}},
	} {
		if v, err := New(p, "box", 0); err == nil {
			t.Errorf("%+v: %+v", p, v)
		}
	}
	if _, err := New(Policy{Strict: "Accept-New", FingerprintHash: "SHA1"}, "box", 0); err != nil {
		t.Error(err)
	}
}

// TestNamesNotWritten: a name that a pattern would match never reaches a file
// (check_host_key in sshconnect.c).
func TestNamesNotWritten(t *testing.T) {
	for _, name := range []string{"*", "b?x", "a,b", "#box", "@revoked", "[box]", "a b", "|1|x"} {
		w := newWorld(t)
		err := w.verifier(w.policy("accept-new"), name, 22).Callback()("", peer, cast()["KEY"].PublicKey())
		var unknown *UnknownError
		if !errors.As(err, &unknown) || unknown.Reason != NotRecordable || w.content() != "" {
			t.Errorf("%q: %v, %q", name, err, w.content())
		}
	}
}

// TestForgedCertificate: what an authority has signed cannot be changed.
func TestForgedCertificate(t *testing.T) {
	w := newWorld(t, expand("@cert-authority box $CA"))
	cert := certify(t, cast()["CA"], cast()["KEY"].PublicKey(), "box")
	if err := w.check(w.policy("yes"), peer, cert); err != nil {
		t.Error(err)
	}
	cert.Serial++
	if err := w.check(w.policy("yes"), peer, cert); kind(err) != "unknown" || !strings.HasPrefix(w.notices[0], "Certificate invalid: ") {
		t.Errorf("%v; %q", err, w.notices)
	}
}

// TestAcceptedOnce: a key that was accepted is not asked about again, by a rekey
// or a second connection.
func TestAcceptedOnce(t *testing.T) {
	w := newWorld(t)
	w.answers = []string{"yes"}
	p := w.policy("ask")
	var debug []string
	p.Debug = func(text string) { debug = append(debug, text) }
	v := w.verifier(p, "box", 22)
	for range 2 {
		if err := v.Callback()("", peer, cast()["KEY"].PublicKey()); err != nil {
			t.Error(err)
		}
	}
	if len(w.asked) != 1 || !v.SecretsAllowed() || strings.Count(w.content(), "\n") != 1 {
		t.Errorf("asked %q; %q", w.asked, w.content())
	}
	if err := w.check(p, peer, cast()["KEY"].PublicKey()); err != nil || len(debug) != 2 || debug[1] != "Found key in "+w.file+":1" {
		t.Errorf("%v; %q", err, debug)
	}
}

// TestLoopback: NoHostAuthenticationForLocalhost trusts what runs here, and
// nothing that only has such a name.
func TestLoopback(t *testing.T) {
	for _, c := range []struct {
		address net.Addr
		alias   string
		want    string
	}{
		{&net.TCPAddr{IP: net.IPv4(127, 1, 2, 3), Port: 22}, "", ""},
		{&net.TCPAddr{IP: net.IPv6loopback, Port: 22}, "", ""},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 22}, "other", "unknown"},
		{peer, "", "unknown"}, {proxied, "", "unknown"}, {&net.TCPAddr{IP: net.IPv4zero}, "", "unknown"}, {&net.TCPAddr{}, "", "unknown"},
	} {
		w := newWorld(t)
		p := w.policy("yes")
		p.NoAuthForLocalhost, p.Alias = true, c.alias
		if err := w.check(p, c.address, cast()["KEY"].PublicKey()); kind(err) != c.want {
			t.Errorf("%v, alias %q: %v", c.address, c.alias, err)
		}
	}
}

// TestKnownHostsCommand: its lines count like those of a file, and nothing is
// written for such a host.
func TestKnownHostsCommand(t *testing.T) {
	key := cast()["KEY"].PublicKey()
	w := newWorld(t, expand("bix $OTHER"))
	before := w.content()
	var asked []string
	answer, failure := []string{"", expand("box $KEY")}, error(nil)
	p := w.policy("yes")
	p.CheckHostIP = true
	p.KnownHostsCommand = func(invocation, host string, shown ssh.PublicKey) ([]string, error) {
		asked = append(asked, invocation+" "+host)
		if (shown == nil) != (invocation == "ORDER") {
			t.Errorf("%s with %v", invocation, shown)
		}
		return answer, failure
	}
	v := w.verifier(p, "box", 22)
	if order := v.Algorithms([]string{ssh.KeyAlgoRSASHA256, ssh.KeyAlgoED25519}); order[0] != ssh.KeyAlgoED25519 {
		t.Errorf("order %v", order)
	}
	if err := v.Callback()("", peer, key); err != nil || w.content() != before {
		t.Errorf("%v; %q", err, w.content())
	}
	if got := strings.Join(asked, ","); got != "ORDER box,HOSTNAME box,ADDRESS 192.0.2.7" {
		t.Errorf("asked for %s", got)
	}
	if want := "ED25519 host key for IP address '192.0.2.7' not in list of known hosts."; len(w.notices) != 1 || w.notices[0] != want {
		t.Errorf("%q", w.notices)
	}
	answer = []string{"@revoked box"}
	if err := w.check(p, peer, key); kind(err) != "file" || err.(*FileError).File != "KnownHostsCommand-HOSTNAME" {
		t.Error(err)
	}
	failure = errors.New("no such program")
	if err := w.check(p, peer, key); !errors.Is(err, failure) || err.Error() != "KnownHostsCommand failed: no such program" {
		t.Error(err)
	}
	if order := w.verifier(p, "box", 22).Algorithms(nil); strings.Join(order, ",") != strings.Join(DefaultAlgorithms(), ",") {
		t.Errorf("order %v", order)
	}
}

// TestAlgorithms: what the files can judge comes first (order_hostkeyalgs in
// sshconnect2.c).
func TestAlgorithms(t *testing.T) {
	const ed, rsa512, cert = ssh.KeyAlgoED25519, ssh.KeyAlgoRSASHA512, ssh.CertAlgoRSASHA512v01
	for _, c := range []struct{ known, preferred, want string }{
		{"", "ed rsa cert", "ed rsa cert"},
		{"box $RSA\n", "ed rsa cert", "rsa cert ed"}, // a certificate of a known type counts too
		{"box $RSA\n", "rsa ed", "rsa ed"},
		{"box $KEY\nbox $RSA\n", "ed rsa", "ed rsa"},
		{"@cert-authority box $CA\n", "ed rsa cert", "cert ed rsa"},
		{"@cert-authority bix $CA\n", "ed rsa cert", "ed rsa cert"},
		{"@revoked box $RSA\nbox $RSA\n", "ed rsa", "ed rsa"},
		{"bix $RSA\n", "ed rsa", "ed rsa"},
		{"box $RSA\n", "", ""},
	} {
		w := newWorld(t)
		w.write(expand(c.known))
		names := strings.NewReplacer("ed", ed, "rsa", rsa512, "cert", cert)
		split := func(s string) []string { return append([]string{}, strings.Fields(names.Replace(s))...) }
		got := w.verifier(w.policy("yes"), "box", 22).Algorithms(split(c.preferred))
		if strings.Join(got, " ") != strings.Join(split(c.want), " ") {
			t.Errorf("%q: %s becomes %v", c.known, c.preferred, got)
		}
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
