package sshclient_test

import (
	"errors"
	"io"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
	"ssh-copy-id/internal/sshtest"
)

// askingSigner is an agent's key: it counts the questions to its owner, who
// may decline.
type askingSigner struct {
	ssh.Signer
	asked    *int
	declines bool
}

func (s askingSigner) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	*s.asked++
	if s.declines {
		return nil, errors.New("declined")
	}
	return s.Signer.Sign(rand, data)
}

// keys offers the same keys to every host.
func keys(list ...sshclient.Key) func(*sshconfig.Host) []sshclient.Key {
	return func(*sshconfig.Host) []sshclient.Key { return list }
}

// TestPromises: what a server's yes is worth, by what it calls itself and by
// what it says of a key that nobody has.
func TestPromises(t *testing.T) {
	for _, test := range []struct {
		name, version string
		every         bool // it says yes to every key
		want          sshclient.Answer
		queries       int
	}{
		{"a server that looks", "SSH-2.0-sshtest", false, sshclient.Promised, 2},
		{"a server that does not look", "SSH-2.0-mod_sftp/1.3.9", true, 0, 2},
		{"OpenSSH", "SSH-2.0-OpenSSH_9.2p1", false, sshclient.Promised, 1},
		{"dropbear", "SSH-2.0-dropbear_2022.83", false, sshclient.Promised, 1},
		{"TinySSH", "SSH-2.0-tinyssh_20230101 XXXXXXXX", true, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			there := newSigner(t)
			s := serve(t, func(c *sshtest.Config) { c.Version, c.PromiseEveryKey = test.version, test.every }, there.PublicKey())
			o := options(t, s)
			o.NeverAsk, o.StopWhenAccepted = true, true
			o.Query = []ssh.PublicKey{there.PublicKey()}
			conn, err := connect(t, o)
			if err != nil {
				t.Fatal(err)
			}
			if got := conn.Answers.Of(there.PublicKey()); got != test.want || conn.AcceptsEveryKey != (test.want == 0) {
				t.Errorf("the answer is %d, every key: %t", got, conn.AcceptsEveryKey)
			}
			if c := s.Counters(); c.Queries != test.queries || c.Signatures != 0 {
				t.Errorf("%+v", c)
			}
		})
	}
}

// TestRefusedSignature: the server says yes to the key and no to its signature.
func TestRefusedSignature(t *testing.T) {
	stranger := newSigner(t)
	s := serve(t, func(c *sshtest.Config) { c.PromiseEveryKey = true })
	o := options(t, s)
	o.NeverAsk, o.StopWhenAccepted = true, true
	o.Query = []ssh.PublicKey{stranger.PublicKey()}
	o.Keys = keys(sshclient.Key{Signer: stranger})
	conn, err := connect(t, o)
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.Answers.Of(stranger.PublicKey()); got != sshclient.SignatureRefused {
		t.Errorf("the answer is %d", got)
	}
}

// TestAgentAskedOnce: of two accepted keys an agent signs with one, and with
// none where that is not wanted; a declined signature is not asked for again.
func TestAgentAskedOnce(t *testing.T) {
	for _, test := range []struct {
		name              string
		noAgent, declines bool
		asked             int
		method            string
	}{
		{"logs in", false, false, 1, "publickey"},
		{"declined", false, true, 1, ""},
		{"looking", true, false, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			one, two := newSigner(t), newSigner(t)
			s := serve(t, nil, one.PublicKey(), two.PublicKey())
			o := options(t, s)
			asked := 0
			o.StopWhenAccepted, o.NoAgent = true, test.noAgent
			o.Query = []ssh.PublicKey{one.PublicKey(), two.PublicKey()}
			o.Keys = keys(sshclient.Key{Signer: askingSigner{one, &asked, test.declines}, Agent: true},
				sshclient.Key{Signer: askingSigner{two, &asked, test.declines}, Agent: true})
			conn, err := connect(t, o)
			if err != nil {
				t.Fatal(err)
			}
			if asked != test.asked || conn.Method != test.method && conn.Client != nil || (conn.Client != nil) != (test.method != "") {
				t.Errorf("the agent was asked %d times, logged in by %q", asked, conn.Method)
			}
			if !conn.Answers.Accepted(one.PublicKey()) || !conn.Answers.Accepted(two.PublicKey()) {
				t.Errorf("%v", conn.Answers)
			}
		})
	}
}
