package sshtest

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// ProxyConfig is what a [Proxy] does to the connections it carries.
type ProxyConfig struct {
	// Delay holds back every byte for so long on its way, in each direction: a
	// round trip takes twice as long. Bytes do not wait for each other.
	Delay time.Duration
	// CutToServer and CutToClient end a connection, both ways, once that many
	// bytes went in that direction. Negative: before the first byte. Zero: never.
	CutToServer, CutToClient int64
	// CutConnection is the number, from 1, of the connection that is cut.
	// Zero: each.
	CutConnection int
	// Stall keeps a connection open, and silent, where it would be cut.
	Stall bool
}

// Proxy carries TCP connections to a server, and counts their bytes.
type Proxy struct {
	cfg      ProxyConfig
	target   string
	listener net.Listener

	toServer, toClient atomic.Int64

	mu    sync.Mutex
	count int
	conns map[net.Conn]bool
	done  bool
}

// StartProxy starts a proxy on a free port of 127.0.0.1 that connects to the
// address target.
func StartProxy(target string, cfg ProxyConfig) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{cfg: cfg, target: target, listener: l, conns: make(map[net.Conn]bool)}
	go p.accept()
	return p, nil
}

// Addr is the address to dial in place of the server's.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Port is the port of Addr.
func (p *Proxy) Port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// Bytes are the bytes that were passed on so far, of all connections.
func (p *Proxy) Bytes() (toServer, toClient int64) {
	return p.toServer.Load(), p.toClient.Load()
}

// Connections is how many connections came.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// Close cuts all connections and stops.
func (p *Proxy) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = true
	for c := range p.conns {
		c.Close()
	}
	return p.listener.Close()
}

// keep notes an open connection; false: the proxy is closed.
func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *Proxy) drop(c net.Conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.count++
		n := p.count
		p.mu.Unlock()
		go p.carry(client, n)
	}
}

func (p *Proxy) carry(client net.Conn, number int) {
	if !p.keep(client) {
		return
	}
	defer p.drop(client)
	server, err := net.Dial("tcp", p.target)
	if err != nil || !p.keep(server) {
		return
	}
	defer p.drop(server)
	up, down := p.cfg.CutToServer, p.cfg.CutToClient
	if p.cfg.CutConnection != 0 && p.cfg.CutConnection != number {
		up, down = 0, 0
	}
	cut := make(chan struct{})
	var once sync.Once
	end := func() { once.Do(func() { close(cut) }) }
	var ways sync.WaitGroup
	ways.Go(func() { p.way(server, client, up, &p.toServer, end, cut) })
	ways.Go(func() { p.way(client, server, down, &p.toClient, end, cut) })
	finished := make(chan struct{})
	go func() { ways.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-cut:
		if p.cfg.Stall {
			io.Copy(io.Discard, client) // until the client gives up
		}
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

type chunk struct {
	data []byte
	due  time.Time
}

// way carries one direction until its end, or until limit bytes went.
func (p *Proxy) way(to, from net.Conn, limit int64, count *atomic.Int64, end func(), cut <-chan struct{}) {
	if limit < 0 {
		end()
		return
	}
	queue := make(chan chunk, 4096)
	go func() {
		defer close(queue)
		for {
			b := make([]byte, 32<<10)
			n, err := from.Read(b)
			if n > 0 {
				select {
				case queue <- chunk{b[:n], time.Now().Add(p.cfg.Delay)}:
				case <-cut:
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	var sent int64
	for c := range queue {
		select {
		case <-time.After(time.Until(c.due)):
		case <-cut:
			return
		}
		if closed(cut) {
			return
		}
		last := limit > 0 && sent+int64(len(c.data)) >= limit
		if last {
			c.data = c.data[:limit-sent]
		}
		n, err := to.Write(c.data)
		sent += int64(n)
		count.Add(int64(n))
		if last {
			end()
			return
		}
		if err != nil {
			return
		}
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}
