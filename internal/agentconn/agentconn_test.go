package agentconn

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

func testKey(t *testing.T) (ed25519.PrivateKey, ssh.PublicKey) {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return private, public
}

// keyring is an agent with one Ed25519 key.
func keyring(t *testing.T) (agent.Agent, ssh.PublicKey) {
	t.Helper()
	private, public := testKey(t)
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: private, Comment: "test key"}); err != nil {
		t.Fatal(err)
	}
	return ring, public
}

// listen accepts connections on network and hands each to serve.
func listen(t *testing.T, network, address string, serve func(net.Conn)) net.Addr {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); serve(conn) }()
		}
	}()
	return l.Addr()
}

// socketDir is a directory with a path short enough for a socket.
func socketDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ac")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func serveAgent(ring agent.Agent) func(net.Conn) {
	return func(conn net.Conn) { _ = agent.ServeAgent(ring, conn) }
}

// checkAgent lists and signs.
func checkAgent(t *testing.T, a agent.ExtendedAgent, want ssh.PublicKey) {
	t.Helper()
	keys, err := a.List()
	if err != nil || len(keys) != 1 || !bytes.Equal(keys[0].Blob, want.Marshal()) || keys[0].Comment != "test key" {
		t.Fatalf("keys %v, error %v", keys, err)
	}
	data := []byte("to be signed")
	sig, err := a.Sign(want, data)
	if err != nil || want.Verify(data, sig) != nil {
		t.Fatalf("signature %v, error %v", sig, err)
	}
}

func environment(pairs ...string) func(string) string {
	vars := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		vars[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return vars[name] }
}

// fakeWindows is a Windows with the pipes and the Pageant it is given.
type fakeWindows struct {
	pipes   map[string]func(net.Conn)
	foreign string // the pipe that belongs to another account
	window  agent.ExtendedAgent
	running bool
	dialled []string
}

const testPageantPipe = `\\.\pipe\pageant.me.0123`

func (w *fakeWindows) DialPipe(path string, _ time.Duration) (net.Conn, error) {
	w.dialled = append(w.dialled, path)
	serve := w.pipes[path]
	if serve == nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	ours, theirs := net.Pipe()
	go func() { defer theirs.Close(); serve(theirs) }()
	return ours, nil
}

// CheckOwner knows the pipe by its being the last that was dialled.
func (w *fakeWindows) CheckOwner(net.Conn) error {
	if w.dialled[len(w.dialled)-1] == w.foreign {
		return errForeign
	}
	return nil
}

var errForeign = errors.New("it belongs to another account")

func (w *fakeWindows) PageantRunning() bool         { return w.running }
func (w *fakeWindows) PageantPipe() (string, error) { return testPageantPipe, nil }
func (w *fakeWindows) PageantWindow() (agent.ExtendedAgent, error) {
	if w.window == nil {
		return nil, errors.New("no window")
	}
	return w.window, nil
}

func windowsOpener(w *fakeWindows, getenv func(string) string) *opener {
	return &opener{goos: "windows", getenv: getenv, dial: net.DialTimeout, system: w, quick: time.Second, sign: time.Second}
}

func TestOpenOnWindows(t *testing.T) {
	ring, key := keyring(t)
	serve := serveAgent(ring)
	extended := ring.(agent.ExtendedAgent)
	const own = `\\.\pipe\my-agent`
	for _, tt := range []struct {
		name     string
		w        *fakeWindows
		sock     string
		endpoint string // "" for failure
		tried    string
		noAgent  bool
	}{
		{"OpenSSH service", &fakeWindows{pipes: map[string]func(net.Conn){openSSHPipe: serve}, running: true}, "", openSSHPipe, "", false},
		{"Pageant by pipe", &fakeWindows{pipes: map[string]func(net.Conn){testPageantPipe: serve}, running: true}, "", testPageantPipe, openSSHPipe, false},
		{"Pageant by window", &fakeWindows{running: true, window: extended}, "", "Pageant", openSSHPipe + " " + testPageantPipe, false},
		{"nothing runs", &fakeWindows{}, "", "", openSSHPipe + " Pageant", true},
		{"service's name taken by another account", &fakeWindows{pipes: map[string]func(net.Conn){openSSHPipe: serve}, foreign: openSSHPipe}, "", "", openSSHPipe + " Pageant", true},
		{"the same beside Pageant", &fakeWindows{pipes: map[string]func(net.Conn){openSSHPipe: serve, testPageantPipe: serve}, foreign: openSSHPipe, running: true}, "", testPageantPipe, openSSHPipe, false},
		{"Pageant's name taken", &fakeWindows{pipes: map[string]func(net.Conn){testPageantPipe: serve}, foreign: testPageantPipe, running: true, window: extended}, "", "Pageant", openSSHPipe + " " + testPageantPipe, false},
		{"a pipe that is named may be anybody's", &fakeWindows{pipes: map[string]func(net.Conn){own: serve}, foreign: own}, own, own, "", false},
		{"Pageant hangs up", &fakeWindows{running: true}, "", "", openSSHPipe + " " + testPageantPipe + " Pageant", true},
		{"pipe in SSH_AUTH_SOCK", &fakeWindows{pipes: map[string]func(net.Conn){own: serve}}, own, own, "", false},
		{"pipe with slashes", &fakeWindows{pipes: map[string]func(net.Conn){own: serve}}, "//./pipe/my-agent", "//./pipe/my-agent", "", false},
		{"dead pipe named, another runs", &fakeWindows{pipes: map[string]func(net.Conn){openSSHPipe: serve}}, own, "", own, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := windowsOpener(tt.w, environment("SSH_AUTH_SOCK", tt.sock)).open("")
			var attempts []Attempt
			if tt.endpoint == "" {
				var open *OpenError
				if !errors.As(err, &open) || errors.Is(err, ErrNoAgent) != tt.noAgent {
					t.Fatalf("connection %v, error %v", conn, err)
				}
				attempts = open.Attempts
			} else {
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if conn.Endpoint != tt.endpoint {
					t.Errorf("endpoint %q, want %q", conn.Endpoint, tt.endpoint)
				}
				if pageant := tt.endpoint == testPageantPipe || tt.endpoint == "Pageant"; conn.Pageant != pageant {
					t.Errorf("Pageant is %v", conn.Pageant)
				}
				checkAgent(t, conn, key)
				attempts = conn.Attempts
			}
			var tried []string
			for _, a := range attempts {
				if a.Err == nil {
					t.Errorf("%s failed without a reason", a.Endpoint)
				}
				tried = append(tried, a.Endpoint)
			}
			if got := strings.Join(tried, " "); got != tt.tried {
				t.Errorf("tried %q, want %q", got, tt.tried)
			}
		})
	}
	none := &fakeWindows{pipes: map[string]func(net.Conn){openSSHPipe: serve}}
	if _, err := windowsOpener(none, environment()).open("none"); !errors.Is(err, ErrNoAgent) || len(none.dialled) > 0 {
		t.Errorf("none: error %v, dialled %q", err, none.dialled)
	}
}

// TestPageantPipeName: the sum is that of 00 00 00 10, "Pageant" and nine
// zeros, each byte of the block turned over by the stand-in for encryption.
func TestPageantPipeName(t *testing.T) {
	flip := func(block []byte) error {
		for i := range block {
			block[i] ^= 0xff
		}
		return nil
	}
	const want = `\\.\pipe\pageant.me.` + pageantSum
	for _, user := range []string{"me", "me@example.org", `DOMAIN\me`} {
		if got, err := pageantPipe(user, flip); got != want || err != nil {
			t.Errorf("pageantPipe(%q) = %q, %v; want %q", user, got, err, want)
		}
	}
	if _, err := pageantPipe("me", func([]byte) error { return errors.New("locked") }); err == nil {
		t.Error("no error where memory cannot be protected")
	}
}

const pageantSum = "f92ba4587ad651e5f04f8cf5b6d87dd7b92895c621b8382c1ab5c7456b2a2f45"
