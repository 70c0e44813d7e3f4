package hostkey

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// update is a server that says which host keys it has, and what is learned.
type update struct {
	name    string
	known   string
	strict  string // "": yes
	answers []string
	offered string // names of cast
	adds    string // that is: the keys and, before them, the host that was new
	ours    string // why ssh does something else
}

var updates = []update{
	{name: "another type", known: "box $KEY\n", offered: "KEY ECDSA", adds: "box $ECDSA\n"},
	{name: "two keys", known: "box $KEY\n", offered: "KEY ECDSA OTHER", adds: "box $ECDSA\nbox $OTHER\n"},
	{name: "the same twice", known: "box $KEY\n", offered: "KEY ECDSA ECDSA", adds: "box $ECDSA\n", ours: "ssh takes it for a protocol error"},
	{name: "nothing new", known: "# ours\nbox $KEY\nbox $ECDSA comment\n", offered: "KEY ECDSA"},
	{name: "its own only", known: "box $KEY\n", offered: "KEY"},
	{name: "hashed", known: "#BOX $KEY\n", offered: "KEY ECDSA", adds: "box $ECDSA\n"},
	{name: "with an address", known: "box,192.0.2.7 $KEY\n", offered: "KEY ECDSA", adds: "box $ECDSA\n"},
	{name: "with a comment behind", known: "box $KEY\n# the end\n", offered: "KEY ECDSA", adds: "box $ECDSA\n"},
	{name: "three names", known: "box,bix,bax $KEY\n", offered: "KEY ECDSA"},
	{name: "pattern", known: "bo* $KEY\n", offered: "KEY ECDSA"},
	{name: "authority", known: "box $KEY\n@cert-authority box $CA\n", offered: "KEY ECDSA"},
	{name: "revoked", known: "box $KEY\n@revoked box $RSA\n", offered: "KEY ECDSA"},
	{name: "revoked for another", known: "box $KEY\n@revoked bix $RSA\n", offered: "KEY ECDSA", adds: "box $ECDSA\n"},
	{name: "known under another name", known: "box $KEY\nbix $ECDSA\n", offered: "KEY ECDSA"},
	{name: "its own under another name", known: "box $KEY\nbix $KEY\n", offered: "KEY ECDSA"},
	{name: "a damaged line", known: "box $KEY\n|1|x|y $KEY\n", offered: "KEY ECDSA", adds: "box $ECDSA\n"},
	{name: "a key that the server has no longer", known: "box $KEY\nbox $OTHER\n", offered: "KEY ECDSA", adds: "box $ECDSA\n", ours: "ssh removes it"},
	{name: "asked about", strict: "ask", answers: []string{"yes"}, offered: "KEY ECDSA", adds: "box $KEY\nbox $ECDSA\n"},
	{name: "taken without a question", strict: "accept-new", offered: "KEY ECDSA", adds: "box $KEY\n"},
	{name: "changed and unchecked", known: "box $OTHER\n", strict: "no", offered: "KEY ECDSA"},
}

func (c update) run(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.write(knownText(c.known))
	w.answers = slices.Clone(c.answers)
	v := w.verifier(w.policy(c.strict), "box", 22)
	if err := v.Callback()("", proxied, cast()["KEY"].PublicKey()); err != nil {
		t.Fatal(err)
	}
	var offered []ssh.PublicKey
	for _, name := range strings.Fields(c.offered) {
		offered = append(offered, cast()[name].PublicKey())
	}
	if err := v.Learn(v.NewKeys(offered)); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestUpdateHostKeys: which keys of a server are learned.
func TestUpdateHostKeys(t *testing.T) {
	for _, c := range updates {
		if c.strict == "" {
			c.strict = "yes"
		}
		w := c.run(t)
		text := func(s string) string { return hashedName.ReplaceAllString(knownText(s), "HASH") }
		if got := hashedName.ReplaceAllString(w.content(), "HASH"); got != text(c.known+c.adds) {
			t.Errorf("%s: the file is\n%s", c.name, got)
		}
	}
}

// TestUpdateNotTrusted: nothing is learned where no user file and nobody has
// vouched for the key that was shown.
func TestUpdateNotTrusted(t *testing.T) {
	key, fresh := cast()["KEY"].PublicKey(), []ssh.PublicKey{cast()["ECDSA"].PublicKey()}
	certificate := certify(t, cast()["CA"], cast()["OTHER"].PublicKey(), "box")
	for name, change := range map[string]func(w *world, p *Policy){
		"global file":     func(w *world, p *Policy) { p.UserFiles, p.GlobalFiles = []string{w.file + "2"}, p.UserFiles },
		"address checked": func(_ *world, p *Policy) { p.CheckHostIP = true },
		"KnownHostsCommand": func(w *world, p *Policy) {
			w.write("")
			p.KnownHostsCommand = func(string, string, ssh.PublicKey) ([]string, error) { return []string{expand("box $KEY")}, nil }
		},
		"damaged": func(w *world, p *Policy) {
			p.Debug = func(string) { w.write(expand("box $KEY\n@revoked box\n")) }
		},
	} {
		w := newWorld(t, expand("box $KEY"))
		p := w.policy("yes")
		change(w, &p)
		v := w.verifier(p, "box", 22)
		if keys := v.NewKeys(fresh); keys != nil {
			t.Errorf("%s: %v before a key was shown", name, keys)
		}
		if err := v.Callback()("", peer, key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if keys := v.NewKeys(fresh); keys != nil {
			t.Errorf("%s: %v", name, keys)
		}
	}
	w := newWorld(t, expand("box $KEY"))
	v := w.verifier(w.policy("yes"), "box", 22)
	if err := v.Callback()("", peer, key); err != nil {
		t.Fatal(err)
	}
	if keys := v.NewKeys([]ssh.PublicKey{certificate, key}); keys != nil {
		t.Errorf("a certificate and a known key are new: %v", keys)
	}
	w.write("")
	v.policy.UserFiles = []string{t.TempDir()}
	if err := v.Learn(fresh); err == nil {
		t.Error("a directory was written to")
	}
}

// TestUpdatePinned: a fingerprint that was given is somebody's word for the key.
func TestUpdatePinned(t *testing.T) {
	w := newWorld(t)
	p := w.policy("yes")
	p.Pins = []string{ssh.FingerprintSHA256(cast()["KEY"].PublicKey())}
	v := w.verifier(p, "box", 22)
	if err := v.Callback()("", peer, cast()["KEY"].PublicKey()); err != nil {
		t.Fatal(err)
	}
	if keys := v.NewKeys([]ssh.PublicKey{cast()["ECDSA"].PublicKey()}); len(keys) != 1 {
		t.Errorf("%v", keys)
	}
}
