package sshconfig

import "testing"

// TestParsePort: what ssh -G -p takes for a port; 0 is one, that no server
// listens on.
func TestParsePort(t *testing.T) {
	for text, want := range map[string]int{
		"22": 22, "08": 8, "0022": 22, "+22": 22, " 22": 22, "65535": 65535, "0": 0,
		"": -1, "-1": -1, "65536": -1, "99999999999999999999": -1, "0x16": -1, "22x": -1, "x22": -1, "1e1": -1, "22 ": -1, "2 2": -1, "++22": -1,
		"SSH": -1, "no such service": -1, "ssh\x00": -1,
	} {
		if got := ParsePort(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
