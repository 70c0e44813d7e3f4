package cli

import (
	"bytes"
	"strings"
	"testing"

	"ssh-copy-id/copyid"
)

// TestDropbearLimits: what dropbear does not read is told, and of other servers
// nothing is.
func TestDropbearLimits(t *testing.T) {
	for _, c := range []struct {
		name, server, comment string
		size                  int64
		want                  []string
	}{
		{"nothing to tell", "SSH-2.0-dropbear_2022.83", "me", 1000, nil},
		{"many lines", "SSH-2.0-dropbear_2026.94", "me", 300_000, []string{"only the first 300 lines"}},
		{"no limit", "SSH-2.0-dropbear_2022.83", "me", 300_000, nil},
		{"no version", "SSH-2.0-dropbear", "me", 300_000, nil},
		{"another server", "SSH-2.0-OpenSSH_9.2", strings.Repeat("x", 3000), 300_000, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var errs bytes.Buffer
			p := &textOutput{name: "ssh-copy-id", err: &errs}
			id := testKey(1, c.comment)
			p.say(limitMessages(&copyid.Report{ServerVersion: c.server, Size: c.size, Path: "/home/al/.ssh/authorized_keys",
				Keys: []copyid.KeyState{{Identity: id, Outcome: copyid.Added}}})...)
			if n := strings.Count(errs.String(), "WARNING"); n != len(c.want) {
				t.Errorf("%d warnings: %s", n, errs.String())
			}
			for _, text := range c.want {
				if !strings.Contains(errs.String(), text) {
					t.Errorf("%q is missing in %s", text, errs.String())
				}
			}
		})
	}
}
