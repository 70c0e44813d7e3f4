//go:build !linux

package realsshd

import "fmt"

// acceptedPrefix is never logged here: there is no server.
const acceptedPrefix = "accepted connection from "

// Available says why [Start] cannot run a server here.
func Available(server string) error {
	return fmt.Errorf("%w: it takes Linux", ErrUnsupported)
}

// Start runs a server. Here it cannot: it takes Linux.
func Start(cfg Config) (*Server, error) { return nil, Available(cfg.Server) }

// Path is a file of the server's world as the caller can open it.
func (s *Server) Path(inside string) string { return inside }
