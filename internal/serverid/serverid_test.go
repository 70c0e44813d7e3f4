package serverid

import "testing"

func TestParse(t *testing.T) {
	for text, want := range map[string]Server{
		"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7": {OpenSSH, "9.2p1"},
		"SSH-2.0-OpenSSH_for_Windows_9.5":        {OpenSSH, "9.5"},
		"SSH-1.99-OpenSSH_3.9p1":                 {OpenSSH, "3.9p1"},
		"SSH-2.0-dropbear_2022.83":               {Dropbear, "2022.83"},
		"SSH-2.0-dropbear":                       {Dropbear, ""},
		"SSH-2.0-dropbearish_1.0":                {},
		"SSH-2.0-tinyssh_20230101 x":             {},
		"":                                       {},
	} {
		if got := Parse(text); got != want {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
	}
}
