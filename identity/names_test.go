package identity

import (
	"path/filepath"
	"testing"
)

func TestPubPath(t *testing.T) {
	for name, want := range map[string]string{
		"id": "id.pub", "id.pub": "id.pub", "a.b/id": "a.b/id.pub", ".pub": ".pub", "idpub": "idpub.pub", "id.pub.pub": "id.pub.pub",
	} {
		if got := PubPath(name); got != want {
			t.Errorf("PubPath(%q) = %q, want %q", name, got, want)
		}
	}
}

// Windows' names are the same in any case, those of other systems are not.
func TestNamesInAnyCase(t *testing.T) {
	tests := []struct {
		name            string
		exact, fold     string // without .pub
		isPub, isFolded bool
		newest, newestW bool // a default identity; the same on Windows
	}{
		{"id.pub", "id", "id", true, true, true, true},
		{"ID.PUB", "ID.PUB", "ID", false, true, false, true},
		{"id_rsa.Pub", "id_rsa.Pub", "id_rsa", false, true, false, true},
		{"Id_rsa.pub", "Id_rsa", "Id_rsa", true, true, false, true},
		{"id-cert.PUB", "id-cert.PUB", "id-cert", false, true, false, false},
		{"id-Cert.pub", "id-Cert", "id-Cert", true, true, true, false},
		{"PUB", "PUB", "PUB", false, false, false, false},
		{"\u00efd.pub", "\u00efd", "\u00efd", true, true, false, false},
		{"id\u212a.pu", "id\u212a.pu", "id\u212a.pu", false, false, false, false},
	}
	for _, test := range tests {
		if got, ok := cutPub(test.name, false); got != test.exact || ok != test.isPub {
			t.Errorf("%q: %q, %v", test.name, got, ok)
		}
		if got, ok := cutPub(test.name, true); got != test.fold || ok != test.isFolded {
			t.Errorf("%q on Windows: %q, %v", test.name, got, ok)
		}
		if got := defaultName(test.name, false); got != test.newest {
			t.Errorf("%q: a default name: %v", test.name, got)
		}
		if got := defaultName(test.name, true); got != test.newestW {
			t.Errorf("%q on Windows: a default name: %v", test.name, got)
		}
	}
}

func TestPrivateKeyBeside(t *testing.T) {
	private := string(encode(t, "ed25519", "openssh", false))
	pub := published(t, "rsa") + "\n" + published(t, "ed25519") + "\n"
	tests := []struct {
		name, file, content string
		beside              map[string]string
		want                string
	}{
		{name: "of every key of the file", file: "id.pub", content: pub, beside: map[string]string{"id": private}, want: "id"},
		{name: "whatever it holds", file: "id.pub", content: pub, beside: map[string]string{"id": "x"}, want: "id"},
		{name: "not PuTTY's", file: "id.pub", content: pub, beside: map[string]string{"id": putty(t, "ed25519-v3.ppk")}},
		{name: "not PuTTY's with its own suffix", file: "id.pub", content: pub, beside: map[string]string{"id.ppk": putty(t, "ed25519-v3.ppk")}},
		{name: "none", file: "id.pub", content: pub},
		{name: "a public key that is called so", file: "keys", content: pub},
		{name: "of another suffix", file: "id.pem", content: exported(t, "rsa.pkcs8"), beside: map[string]string{"id": private}, want: "id"},
		{name: "of another suffix, if it is one", file: "id.txt", content: pub, beside: map[string]string{"id": "x"}},
		{name: "of another suffix, not PuTTY's", file: "id.txt", content: pub, beside: map[string]string{"id": putty(t, "rsa-v2.ppk")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range test.beside {
				writeFile(t, filepath.Join(dir, name), content)
			}
			want := ""
			if test.want != "" {
				want = filepath.Join(dir, test.want)
			}
			ids, err := ReadFile(writeFile(t, filepath.Join(dir, test.file), test.content))
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range ids {
				if id.Origin.PrivateKey != want {
					t.Errorf("line %d: %q, want %q", id.Origin.Line, id.Origin.PrivateKey, want)
				}
			}
		})
	}
}
