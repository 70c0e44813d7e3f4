package sshtest

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

func TestProxyDelays(t *testing.T) {
	s, _ := start(t, Config{}, Account{Password: "secret"})
	p, err := StartProxy(s.Addr(), ProxyConfig{Delay: 30 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	begin := time.Now()
	if _, err := c.Write([]byte("SSH-2.0-x\r\n")); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 8)
	if _, err := io.ReadFull(c, line); err != nil || string(line) != "SSH-2.0-" {
		t.Fatalf("%q, %v", line, err)
	}
	if d := time.Since(begin); d < 30*time.Millisecond {
		t.Errorf("the server's line took %v", d)
	}
	if p.Connections() != 1 {
		t.Errorf("%d connections", p.Connections())
	}
}

func TestProxyCuts(t *testing.T) {
	s, _ := start(t, Config{}, Account{Password: "secret"})
	for _, cfg := range []ProxyConfig{{CutToClient: 5}, {CutToClient: -1}, {CutToServer: 3, CutConnection: 1}, {CutToClient: 5, Stall: true}} {
		p, err := StartProxy(s.Addr(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", p.Addr())
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("SSH-2.0-x\r\n"))
		got := make([]byte, max(cfg.CutToClient, 0))
		if _, err := io.ReadFull(c, got); err != nil {
			t.Fatal(err)
		}
		if cfg.Stall {
			c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		}
		rest, err := io.ReadAll(c)
		got = append(got, rest...)
		var timeout net.Error
		timedOut := false
		if e, ok := err.(net.Error); ok {
			timeout, timedOut = e, e.Timeout()
		}
		if timedOut != cfg.Stall {
			t.Errorf("%+v: %v (%v)", cfg, err, timeout)
		}
		up, down := p.Bytes()
		if cfg.CutToClient == 5 && (string(got) != "SSH-2" || down != 5) || cfg.CutToServer == 3 && up != 3 || cfg.CutToClient < 0 && len(got) > 0 {
			t.Errorf("%+v: %q, %d bytes up, %d down", cfg, got, up, down)
		}
		c.Close()
		p.Close()
	}
}

func TestFaults(t *testing.T) {
	begin := map[string]string{"garbage": "\x00", "http": "HTTP/1.1 400", "endless-banner": "this", "long-line": "xx", "old": "SSH-1.5",
		"large-exponent": "SSH-2.0-", "long-offer": "SSH-2.0-"}
	for _, kind := range Faults {
		f, err := StartFault(kind)
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", f.Addr())
		if kind == "refuse" {
			if err == nil {
				t.Error("refuse listens")
				c.Close()
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, "SSH-2.0-x\r\n")
		limit := time.Minute
		if kind == "silent" {
			limit = 100 * time.Millisecond
		}
		c.SetReadDeadline(time.Now().Add(limit))
		got := make([]byte, 64)
		n, err := c.Read(got)
		if !bytes.HasPrefix(got[:n], []byte(begin[kind])) || begin[kind] == "" && n > 0 {
			t.Errorf("%s says %q, %v", kind, got[:n], err)
		}
		if e, ok := err.(net.Error); (ok && e.Timeout()) != (kind == "silent") {
			t.Errorf("%s: %v", kind, err)
		}
		c.Close()
		if f.Connections() != 1 {
			t.Errorf("%s counts %d connections", kind, f.Connections())
		}
		f.Close()
	}
	if _, err := StartFault("nothing"); err == nil {
		t.Error("an unknown fault was taken")
	}
}

func TestAgentSigns(t *testing.T) {
	dir := t.TempDir()
	a, err := StartAgent()
	if err != nil {
		t.Fatal(err)
	}
	var want []ssh.PublicKey
	for _, kind := range []string{"ed25519", "ecdsa-384", "rsa"} {
		key, err := GenerateKey(kind)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, kind)
		if err := WriteKey(file, key, kind+" key", "pass"); err != nil {
			t.Fatal(err)
		}
		if err := a.AddFile(file, "wrong"); err == nil {
			t.Error("the wrong passphrase was taken")
		}
		if err := a.AddFile(file, "pass"); err != nil {
			t.Fatal(err)
		}
		public, _ := ssh.NewPublicKey(key.Public())
		want = append(want, public)
	}
	conn, err := dialAgent(a.Socket())
	if err != nil {
		t.Fatal(err)
	}
	client := agent.NewClient(conn)
	keys, err := client.List()
	if err != nil || len(keys) != 3 {
		t.Fatalf("%v, %v", keys, err)
	}
	for i, k := range keys {
		if !bytes.Equal(k.Blob, want[i].Marshal()) {
			t.Errorf("key %d is %s", i, k)
		}
	}
	if keys[2].Comment != "rsa key" {
		t.Errorf("comment %q", keys[2].Comment)
	}
	if _, err := client.Sign(want[0], []byte("x")); err != nil || a.Signatures() != 1 {
		t.Errorf("signing: %v, counted %d", err, a.Signatures())
	}
	socket := a.Socket()
	a.Close()
	if _, err := dialAgent(socket); err == nil {
		t.Error("the agent is still there")
	}
	if _, err := os.Stat(socket); err == nil {
		t.Error("the socket is still there")
	}
}
