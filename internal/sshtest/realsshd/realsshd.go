// Package realsshd runs the SSH servers of this machine (OpenSSH, Dropbear,
// TinySSH) for tests, with throw-away accounts that have real passwords.
//
// [Start] needs Linux and root. The server runs in a mount and a process
// namespace of its own: private copies of /etc, /run, /var/log and /home, so
// that accounts, host keys and logs exist inside only, and the kernel ends
// every process in there when the caller's process ends, however it ends.
// The server listens on a loopback port of the real host, so that any client
// can log in.
//
// [Inetd] needs no root: it is a ProxyCommand that runs sshd as the caller,
// with a home directory of its own, for logins with keys.
package realsshd

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// ErrUnsupported is returned by [Start] and [Inetd] where the machine cannot
// run them: another system than Linux, not root, a kernel that refuses
// namespaces. Errors that wrap it say which.
var ErrUnsupported = errors.New("no real SSH server can be run here")

// The servers [Config.Server] names.
const (
	OpenSSH  = "openssh"
	Dropbear = "dropbear"
	TinySSH  = "tinysshd" // key logins with Ed25519 only; it knows no passwords
)

// Config says which server to run and who may log in.
type Config struct {
	// Server is OpenSSH, Dropbear or TinySSH; empty means OpenSSH.
	Server string

	// Program is the server's program, for another build than the installed
	// one. Empty means the one on the system's path.
	Program string

	// Accounts exist inside the server's world only. An account "root" takes
	// the place of the real one.
	Accounts []Account

	// ConfigLines go into sshd_config before the package's own lines, so they
	// win (sshd takes the first value); from a Match line on they go behind
	// them. OpenSSH only.
	ConfigLines []string

	// Args are further arguments of the server's program.
	Args []string

	// Homes is a directory of the caller, owned by nobody but root, that
	// becomes /home of the server: homes stay there after Close. Empty means
	// homes in memory, which end with the server.
	Homes string

	// Setup is a piece of POSIX shell, run as root inside the server's world
	// before the server starts. What it does to /etc, /run and /home, and what
	// it mounts, is seen by that server only:
	//
	//	: >/etc/openwrt_release; mkdir /etc/dropbear
	//	mount -t tmpfs -o size=16k,mode=755,uid=$(id -u alice) full /home/alice
	Setup string
}

// Account is a user that can log in to a [Server].
type Account struct {
	Name     string
	Password string   // empty: no password logs in, keys do
	Shell    string   // empty: /bin/sh
	Keys     []string // lines of ~/.ssh/authorized_keys; nil: there is no ~/.ssh
}

// Server is a running SSH server. Its methods may be called by several
// goroutines.
type Server struct {
	Addr     string          // "127.0.0.1:port"
	Port     int             // the port of Addr
	HostKeys []ssh.PublicKey // what the server proves itself with

	server string // Config.Server
	pid    int    // of the namespace's first process, as the caller sees it
	homes  string // Config.Homes
	log    *logBuffer
	stop   func() error
	once   sync.Once
	err    error
}

// Home is the home directory of an account as the caller can open it. Inside
// it is /home/name, or /root.
func (s *Server) Home(name string) string {
	if s.homes != "" {
		return filepath.Join(s.homes, name)
	}
	return s.Path("/home/" + name)
}

// KnownHosts is the content of a known_hosts file that trusts the server.
func (s *Server) KnownHosts() []byte {
	var b strings.Builder
	for _, key := range s.HostKeys {
		b.WriteString("[127.0.0.1]:" + portOf(s.Addr) + " ")
		b.Write(ssh.MarshalAuthorizedKey(key))
	}
	return []byte(b.String())
}

// Log is what the server has written so far.
func (s *Server) Log() string { return s.log.String() }

// Connections counts the TCP connections that reached the server, as its log
// tells them.
func (s *Server) Connections() int {
	start := "Connection from " // sshd.c, at LogLevel VERBOSE
	switch s.server {
	case Dropbear:
		start = "Child connection from "
	case TinySSH:
		start = acceptedPrefix
	}
	return strings.Count(s.Log(), start)
}

// Failures counts the refused attempts of one authentication method, such as
// "password" or "publickey", as sshd logs them at LogLevel VERBOSE (auth_log
// in auth.c). OpenSSH only.
func (s *Server) Failures(method string) int {
	return strings.Count(s.Log(), "Failed "+method+" for ")
}

// Penalties counts the times sshd punished or turned away an address
// (PerSourcePenalties, OpenSSH 9.8 and newer, srclimit.c).
func (s *Server) Penalties() int {
	n := 0
	for line := range strings.Lines(s.Log()) {
		if strings.Contains(line, "penalty") || strings.Contains(line, "penalties") {
			n++
		}
	}
	return n
}

// Close ends the server and every process it started.
func (s *Server) Close() error {
	s.once.Do(func() { s.err = s.stop() })
	return s.err
}

// Need skips a test that wants one of the servers where it cannot run. With
// SSHCOPYID_REQUIRE_ALL=1 in the environment it fails instead, so that a run
// that was meant to be complete cannot pass with holes.
func Need(t testing.TB, server string) {
	t.Helper()
	err := Available(server)
	switch {
	case err == nil:
	case os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1":
		t.Fatalf("realsshd: %v", err)
	default:
		t.Skipf("realsshd: %v", err)
	}
}

// find looks a program up where servers live, which an ordinary user's PATH
// may leave out.
func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return filepath.Abs(path)
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", errors.New(name + " is not installed")
}

func portOf(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// logBuffer collects a server's log. The server writes, anybody reads.
type logBuffer struct {
	mu   sync.Mutex
	text []byte
}

// maxLog bounds a log: more than any test makes, less than memory.
const maxLog = 64 << 20

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.text)+len(p) <= maxLog {
		b.text = append(b.text, p...)
	}
	return len(p), nil
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.text)
}
