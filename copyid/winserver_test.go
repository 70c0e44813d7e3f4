package copyid_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/sshtest"
)

// TestWindowsServer: a Windows server gets the key into the file that its sshd
// reads, which for an administrator is the shared one, and the key then works.
func TestWindowsServer(t *testing.T) {
	for _, shell := range []string{sshtest.Cmd, sshtest.PowerShell, sshtest.Bash} {
		for _, admin := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s admin %v", shell, admin), func(t *testing.T) {
				dir := t.TempDir()
				drive := filepath.Join(dir, "c")
				if err := os.Mkdir(drive, 0o755); err != nil {
					t.Fatal(err)
				}
				s, err := sshtest.StartWindows(sshtest.WindowsConfig{Account: "al", Password: "secret", Dir: drive, Shell: shell, Admin: admin})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { s.Close() })
				known := filepath.Join(dir, "known_hosts")
				if err := os.WriteFile(known, []byte(s.KnownHosts()), 0o600); err != nil {
					t.Fatal(err)
				}
				announced := ""
				o := copyid.Options{Home: dir, User: "me", Password: []byte("secret"),
					Progress: copyid.Progress{Shared: func(_ copyid.Target, path string) { announced = path }}}
				target := copyid.Target{Destination: "al@127.0.0.1", ConfigFile: "none",
					Config: []string{fmt.Sprintf("Port=%d", s.Port()), "UserKnownHostsFile=" + known}}
				id := newIdentity(t, dir, "work")
				report, err := install(o, target, id)
				if err != nil {
					t.Fatal(err)
				}
				if len(report.Added()) != 1 || len(report.Verification.Accepted) != 1 {
					t.Errorf("added %d, verification %+v", len(report.Added()), report.Verification)
				}
				shared := strings.HasSuffix(report.Path, `\ssh\administrators_authorized_keys`)
				if shared != admin || report.Shared != admin || (announced != "") != admin {
					t.Errorf("the file is %s, shared %v, announced %q", report.Path, report.Shared, announced)
				}
				if report, err = install(o, target, id); err != nil || len(report.Added()) != 0 {
					t.Errorf("a second time: %+v, %v", report, err)
				}
			})
		}
	}
}
