package sshclient

import (
	"slices"
	"strings"
	"testing"

	"ssh-copy-id/internal/sshconfig"
)

// TestWeakKexOfOlderOpenSSH: a server with a post-quantum method that this
// program lacks need not be upgraded, and ssh would not warn.
func TestWeakKexOfOlderOpenSSH(t *testing.T) {
	for _, test := range []struct {
		theirs string
		told   int
	}{
		{"sntrup761x25519-sha512@openssh.com", 0},
		{"diffie-hellman-group16-sha512", 1},
	} {
		var told string
		o := Options{Host: &sshconfig.Host{WarnWeakCrypto: true}, UI: UI{Notice: func(text string) { told += text }}}
		ours := supported("KexAlgorithms", sshconfig.KexAlgorithms.Names(nil))
		theirs := []string{test.theirs, "curve25519-sha256"}
		o.warnWeakKex(ours, theirs)
		o.warnWeakKex(ours, theirs) // another connection to the same host
		if strings.Count(told, "WARNING") != test.told {
			t.Errorf("%s: told %q", test.theirs, told)
		}
	}
}

func TestProposedKex(t *testing.T) {
	list := "a,b"
	payload := append([]byte{kexInitMessage}, make([]byte, 16)...)
	payload = appendString(payload, []byte(list))
	packet := appendString(nil, append([]byte{0}, payload...))
	for n := range packet {
		if names, whole := proposedKex(packet[:n]); whole || names != nil {
			t.Errorf("%d of %d bytes: %q", n, len(packet), names)
		}
	}
	if names, whole := proposedKex(packet); !whole || !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("%q %v", names, whole)
	}
	for name, bad := range map[string][]byte{
		"empty":          {0, 0, 0, 0},
		"too long":       {0xff, 0xff, 0xff, 0xff},
		"another one":    appendString(nil, append([]byte{0, 21}, payload[1:]...)),
		"cut":            appendString(nil, append([]byte{0}, payload[:len(payload)-2]...)),
		"no list at all": appendString(nil, []byte{0, kexInitMessage}),
	} {
		if names, whole := proposedKex(bad); !whole || names != nil {
			t.Errorf("%s: %q %v", name, names, whole)
		}
	}
}

func FuzzProposedKex(f *testing.F) {
	f.Add([]byte{0, 0, 0, 30, 4, kexInitMessage})
	f.Fuzz(func(_ *testing.T, packet []byte) { proposedKex(packet) })
}
