package remote

import (
	"testing"

	"ssh-copy-id/internal/serverid"
)

// TestDriverFor: each kind of server has its own driver, and Options.SFTP is for
// those alone that have a POSIX shell otherwise.
func TestDriverFor(t *testing.T) {
	for _, tt := range []struct {
		version string
		sftp    bool
		want    string
	}{
		{"SSH-2.0-OpenSSH_9.2p1 Debian-2", false, "shell"},
		{"SSH-2.0-OpenSSH_9.2p1 Debian-2", true, "sftp"},
		{"SSH-2.0-x", false, "shell"},
		{"SSH-2.0-OpenSSH_for_Windows_9.5", false, "windows"},
		{"SSH-2.0-OpenSSH_for_Windows_9.5", true, "windows"},
		{"SSH-2.0-NetScreen", false, "netscreen"},
		{"SSH-2.0-NetScreen", true, "netscreen"},
	} {
		if got := driverFor(serverid.Parse(tt.version), Options{SFTP: tt.sftp}).name; got != tt.want {
			t.Errorf("%s, SFTP %v: %s, want %s", tt.version, tt.sftp, got, tt.want)
		}
	}
}
