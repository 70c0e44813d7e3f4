//go:build unix

package sshtest

import (
	"net"
	"os"
	"path/filepath"
)

// listenForAgent opens a socket in a new directory below the system's temporary
// one: names of sockets are short (108 bytes on Linux), those of tests'
// directories are not.
func listenForAgent() (l net.Listener, remove func() error, err error) {
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		return nil, nil, err
	}
	remove = func() error { return os.RemoveAll(dir) }
	if l, err = net.Listen("unix", filepath.Join(dir, "s")); err != nil {
		remove()
		return nil, nil, err
	}
	return l, remove, nil
}

// DeadSocket makes a socket that nobody listens on, and a function that
// removes it.
func DeadSocket() (path string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "agent")
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		os.RemoveAll(dir)
		return "", nil, err
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	return path, func() { os.RemoveAll(dir) }, nil
}
