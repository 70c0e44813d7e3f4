package sshtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"
)

// orphanTime is how long a command may outlive its connection. sshd does not
// kill a command without a terminal when its client is gone: it reads the end
// of its input and writes into closed pipes. A test must not wait for ever.
const orphanTime = 3 * time.Second

// Command is what a client asked to run.
type Command struct {
	Line   string // empty for a shell
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Env    []string // NAME=value, complete
	Dir    string   // the home
}

// session is one session channel (RFC 4254, section 6).
type session struct {
	server  *Server
	account *Account
	forced  string // command= of the key
	conn    *ssh.ServerConn
	env     []string // what the client sent
}

func (s *session) serve(ctx context.Context, ch ssh.NewChannel) {
	channel, requests, err := ch.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	for r := range requests {
		switch run := s.handle(ctx, r, channel); {
		case run != nil:
			r.Reply(true, nil)
			go ssh.DiscardRequests(requests)
			status := run()
			channel.CloseWrite()
			channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status)}))
			return
		case r.Type == "env":
			s.setenv(r.Payload)
			r.Reply(true, nil)
		default:
			r.Reply(false, nil)
		}
	}
}

// handle returns what a request starts, or nil if it starts nothing.
func (s *session) handle(ctx context.Context, r *ssh.Request, channel ssh.Channel) func() int {
	a := s.account
	var text struct{ Text string }
	switch r.Type {
	case "exec":
		if ssh.Unmarshal(r.Payload, &text) != nil {
			return nil
		}
		s.server.counts.add(func(n *Counters) { n.Commands = append(n.Commands, text.Text) })
		s.server.cfg.Log("%s: exec %s", s.conn.RemoteAddr(), text.Text)
	case "shell":
		s.server.counts.add(func(n *Counters) { n.Shells++ })
		s.server.cfg.Log("%s: shell", s.conn.RemoteAddr())
	case "subsystem":
		if ssh.Unmarshal(r.Payload, &text) != nil || text.Text != "sftp" || a.NoSFTP || s.forcedCommand() != "" {
			return nil
		}
		s.server.counts.add(func(n *Counters) { n.SFTP++ })
		s.server.cfg.Log("%s: sftp", s.conn.RemoteAddr())
		return func() int { return serveSFTP(channel, a) }
	default:
		return nil
	}
	if a.NoExec {
		return nil
	}
	return func() int { return s.run(ctx, text.Text, channel) }
}

func (s *session) forcedCommand() string {
	if s.account.ForcedCommand != "" {
		return s.account.ForcedCommand
	}
	return s.forced
}

// run does a command and returns its exit status.
func (s *session) run(ctx context.Context, line string, channel ssh.Channel) int {
	a := s.account
	if a.SFTPOnly { // do_child in session.c
		io.WriteString(channel, "This service allows sftp connections only.\n")
		return 1
	}
	c := &Command{Line: line, Stdin: channel, Stdout: channel, Stderr: channel.Stderr(), Dir: a.Home, Env: s.environment()}
	if f := s.forcedCommand(); f != "" {
		if line != "" {
			c.Env = append(c.Env, "SSH_ORIGINAL_COMMAND="+line)
		}
		c.Line = f
	}
	kill, stop := s.orphanage(ctx)
	defer stop()
	switch {
	case a.Run != nil:
		return a.Run(kill, c)
	case loginShell(a) == GoShell:
		return runGoShell(kill, c)
	}
	return runShell(kill, loginShell(a), c)
}

// orphanage makes the context that kills a command: at the server's end at
// once, orphanTime after the connection's.
func (s *session) orphanage(conn context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(s.server.ctx)
	go func() {
		select {
		case <-ctx.Done():
		case <-conn.Done():
			select {
			case <-ctx.Done():
			case <-time.After(orphanTime):
				cancel()
			}
		}
	}()
	return ctx, cancel
}

// setenv takes what AcceptEnv of most systems takes: LANG and LC_*.
func (s *session) setenv(payload []byte) {
	var v struct{ Name, Value string }
	if ssh.Unmarshal(payload, &v) == nil && (v.Name == "LANG" || len(v.Name) > 3 && v.Name[:3] == "LC_") {
		s.env = append(s.env, v.Name+"="+v.Value)
	}
}

func (s *session) environment() []string {
	a := s.account
	env := []string{
		"HOME=" + a.Home, "USER=" + a.Name, "LOGNAME=" + a.Name, "SHELL=" + loginShell(a),
		"PATH=" + commandPath(), "SSH_CONNECTION=" + connectionWords(s.conn),
	}
	return append(append(append(env, systemEnv()...), s.env...), a.Env...)
}

func connectionWords(c ssh.ConnMetadata) string {
	host, port, _ := net.SplitHostPort(c.RemoteAddr().String())
	to, toPort, _ := net.SplitHostPort(c.LocalAddr().String())
	return host + " " + port + " " + to + " " + toPort
}

// commandPath is the PATH of commands: the caller's, for the programs of the
// machine must be found there too.
func commandPath() string {
	if p := os.Getenv("PATH"); p != "" {
		return p
	}
	return "/usr/local/bin:/usr/bin:/bin"
}

// forward serves a direct-tcpip channel (RFC 4254, section 7.2).
func (s *Server) forward(ch ssh.NewChannel) {
	var to struct {
		Host     string
		Port     uint32
		From     string
		FromPort uint32
	}
	if !s.cfg.Forwarding || ssh.Unmarshal(ch.ExtraData(), &to) != nil {
		ch.Reject(ssh.Prohibited, "administratively prohibited")
		return
	}
	if ip := net.ParseIP(to.Host); to.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		ch.Reject(ssh.Prohibited, fmt.Sprintf("%s is not on loopback", to.Host))
		return
	}
	target, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		ch.Reject(ssh.ConnectionFailed, "connect failed")
		return
	}
	defer target.Close()
	channel, requests, err := ch.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	go func() {
		io.Copy(target, channel)
		target.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(channel, target)
	channel.Close()
}
