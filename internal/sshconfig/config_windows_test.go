package sshconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A configuration as people on Windows write it.
func windowsConfig(t *testing.T, text string, change func(*Input)) *Host {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in := Input{
		Destination: "box", ConfigFile: file, Home: dir, LocalUser: "me",
		Getenv: func(name string) string { return map[string]string{"ProgramData": `D:\Data`}[name] },
	}
	if change != nil {
		change(&in)
	}
	h, err := Resolve(in)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPathsOfWindows(t *testing.T) {
	h := windowsConfig(t, strings.Join([]string{
		`IdentityFile C:\Users\me\.ssh\one`,
		`IdentityFile "C:\Users\A Person\.ssh\two"`,
		`IdentityFile C:\\Users\\me\\three`,
		`IdentityFile ~\.ssh\four`,
		`IdentityFile ~/.ssh/five`,
		`IdentityFile \\server\share\six`,
		`IdentityFile \\\\server\\share\\seven`,
		`IdentityFile /c/Users/me/eight`,
		`IdentityAgent \\.\pipe\agent`,
		`UserKnownHostsFile "\\server\share\known hosts" /c:/known`,
		`GlobalKnownHostsFile __PROGRAMDATA__\ssh\known`,
	}, "\r\n"), func(in *Input) { in.Home = `C:\Users\me` })
	want := `C:\Users\me\.ssh\one|C:\Users\A Person\.ssh\two|C:\Users\me\three|C:\Users\me/.ssh\four|C:\Users\me/.ssh/five|` +
		`\\server\share\six|\\server\share\seven|c:/Users/me/eight`
	if got := strings.Join(h.IdentityFiles, "|"); got != want {
		t.Errorf("identity files\n%s, want\n%s", got, want)
	}
	if h.IdentityAgent != `\\.\pipe\agent` {
		t.Errorf("agent %s", h.IdentityAgent)
	}
	if got := strings.Join(h.UserKnownHostsFiles, "|"); got != `\\server\share\known hosts|c:/known` {
		t.Errorf("known hosts %s", got)
	}
	if got := strings.Join(h.GlobalKnownHostsFiles, "|"); got != `D:\Data\ssh\known` {
		t.Errorf("global known hosts %s", got)
	}
}

func TestIncludeWithBackslashes(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.conf": "User alice\r\n", "b.conf": "Port 2222\r\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := windowsConfig(t, "Include "+dir+`\*.conf`+"\r\n", nil)
	if h.User != "alice" || h.Port != 2222 {
		t.Errorf("user %s, port %d", h.User, h.Port)
	}
}

// TestTextOfWindows: what Notepad makes of a file is read, and told.
func TestTextOfWindows(t *testing.T) {
	for name, text := range map[string]string{
		"byte order mark": "\xef\xbb\xbfUser bob\r\n", "UTF-16": "\xff\xfeU\x00s\x00e\x00r\x00 \x00b\x00o\x00b\x00\r\x00\n\x00",
	} {
		h := windowsConfig(t, text, nil)
		if h.User != "bob" || len(h.Notices) != 1 || !strings.Contains(h.Notices[0], "UTF-16 or begins with") {
			t.Errorf("%s: user %s, notices %q", name, h.User, h.Notices)
		}
	}
}

// TestMatchExecThroughCmd: quotes, blanks and the exit status reach cmd.exe and
// come back.
func TestMatchExecThroughCmd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "there.txt")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h := windowsConfig(t, strings.Join([]string{
		`Match exec "exit 3"`, ` User no`,
		`Match exec "if exist \"` + file + `\" (exit 0) else (exit 1)"`, ` User yes`,
	}, "\r\n"), nil)
	if h.User != "yes" {
		t.Errorf("user %s", h.User)
	}
}
