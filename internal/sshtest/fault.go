package sshtest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// Faults lists the kinds of [StartFault].
//
//	silent          accepts and says nothing
//	close           accepts and closes at once
//	garbage         says bytes that are no line of text
//	http            is a web server
//	endless-banner  says lines without end before the identification string
//	long-line       says one line without end
//	old             speaks only SSH-1.5
//	refuse          does not listen: its port was free a moment ago
//	large-exponent  has an RSA host key with an exponent of 33 bits
//	long-offer      offers key exchanges and nothing known, with 34 kB of names
var Faults = []string{"silent", "close", "garbage", "http", "endless-banner", "long-line", "old", "refuse", "large-exponent", "long-offer"}

// Fault is something at a port that is no SSH server.
type Fault struct {
	listener net.Listener

	mu    sync.Mutex
	count int
	conns map[net.Conn]bool
	done  bool
}

// StartFault puts one of [Faults] on a free port of 127.0.0.1.
func StartFault(kind string) (*Fault, error) {
	talk, err := faultTalk(kind)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &Fault{listener: l, conns: make(map[net.Conn]bool)}
	if kind == "refuse" {
		return f, l.Close()
	}
	go f.accept(talk)
	return f, nil
}

// Addr is the address to dial.
func (f *Fault) Addr() string { return f.listener.Addr().String() }

// Port is the port of Addr.
func (f *Fault) Port() int { return f.listener.Addr().(*net.TCPAddr).Port }

// Connections is how many connections came.
func (f *Fault) Connections() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// Close cuts all connections and stops.
func (f *Fault) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done = true
	for c := range f.conns {
		c.Close()
	}
	f.listener.Close()
	return nil
}

func (f *Fault) accept(talk func(net.Conn)) {
	for {
		c, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.count++
		f.conns[c] = true
		done := f.done
		f.mu.Unlock()
		go func() {
			if !done {
				talk(c)
			}
			c.Close()
			f.mu.Lock()
			delete(f.conns, c)
			f.mu.Unlock()
		}()
	}
}

func faultTalk(kind string) (func(net.Conn), error) {
	listen := func(c net.Conn) { io.Copy(io.Discard, c) }
	repeat := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			for {
				if _, err := io.WriteString(c, text); err != nil {
					return
				}
			}
		}
	}
	switch kind {
	case "silent":
		return listen, nil
	case "close", "refuse":
		return func(net.Conn) {}, nil
	case "garbage":
		return func(c net.Conn) {
			io.WriteString(c, strings.Repeat("\x00\xff\x1b[2J\x80\r", 100)+"\n")
			listen(c)
		}, nil
	case "http":
		return serveHTTP, nil
	case "endless-banner":
		return repeat(strings.Repeat("this is not the line you wait for\r\n", 100)), nil
	case "long-line":
		return repeat(strings.Repeat("x", 4096)), nil
	case "old":
		return func(c net.Conn) {
			io.WriteString(c, "SSH-1.5-old\n")
			listen(c)
		}, nil
	}
	if talk := rawFaultTalk(kind); talk != nil {
		return talk, nil
	}
	return nil, fmt.Errorf("unknown fault %q: want one of %s", kind, strings.Join(Faults, " "))
}

// serveHTTP reads one request, whatever it is, and answers as web servers do
// when it is no HTTP.
func serveHTTP(c net.Conn) {
	b := make([]byte, 4096)
	if n, err := c.Read(b); n == 0 && err != nil {
		return
	}
	const body = "400 Bad Request"
	fmt.Fprintf(c, "HTTP/1.1 %d Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
		http.StatusBadRequest, len(body), body)
}
