//go:build unix

package remote

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

// silentAfter is a server that goes silent at one point. Channels are numbered
// from 0; serve reports what to do with one.
type silentAfter struct {
	name string
	// accept answers the request for a channel; nil accepts.
	channel func(n int) bool
	// request answers the first request of a channel.
	request func(n int, r *ssh.Request) bool
	// serve is what the channel says after that.
	serve func(n int, ch ssh.Channel)

	read    bool // only a Read, else an Add
	awaited Awaited
	unsure  bool
	// sftp is what SFTP was waited for after the shell; "" for no SFTP.
	sftp Awaited
}

func (s *silentAfter) start(t *testing.T) *ssh.Client {
	var mu sync.Mutex
	count := 0
	return shells.Channels(t, func(c ssh.NewChannel) {
		mu.Lock()
		n := count
		count++
		mu.Unlock()
		if s.channel != nil && !s.channel(n) {
			return // never answered
		}
		ch, requests, err := c.Accept()
		if err != nil {
			return
		}
		r := <-requests
		go func() {
			for range requests { // never answered
			}
		}()
		if r == nil || !s.request(n, r) {
			return
		}
		r.Reply(true, nil)
		s.serve(n, ch)
	})
}

// swallow reads all there is and says nothing.
func swallow(_ int, ch ssh.Channel) { io.Copy(io.Discard, ch) }

// begin says that the request has arrived, and nothing more.
func begin(_ int, ch ssh.Channel) {
	var text [26]byte
	io.ReadFull(ch, text[:])
	io.WriteString(ch, "\n"+string(text[2:])+" begin\n")
	io.Copy(io.Discard, ch)
}

// busy goes on to say what is progress, but never ends.
func busy(_ int, ch ssh.Channel) {
	var text [26]byte
	io.ReadFull(ch, text[:])
	go io.Copy(io.Discard, ch)
	io.WriteString(ch, "\n"+string(text[2:])+" begin\n")
	for range 900 {
		if _, err := io.WriteString(ch, string(text[2:])+" home /x\n"); err != nil {
			return
		}
		time.Sleep(3 * time.Millisecond)
	}
}

func isSubsystem(_ int, r *ssh.Request) bool { return r.Type == "subsystem" }
func always(int, *ssh.Request) bool          { return true }
func never0(int, *ssh.Request) bool          { return false }

// TestSilent: wherever a server goes silent, the run ends, says before what it
// waits for, and does not claim more than can be known.
func TestSilent(t *testing.T) {
	shells.SetLimits(t, func(l *scriptrun.Limits) {
		l.Notice, l.Single, l.Total, l.Close = 20*time.Millisecond, 90*time.Millisecond, 500*time.Millisecond, 20*time.Millisecond
	})
	for _, tt := range []silentAfter{
		{name: "no channel", channel: func(int) bool { return false }, awaited: AwaitChannel},
		{name: "no command", request: never0, awaited: AwaitCommand, sftp: AwaitSFTP},
		{name: "no command, no second channel", channel: func(n int) bool { return n == 0 }, request: never0,
			awaited: AwaitCommand, sftp: AwaitChannel},
		{name: "shell", request: always, serve: swallow, awaited: AwaitShell, unsure: true, sftp: AwaitSFTP},
		{name: "shell that reads nothing", request: always, serve: func(int, ssh.Channel) {}, awaited: AwaitShell, unsure: true, sftp: AwaitSFTP},
		{name: "shell, reading", read: true, request: always, serve: swallow, awaited: AwaitShell, sftp: AwaitSFTP},
		{name: "in the middle of an answer", request: always, serve: begin, awaited: AwaitAnswer, unsure: true, sftp: AwaitSFTP},
		{name: "never the end", request: always, serve: busy, awaited: AwaitAnswer, unsure: true, sftp: AwaitSFTP},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mu sync.Mutex
			var told []Awaited
			o := Options{Awaiting: func(what Awaited, elapsed time.Duration) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, what)
			}}
			e := silentRun(t, tt.start(t), o, tt.read)
			if e.Awaited != tt.awaited || e.Unsure != tt.unsure {
				t.Errorf("%+v", e)
			}
			if got := e.SFTP; (got != nil) != (tt.sftp != "") || got != nil && (got.Reason != Silent || got.Awaited != tt.sftp) {
				t.Errorf("SFTP: %+v", got)
			}
			mu.Lock()
			defer mu.Unlock()
			if tt.name != "never the end" && !slices.Contains(told, tt.awaited) || tt.sftp != "" && !slices.Contains(told, tt.sftp) {
				t.Errorf("reported: %v", told)
			}
		})
	}
}

// silentRun makes a request that has to fail because the server is silent.
func silentRun(t *testing.T, client *ssh.Client, o Options, read bool) *RemoteError {
	t.Helper()
	ctx := shells.Timeout(t)
	s, err := Open(ctx, client, o)
	if err == nil {
		defer s.Close()
		if read {
			_, err = s.Read(ctx, nil)
		} else {
			_, err = s.Edit(ctx, install(1))
		}
	}
	var e *RemoteError
	if !errors.As(err, &e) || e.Reason != Silent {
		t.Fatalf("error %v", err)
	}
	if err == nil || ctx.Err() != nil {
		t.Fatal("it did not end by itself")
	}
	return e
}

// gate passes some packets of SFTP on to the client, and none after that.
type gate struct {
	io.ReadWriter
	left int
}

func (g *gate) Write(p []byte) (int, error) {
	if g.left--; g.left < 0 {
		return len(p), nil
	}
	return g.ReadWriter.Write(p)
}

// TestSilentSFTP: an SFTP server that goes silent after any of its replies. It
// may have done what it was asked then, and the file is old or new.
func TestSilentSFTP(t *testing.T) {
	shells.SetLimits(t, func(l *scriptrun.Limits) {
		l.Notice, l.Single, l.Close = 30*time.Millisecond, 150*time.Millisecond, 20*time.Millisecond
	})
	program := sftpServer(t)
	installed := 0
	for replies := 0; installed < 2 && replies < 80; replies++ {
		h := newHost(t, shells.Shell{Name: "sftp", SFTP: true})
		h.Write(".ssh/authorized_keys", "# mine\n", 0o600)
		server := silentAfter{request: isSubsystem, serve: func(_ int, ch ssh.Channel) {
			cmd := exec.Command(program, "-d", h.Home)
			cmd.Stdin, cmd.Stdout = ch, &gate{ch, replies}
			cmd.Run()
		}}
		ctx := shells.Timeout(t)
		s, err := OpenSFTP(ctx, server.start(t), Options{})
		if err == nil {
			_, err = s.Edit(ctx, install(1))
			s.Close()
		}
		got, _ := os.ReadFile(h.KeysFile())
		isNew := string(got) == "# mine\n"+testLine(1)+"\n"
		if !isNew && string(got) != "# mine\n" {
			t.Errorf("after %d replies the file is %q", replies, got)
		}
		var e *RemoteError
		switch {
		case err == nil:
			if installed++; !isNew {
				t.Errorf("after %d replies: success, and nothing installed", replies)
			}
		case !errors.As(err, &e) || e.Reason != Silent:
			t.Fatalf("after %d replies: %v", replies, err)
		case isNew && !e.Unsure:
			t.Errorf("after %d replies: installed, and the error says it is not: %+v", replies, e)
		}
	}
	if installed == 0 {
		t.Error("never enough replies")
	}
}
