package hostkey

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/crypto/ssh"
)

// TestUTF16File: what Notepad and PowerShell make of a known_hosts file counts,
// revocations above all, and is never added to.
func TestUTF16File(t *testing.T) {
	key, revoked := newKey(t), newKey(t)
	line := func(k ssh.PublicKey) string { return string(ssh.MarshalAuthorizedKey(k)) }
	text := "box " + line(key) + "@revoked bad " + line(revoked)
	for name, order := range map[string]binary.AppendByteOrder{"little-endian": binary.LittleEndian, "big-endian": binary.BigEndian} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "x")
			var data []byte
			for _, unit := range append([]uint16{0xfeff}, utf16.Encode([]rune(strings.ReplaceAll(text, "\n", "\r\n")))...) {
				data = order.AppendUint16(data, unit)
			}
			if err := os.WriteFile(w.file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				host string
				key  ssh.PublicKey
				want string
			}{{"box", key, ""}, {"box", revoked, "changed"}, {"bad", revoked, "revoked"}, {"new", key, ""}} {
				err := w.verifier(w.policy("accept-new"), c.host, 22).Callback()(c.host, peer, c.key)
				if got := kind(err); got != c.want {
					t.Errorf("%s: %q (%v), want %q", c.host, got, err, c.want)
				}
			}
			if w.content() != string(data) {
				t.Error("the file was changed")
			}
			told := strings.Join(w.notices, "\n")
			for _, want := range []string{"is in UTF-16", "Failed to add the host to the list of known hosts"} {
				if !strings.Contains(told, want) {
					t.Errorf("%q was not told: %q", want, told)
				}
			}
		})
	}
}
