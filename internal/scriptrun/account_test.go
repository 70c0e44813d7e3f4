package scriptrun

import (
	"strings"
	"testing"
)

// TestForAccountCommand: every login shell takes the command that runs a script for
// another account for the same, and the account is no part of it.
func TestForAccountCommand(t *testing.T) {
	command, first := forAccount(NewMarker(), Prelude, Options{Account: "tester"})
	if strings.Count(command, "'") != 2 || strings.ContainsAny(command, "!\\\n") || strings.Contains(command, "tester") {
		t.Errorf("exec request %q", command)
	}
	if !strings.Contains(first, "\ntester\n") || strings.Count(first, accountGuard) != 1 {
		t.Errorf("standard input %.300q", first)
	}
}
