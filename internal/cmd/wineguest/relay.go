//go:build windows

package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

// relay is a ProxyCommand: relay HOST PORT [WORD...]. The further words go into
// the file RELAY_SAW.
func relay(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("relay HOST PORT, not %q", args)
	}
	if saw := os.Getenv("RELAY_SAW"); saw != "" {
		if err := os.WriteFile(saw, fmt.Appendf(nil, "%q\n", args), 0o600); err != nil {
			return err
		}
	}
	c, err := net.Dial("tcp", net.JoinHostPort(args[0], args[1]))
	if err != nil {
		return err
	}
	go func() {
		io.Copy(c, os.Stdin)
		c.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(os.Stdout, c)
	return err
}
