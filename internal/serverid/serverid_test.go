package serverid

import "testing"

func TestParse(t *testing.T) {
	for text, want := range map[string]Server{
		"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7": {Software: OpenSSH, Version: "9.2p1", WordHolds: true, PrivateGroups: true},
		"SSH-2.0-OpenSSH_10.0":                   {Software: OpenSSH, Version: "10.0", WordHolds: true},
		"SSH-2.0-OpenSSH_for_Windows_9.5":        {Software: OpenSSH, Version: "9.5", WordHolds: true, Windows: true},
		"SSH-1.99-OpenSSH_for_Windows_8.1 x":     {Software: OpenSSH, Version: "8.1", Windows: true},
		"SSH-1.99-OpenSSH_3.9p1":                 {Software: OpenSSH, Version: "3.9p1"},
		"SSH-2.0-OpenSSH":                        {Software: OpenSSH},
		"SSH-2.0-dropbear_2022.83":               {Software: Dropbear, Version: "2022.83", WordHolds: true},
		"SSH-2.0-dropbear":                       {Software: Dropbear, WordHolds: true},
		"SSH-2.0-dropbearish_1.0":                {},
		"SSH-2.0-tinyssh_20230101 x":             {Software: TinySSH, Version: "20230101", AcceptsEveryQuery: true},
		"SSH-2.0-tinyssh-x":                      {Software: TinySSH, Version: "-x", AcceptsEveryQuery: true},
		"SSH-2.0-x OpenSSH_for_Windows_9.5":      {},
		"OpenSSH_for_Windows_9.5":                {},
		"":                                       {},
	} {
		if got := Parse(text); got != want {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
	}
}

// TestScreenOS: only a name that begins so.
func TestScreenOS(t *testing.T) {
	for version, want := range map[string]bool{
		"SSH-2.0-NetScreen": true, "SSH-1.99-NetScreen": true, "SSH-2.0-NetScreen-5.4": true,
		"": false, "NetScreen": false, "SSH-2.0-": false, "SSH-2.0-OpenSSH_9.2 NetScreen": false,
		"SSH-2.0-netscreen": false, "SSH-2.0-NetScaler": false, "XSH-2.0-NetScreen": false, "SSH-2.0": false,
	} {
		if got := Parse(version).Software == ScreenOS; got != want {
			t.Errorf("%q: %v", version, got)
		}
	}
}

// TestResolvesAdministrators: since 8.6 the name means the SID in every language.
func TestResolvesAdministrators(t *testing.T) {
	for version, want := range map[string]bool{
		"SSH-2.0-OpenSSH_for_Windows_7.7": false, "SSH-2.0-OpenSSH_for_Windows_8.1": false, "SSH-2.0-OpenSSH_for_Windows_8.1p1 x": false,
		"SSH-2.0-OpenSSH_for_Windows_8.6": true, "SSH-2.0-OpenSSH_for_Windows_9.5": true, "SSH-2.0-OpenSSH_for_Windows_9.8 Win32-OpenSSH-GitHub": true,
		"SSH-2.0-OpenSSH_for_Windows_10.0": true, "SSH-2.0-OpenSSH_for_Windows": true,
	} {
		if Parse(version).ResolvesAdministrators() != want {
			t.Errorf("%s: %v", version, !want)
		}
	}
}
