//go:build unix

package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/realsshd"
	"ssh-copy-id/internal/sshtest/shells"
)

// pipe is a connection to a process that speaks on its standard input and
// output. It counts how many messages in a row, there and back, led to what each
// end has read: a message arrives at one more than its sender had.
type pipe struct {
	in  io.WriteCloser
	out io.Reader

	mu             sync.Mutex
	client, server int
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	p.server = max(p.server, p.client+1)
	p.mu.Unlock()
	return p.in.Write(b)
}

func (p *pipe) Read(b []byte) (int, error) {
	n, err := p.out.Read(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	if n > 0 {
		p.client = max(p.client, p.server+1)
	}
	return n, err
}

// trips returns the round trips since the last call.
func (p *pipe) trips() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.client / 2
	p.client, p.server = 0, 0
	return n
}

func (p *pipe) Close() error                     { return p.in.Close() }
func (p *pipe) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (p *pipe) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (p *pipe) SetDeadline(time.Time) error      { return nil }
func (p *pipe) SetReadDeadline(time.Time) error  { return nil }
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }

// realHost starts an sshd of its own for one connection.
func realHost(t *testing.T, config ...string) (client *ssh.Client, home string, conn *pipe) {
	t.Helper()
	signer := shells.Signer(t)
	box, err := realsshd.Inetd(realsshd.SandboxConfig{Dir: t.TempDir(), ConfigLines: config,
		Keys: []string{string(ssh.MarshalAuthorizedKey(signer.PublicKey()))}})
	if errors.Is(err, realsshd.ErrUnsupported) {
		realsshd.Need(t, realsshd.OpenSSH)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(filepath.Dir(box.SSHConfig), "sshd"))
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	conn = &pipe{in: in, out: out}
	c, channels, requests, err := ssh.NewClientConn(conn, "box", &ssh.ClientConfig{
		User: box.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, box.Log())
	}
	client = ssh.NewClient(c, channels, requests)
	t.Cleanup(func() { client.Close(); conn.Close(); cmd.Wait() })
	return client, box.Home(), conn
}

// TestRealServer: both roads to an OpenSSH server.
func TestRealServer(t *testing.T) {
	for _, road := range []struct {
		name string
		open func(context.Context, *ssh.Client, Options) (Session, error)
	}{{"shell", OpenShell}, {"sftp", OpenSFTP}} {
		t.Run(road.name, func(t *testing.T) {
			client, home, _ := realHost(t)
			s, err := road.open(shells.Timeout(t), client, Options{Target: "~/keys of/mine"})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			add(t, s, install(1, 2))
			if r := add(t, s, install(2)); r.Applied || len(r.State.Candidates) != 1 || r.State.Candidates[0] != (Candidate{2, testLine(2)}) {
				t.Errorf("%+v", r)
			}
			add(t, s, install(sequence(400)[10:]...)) // more than a packet
			got, err := os.ReadFile(filepath.Join(home, "keys of/mine"))
			if want := testLine(1) + "\n" + testLine(2) + "\n" + strings.TrimPrefix(lines(400), lines(10)); err != nil || string(got) != want {
				t.Errorf("%v, %d bytes", err, len(got))
			}
		})
	}
}

// TestRoundTrips: the channel, the exec request, the script with the change; and
// one for every further change.
func TestRoundTrips(t *testing.T) {
	client, _, conn := realHost(t)
	// What sshd says of itself after a login has arrived when this is answered.
	if _, _, err := client.SendRequest("keepalive@openssh.com", true, nil); err != nil {
		t.Fatal(err)
	}
	conn.trips()
	s, err := OpenShell(shells.Timeout(t), client, Options{Target: "k"})
	if err != nil {
		t.Fatal(err)
	}
	add(t, s, install(1))
	if n := conn.trips(); n != 3 {
		t.Errorf("%d round trips, want 3", n)
	}
	add(t, s, install(2))
	if n := conn.trips(); n != 1 {
		t.Errorf("%d round trips, want 1", n)
	}
	s.Close()
}

// TestNoCommands: a server that runs nothing but SFTP.
func TestNoCommands(t *testing.T) {
	client, home, _ := realHost(t, "ForceCommand internal-sftp")
	shells.SetLimits(t, func(l *scriptrun.Limits) { l.Notice = 500 * time.Millisecond })
	s, err := OpenShell(shells.Timeout(t), client, Options{Target: "k"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Edit(shells.Timeout(t), install(1))
	var e *RemoteError
	if !errors.As(err, &e) || e.Reason != NoAnswer || e.Stage != StageStart || e.Unsure {
		t.Errorf("error %#v", err)
	}
	if list, _ := os.ReadDir(home); len(list) != 1 {
		t.Errorf("the home holds %v", list)
	}
}

// TestHostile: servers that refuse, babble, or keep silent.
func TestHostile(t *testing.T) {
	accept := func(requests <-chan *ssh.Request, ok bool) {
		for r := range requests {
			r.Reply(ok, nil)
		}
	}
	pour := func(w io.Writer, text string) {
		for {
			if _, err := io.WriteString(w, text); err != nil {
				return
			}
		}
	}
	// marker reads the session's marker off the script.
	marker := func(ch ssh.Channel) string {
		var text [26]byte
		io.ReadFull(ch, text[:])
		go io.Copy(io.Discard, ch)
		return string(text[2:])
	}
	for _, tt := range []struct {
		name   string
		serve  func(ch ssh.Channel, requests <-chan *ssh.Request)
		reason Reason
		detail string
		unsure bool
	}{
		{"refuses commands", func(ch ssh.Channel, requests <-chan *ssh.Request) { accept(requests, false) }, Refused, "", false},
		{"hangs up", func(ch ssh.Channel, requests <-chan *ssh.Request) {
			(<-requests).Reply(true, nil)
			ch.Close()
		}, Closed, "", true},
		{"has no shell", func(ch ssh.Channel, requests <-chan *ssh.Request) {
			(<-requests).Reply(true, nil)
			io.WriteString(ch, "This account is \x1b[31mnot available.\n")
			io.WriteString(ch.Stderr(), "sorry\n")
			ch.SendRequest("exit-status", false, []byte{0, 0, 0, 3})
			ch.Close()
		}, NoAnswer, "sorry\n\nThis account is \x1b[31mnot available.", false},
		{"endless line", func(ch ssh.Channel, requests <-chan *ssh.Request) {
			go accept(requests, true)
			pour(ch, strings.Repeat("x", 30000))
		}, TooMuch, "", false},
		{"endless lines", func(ch ssh.Channel, requests <-chan *ssh.Request) {
			go accept(requests, true)
			pour(ch, strings.Repeat("x\n", 15000))
		}, TooMuch, "", false},
		{"endless standard error", func(ch ssh.Channel, requests <-chan *ssh.Request) {
			go accept(requests, true)
			pour(ch.Stderr(), strings.Repeat("x\n", 15000))
		}, TooMuch, "", false},
		{"endless standard error behind an answer", func(ch ssh.Channel, requests <-chan *ssh.Request) {
			go accept(requests, true)
			m := marker(ch)
			io.WriteString(ch, "\n"+m+" begin\n")
			pour(ch.Stderr(), strings.Repeat("x\n", 15000))
		}, TooMuch, "", true},
		{"endless notes", func(ch ssh.Channel, requests <-chan *ssh.Request) {
			go accept(requests, true)
			m := marker(ch)
			io.WriteString(ch, "\n"+m+" begin\n")
			pour(ch, m+" note chmod x\n")
		}, TooMuch, "", true},
		{"endless waiting", func(ch ssh.Channel, requests <-chan *ssh.Request) {
			go accept(requests, true)
			m := marker(ch)
			io.WriteString(ch, "\n"+m+" begin\n")
			pour(ch, m+" wait 1 x\n")
		}, TooMuch, "", true},
		{"endless facts", func(ch ssh.Channel, requests <-chan *ssh.Request) {
			go accept(requests, true)
			m := marker(ch)
			io.WriteString(ch, "\n"+m+" begin\n")
			pour(ch, strings.Repeat(m+" fact -rw-r--r-- 1 0 0 0 Jan 1 00:00 /x\n", 500))
		}, TooMuch, "", true},
		{"makes no sense", func(ch ssh.Channel, requests <-chan *ssh.Request) {
			go accept(requests, true)
			m := marker(ch)
			io.WriteString(ch, "\n"+m+" begin\n"+m+" size -5\n")
		}, Garbled, "", true},
		{"stops in the middle", func(ch ssh.Channel, requests <-chan *ssh.Request) {
			go accept(requests, true)
			m := marker(ch)
			io.WriteString(ch, "\n"+m+" begin\n"+m+" home /x\n"+m+" end applie")
			ch.Close()
		}, Closed, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := shells.Sessions(t, tt.serve)
			s, err := OpenShell(shells.Timeout(t), client, Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Edit(shells.Timeout(t), install(1))
			var e *RemoteError
			if !errors.As(err, &e) || e.Reason != tt.reason || e.Unsure != tt.unsure {
				t.Fatalf("error %v (%+v), want %s, unsure %v", err, e, tt.reason, tt.unsure)
			}
			if tt.detail != "" && e.Detail != tt.detail {
				t.Errorf("detail %q, want %q", e.Detail, tt.detail)
			}
			if len(e.Detail) > 3*scriptrun.MaxExcerpt {
				t.Errorf("detail of %d bytes", len(e.Detail))
			}
		})
	}
}

// TestNoChannel: a server that opens no session at all.
func TestNoChannel(t *testing.T) {
	client := shells.Sessions(t, nil)
	var e *RemoteError
	if _, err := OpenShell(shells.Timeout(t), client, Options{}); !errors.As(err, &e) || e.Stage != StageOpen || e.Reason != Refused {
		t.Errorf("error %v", err)
	}
	if _, err := OpenSFTP(shells.Timeout(t), client, Options{}); !errors.As(err, &e) || e.Reason != Refused {
		t.Errorf("error %v", err)
	}
}

// TestTimeout: a server that accepts everything and says nothing.
func TestTimeout(t *testing.T) {
	client := shells.Sessions(t, func(ch ssh.Channel, requests <-chan *ssh.Request) {
		for r := range requests {
			r.Reply(true, nil)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	s, err := OpenShell(ctx, client, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Edit(ctx, install(1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if _, err := s.Read(context.Background(), nil); err == nil {
		t.Error("a session that was given up on goes on")
	}
	s.Close()
	ctx, cancel = context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := OpenSFTP(ctx, client, Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}
