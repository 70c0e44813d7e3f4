//go:build windows

package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/Microsoft/go-winio"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// serveAgent is an agent that holds the keys in the files named, until standard
// input ends.
func serveAgent(args []string) error {
	f := flag.NewFlagSet("agent", flag.ExitOnError)
	pipe := f.String("pipe", `\\.\pipe\openssh-ssh-agent`, "where it listens")
	window := f.Bool("pageant", false, "answers by window message as Pageant does, and has no pipe")
	if err := f.Parse(args); err != nil {
		return err
	}
	keys := agent.NewKeyring()
	for _, file := range f.Args() {
		if err := addKey(keys, file); err != nil {
			return err
		}
	}
	if *window {
		if err := openPageant(keys); err != nil {
			return err
		}
	} else if err := listen(keys, *pipe); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

func addKey(keys agent.Agent, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	key, err := ssh.ParseRawPrivateKey(data)
	if err != nil {
		return fmt.Errorf("%s: %v", file, err)
	}
	public, err := os.ReadFile(file + ".pub")
	if err != nil {
		return err
	}
	_, comment, _, _, err := ssh.ParseAuthorizedKey(public)
	if err != nil {
		return fmt.Errorf("%s.pub: %v", file, err)
	}
	return keys.Add(agent.AddedKey{PrivateKey: key, Comment: comment})
}

func listen(keys agent.Agent, pipe string) error {
	l, err := winio.ListenPipe(pipe, nil)
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(keys, c)
			}()
		}
	}()
	// The first instance of a pipe, which go-winio makes to own the name and
	// never serves, is one that Wine connects clients to. This client uses it up.
	first, err := winio.DialPipe(pipe, nil)
	if err != nil {
		return err
	}
	return first.Close()
}

func serve(keys agent.Agent, c net.Conn) {
	if err := agent.ServeAgent(keys, c); err != nil && err != io.EOF {
		fmt.Fprintln(os.Stderr, "agent:", err)
	}
}
