//go:build unix

package diagnose

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

// TestDiagnoseRefuses: what cannot be sent is not.
func TestDiagnoseRefuses(t *testing.T) {
	for _, o := range []remote.Options{{Target: "a\nb"}, {Account: "a\nb"}, {Account: "-x"}, {Account: "a:b"}, {Account: "../a"}} {
		var e *scriptrun.Error
		if _, err := Diagnose(shells.Timeout(t), nil, o); !errors.As(err, &e) || e.Reason != scriptrun.Invalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// TestDiagnoseEaten: start-up files that swallow input.
func TestDiagnoseEaten(t *testing.T) {
	shells.SetLimits(t, func(l *scriptrun.Limits) { l.Notice = 400 * time.Millisecond })
	for rc, want := range map[string]scriptrun.Reason{"echo hello; printf x;": "", "read x;": scriptrun.Eaten, "cat >/dev/null;": scriptrun.Eaten, "exit 3;": scriptrun.NoAnswer} {
		h := newHost(t, shells.Shell{Name: "dash"})
		h.RC = rc
		_, err := h.diagnose(remote.Options{}, noSSHD...)
		var e *scriptrun.Error
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
		reason            scriptrun.Reason
	}{
		{"endless line", "", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", scriptrun.TooMuch},
		{"endless noise", "", "noise\n", scriptrun.TooMuch},
		{"endless answer", "M begin\n", "M groups a b c d e f g h i j\n", scriptrun.TooMuch},
		{"endless value", "M begin\nM home ", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", scriptrun.TooMuch},
		{"endless options", "M begin\nM sshd T default\n", "M opt allowusers \x1b[31m\n", scriptrun.TooMuch},
		{"endless configuration", "M begin\nM conf /x\n", "M cl Match all\n", scriptrun.TooMuch},
		{"no beginning", "M home /h\n", "", scriptrun.Garbled},
		{"two beginnings", "M begin\nM begin\n", "", scriptrun.Garbled},
		{"unknown word", "M begin\nM password x\n", "", scriptrun.Garbled},
		{"no path", "M begin\nM end diagnosis\n", "", scriptrun.Garbled},
		{"no mode", "M begin\n" + facts + "M fact what is this /h\nM end diagnosis\n", "", scriptrun.Garbled},
		{"wrong end", "M begin\n" + facts + "M end applied\n", "", scriptrun.Garbled},
		{"failure", "M begin\nM fail target failed\nM detail LOGNAME: no\nM end failed\n", "", remote.Failed},
		{"damaged request", "M begin\nM end damaged\n", "", scriptrun.Eaten},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := shells.Sessions(t, func(ch ssh.Channel, requests <-chan *ssh.Request) {
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
			_, err := Diagnose(shells.Timeout(t), client, remote.Options{})
			var e *scriptrun.Error
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
		client := shells.Sessions(t, func(ch ssh.Channel, requests <-chan *ssh.Request) {
			for r := range requests {
				if read {
					r.Reply(true, nil)
					go io.Copy(io.Discard, ch)
				}
			}
			close(closed)
		})
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		if _, err := Diagnose(ctx, client, remote.Options{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		cancel()
		select {
		case <-closed:
		case <-shells.Timeout(t).Done():
			t.Error("the channel stays open")
		}
	}
}

// TestDiagnoseLoginShells: the exec request means the same to every login shell.
func TestDiagnoseLoginShells(t *testing.T) {
	for _, login := range []string{"rbash", "csh", "tcsh", "fish"} {
		h := newHost(t, shells.Shell{Name: "dash"})
		h.Login = shells.Need(t, login)
		h.Write(".ssh/authorized_keys", "", 0o602)
		found := h.mustDiagnose(remote.Options{}, noSSHD...).Causes("", nil)
		if f := find(found, CauseMode, h.KeysFile()); f == nil || f.Mode != 0o602 {
			t.Errorf("%s: %+v", login, found)
		}
	}
}

// TestDiagnoseGivesUp: a diagnosis ends by itself where the server is silent.
func TestDiagnoseGivesUp(t *testing.T) {
	shells.SetLimits(t, func(l *scriptrun.Limits) { l.Notice, l.Single = 20*time.Millisecond, 90*time.Millisecond })
	marker := func(ch ssh.Channel) string {
		var head [26]byte
		io.ReadFull(ch, head[:])
		return string(head[2:])
	}
	for awaited, serve := range map[scriptrun.Awaited]func(ch ssh.Channel){
		scriptrun.AwaitChannel: nil,
		scriptrun.AwaitCommand: nil,
		scriptrun.AwaitShell:   func(ch ssh.Channel) { io.Copy(io.Discard, ch) },
		scriptrun.AwaitAnswer: func(ch ssh.Channel) {
			io.WriteString(ch, "\n"+marker(ch)+" begin\n")
			io.Copy(io.Discard, ch)
		},
	} {
		client := shells.Channels(t, func(c ssh.NewChannel) {
			if awaited == scriptrun.AwaitChannel {
				return
			}
			ch, requests, err := c.Accept()
			if err != nil {
				return
			}
			if r := <-requests; r != nil && serve != nil {
				r.Reply(true, nil)
				serve(ch)
			}
		})
		_, err := Diagnose(context.WithoutCancel(shells.Timeout(t)), client, remote.Options{})
		var e *scriptrun.Error
		if !errors.As(err, &e) || e.Reason != scriptrun.Silent || e.Awaited != awaited {
			t.Errorf("%s: %v", awaited, err)
		}
	}
}
