package sshclient_test

import (
	"errors"
	"strings"
	"testing"

	"ssh-copy-id/internal/sshclient"
)

// TestProxyCommandDies: what it said on standard error is told, and the end is
// a typed error.
func TestProxyCommandDies(t *testing.T) {
	var said []string
	h := hostAt(t, "127.0.0.1:1")
	h.ProxyCommand = dyingProxy
	_, err := connect(t, sshclient.Options{Host: h, ProxyStderr: func(line string) { said = append(said, line) }})
	var handshake *sshclient.HandshakeError
	if !errors.As(err, &handshake) || handshake.Stage != sshclient.StageBanner {
		t.Errorf("%T %v", err, err)
	}
	if strings.Join(said, "\n") != "no way through" {
		t.Errorf("said %q", said)
	}
}
