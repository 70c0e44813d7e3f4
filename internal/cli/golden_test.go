package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the files in testdata/golden with what is shown now")

// shown is one case of a golden file: facts that are shown.
type shown struct {
	name string
	show func(output)
}

// tape keeps what goes to standard output and standard error in the order in which
// it is written, line by line behind the number of its stream.
type tape struct{ strings.Builder }

// stream is one of the two.
type stream struct {
	number int
	tape   *tape
}

func (s stream) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		end := "\n"
		if !strings.HasSuffix(line, "\n") {
			end = "\n(no line end)\n"
		}
		fmt.Fprintf(s.tape, "%d|%s%s", s.number, strings.TrimSuffix(line, "\n"), end)
	}
	return len(p), nil
}

// newTape is a textOutput and what it writes.
func newTape() (*textOutput, *tape) {
	t := new(tape)
	return &textOutput{name: "ssh-copy-id", out: stream{1, t}, err: stream{2, t}}, t
}

// golden compares what textOutput makes of the cases with testdata/golden/NAME,
// to the byte.
func golden(t *testing.T, name string, cases []shown) {
	t.Helper()
	if onWindows {
		t.Skip("the files have the words and the quotes of Unix")
	}
	var all strings.Builder
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.name] {
			t.Errorf("two cases are called %s", c.name)
		}
		seen[c.name] = true
		out, tape := newTape()
		c.show(out)
		fmt.Fprintf(&all, "== %s\n%s", c.name, tape.String())
	}
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(file, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	compareCases(t, splitCases(all.String()), splitCases(string(want)))
}

// splitCases are the cases of a golden file by their names.
func splitCases(text string) map[string]string {
	cases := map[string]string{}
	for part := range strings.SplitSeq("\n"+text, "\n== ") {
		if name, body, found := strings.Cut(part, "\n"); found || name != "" {
			cases[name] = body
		}
	}
	return cases
}

func compareCases(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, text := range got {
		if wanted, known := want[name]; !known || wanted != text {
			t.Errorf("%s: got\n%s\nwant\n%s", name, text, wanted)
		}
	}
	for name := range want {
		if _, known := got[name]; !known {
			t.Errorf("%s: the golden file has it, and the table does not", name)
		}
	}
}
