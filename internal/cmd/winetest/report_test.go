//go:build linux

package main

import (
	"strings"
	"testing"
)

// lines of go test -json, for a package named p.
func stream(events ...string) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString(`{"Package":"p",` + e + "}\n")
	}
	return b.String()
}

// TestVerdict: only tests that say so have passed.
func TestVerdict(t *testing.T) {
	const (
		passed = `"Test":"TestA","Action":"pass"`
		failed = `"Test":"TestA","Action":"fail"`
		said   = `"Action":"output","Output":"PASS\n"`
		ended  = `"Action":"pass"`
	)
	for _, c := range []struct{ name, stream, want string }{
		{"passed", stream(passed, said, ended), ""},
		{"silent", stream(ended), "failures"},
		{"no word at the end", stream(passed, ended), "failures"},
		{"no test", stream(said, ended), "failures"},
		{"failed", stream(failed, `"Action":"fail"`), "failures"},
		{"died", stream(`"Action":"output","Output":"panic: x\n"`, `"Action":"fail"`), "failures"},
		{"only skipped", stream(`"Test":"TestA","Action":"skip"`, said, ended), "failures"},
		{"without tests", stream(`"Action":"skip"`), "no test was run"},
		{"nothing", "", "no test was run"},
	} {
		var out strings.Builder
		r, err := read(strings.NewReader(c.stream), &out)
		if err != nil {
			t.Fatal(err)
		}
		switch err := r.verdict(&out); {
		case err == nil && c.want != "", err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q\n%s", c.name, err, c.want, &out)
		}
	}
	var out strings.Builder
	read(strings.NewReader(stream(`"Test":"TestA","Action":"output","Output":"why it failed\n"`, failed, `"Action":"fail"`)), &out)
	if !strings.Contains(out.String(), "why it failed") {
		t.Errorf("what a failed test said is not told: %s", &out)
	}
}
