package term

import "testing"

func TestConsoleSeen(t *testing.T) {
	const file, console, pty = otherStream, onConsole, onPty
	for _, tt := range []struct {
		name    string
		streams [3]stream
		window  bool
		env     string
		want    bool
	}{
		{"cmd, PowerShell", [3]stream{console, console, console}, true, "", true},
		{"standard output redirected", [3]stream{console, file, console}, true, "", true},
		{"two redirected", [3]stream{file, file, console}, false, "", true},
		{"all redirected in a window", [3]stream{file, file, file}, true, "", true},
		{"started without a window", [3]stream{file, file, file}, false, "", false},
		{"mintty", [3]stream{pty, pty, pty}, true, "MSYSTEM=MINGW64", false},
		{"mintty, one left", [3]stream{file, file, pty}, true, "", false},
		{"mintty, all redirected", [3]stream{file, file, file}, true, "MSYSTEM=MINGW64", false},
		{"mintty of Cygwin, all redirected", [3]stream{file, file, file}, true, "TERM_PROGRAM=mintty", false},
		{"mintty with winpty or a pseudo console", [3]stream{console, console, console}, true, "MSYSTEM=MINGW64 TERM_PROGRAM=mintty", true},
		{"Git Bash in Windows Terminal", [3]stream{console, console, console}, true, "MSYSTEM=MINGW64", true},
	} {
		if got := consoleSeen(tt.streams, tt.window, testEnvironment(tt.env)); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestPtyPipe(t *testing.T) {
	for name, want := range map[string]bool{
		`\msys-1888ae32e00d56aa-pty0-to-master`: true, `\cygwin-e022582115c10879-pty12-from-master`: true,
		`\cygwin-e022582115c10879-pty4-to-master-nat`: true, `\openssh-ssh-agent`: false, `\x\msys-1-pty0-to-master`: false,
		`\msys-1888ae32e00d56aa-pipe-0x1`: false, "": false,
	} {
		if got := ptyPipe.MatchString(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
