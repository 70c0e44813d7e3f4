//go:build unix

package shells

import (
	"crypto/ed25519"
	"crypto/rand"
	"net"
	"testing"

	"golang.org/x/crypto/ssh"
)

// Signer makes a key.
func Signer(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// Sessions is an SSH server in this process, and a connection to it. serve gets
// each session channel; nil refuses them.
func Sessions(t testing.TB, serve func(ch ssh.Channel, requests <-chan *ssh.Request)) *ssh.Client {
	t.Helper()
	return Channels(t, func(c ssh.NewChannel) {
		if serve == nil {
			c.Reject(ssh.Prohibited, "no sessions here")
		} else if ch, requests, err := c.Accept(); err == nil {
			serve(ch, requests)
		}
	})
}

// Channels is an SSH server in this process, and a connection to it. serve gets
// each request for a channel.
func Channels(t testing.TB, serve func(c ssh.NewChannel)) *ssh.Client {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	config := &ssh.ServerConfig{NoClientAuth: true}
	config.AddHostKey(Signer(t))
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, channels, requests, err := ssh.NewServerConn(conn, config)
		if err != nil {
			return
		}
		go ssh.DiscardRequests(requests)
		for c := range channels {
			go serve(c)
		}
	}()
	client, err := ssh.Dial("tcp", listener.Addr().String(), &ssh.ClientConfig{HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}
