//go:build !windows

package agentconn

import (
	"errors"
	"net"
	"time"

	"golang.org/x/crypto/ssh/agent"
)

// systemAgents has nothing outside Windows, where an agent is always a socket.
type systemAgents struct{}

var errWindowsOnly = errors.New("only on Windows")

func (systemAgents) DialPipe(string, time.Duration) (net.Conn, error) { return nil, errWindowsOnly }

func (systemAgents) CheckOwner(net.Conn) error { return errWindowsOnly }

func (systemAgents) PageantRunning() bool { return false }

func (systemAgents) PageantPipe() (string, error) { return "", errWindowsOnly }

func (systemAgents) PageantWindow() (agent.ExtendedAgent, error) { return nil, errWindowsOnly }
