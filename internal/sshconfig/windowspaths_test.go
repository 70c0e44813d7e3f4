package sshconfig

import (
	"slices"
	"testing"
)

func TestWindowsPath(t *testing.T) {
	for in, want := range map[string]string{
		`__PROGRAMDATA__/ssh/ssh_known_hosts`: `D:\Data/ssh/ssh_known_hosts`,
		`__programdata__\ssh`:                 `D:\Data\ssh`,
		`/c:/Users/me/.ssh/id`:                `c:/Users/me/.ssh/id`,
		`/c:\Users`:                           `c:\Users`,
		`/cygdrive/c/Users/me`:                `c:/Users/me`,
		`/c/Users/me/.ssh/id`:                 `c:/Users/me/.ssh/id`,
		`/C`:                                  `C:/`,
		`C:\Users\me`:                         `C:\Users\me`,
		`C:key`:                               `C:key`,
		`\Users\me`:                           `\Users\me`,
		`\\server\share\key`:                  `\\server\share\key`,
		`//server/share/key`:                  `//server/share/key`,
		`/dev/null`:                           `NUL`,
		`/dev/nul`:                            `/dev/nul`,
		`/etc/ssh/known`:                      `/etc/ssh/known`,
		`/1/x`:                                `/1/x`,
		`/`:                                   `/`,
		`rel/path`:                            `rel/path`,
		``:                                    ``,
	} {
		if got := windowsPath(in, `D:\Data`); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestIsUNC(t *testing.T) {
	for s, want := range map[string]bool{
		`\\server\share`: true, `\\.\pipe\agent`: true, `\\?\C:\x`: true,
		`\\\\server\\share`: false, `\server`: false, `\\`: false, `\\ x`: false, `C:\\Users`: false, ``: false,
	} {
		if got := isUNC(s); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}

// TestQuoteProgram: cmd.exe finds the program that ssh for Windows would start,
// and every other command stays as it is.
func TestQuoteProgram(t *testing.T) {
	there := []string{`C:\Program Files (x86)\relay\relay.exe`, `C:\bin\nc.exe`, `C:/bin/nc.exe`, `./relay`, `C:\a b`, `C:\x,y\nc.exe`}
	isFile := func(path string) bool { return slices.Contains(there, path) }
	for in, want := range map[string]string{
		`C:\Program Files (x86)\relay\relay.exe %h 22`:  `"C:\Program Files (x86)\relay\relay.exe" %h 22`,
		`C:\Program Files (x86)\relay\relay host 22`:    `"C:\Program Files (x86)\relay\relay" host 22`,
		`C:\Program Files (x86)\relay\relay.exe`:        `"C:\Program Files (x86)\relay\relay.exe"`,
		`"C:\Program Files (x86)\relay\relay.exe" host`: `"C:\Program Files (x86)\relay\relay.exe" host`,
		`C:\bin\nc.exe host 22`:                         `C:\bin\nc.exe host 22`,
		`C:/bin/nc.exe host 22`:                         `"C:\bin\nc.exe" host 22`,
		`C:\x,y\nc.exe host`:                            `"C:\x,y\nc.exe" host`,
		`./relay -x`:                                    `".\relay" -x`,
		`C:\a b`:                                        `"C:\a b"`,
		`C:\missing one\x.exe host`:                     `C:\missing one\x.exe host`,
		`nc host 22`:                                    `nc host 22`,
		`nc -X /C:\bin\nc.exe host`:                     `nc -X /C:\bin\nc.exe host`,
		`echo x>C:\bin\nc.exe`:                          `echo x>C:\bin\nc.exe`,
		`%USERPROFILE%\relay.exe host`:                  `%USERPROFILE%\relay.exe host`,
		``:                                              ``,
		` `:                                             ` `,
	} {
		if got := quoteProgram(in, isFile); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestCmdLine(t *testing.T) {
	const command = `"C:\Program Files\nc.exe" -x "a b" host & exit 3`
	if got, want := cmdLine(command), `cmd.exe /d /s /c ""C:\Program Files\nc.exe" -x "a b" host & exit 3"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestNamesInCmd(t *testing.T) {
	for name, want := range map[string]bool{
		"box": true, "fe80::1%12": true, "fe80::1%eth0": true,
		"%OS%": false, "a%OS%b": false, "x^y": false, "box%": false, "fe80::1%OS%": false, "%:": false,
	} {
		if got := hostInCmd(name); got != want {
			t.Errorf("host %s: %v", name, got)
		}
	}
	for name, want := range map[string]bool{"me": true, `corp\me`: true, "100%": false, "x^y": false} {
		if got := userInCmd(name); got != want {
			t.Errorf("user %s: %v", name, got)
		}
	}
}

func TestPlainText(t *testing.T) {
	for _, tt := range []struct {
		in, want  string
		converted bool
	}{
		{"User bob\r\n", "User bob\r\n", false},
		{"\xef\xbb\xbfUser bob\n", "User bob\n", true},
		{"\xff\xfeU\x00 \x00b\x00", "U b", true},
	} {
		got, converted := plainText([]byte(tt.in))
		if string(got) != tt.want || converted != tt.converted {
			t.Errorf("%q: %q, %v", tt.in, got, converted)
		}
	}
}
