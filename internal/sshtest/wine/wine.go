// Package wine runs Windows programs for tests, with Debian's wine64: the .exe
// as it is released, on a Windows that is an imitation.
//
// What passes here has been shown under Wine, not on Windows. Wine 8 has no
// access lists worth the name, encrypts nothing in CryptProtectMemory, has its
// own words for errors, and shows only the low 8 bits of an exit status; tests
// look at what a program printed and wrote, never at its status alone.
//
// [Start] makes a prefix, which is a Windows of its own: a directory of some
// 700 MB and a server process. [Shared] is one for the whole process, or, if
// the environment names it in SSHCOPYID_WINEPREFIX, for all that run in there.
// The server process ends, and the directory vanishes, with the process that
// made them, however it ends.
package wine

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// ErrUnsupported is returned where no Windows program can be run.
var ErrUnsupported = errors.New("no Windows program can be run here")

// PrefixEnv names a prefix that somebody else made and will remove.
const PrefixEnv = "SSHCOPYID_WINEPREFIX"

// Command is a Windows program to run. Paths are those of this system.
type Command struct {
	Program string
	Args    []string
	Home    string   // becomes %USERPROFILE%; empty: Wine's own
	Dir     string   // empty: the directory of this process
	Env     []string // added to an environment that has nothing of the caller's
	Input   string   // standard input
	Timeout time.Duration
}

// Result is how a program ended.
type Result struct {
	Status         int
	Stdout, Stderr string
}

// Path is the name by which Windows programs know a file of this system.
func Path(unix string) string { return `Z:` + strings.ReplaceAll(unix, "/", `\`) }

// Need skips a test that no prefix can be had for, or fails it where everything
// must be there and could be.
func Need(t testing.TB) {
	t.Helper()
	if err := Available(); err != nil {
		possible := runtime.GOOS == "linux" && runtime.GOARCH == "amd64"
		if possible && os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}
