package sshclient_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
)

// TestMain is also the program that ProxyCommand names: what nc does, and one
// that minds nothing and tells by a connection that it is alive.
func TestMain(m *testing.M) {
	if len(os.Args) != 3 {
		os.Exit(m.Run())
	}
	conn, err := net.Dial("tcp", os.Args[2])
	if err != nil {
		panic(err)
	}
	switch os.Args[1] {
	case "relay":
		go func() {
			_, _ = io.Copy(conn, os.Stdin)
			_ = conn.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(os.Stdout, conn)
	case "linger":
		time.Sleep(time.Minute)
	}
	os.Exit(0)
}

// programFile is a copy of this program, in a directory with a blank in its
// name.
func programFile(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "a program")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "relay.exe")
	if err := os.WriteFile(file, content, 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestProxyCommandCarries: a login through a program that cmd.exe starts, with
// quotes around its path, without, and with slashes.
func TestProxyCommandCarries(t *testing.T) {
	key := newSigner(t)
	s := serve(t, nil, key.PublicKey())
	file := programFile(t)
	for _, program := range []string{`"` + file + `"`, file, filepath.ToSlash(file), strings.TrimSuffix(file, ".exe")} {
		o := options(t, s)
		o.Host.ProxyCommand = program + " relay " + s.Addr()
		o.Keys = func(*sshconfig.Host) []sshclient.Key { return []sshclient.Key{{Signer: key}} }
		o.Query = []ssh.PublicKey{key.PublicKey()}
		conn, err := connect(t, o)
		if err != nil || conn.Client == nil || !conn.Answers.Accepted(key.PublicKey()) {
			t.Errorf("%s: %v", program, err)
		}
	}
}

// dyingProxy says why it dies.
const dyingProxy = "echo no way through>&2&exit 3"

// TestProxyCommandLingers: the program behind cmd.exe ends too.
func TestProxyCommandLingers(t *testing.T) {
	alive, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	h := hostAt(t, "127.0.0.1:1", "ConnectTimeout=3")
	h.ProxyCommand = `"` + programFile(t) + `" linger ` + alive.Addr().String()
	_, err = connect(t, sshclient.Options{Host: h})
	var handshake *sshclient.HandshakeError
	if !errors.As(err, &handshake) || !handshake.TimedOut {
		t.Errorf("%T %v", err, err)
	}
	conn, err := alive.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the program lives on")
	}
}
