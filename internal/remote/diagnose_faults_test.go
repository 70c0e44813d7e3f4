//go:build unix

package remote

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// TestDiagnoseRefuses: what cannot be sent is not.
func TestDiagnoseRefuses(t *testing.T) {
	for _, o := range []Options{{Target: "a\nb"}, {Account: "a\nb"}, {Account: "-x"}, {Account: "a:b"}, {Account: "../a"}} {
		var e *RemoteError
		if _, err := Diagnose(timeout(t), nil, o); !errors.As(err, &e) || e.Reason != Invalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// TestDiagnoseEaten: start-up files that swallow input.
func TestDiagnoseEaten(t *testing.T) {
	setLimits(t, func(l *waitLimits) { l.notice = 400 * time.Millisecond })
	for rc, want := range map[string]Reason{"echo hello; printf x;": "", "read x;": Eaten, "cat >/dev/null;": Eaten, "exit 3;": NoAnswer} {
		h := newHost(t, testShell{name: "dash"})
		h.rc = rc
		_, err := h.diagnose(Options{}, noSSHD...)
		var e *RemoteError
		if want == "" && err != nil || want != "" && (!errors.As(err, &e) || e.Reason != want) {
			t.Errorf("%s: %v", rc, err)
		}
	}
}

// TestDiagnoseHostile: a server that never ends, or makes no sense.
func TestDiagnoseHostile(t *testing.T) {
	const facts = "M home /h\nM path /h/k\n"
	for _, tt := range []struct {
		name, first, rest string
		reason            Reason
	}{
		{"endless line", "", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", TooMuch},
		{"endless noise", "", "noise\n", TooMuch},
		{"endless answer", "M begin\n", "M groups a b c d e f g h i j\n", TooMuch},
		{"endless value", "M begin\nM home ", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", TooMuch},
		{"endless options", "M begin\nM sshd T default\n", "M opt allowusers \x1b[31m\n", TooMuch},
		{"endless configuration", "M begin\nM conf /x\n", "M cl Match all\n", TooMuch},
		{"no beginning", "M home /h\n", "", Garbled},
		{"two beginnings", "M begin\nM begin\n", "", Garbled},
		{"unknown word", "M begin\nM password x\n", "", Garbled},
		{"no path", "M begin\nM end diagnosis\n", "", Garbled},
		{"no mode", "M begin\n" + facts + "M fact what is this /h\nM end diagnosis\n", "", Garbled},
		{"wrong end", "M begin\n" + facts + "M end applied\n", "", Garbled},
		{"failure", "M begin\nM fail target failed\nM detail LOGNAME: no\nM end failed\n", "", Failed},
		{"damaged request", "M begin\nM end damaged\n", "", Eaten},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := fakeServer(t, func(ch ssh.Channel, requests <-chan *ssh.Request) {
				go func() {
					for r := range requests {
						r.Reply(true, nil)
					}
				}()
				var head [26]byte
				io.ReadFull(ch, head[:])
				go io.Copy(io.Discard, ch)
				marker := func(text string) string { return strings.ReplaceAll("\n"+text, "\nM ", "\n"+string(head[2:])+" ")[1:] }
				io.WriteString(ch, marker(tt.first))
				for more := strings.Repeat(marker(tt.rest), 500); more != ""; {
					if _, err := io.WriteString(ch, more); err != nil {
						return
					}
				}
			})
			_, err := Diagnose(timeout(t), client, Options{})
			var e *RemoteError
			if !errors.As(err, &e) || e.Reason != tt.reason {
				t.Errorf("error %v, want %s", err, tt.reason)
			}
		})
	}
}

// TestDiagnoseSilent: only the context ends the wait for a server that takes
// everything and says nothing, or takes nothing.
func TestDiagnoseSilent(t *testing.T) {
	for _, read := range []bool{true, false} {
		closed := make(chan struct{})
		client := fakeServer(t, func(ch ssh.Channel, requests <-chan *ssh.Request) {
			for r := range requests {
				if read {
					r.Reply(true, nil)
					go io.Copy(io.Discard, ch)
				}
			}
			close(closed)
		})
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		if _, err := Diagnose(ctx, client, Options{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		cancel()
		select {
		case <-closed:
		case <-timeout(t).Done():
			t.Error("the channel stays open")
		}
	}
}

// TestDiagnoseLoginShells: the exec request means the same to every login shell.
func TestDiagnoseLoginShells(t *testing.T) {
	for _, login := range []string{"rbash", "csh", "tcsh", "fish"} {
		h := newHost(t, testShell{name: "dash"})
		h.login = need(t, login)
		h.write(".ssh/authorized_keys", "", 0o602)
		found := h.mustDiagnose(Options{}, noSSHD...).Findings("", nil)
		if f := find(found, FindMode, h.keysFile()); f == nil || f.Mode != 0o602 {
			t.Errorf("%s: %+v", login, found)
		}
	}
}
