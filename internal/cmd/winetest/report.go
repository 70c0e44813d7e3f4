//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
)

// event is a line of go test -json, as test2json documents it.
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

// report is what came of the tests.
type report struct {
	packages                map[string]*tally
	ran                     int // packages with tests
	passed, skipped, failed int
}

// tally is what came of the tests of one package.
type tally struct {
	passed, skipped, failed int
	said                    bool // "PASS"
	text                    map[string]*strings.Builder
}

func newReport() *report { return &report{packages: make(map[string]*tally)} }

func (r *report) add(e event, to io.Writer) {
	if e.Action == "build-output" {
		fmt.Fprint(to, e.Output)
	}
	if e.Package == "" {
		return
	}
	t := r.packages[e.Package]
	if t == nil {
		t = &tally{text: make(map[string]*strings.Builder)}
		r.packages[e.Package] = t
	}
	switch {
	case e.Action == "output":
		if t.text[e.Test] == nil {
			t.text[e.Test] = new(strings.Builder)
		}
		t.text[e.Test].WriteString(e.Output)
		t.said = t.said || e.Test == "" && strings.TrimSpace(e.Output) == "PASS"
	case e.Test != "":
		t.end(e, to)
	case e.Action == "pass", e.Action == "fail", e.Action == "skip":
		r.end(e, t, to)
	}
}

// end is the end of one test.
func (t *tally) end(e event, to io.Writer) {
	switch e.Action {
	case "pass":
		t.passed++
	case "skip":
		t.skipped++
	case "fail":
		t.failed++
	default:
		return
	}
	if e.Action != "pass" && t.text[e.Test] != nil {
		fmt.Fprint(to, t.text[e.Test])
	}
	delete(t.text, e.Test)
}

// end is the end of a package.
func (r *report) end(e event, t *tally, to io.Writer) {
	if e.Action == "skip" && t.passed+t.failed+t.skipped == 0 {
		return // it has no tests
	}
	r.ran++
	if e.Action == "pass" && (!t.said || t.passed == 0) {
		e.Action = "fail"
		fmt.Fprintf(to, "%s ended with status 0 and did not say that anything has passed\n", e.Package)
	}
	if e.Action != "pass" {
		t.failed++
		for name, text := range t.text { // of the package, and of tests that did not end
			fmt.Fprintf(to, "%s\n%s", name, text)
		}
	}
	fmt.Fprintf(to, "%s\t%s (windows/amd64 under Wine)\t%d passed, %d skipped\t%.1f s\n", e.Action, e.Package, t.passed, t.skipped, e.Elapsed)
	r.passed, r.skipped, r.failed = r.passed+t.passed, r.skipped+t.skipped, r.failed+t.failed
}

// verdict is the end of all.
func (r *report) verdict(to io.Writer) error {
	fmt.Fprintf(to, "under Wine: %d tests passed in %d packages, skipped: %d, failed: %d\n", r.passed, r.ran, r.skipped, r.failed)
	switch {
	case r.failed > 0:
		return fmt.Errorf("%d failures", r.failed)
	case r.passed == 0:
		return fmt.Errorf("no test was run")
	}
	return nil
}
