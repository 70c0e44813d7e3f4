package hostkey

import (
	"errors"
	"net"
	"strings"
	"testing"
)

// TestCheckHostIP: what is known of the address of a host counts beside what is
// known of its name (check_host_key in sshconnect.c). ssh itself looks up no
// address of its own machine, so that no table can be held against it here.
func TestCheckHostIP(t *testing.T) {
	const (
		added   = "Warning: Permanently added the ED25519 host key for IP address '192.0.2.7' to the list of known hosts."
		missing = "ED25519 host key for IP address '192.0.2.7' not in list of known hosts."
		differs = "Warning: the ED25519 host key for 'box' differs from the key for the IP address '192.0.2.7'"
		spoofed = "@       WARNING: POSSIBLE DNS SPOOFING DETECTED!          @"
	)
	for _, c := range []struct {
		name, known, strict string
		port                int
		address             net.Addr
		hash                bool
		answer              string // "": none
		want                string // what kind gives
		says                string // in a notice, a question, or the error's words
		adds                string
	}{
		{name: "both known", known: "box $KEY\n192.0.2.7 $KEY\n", strict: "yes"},
		{name: "both in one line", known: "box,192.0.2.7 $KEY\n", strict: "yes"},
		{name: "name known", known: "box $KEY\n", strict: "yes", says: added, adds: "192.0.2.7 $KEY\n"},
		{name: "name known, with a port", known: "[box]:2222 $KEY\n", port: 2222, strict: "yes", adds: "[192.0.2.7]:2222 $KEY\n"},
		{name: "name known without the port", known: "box $KEY\n", port: 2222, strict: "yes", says: missing},
		{name: "name revoked without the port", known: "@revoked box $KEY\n", port: 2222, strict: "yes", want: "revoked"},
		{name: "name known by an address behind a proxy", known: "box $KEY\n", strict: "yes", address: proxied},
		{name: "name known on this machine", known: "box $KEY\n", strict: "yes", address: &net.TCPAddr{IP: net.IPv6loopback, Port: 22}},
		{name: "IPv6 zone", known: "box $KEY\n", strict: "yes", address: &net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0"}, adds: "fe80::1%eth0 $KEY\n"},
		{name: "address known by another key", known: "box $KEY\n192.0.2.7 $OTHER\n", strict: "yes", want: "address", says: differs},
		{name: "the same, accept-new", known: "box $KEY\n192.0.2.7 $OTHER\n", strict: "accept-new", want: "address", says: "Exiting, you have requested strict checking."},
		{name: "the same, unchecked", known: "box $KEY\n192.0.2.7 $OTHER\n", strict: "no", says: "Matching host key in FILE:1"},
		{name: "the same, asked and yes", known: "box $KEY\n192.0.2.7 $OTHER\n", strict: "ask", answer: "yes", says: "Offending key for IP in FILE:2"},
		{name: "the same, asked and no", known: "box $KEY\n192.0.2.7 $OTHER\n", strict: "ask", answer: "no", want: "address", says: differs},
		{name: "the same, a fingerprint is no answer", known: "box $KEY\n192.0.2.7 $OTHER\n", strict: "ask", answer: "SHA256:AAAA", want: "address", says: "Please type 'yes' or 'no': "},
		{name: "address revoked", known: "box $KEY\n@revoked 192.0.2.7 $KEY\n", strict: "yes", want: "revoked", says: "The ED25519 host key for 192.0.2.7 is marked as revoked."},
		{name: "new", strict: "accept-new", says: "Warning: Permanently added 'box,192.0.2.7' (ED25519)", adds: "box,192.0.2.7 $KEY\n"},
		{name: "new, hashed", strict: "accept-new", hash: true, adds: "HASH $KEY\nHASH $KEY\n"},
		{name: "new at a known address", known: "192.0.2.7 $KEY\n", strict: "accept-new", says: "'box' (ED25519)", adds: "box $KEY\n"},
		{name: "new at another's address", known: "192.0.2.7 $OTHER\n", strict: "yes", want: "unknown"},
		{name: "new at another's address, accept-new", known: "192.0.2.7 $OTHER\n", strict: "accept-new", want: "address", adds: "box $KEY\n"},
		{name: "changed at an unknown address", known: "box $OTHER\n", strict: "yes", want: "changed", says: spoofed + "\n@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n" +
			"The ED25519 host key for box has changed,\nand the key for the corresponding IP address 192.0.2.7\nis unknown."},
		{name: "changed at a known address", known: "box $OTHER\n192.0.2.7 $KEY\n", strict: "yes", want: "changed", says: "is unchanged. This could either mean that"},
		{name: "changed at another's address", known: "box $OTHER\n192.0.2.7 $RSA\n", strict: "yes", want: "changed", says: "has a different value. This could either mean that\n" +
			"DNS SPOOFING is happening or the IP address for the host\nand its host key have changed at the same time.\nOffending key for IP in FILE:2\n"},
		{name: "changed at its address too", known: "box,192.0.2.7 $OTHER\n", strict: "yes", want: "changed", says: "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.write(expand(c.known))
			if c.answer != "" {
				w.answers = []string{c.answer, "no"}
			}
			p := w.policy(c.strict)
			p.CheckHostIP, p.Hash = true, c.hash
			if c.address == nil {
				c.address = peer
			}
			err := w.verifier(p, "box", c.port).Callback()("", c.address, cast()["KEY"].PublicKey())
			if got := kind(err); got != c.want {
				t.Fatalf("got %q (%v), want %q", got, err, c.want)
			}
			said := strings.Join(append(append(w.asked, w.notices...), Explain(err)), "\n")
			if want := strings.ReplaceAll(c.says, "FILE", w.file); !strings.Contains(said, want) {
				t.Errorf("%q is missing in\n%s", want, said)
			}
			if c.name == "changed at its address too" && strings.Contains(said, spoofed) {
				t.Errorf("the name and the address agree:\n%s", said)
			}
			if got := hashedName.ReplaceAllString(w.content(), "HASH"); got != expand(c.known+c.adds) {
				t.Errorf("the file is %q", got)
			}
			var address *AddressError
			if errors.As(err, &address) && (address.Asked != (c.answer != "") || address.Error() == "") {
				t.Errorf("%+v", address)
			}
		})
	}
}

// TestCheckHostIPNotWritten: an address that cannot be noted does not keep
// anybody from the host.
func TestCheckHostIPNotWritten(t *testing.T) {
	w := newWorld(t)
	p := w.policy("yes")
	p.UserFiles, p.GlobalFiles = []string{t.TempDir()}, []string{w.beside("global", expand("box $KEY\n"))}
	p.CheckHostIP = true
	if err := w.check(p, peer, cast()["KEY"].PublicKey()); err != nil {
		t.Error(err)
	}
	want := "Failed to add the ED25519 host key for IP address '192.0.2.7' to the list of known hosts (" + p.UserFiles[0] + ")."
	if len(w.notices) != 2 || w.notices[1] != want {
		t.Errorf("%q", w.notices)
	}
}

// TestHostNamedByAddress has no other address to look up.
func TestHostNamedByAddress(t *testing.T) {
	w := newWorld(t)
	p := w.policy("accept-new")
	p.CheckHostIP = true
	if err := w.verifier(p, "192.0.2.7", 22).Callback()("", peer, cast()["KEY"].PublicKey()); err != nil || w.content() != expand("192.0.2.7 $KEY\n") {
		t.Errorf("%v; %q", err, w.content())
	}
}
