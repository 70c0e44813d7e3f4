//go:build linux

package remote

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// TestSilent: a start-up file that takes its time is told, and one that takes
// for ever is given up; what was sent may still be carried out then.
func TestSilent(t *testing.T) {
	impatience, patience = 20*time.Millisecond, 100*time.Millisecond
	t.Cleanup(func() { impatience, patience = 10*time.Second, 2*time.Minute })
	client := fakeServer(t, func(ch ssh.Channel, requests <-chan *ssh.Request) {
		go func() { // reads everything, says nothing
			for buffer := make([]byte, 1<<15); ; {
				if _, err := ch.Read(buffer); err != nil {
					return
				}
			}
		}()
		for r := range requests {
			r.Reply(true, nil)
		}
	})
	told := make(chan time.Duration, 100)
	s, err := OpenShell(timeout(t), client, Options{Silent: func(so time.Duration) { told <- so }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var e *RemoteError
	if _, err := s.Add(timeout(t), install(1)); !errors.As(err, &e) || e.Reason != Silent || !e.Unsure {
		t.Errorf("error %v", err)
	}
	for want := impatience; want < patience; want += impatience {
		if so := <-told; so != want {
			t.Errorf("told after %v, want %v", so, want)
		}
	}
}
