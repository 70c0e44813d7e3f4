package cli

import (
	"testing"

	"ssh-copy-id/internal/owneronly"
)

func TestExposed(t *testing.T) {
	key := &owneronly.Exposure{Path: `C:\k`, Others: []string{`BUILTIN\Users`, "Everyone"}, Mend: []string{"icacls 1"}}
	if got, want := (exposed{key, owneronly.PrivateKey}).words().text, `ssh.exe will ignore the private key 'C:\k': others than you have access to it (BUILTIN\Users, Everyone)`+
		"\n\t(to change that: icacls 1)"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	config := &owneronly.Exposure{Path: `C:\c`, Owner: `PC\x`, Others: []string{`PC\x`}, Mend: []string{"icacls 1", "icacls 2"}}
	if got, want := (exposed{config, owneronly.ConfigFile}).words().text, `ssh.exe will not start with 'C:\c': it belongs to PC\x, and others than you may change it (PC\x)`+
		"\n\t(to change that: icacls 1)\n\t(to change that: icacls 2)"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
