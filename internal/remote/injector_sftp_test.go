//go:build linux

package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshtest"

	"ssh-copy-id/internal/sshtest/shells"
)

// road is a way to the file of an account on a server in this process.
type road struct {
	name  string
	open  func(context.Context, *ssh.Client, Options) (Session, error)
	keys  int  // how many are installed
	parts bool // so many that a cut may leave a part of them, until the next run
	sure  bool // an error always tells where it may have been made nevertheless
	cuts  int  // faults in each direction
}

// roads are both, and SFTP with more keys than go into one packet.
var roads = []road{
	{"shell", OpenShell, 2, false, true, 70},
	{"sftp", OpenSFTP, 2, false, false, 90},
	{"sftp packets", OpenSFTP, 400, true, false, 40},
}

// station is a server with one account, and a way to it that ends somewhere.
type station struct {
	addr   string
	wait   func() error // until the server is done with every connection
	home   string
	config *ssh.ClientConfig
	road   road
	change Change
}

func newStation(t *testing.T, r road) *station {
	t.Helper()
	st := &station{home: t.TempDir(), road: r, change: install(sequence(r.keys)...)}
	st.config = &ssh.ClientConfig{User: "alice", Auth: []ssh.AuthMethod{ssh.Password("secret")}, Timeout: time.Minute}
	if strings.HasPrefix(r.name, "sftp") {
		st.serveFiles(t)
		return st
	}
	server, err := sshtest.Start(sshtest.Config{Accounts: []sshtest.Account{{Name: "alice", Password: "secret", Home: st.home}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	st.addr, st.config.HostKeyCallback = server.Addr(), ssh.FixedHostKey(server.HostKeys()[0])
	st.wait = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		return server.Wait(ctx)
	}
	return st
}

// serveFiles starts a server whose only subsystem is OpenSSH's sftp-server.
func (st *station) serveFiles(t *testing.T) {
	t.Helper()
	program, signer := sftpServer(t), shells.Signer(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{PasswordCallback: func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
		if string(password) != "secret" {
			return nil, errors.New("wrong password")
		}
		return nil, nil
	}}
	config.AddHostKey(signer)
	var mu sync.Mutex
	var busy sync.WaitGroup
	st.addr, st.config.HostKeyCallback = listener.Addr().String(), ssh.FixedHostKey(signer.PublicKey())
	st.wait = func() error {
		mu.Lock()
		defer mu.Unlock()
		busy.Wait()
		return nil
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			busy.Add(1)
			mu.Unlock()
			go func() {
				defer busy.Done()
				defer conn.Close()
				serveFiles(conn, config, exec.Command(program, "-d", st.home))
			}()
		}
	}()
	t.Cleanup(func() { listener.Close() })
}

// serveFiles serves the one channel of a connection with a process.
func serveFiles(conn net.Conn, config *ssh.ServerConfig, cmd *exec.Cmd) {
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		ch, requests, err := c.Accept()
		if err != nil {
			return
		}
		if r := <-requests; r == nil || r.Type != "subsystem" || r.Reply(true, nil) != nil {
			return
		}
		go ssh.DiscardRequests(requests)
		in, err := cmd.StdinPipe()
		if err != nil {
			return
		}
		cmd.Stdout = ch
		go func() {
			io.Copy(in, ch)
			in.Close()
		}()
		cmd.Run() // how it ends says nothing: it may have lost its client
		ch.Close()
	}
}

// errNotIn: the connection was cut before it could be used.
var errNotIn = errors.New("not logged in")

// install makes one run over a connection to addr.
func (st *station) install(addr string) (*Result, error) {
	client, err := ssh.Dial("tcp", addr, st.config)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errNotIn, err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := st.road.open(ctx, client, Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Edit(ctx, st.change)
}

// through makes one run through a proxy, and waits until the server is done
// with it. It tells what went each way.
func (st *station) through(cfg sshtest.ProxyConfig) (up, down int64, err error) {
	p, err := sshtest.StartProxy(st.addr, cfg)
	if err != nil {
		return 0, 0, err
	}
	_, err = st.install(p.Addr())
	if slow := st.wait(); slow != nil {
		err = errors.Join(err, slow)
	}
	up, down = p.Bytes()
	p.Close()
	return up, down, err
}

// connectionCut: a connection ends after some number of bytes in either
// direction, all the way from its first to its last.
func (in *injection) connectionCut(t *testing.T) {
	for _, r := range roads {
		t.Run(r.name, func(t *testing.T) {
			var workers []*station
			for range 4 {
				workers = append(workers, newStation(t, r))
			}
			st := workers[0]
			s, err := build(st.home, 1, "", lines(r.keys))
			if err != nil {
				t.Fatal(err)
			}
			up, down, err := st.through(sshtest.ProxyConfig{})
			if err := errors.Join(err, s.right()); err != nil {
				t.Fatal(err)
			}
			cuts := r.cuts
			if testing.Short() {
				cuts /= 10
			}
			in.each(t, len(workers), 2*cuts, func(w, i int, rng *rand.Rand) error {
				// One in each of as many equal pieces of the connection.
				at := func(total int64) int64 {
					return 1 + (int64(i/2)*total+rng.Int64N(total))/int64(cuts)
				}
				cfg := sshtest.ProxyConfig{CutToServer: at(up)}
				if i%2 == 1 {
					cfg = sshtest.ProxyConfig{CutToClient: at(down)}
				}
				return workers[w].once(rng.IntN(48), cfg)
			})
		})
	}
}

// once cuts one connection, in the n-th start state.
func (st *station) once(n int, cfg sshtest.ProxyConfig) error {
	s, err := build(st.home, n, "", lines(st.road.keys))
	if err != nil {
		return err
	}
	// The protocol makes a file first and sets its mode then: a cut in between
	// leaves an empty file with the server's usual mode, for Repair to mend.
	s.loose = !st.road.sure
	_, _, err = st.through(cfg)
	if e := (*RemoteError)(nil); errors.As(err, &e) && !st.road.sure {
		e.Unsure = true
	}
	err = s.settle(err, st.road.parts, func() (*Result, error) { return st.install(st.addr) })
	if err != nil {
		return fmt.Errorf("%s, state %d, cut after %d to the server or %d to the client: %w", st.road.name, n, cfg.CutToServer, cfg.CutToClient, err)
	}
	return nil
}

// TestInjectorParts: what a cut connection leaves of many lines, and nobody
// has taken back yet, is told from a file that somebody else has changed.
func TestInjectorParts(t *testing.T) {
	home := t.TempDir()
	s, err := build(home, 5, "", lines(3))
	if err != nil {
		t.Fatal(err)
	}
	h := &host{Host: &shells.Host{T: t, Home: home}}
	h.Write(".ssh/authorized_keys", s.after[:50], 0o600)
	if _, err := s.look(true); err == nil {
		t.Error("a part of the lines is not told")
	}
	h.Write(".ssh/authorized_keys.ssh-copy-id.lock/journal", fmt.Sprintf("%d\n%s\nend\n", len(s.before), s.file()), 0o600)
	if isNew, err := s.look(true); isNew || err != nil {
		t.Errorf("a part that the next run takes back: %v, %v", isNew, err)
	}
	if _, err := s.look(false); err == nil {
		t.Error("a part of the lines is not told where there may be none")
	}
	h.Write(".ssh/authorized_keys", strings.ToUpper(s.after), 0o600)
	if _, err := s.look(true); err == nil {
		t.Error("a changed file is not told")
	}
}
