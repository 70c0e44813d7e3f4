//go:build unix

package remote

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

// commandServer is a server where every command says something on standard
// error and ends with a status. Its SFTP is what sftp serves; nil refuses it.
func commandServer(t *testing.T, said string, status byte, sftp func(ch ssh.Channel)) *ssh.Client {
	return shells.Channels(t, func(c ssh.NewChannel) {
		ch, requests, err := c.Accept()
		if err != nil {
			return
		}
		for r := range requests {
			switch {
			case r.Type == "exec":
				r.Reply(true, nil)
				io.WriteString(ch.Stderr(), said)
				ch.SendRequest("exit-status", false, []byte{0, 0, 0, status})
				ch.Close()
			case r.Type == "subsystem" && sftp != nil:
				r.Reply(true, nil)
				go func() {
					sftp(ch)
					ch.Close()
				}()
			default:
				r.Reply(false, nil)
			}
		}
	})
}

// TestNoSh: an account whose shell finds no sh is one for SFTP; one whose shell
// lets nobody in is left alone.
func TestNoSh(t *testing.T) {
	program := sftpServer(t)
	for _, tt := range []struct {
		name, said string
		status     byte
		sftp       bool
	}{
		{"bash", "bash: line 1: sh: command not found\n", 127, true},
		{"busybox", "ash: sh: not found\n", 127, true},
		{"no words", "", 127, true},
		{"csh", "sh: Command not found.\n", 1, true},
		{"cmd.exe", "'sh' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n", 1, true},
		{"PowerShell", "The term 'sh' is not recognized as the name of a cmdlet, function, script file, or operable program.\n", 1, true},
		{"internal-sftp", "This service allows sftp connections only.\n", 1, true},
		{"nologin", "This account is currently not available.\n", 1, false},
		{"false", "", 1, false},
		{"git-shell", "fatal: unrecognized command 'sh -c'\n", 128, false},
		{"not executable", "sh: Permission denied\n", 126, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t, shells.Shell{Name: "sftp", SFTP: true})
			client := commandServer(t, tt.said, tt.status, func(ch ssh.Channel) {
				cmd := exec.Command(program, "-d", h.Home)
				cmd.Stdin, cmd.Stdout = ch, ch
				cmd.Run()
			})
			s, err := Open(shells.Timeout(t), client, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			_, err = s.Edit(shells.Timeout(t), install(1))
			if UsesSFTP(s) != tt.sftp {
				t.Errorf("uses SFTP: %v", !tt.sftp)
			}
			if tt.sftp {
				if err != nil {
					t.Fatal(err)
				}
				h.want(".ssh/authorized_keys", testLine(1)+"\n")
				return
			}
			var e *RemoteError
			if !errors.As(err, &e) || e.Reason != NoAnswer || e.Unsure || e.SFTP != nil {
				t.Errorf("error %+v", err)
			}
			if list, _ := os.ReadDir(h.Home); len(list) > 0 {
				t.Errorf("made: %v", list)
			}
		})
	}
}

// TestNotSFTP: what answers in place of SFTP is reported in the server's own
// words, or as silent, and never in those of a library.
func TestNotSFTP(t *testing.T) {
	shells.SetLimits(t, func(l *scriptrun.Limits) { l.Single = 3 * time.Second })
	for _, tt := range []struct {
		name, out, errs string
		reason          Reason
		detail          string
	}{
		{"standard output", "WARNING: Your password has expired.\r\nPassword change required but no TTY available.\r\n", "", NotSFTP, "WARNING: Your password has expired."},
		{"standard error", "noise\n", "sh: 1: /usr/lib/sftp-server: not found\n", NotSFTP, "sh: 1: /usr/lib/sftp-server: not found"},
		{"nothing", "", "", NotSFTP, ""},
		{"no text", "\xff\xff\xff\xff\x00\x01", "", NotSFTP, ""},
		{"a letter", "x", "", NotSFTP, "x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := commandServer(t, "", 1, func(ch ssh.Channel) {
				io.WriteString(ch.Stderr(), tt.errs)
				io.WriteString(ch, tt.out)
			})
			_, err := OpenSFTP(shells.Timeout(t), client, Options{})
			for range 2 {
				var e *RemoteError
				if !errors.As(err, &e) || e.Reason != tt.reason || e.Detail != tt.detail || e.Stage != StageStart {
					t.Errorf("error %+v", err)
				}
				err = ProveSFTP(shells.Timeout(t), client, Options{})
			}
		})
	}
}

// TestLockWaits: a script that waits for the lock is not silent, however long a
// second of its patience is; one that says the same again and again is.
func TestLockWaits(t *testing.T) {
	shells.SetLimits(t, func(l *scriptrun.Limits) {
		l.Notice, l.Single, l.Total, l.BytesPerSecond = time.Second, time.Second, 400*time.Millisecond, 1<<30
	})
	for _, tt := range []struct {
		name   string
		lines  func(n int) string
		reason Reason
		told   int
	}{
		{"patient", func(n int) string {
			return []string{"wait 0 x", "wait 1 x", "wait 2 x", "wait 4 x", "wait 9 x", "wait 10 x", "wait 15 x"}[n%7]
		}, Locked, 3},
		{"the same again", func(int) string { return "wait 0 x" }, Silent, 0},
		{"more than it has", func(n int) string { return []string{"wait 301 x", "wait 500 x"}[n%2] }, Silent, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := silentAfter{request: always, serve: func(_ int, ch ssh.Channel) {
				var text [26]byte
				io.ReadFull(ch, text[:])
				go io.Copy(io.Discard, ch)
				m := string(text[2:])
				io.WriteString(ch, "\n"+m+" begin\n")
				for n := range 7 {
					time.Sleep(100 * time.Millisecond)
					io.WriteString(ch, m+" "+tt.lines(n)+"\n")
				}
				io.WriteString(ch, m+" fail lock locked\n"+m+" detail held by x\n"+m+" end failed\n")
			}}
			told := 0
			s, err := OpenShell(shells.Timeout(t), server.start(t), Options{Waiting: func(Wait) { told++ }})
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Edit(shells.Timeout(t), install(1))
			var e *RemoteError
			if !errors.As(err, &e) || e.Reason != tt.reason || told != tt.told {
				t.Errorf("error %+v, told %d times", err, told)
			}
		})
	}
}
