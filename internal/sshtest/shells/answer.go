// Package shells runs what would be sent to a server with a shell of this machine,
// for tests of the scripts: whatever sh may be there, whatever the account's login
// shell is, and whatever its start-up files do.
package shells

import (
	"context"
	"io"
	"strings"

	"ssh-copy-id/internal/scriptrun"
)

// Answer makes a request of a script whose answer is text, with M for the marker.
func Answer(text string, r scriptrun.Request) error {
	ended := make(chan struct{})
	close(ended)
	script := scriptrun.New("", scriptrun.Options{}, func(_ context.Context, _, first string, _ *scriptrun.Clock) (*scriptrun.Process, error) {
		marker, _, _ := strings.Cut(strings.TrimPrefix(first, "M="), "\n")
		said := strings.ReplaceAll("\n"+text, "\nM ", "\n"+marker+" ")
		return &scriptrun.Process{In: io.Discard, CloseIn: func() error { return nil }, Out: strings.NewReader(said),
			Kill: func() {}, Errs: &scriptrun.Excerpt{}, Ended: ended, Status: -1}, nil
	})
	defer script.Close()
	r.Text = func(string) string { return "" }
	return script.Ask(context.Background(), r)
}
