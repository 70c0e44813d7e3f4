//go:build unix

package copyid_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"ssh-copy-id/identity"
)

// TestConcurrent: twenty installs at once, two of each of ten keys, leave ten
// whole lines. They wait for each other, on a busy machine for long: not so many
// that one would give up.
func TestConcurrent(t *testing.T) {
	const keys = 10
	dir, _, o, target := setUp(t)
	o.NoVerify = true
	var ids []identity.Identity
	for i := range keys {
		ids = append(ids, newIdentity(t, dir, fmt.Sprint("k", i)))
	}
	var wait sync.WaitGroup
	for i := range 2 * keys {
		wait.Go(func() {
			if _, err := install(o, target, ids[i%keys]); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	text := remoteFile(t, dir)
	if n := strings.Count(text, "\n"); n != keys {
		t.Errorf("%d lines, want %d", n, keys)
	}
	for _, id := range ids {
		if !strings.Contains(text, id.Entry.Line()+"\n") {
			t.Errorf("%s is missing", id.Entry.Comment)
		}
	}
}
