//go:build unix

package e2e

import (
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ssh-copy-id/internal/sshtest/script"
)

var oracle = flag.String("oracle", "/usr/bin/ssh-copy-id", "the stock script to tell the same stories with")

// TestStoriesOfTheScript tells the same stories with the stock script in place
// of the program: what they say of both is what must not differ. Where the two
// differ on purpose the story says why, in a line that begins with [oracle].
func TestStoriesOfTheScript(t *testing.T) {
	if _, err := os.Stat(*oracle); err != nil {
		if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip("the stock script is not installed here")
	}
	if err := script.UseOracle(*oracle); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { script.UseOracle("") })
	testscript.Run(t, script.Params("../../testdata/script", false))
}
