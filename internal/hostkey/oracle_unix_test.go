//go:build unix

package hostkey

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// The roles that the test binary plays for ssh: its ProxyCommand, and its
// SSH_ASKPASS.
const (
	relayTo   = "HOSTKEY_TEST_RELAY"  // an address
	askAnswer = "HOSTKEY_TEST_ANSWER" // a directory: the answers, and what was asked
)

func TestMain(m *testing.M) {
	switch address, dir := os.Getenv(relayTo), os.Getenv(askAnswer); {
	case address != "":
		os.Exit(relay(address))
	case dir != "" && len(os.Args) == 2:
		os.Exit(answer(dir, os.Args[1]))
	}
	os.Exit(m.Run())
}

// relay connects its standard input and output with a server.
func relay(address string) int {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 1
	}
	go func() {
		io.Copy(conn, os.Stdin)
		conn.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(os.Stdout, conn)
	return 0
}

// answer notes a question and prints the next of the answers.
func answer(dir, question string) int {
	asked, err := os.OpenFile(filepath.Join(dir, "asked"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 1
	}
	fmt.Fprintf(asked, "%s\x00", question)
	asked.Close()
	left, err := os.ReadFile(filepath.Join(dir, "answers"))
	if err != nil {
		return 1
	}
	line, rest, ok := strings.Cut(string(left), "\n")
	if !ok {
		return 1
	}
	fmt.Println(line)
	if os.WriteFile(filepath.Join(dir, "answers"), []byte(rest), 0o600) != nil {
		return 1
	}
	return 0
}

// program finds a program of OpenSSH, whose word the test rests on.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// run gives the standard output, standard error and exit status of a program.
func run(t testing.TB, c *exec.Cmd) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	c.Env = append(append(os.Environ(), c.Env...), "LC_ALL=C", "HOME="+t.TempDir())
	if err := c.Run(); err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), strings.ReplaceAll(errs.String(), "\r", ""), c.ProcessState.ExitCode()
}

// realSSH is a run of ssh against a server that shows the given host keys and
// lets everybody in.
type realSSH struct {
	shown   []ssh.Signer
	offered []ssh.Signer // by hostkeys-00@openssh.com
	host    string
	port    int
	options []string
	answers []string
}

// run returns the exit status, 0 where ssh has accepted the key, and what ssh
// said and asked.
func (r realSSH) run(t *testing.T) (status int, said string, asked []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "answers"), []byte(lines(r.answers)), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"-F", "none", "-T", "-n", "-p", fmt.Sprint(r.port),
		"-o", fmt.Sprintf("ProxyCommand=env %s=%s %s", relayTo, r.serve(t), self),
	}
	for _, option := range append(r.options, "GlobalKnownHostsFile=none", "IdentityFile=none", "IdentityAgent=none", "UpdateHostKeys=no", "KexAlgorithms=curve25519-sha256") {
		args = append(args, "-o", option)
	}
	command := exec.Command(program(t, "ssh"), append(args, "--", "user@"+r.host, "true")...)
	command.Env = []string{"SSH_ASKPASS=" + self, "SSH_ASKPASS_REQUIRE=force", askAnswer + "=" + dir}
	_, said, status = run(t, command)
	questions, err := os.ReadFile(filepath.Join(dir, "asked"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	asked = strings.Split(string(questions), "\x00")
	return status, said, asked[:len(asked)-1]
}

func lines(words []string) string {
	text := ""
	for _, word := range words {
		text += word + "\n"
	}
	return text
}

// serve answers one connection and gives the address to reach it.
func (r realSSH) serve(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{NoClientAuth: true}
	for _, key := range r.shown {
		config.AddHostKey(key)
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if server, channels, requests, err := ssh.NewServerConn(conn, config); err == nil {
			r.session(server, channels, requests)
		}
	})
	t.Cleanup(func() { listener.Close(); wait.Wait() })
	return listener.Addr().String()
}

// session lets a command succeed, once the client had the time to ask for the
// proof of what was offered.
func (r realSSH) session(conn *ssh.ServerConn, channels <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
	if len(r.offered) > 0 {
		r.offer(conn, requests)
	} else {
		go ssh.DiscardRequests(requests)
	}
	for c := range channels {
		channel, inside, err := c.Accept()
		if err != nil {
			return
		}
		for request := range inside {
			request.Reply(true, nil)
			if request.Type == "exec" {
				channel.SendRequest("exit-status", false, []byte{0, 0, 0, 0})
				channel.Close()
			}
		}
	}
}

// offer is notify_hostkeys and server_input_hostkeys_prove of serverloop.c. The
// answer to a request of ours shows that every question before it is there.
func (r realSSH) offer(conn *ssh.ServerConn, requests <-chan *ssh.Request) {
	var blobs []byte
	for _, key := range r.offered {
		blobs = appendString(blobs, key.PublicKey().Marshal())
	}
	conn.SendRequest("hostkeys-00@openssh.com", false, blobs)
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		conn.SendRequest("keepalive@openssh.com", true, nil)
	}()
	handle := func(request *ssh.Request) {
		if request == nil {
			return
		}
		var proofs []byte
		for rest := request.Payload; request.Type == "hostkeys-prove-00@openssh.com" && len(rest) > 0; {
			n := 4 + int(binary.BigEndian.Uint32(rest))
			signed := appendString(appendString(nil, []byte(request.Type)), conn.SessionID())
			i := slices.IndexFunc(r.offered, func(k ssh.Signer) bool { return bytes.Equal(k.PublicKey().Marshal(), rest[4:n]) })
			signature, err := r.offered[i].Sign(rand.Reader, append(signed, rest[:n]...))
			if err != nil {
				return
			}
			proofs, rest = appendString(proofs, ssh.Marshal(signature)), rest[n:]
		}
		if request.WantReply {
			request.Reply(proofs != nil, proofs)
		}
	}
	for waiting := true; waiting; {
		select {
		case request := <-requests:
			handle(request)
		case <-heard:
			waiting = false
		}
	}
	for {
		select {
		case request, ok := <-requests:
			if !ok {
				return
			}
			handle(request)
		default:
			go ssh.DiscardRequests(requests)
			return
		}
	}
}

func appendString(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}
