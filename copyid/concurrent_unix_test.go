//go:build unix

package copyid_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"ssh-copy-id/identity"
)

// TestConcurrent: fifty keys at once leave fifty whole lines, and one key fifty
// times leaves one.
func TestConcurrent(t *testing.T) {
	const copies = 50
	for _, same := range []bool{false, true} {
		t.Run(fmt.Sprintf("same=%v", same), func(t *testing.T) {
			dir, _, o, target := setUp(t)
			o.NoVerify = true
			ids := []identity.Identity{newIdentity(t, dir, "one")}
			for i := 1; i < copies && !same; i++ {
				ids = append(ids, newIdentity(t, dir, fmt.Sprint("k", i)))
			}
			var wait sync.WaitGroup
			for i := range copies {
				wait.Go(func() {
					if _, err := install(o, target, ids[i%len(ids)]); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			text := remoteFile(t, dir)
			if n := strings.Count(text, "\n"); n != len(ids) {
				t.Errorf("%d lines, want %d", n, len(ids))
			}
			for _, id := range ids {
				if !strings.Contains(text, id.Entry.Line()+"\n") {
					t.Errorf("%s is missing", id.Entry.Comment)
				}
			}
		})
	}
}
