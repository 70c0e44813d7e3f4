package script

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite what the scripts expect")

// stock is the script of OpenSSH, on which the commands are tried here.
const stock = "/usr/bin/ssh-copy-id"

func TestMain(m *testing.M) {
	if _, err := os.Stat(stock); err == nil {
		os.Setenv(oracleEnv, stock)
	}
	testscript.Main(m, Programs(func() { os.Exit(126) }))
}

func TestDialogueLines(t *testing.T) {
	steps, err := Dialogue("# talk\n\nexpect a  b \nsend \nsecret \"x y \"\nkey c\nmatch ^a+$\nsignal INT\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []Step{{3, "expect", "a  b "}, {4, "send", ""}, {5, "secret", "x y "}, {6, "key", "c"}, {7, "match", "^a+$"}, {8, "signal", "INT"}}
	if len(steps) != len(want) {
		t.Fatalf("got %v", steps)
	}
	for i := range want {
		if steps[i] != want[i] {
			t.Errorf("step %d: %v, want %v", i, steps[i], want[i])
		}
	}
	for _, bad := range []string{"say x", "key", "match (", `send "x`, "signal NONE"} {
		if _, err := Dialogue(bad); err == nil || !strings.HasPrefix(err.Error(), "line 1: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
