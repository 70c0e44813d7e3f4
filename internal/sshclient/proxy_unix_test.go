//go:build unix

package sshclient_test

import (
	"errors"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
)

// dyingProxy says why it dies.
const dyingProxy = "sh -c 'echo no way through >&2; exit 3'"

// TestProxyCommandLingers: one that minds neither the end of its input nor a
// hangup is killed, and does not hold us.
func TestProxyCommandLingers(t *testing.T) {
	h := hostAt(t, "127.0.0.1:1", "ConnectTimeout=1")
	h.ProxyCommand = `sh -c 'trap "" HUP; while :; do sleep 1; done'`
	_, err := connect(t, sshclient.Options{Host: h})
	var handshake *sshclient.HandshakeError
	if !errors.As(err, &handshake) || !handshake.TimedOut {
		t.Errorf("%T %v", err, err)
	}
}

// TestProxyCommandCarries: a login through a command's standard input and
// output.
func TestProxyCommandCarries(t *testing.T) {
	key := newSigner(t)
	s := serve(t, nil, key.PublicKey())
	o := options(t, s)
	o.Host.ProxyCommand = "perl -MIO::Socket -e '" + relay + "' " + s.Addr()
	o.Keys = func(*sshconfig.Host) []sshclient.Key { return []sshclient.Key{{Signer: key}} }
	o.Query = []ssh.PublicKey{key.PublicKey()}
	conn, err := connect(t, o)
	if err != nil || conn.Client == nil || !conn.Answers.Accepted(key.PublicKey()) {
		t.Fatal(err)
	}
}

// relay is what nc does, in the Perl that every Debian has.
const relay = `$s=IO::Socket::INET->new(shift) or die; if(fork){while(sysread STDIN,$b,65536){syswrite $s,$b}; shutdown $s,1}` +
	` else {while(sysread $s,$b,65536){syswrite STDOUT,$b}}`
