//go:build unix

package sshconfig

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestUnreadableDefaultIsPassedOver(t *testing.T) {
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(home, ".ssh", "config")
	if err := os.WriteFile(config, []byte("User bob\n"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(config); err == nil {
		t.Skip("this account reads files of mode 0")
	}
	in := Input{Destination: "web", Home: home, LocalUser: "me", SystemConfig: filepath.Join(home, "none")}
	if h, err := Resolve(in); err != nil || h.User != "me" {
		t.Errorf("%v %v", h, err)
	}
	in.ConfigFile = config
	if _, err := Resolve(in); err == nil || !strings.Contains(err.Error(), "Can't open user config file") {
		t.Errorf("-F: %v", err)
	}
}

// TestSecondPassSeesTheSameText reads the configuration from a pipe, which
// gives its bytes once.
func TestSecondPassSeesTheSameText(t *testing.T) {
	if _, err := os.Stat("/dev/fd"); err != nil {
		t.Skip("no /dev/fd")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("Match final\nPort 7\n"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	h, err := resolveText(t, "", func(in *Input) { in.ConfigFile = "/dev/fd/" + strconv.Itoa(int(r.Fd())) })
	if err != nil || h.Port != 7 {
		t.Errorf("%v %v", h, err)
	}
}

// TestCases runs the corpus without any other program.
func TestCases(t *testing.T) {
	for _, c := range readCases(t) {
		t.Run(c.name, func(t *testing.T) {
			if c.needsRoot() && os.Getuid() != 0 {
				t.Skip("needs root to give a file away")
			}
			if c.passwd {
				t.Skip("speaks of the account database: compared with ssh only")
			}
			home := resolved(t, t.TempDir())
			etc := resolved(t, t.TempDir())
			c.layOut(t, home, etc)
			t.Chdir(home)
			t.Setenv("SHELL", "/bin/sh")
			lines, err := c.resolve(home, filepath.Join(etc, "ssh_config"))
			c.check(t, home, lines, err)
		})
	}
}
