package cli

import (
	"slices"
	"testing"
)

// TestOffers has the order in which ssh 9.2 offers keys, as `ssh -v` lists them
// under "Will attempt key".
func TestOffers(t *testing.T) {
	private := func(blob string) identityFile { return identityFile{blob: blob, private: true} }
	public := func(blob string) identityFile { return identityFile{blob: blob} }
	for _, c := range []struct {
		name string
		o    offers
		want []string
	}{
		{"files", offers{files: []identityFile{private("a"), {}, private("b")}}, []string{"a", "b"}},
		{"agent before files", offers{files: []identityFile{private("a")}, agent: []string{"x", "y"}}, []string{"x", "y", "a"}},
		{"keys of the agent that files name come first", offers{files: []identityFile{private("a"), public("y")}, agent: []string{"x", "y"}}, []string{"y", "x", "a"}},
		{"only those", offers{files: []identityFile{private("a"), public("y")}, agent: []string{"x", "y"}, only: true}, []string{"y", "a"}},
		{"a public key file signs nothing", offers{files: []identityFile{public("a")}}, nil},
		{"one file twice", offers{files: []identityFile{private("a"), private("a")}}, []string{"a"}},
		{"files of which the public half is not known", offers{files: []identityFile{private(""), private("")}}, []string{"", ""}},
	} {
		if got := c.o.order(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	many := offers{agent: []string{"1", "2", "3", "4", "5", "6", "7"}}
	for blob, want := range map[string]bool{"1": true, "6": true, "7": false, "8": false} {
		if got := many.logsIn(map[string]bool{blob: true}); got != want {
			t.Errorf("logs in with key %s of 7: %v", blob, got)
		}
	}
}
