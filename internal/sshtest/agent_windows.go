package sshtest

import (
	"crypto/rand"
	"net"

	"github.com/Microsoft/go-winio"
)

// listenForAgent opens a named pipe.
func listenForAgent() (l net.Listener, remove func() error, err error) {
	pipe := `\\.\pipe\sshtest-agent-` + rand.Text()
	if l, err = winio.ListenPipe(pipe, nil); err != nil {
		return nil, nil, err
	}
	// The first instance of a pipe, which go-winio makes to own the name and
	// never serves, is one that Wine connects clients to: this one uses it up.
	first, err := winio.DialPipe(pipe, nil)
	if err != nil {
		l.Close()
		return nil, nil, err
	}
	first.Close()
	return l, func() error { return nil }, nil
}

// DeadSocket names a pipe that nobody listens on.
func DeadSocket() (path string, remove func(), err error) {
	return `\\.\pipe\sshtest-agent-` + rand.Text(), func() {}, nil
}
