//go:build unix

package agentconn

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh/agent"
)

// TestOpenSSHAgent lists, adds and signs with OpenSSH's own agent.
func TestOpenSSHAgent(t *testing.T) {
	program, err := exec.LookPath("ssh-agent")
	if err != nil {
		if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
			t.Fatal("ssh-agent is not installed")
		}
		t.Skip("ssh-agent is not installed")
	}
	path := filepath.Join(socketDir(t), "sock")
	cmd := exec.Command(program, "-D", "-a", path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	// The socket is there a moment before the agent listens on it.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("unix", path)
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	a, closer, err := Open("", environment("SSH_AUTH_SOCK", path))
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	if keys, err := a.List(); err != nil || len(keys) != 0 {
		t.Fatalf("keys of an empty agent: %v, error %v", keys, err)
	}
	private, public := testKey(t)
	if err := a.Add(agent.AddedKey{PrivateKey: private, Comment: "test key"}); err != nil {
		t.Fatal(err)
	}
	checkAgent(t, a, public)
}
