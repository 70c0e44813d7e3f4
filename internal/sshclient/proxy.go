package sshclient

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshconfig"
)

// proxyGrace is how long a ProxyCommand may take to end once it was asked to.
const proxyGrace = 2 * time.Second

// maxProxyLine bounds a line of a ProxyCommand's standard error.
const maxProxyLine = 4096

// dialCommand starts a ProxyCommand and speaks to its standard input and
// output (ssh_proxy_connect in sshconnect.c).
func dialCommand(o *Options) (*carrier, error) {
	h := o.Host
	command := proxyShell(o.Shell, h.ProxyCommand)
	toProxy, stdin, err := os.Pipe()
	if err != nil {
		return nil, &DialError{Host: h.HostName, Port: h.Port, Err: err}
	}
	stdout, fromProxy, err := os.Pipe()
	if err != nil {
		toProxy.Close()
		stdin.Close()
		return nil, &DialError{Host: h.HostName, Port: h.Port, Err: err}
	}
	command.Stdin, command.Stdout = toProxy, fromProxy
	stderr := &proxyErrors{report: o.ProxyStderr}
	command.Stderr = stderr
	command.WaitDelay = time.Second
	o.debug(1, "executing proxy command: %s", h.ProxyCommand)
	err = command.Start()
	toProxy.Close()
	fromProxy.Close()
	if err != nil {
		stdin.Close()
		stdout.Close()
		return nil, &DialError{Host: h.HostName, Port: h.Port, Err: err}
	}
	p := &proxyConn{
		stdout: stdout, stdin: stdin, command: command, hangUp: killWithParent(command.Process), stderr: stderr,
		pipes: []*os.File{stdin, stdout},
	}
	p.ended = make(chan struct{})
	go func() {
		command.Wait()
		close(p.ended)
	}()
	return &carrier{conn: p, blame: p.blame}, nil
}

// proxyConn is a running ProxyCommand as a net.Conn. It has no deadlines: the
// handshake's clock closes it instead.
type proxyConn struct {
	stdout  io.Reader
	stdin   io.Writer
	ended   chan struct{} // closed when the command has ended
	gone    atomic.Bool   // its end was seen before it was asked to
	command *exec.Cmd
	hangUp  func() // asks the command to end
	stderr  *proxyErrors
	pipes   []*os.File
	once    sync.Once
}

// Read passes on what the command writes. Where that ends, the command has most
// likely ended too: it gets a moment, so that its own status is known and not
// that of being asked to end.
func (p *proxyConn) Read(b []byte) (int, error) {
	n, err := p.stdout.Read(b)
	if err != nil {
		p.awaitEnd()
	}
	return n, err
}

func (p *proxyConn) Write(b []byte) (int, error) {
	n, err := p.stdin.Write(b)
	if err != nil {
		p.awaitEnd()
	}
	return n, err
}

// awaitEnd waits a moment for the command to end by itself.
func (p *proxyConn) awaitEnd() {
	select {
	case <-p.ended:
		p.gone.Store(true)
	case <-time.After(proxyGrace / 4):
	}
}

// blame turns the error of a connection into that of the command, where the
// command ended by itself.
func (p *proxyConn) blame(h *sshconfig.Host, err error) error {
	var handshake *HandshakeError
	var closed *ClosedError
	early := errors.As(err, &handshake) && !handshake.TimedOut && handshake.Said == "" || errors.As(err, &closed)
	if !early || !p.gone.Load() || p.command.ProcessState == nil {
		return err
	}
	return &ProxyError{Host: h.HostName, Port: h.Port, Status: p.command.ProcessState.String(), LastWords: p.stderr.lastLine(), Err: err}
}

// Close ends the command: it gets end of file and is asked to end, as
// ssh_kill_proxy_command does.
func (p *proxyConn) Close() error {
	p.once.Do(func() {
		p.hangUp() // first, as on Windows closing a pipe may wait for who reads it
		for _, pipe := range p.pipes {
			pipe.Close()
		}
		late := time.AfterFunc(proxyGrace, func() { p.command.Process.Kill() })
		<-p.ended
		late.Stop()
		p.stderr.flush()
	})
	return nil
}

// proxyAddr stands for an address that only the proxy knows.
type proxyAddr struct{}

func (proxyAddr) Network() string { return "proxy" }

// String is what ssh shows for a peer it cannot see.
func (proxyAddr) String() string { return "UNKNOWN:65535" }

func (p *proxyConn) LocalAddr() net.Addr              { return proxyAddr{} }
func (p *proxyConn) RemoteAddr() net.Addr             { return proxyAddr{} }
func (p *proxyConn) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (p *proxyConn) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (p *proxyConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

// proxyErrors passes a command's standard error on, line by line.
type proxyErrors struct {
	report func(line string)
	rest   []byte

	mu   sync.Mutex
	last string // the last line that is not empty
}

func (p *proxyErrors) line(text string) {
	if p.report != nil {
		p.report(text)
	}
	if text = strings.TrimSpace(text); text != "" {
		p.mu.Lock()
		p.last = text
		p.mu.Unlock()
	}
}

func (p *proxyErrors) lastLine() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

func (p *proxyErrors) Write(b []byte) (int, error) {
	p.rest = append(p.rest, b...)
	for len(p.rest) > 0 {
		advance, line, _ := bufio.ScanLines(p.rest, false)
		if advance == 0 && len(p.rest) < maxProxyLine {
			break
		}
		if advance == 0 {
			advance, line = len(p.rest), p.rest
		}
		p.line(string(line))
		p.rest = p.rest[advance:]
	}
	return len(b), nil
}

// flush reports a last line that has no end.
func (p *proxyErrors) flush() {
	if len(p.rest) > 0 {
		p.line(string(p.rest))
	}
	p.rest = nil
}

// dialJump connects through the last host of ProxyJump, which is itself
// reached through the ones before it. Each hop is a host of its own: its
// ssh_config, known_hosts and keys are its.
func dialJump(ctx context.Context, o *Options) (*carrier, error) {
	h := o.Host
	before, last := "", h.ProxyJump
	if i := strings.LastIndexByte(h.ProxyJump, ','); i >= 0 {
		before, last = h.ProxyJump[:i], h.ProxyJump[i+1:]
	}
	if o.Resolve == nil {
		return nil, &HopError{Hop: last, Err: errNoJump}
	}
	hop, err := o.Resolve(last)
	if err != nil {
		return nil, &HopError{Hop: last, Err: err}
	}
	route := append(slices.Clone(o.route), endpoint(h))
	if slices.Contains(route, endpoint(hop)) {
		return nil, &LoopError{Hop: last}
	}
	if before != "" {
		hop.ProxyJump, hop.ProxyCommand = before, ""
	}
	through, err := Connect(ctx, Options{
		Host: hop, Home: o.Home, UI: o.UI, Keys: o.Keys, Resolve: o.Resolve, ProxyStderr: o.ProxyStderr, Shell: o.Shell,
		NeverAsk: o.NeverAsk, NotShared: o.NotShared, route: route,
	})
	if err == nil && through.Client == nil {
		err = &AuthError{User: hop.User, Host: hop.HostName, Methods: through.Methods, NotAsked: Unattended}
	}
	var loop *LoopError
	if errors.As(err, &loop) {
		return nil, loop
	}
	if err != nil {
		return nil, &HopError{Hop: last, Err: err}
	}
	redial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialThrough(ctx, h, through.Client)
	}
	conn, err := redial(ctx, "", "")
	if err != nil {
		through.Close()
		return nil, &HopError{Hop: last, Err: &DialError{Host: h.HostName, Port: h.Port, Err: err}}
	}
	return &carrier{conn: conn, redial: redial, closeHops: through.Close}, nil
}

// endpoint is what makes two hosts the same on one route: that they are looked up
// under one name. Their addresses may well be the same, as "localhost" means
// another machine after each hop.
func endpoint(h *sshconfig.Host) string {
	return h.User + "@" + net.JoinHostPort(h.Name, portText(h.Port))
}

// dialThrough opens a channel to the host, as ssh -W does, and gives the jump
// host no more time for it than a connection of our own would get.
func dialThrough(ctx context.Context, h *sshconfig.Host, hop *ssh.Client) (net.Conn, error) {
	limit := handshakeLimit
	if h.ConnectTimeout > 0 {
		limit = h.ConnectTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return hop.DialContext(ctx, "tcp", net.JoinHostPort(h.HostName, portText(h.Port)))
}
