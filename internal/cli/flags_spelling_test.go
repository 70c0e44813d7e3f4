package cli

import (
	"errors"
	"strings"
	"testing"
)

// TestOtherSpelling: options of PuTTY, plink, scp and ssh, and what is said to
// write in their place.
func TestOtherSpelling(t *testing.T) {
	for line, want := range map[string]string{
		"-P 22 host":               "a port is given with -p: -p 22",
		"-fP22 host":               "a port is given with -p: -p port",
		"host -P":                  "a port is given with -p: -p port",
		"-P -n host":               "a port is given with -p: -p port",
		"-l me host":               "the user is given with the host: me@hostname",
		"-4 host":                  "that is -o AddressFamily=inet",
		"-6 host":                  "that is -o AddressFamily=inet6",
		"-batch host":              "that is -o BatchMode=yes",
		"-b 192.0.2.1 host":        "the address to connect from is given with -o BindAddress=192.0.2.1",
		"-c aes256-ctr host":       "ciphers are given with -o Ciphers=aes256-ctr",
		"-m hmac-sha2-256 host":    "MACs are given with -o MACs=hmac-sha2-256",
		"-pw open-sesame host":     "-pw is PuTTY's: without it the password is asked for, and --password-file FILE reads it from a file",
		"-pwfile open-sesame host": "-pw is PuTTY's: without it the password is asked for, and --password-file FILE reads it from a file",
		"-pwopen-sesame host":      "-pw is PuTTY's: without it the password is asked for, and --password-file FILE reads it from a file",
		"-p wrong host":            "",
		"-z host":                  "",
		"--nonsense host":          "",
	} {
		_, err := ParseFlags(strings.Fields(line), func(string) bool { return false })
		var usage *UsageError
		if !errors.As(err, &usage) {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if usage.Hint != want || strings.Contains(usage.Text, "sesame") {
			t.Errorf("%s: %q with %q, want %q", line, usage.Text, usage.Hint, want)
		}
	}
}
