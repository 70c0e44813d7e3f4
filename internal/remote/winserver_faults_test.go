//go:build unix

package remote

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"ssh-copy-id/internal/sshtest"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

// TestWindowsTrouble: what a server that is not as it should be leads to.
func TestWindowsTrouble(t *testing.T) {
	old := windowsPatience
	t.Cleanup(func() { windowsPatience = old })
	for _, tt := range []struct {
		name   string
		cfg    sshtest.WindowsConfig
		reason Reason // "": it works
		detail string
	}{
		{name: "noise before the answer", cfg: sshtest.WindowsConfig{Noise: "Active code page: 65001\r\nWelcome without a newline"}},
		{name: "much noise", cfg: sshtest.WindowsConfig{Noise: strings.Repeat("x", 1<<20)}},
		{name: "no PowerShell for cmd", cfg: sshtest.WindowsConfig{NoPowerShell: true}},
		{name: "no PowerShell for bash", cfg: sshtest.WindowsConfig{NoPowerShell: true, Shell: sshtest.Bash}},
		{name: "no PowerShell, administrator", cfg: sshtest.WindowsConfig{NoPowerShell: true, Admin: true}, reason: NoPowerShell, detail: "'powershell.exe' is not recognized"},
		{name: "no PowerShell, no SFTP", cfg: sshtest.WindowsConfig{NoPowerShell: true, NoSFTP: true}, reason: NoPowerShell, detail: "'powershell.exe' is not recognized"},
		{name: "a virus scanner", cfg: sshtest.WindowsConfig{Broken: true}, reason: NoAnswer, detail: "malicious content & is blocked.\r\n+ ~~"},
		{name: "file open elsewhere for a moment", cfg: sshtest.WindowsConfig{Busy: 2}},
		{name: "file open elsewhere for ever", cfg: sshtest.WindowsConfig{Busy: -1}, reason: Failed},
		{name: "a policy", cfg: sshtest.WindowsConfig{Limited: true}, reason: Refused, detail: "policy"},
		{name: "output without end", cfg: sshtest.WindowsConfig{Endless: true}, reason: TooMuch},
		{name: "no answer", cfg: sshtest.WindowsConfig{Silent: true}, reason: NoAnswer, detail: "did not answer within"},
		{name: "no SFTP", cfg: sshtest.WindowsConfig{NoSFTP: true}, reason: NoSFTP},
		{name: "SFTP in a chroot", cfg: sshtest.WindowsConfig{Chroot: `C:\Users`}, reason: Failed, detail: "ChrootDirectory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			windowsPatience = old
			if tt.cfg.Silent {
				windowsPatience = 50 * time.Millisecond
			}
			h := newWindows(t, tt.cfg)
			s, err := OpenWindows(shells.Timeout(t), h.client, Options{})
			if err == nil {
				defer s.Close()
				_, err = s.Edit(shells.Timeout(t), install(1))
			}
			var e *RemoteError
			switch {
			case tt.reason == "" && err == nil:
				h.want(windowsOwn, testLine(1)+"\n")
			case !errors.As(err, &e) || e.Reason != tt.reason || !strings.Contains(e.Detail, tt.detail):
				t.Errorf("error %#v, want %s: %s", err, tt.reason, tt.detail)
			default:
				h.want(windowsOwn, "-")
			}
		})
	}
}

// TestWindowsInterrupted: a context that ends ends the work, and says so.
func TestWindowsInterrupted(t *testing.T) {
	h := newWindows(t, sshtest.WindowsConfig{Silent: true})
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("enough")
	go func() {
		for len(h.Commands()) == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel(cause)
	}()
	if _, err := OpenWindows(ctx, h.client, Options{}); !errors.Is(err, cause) {
		t.Errorf("error %v", err)
	}
}

// TestWindowsQuoting: the shells of the made-up server do not take a POSIX
// command, and take ours as it is, whatever the path.
func TestWindowsQuoting(t *testing.T) {
	ours := regexp.MustCompile(`^powershell\.exe -NoProfile -NonInteractive -EncodedCommand [A-Za-z0-9+/=]+$`)
	for shell, want := range map[string]string{
		sshtest.Cmd: "'sh' is not recognized as an internal or external command", sshtest.PowerShell: "", sshtest.Bash: "command not found",
	} {
		h := newWindows(t, sshtest.WindowsConfig{Shell: shell})
		session, err := h.client.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		out, err := session.CombinedOutput("sh -c 'echo hello'")
		if err == nil || !strings.Contains(string(out), want) || strings.Contains(string(out), "hello") {
			t.Errorf("%s: %v, %q", shell, err, out)
		}
		path := `C:\Users\al\%x y% $(x) ` + "`y`" + ` 'z' & é €`
		add(t, h.open(Options{Target: path}), install(1))
		h.want(`C:\Users\al\%x y% $(x) `+"`y`"+` 'z' & é €`, testLine(1)+"\n")
		for _, command := range h.Commands()[1:] {
			if !ours.MatchString(command) {
				t.Errorf("%s gets %s", shell, command)
			}
		}
	}
}

// TestWindowsScript: what the loader, cmd.exe and PowerShell count on.
func TestWindowsScript(t *testing.T) {
	for _, c := range []byte(windowsScript) {
		if c != '\n' && c != '\t' && (c < ' ' || c > '~') {
			t.Errorf("byte %#x: the script is to be ASCII", c)
		}
	}
	path := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 260)))
	for _, name := range []string{"head", "look", "guard", "tail"} {
		if section(name) == "" || strings.Contains(section(name), "\n#") {
			t.Errorf("section %s is missing, or has comments", name)
		}
		for _, pair := range []string{"()", "{}", "[]"} {
			all := section("head") + section(name) + section("tail")
			if name != "head" && name != "tail" && strings.Count(all, pair[:1]) != strings.Count(all, pair[1:]) {
				t.Errorf("section %s: %s do not match", name, pair)
			}
		}
	}
	for _, command := range []string{powerShell(scriptrun.NewMarker(), "look", "P="+path), powerShell(scriptrun.NewMarker(), "guard", "P="+path, "K=shared", "J=mend")} {
		if len(command) > maxCommandLine {
			t.Errorf("%d characters are too many for cmd.exe", len(command))
		}
	}
	// PowerShell does not tell $F from $f.
	spelled := map[string]string{}
	for _, name := range regexp.MustCompile(`\$(?:script:)?[A-Za-z]+`).FindAllString(windowsScript, -1) {
		name = strings.Replace(name, "script:", "", 1)
		if other := spelled[strings.ToLower(name)]; other != "" && other != name {
			t.Errorf("%s and %s are one variable", name, other)
		}
		spelled[strings.ToLower(name)] = name
	}
	long := Options{Target: "~/" + strings.Repeat("x", 3000)}
	h := newWindows(t, sshtest.WindowsConfig{})
	h.write(windowsOwn, "")
	_, err := runPowerShell(shells.Timeout(t), h.client, long, "guard", "P="+strings.Repeat("A", 4000))
	var e *RemoteError
	if !errors.As(err, &e) || e.Reason != Invalid || len(h.Commands()) != 0 {
		t.Errorf("error %v", err)
	}
}

// FuzzWindowsFrame: whatever a server prints, reading it ends and stays small.
func FuzzWindowsFrame(f *testing.F) {
	f.Add("noise\r\nm begin\r\nm data c2lkIHgK\r\nm end 8\r\n")
	f.Add("m limited\n")
	f.Add("m begin\nm data !!!!\nm end 4\n")
	f.Add("m end 0\n")
	f.Fuzz(func(t *testing.T, said string) {
		fr := &frame{marker: "m", out: bufio.NewReader(strings.NewReader(said))}
		text, err := fr.read()
		if err == nil && !strings.Contains(said, "m begin") {
			t.Errorf("an answer without a beginning: %q", text)
		}
		if a, err := parseWindows(text); err == nil {
			for word, value := range a.one {
				if strings.ContainsAny(word+value, "\n\x00") && !strings.Contains(word, "\x00") {
					t.Errorf("%q has value %q", word, value)
				}
			}
		}
	})
}
