//go:build unix

package e2e

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ssh-copy-id/internal/sshtest/script"
	"ssh-copy-id/internal/sshtest/wine"
)

// TestMain makes this binary the terminal and the askpass program of the
// stories. Their ssh-copy-id is the stock script here: see oracle_test.go.
func TestMain(m *testing.M) { testscript.Main(tidy{m}, script.Programs(noStockScript)) }

func noStockScript() {
	fmt.Fprintln(os.Stderr, "the stories in this package are for the stock script")
	os.Exit(125)
}

// tidy removes what the tests of this package share.
type tidy struct{ tests *testing.M }

// Run implements testscript.TestingM.
func (t tidy) Run() int {
	status := t.tests.Run()
	if err := wine.CloseShared(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.RemoveAll(programDir)
	return status
}
