package sshclient_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshtest"
)

// maxGrowth is how much more memory a test may hold than before it.
const maxGrowth = 64 << 20

// maxLeft is how many goroutines the ssh package may leave behind for each
// connection: where an authentication fails with more than 16 messages unread,
// its reader waits for ever for somebody to take the next (readLoop in its
// handshake.go). Where an answer to a flood cannot be written any more, the loop
// of its mux.go waits for that reader as well, and whoever waits for the loop.
const maxLeft = 4

// watch fails the test when its memory grows by more than maxGrowth at any
// time, or when it leaves more than left goroutines behind. It comes first in a
// test, so that it looks last.
func watch(t *testing.T, left int) {
	t.Helper()
	held := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	runtime.GC()
	goroutines, before, peak := runtime.NumGoroutine(), held(), uint64(0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			peak = max(peak, held())
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
		if peak > before+maxGrowth {
			t.Errorf("memory grew from %d to %d MiB", before>>20, peak>>20)
		}
		deadline := time.Now().Add(10 * time.Second)
		for runtime.NumGoroutine() > goroutines+left {
			if time.Now().After(deadline) {
				stacks := make([]byte, 64<<10)
				t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), goroutines, stacks[:runtime.Stack(stacks, true)])
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
}

// hostile starts a server that does as script says, and gives options that
// reach it.
func hostile(t *testing.T, script func(*sshtest.RawConn) error, lines ...string) sshclient.Options {
	t.Helper()
	watch(t, maxLeft)
	s, err := sshtest.StartRaw(script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return sshclient.Options{Host: hostAt(t, s.Addr(), append(lines, "WarnWeakCrypto=no")...), HostKey: s.HostKey()}
}

// speak is a port whose connections are talk's, until it returns or the test
// ends.
func speak(t *testing.T, talk func(net.Conn, <-chan struct{})) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	var active sync.WaitGroup
	active.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			active.Go(func() {
				talk(c, over)
				c.Close()
			})
		}
	})
	t.Cleanup(func() {
		close(over)
		l.Close()
		active.Wait()
	})
	return l.Addr().String()
}

// forever repeats a packet until the client is gone.
func forever(c *sshtest.RawConn, packet []byte) error {
	for {
		if err := c.WritePacket(packet); err != nil {
			return err
		}
	}
}

// readOn lets the client say what it likes.
func readOn(c *sshtest.RawConn) error {
	for {
		if _, err := c.ReadPacket(); err != nil {
			return err
		}
	}
}

// plain is a packet from before the key exchange (RFC 4253, section 6).
func plain(payload string) string {
	padding := 8 - (4+1+len(payload))%8 + 8
	prefix := binary.BigEndian.AppendUint32(nil, uint32(1+len(payload)+padding))
	return string(append(prefix, byte(padding))) + payload + strings.Repeat("\x00", padding)
}

// TestHostileHandshake: before the key exchange is over, nothing holds a
// connection for longer than ConnectTimeout.
func TestHostileHandshake(t *testing.T) {
	const line, huge = "SSH-2.0-hostile\r\n", "\xff\xff\xff\xff"
	ignore := plain("\x02\x00\x00\x00\x04skip")
	for _, c := range []struct {
		name          string
		first, repeat string
		slowly        bool
	}{
		{name: "lines without end", repeat: strings.Repeat("welcome\r\n", 500)},
		{name: "empty lines without end", repeat: strings.Repeat("\n", 4096)},
		{name: "identification of 1 MiB", first: "SSH-2.0-" + strings.Repeat("x", 1<<20) + "\r\n"},
		{name: "identification without end", first: "SSH-2.0-", repeat: strings.Repeat("x", 4096)},
		{name: "nothing but NUL", repeat: strings.Repeat("\x00", 4096)},
		{name: "slow lines", repeat: "a\n", slowly: true},
		{name: "slow identification", first: "SSH-2.0-", repeat: "x", slowly: true},
		{name: "slow KEXINIT", first: line + "\x00\x01\x00\x00\x08\x14", repeat: "x", slowly: true},
		{name: "packet of 4 GiB", first: line + huge, repeat: strings.Repeat("x", 4096)},
		{name: "packet of 2 GiB", first: line + "\x80\x00\x00\x00", repeat: strings.Repeat("x", 4096)},
		{name: "packet of 256 KiB and more", first: line + "\x00\x04\x00\x01", repeat: strings.Repeat("x", 4096)},
		{name: "empty packets", first: line, repeat: strings.Repeat("\x00", 4096)},
		{name: "IGNORE without end", first: line, repeat: strings.Repeat(ignore, 100)},
		{name: "IGNORE, slowly", first: line, repeat: ignore, slowly: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			watch(t, 0)
			addr := speak(t, func(conn net.Conn, over <-chan struct{}) {
				_, err := io.WriteString(conn, c.first)
				for err == nil && c.repeat != "" {
					if c.slowly {
						select {
						case <-over:
							return
						case <-time.After(100 * time.Millisecond):
						}
					}
					_, err = io.WriteString(conn, c.repeat)
				}
				<-over
			})
			_, err := connect(t, sshclient.Options{Host: hostAt(t, addr, "ConnectTimeout=1")})
			var handshake *sshclient.HandshakeError
			if !errors.As(err, &handshake) || c.slowly && !handshake.TimedOut {
				t.Errorf("%T %v", err, err)
			}
		})
	}
}

// TestHostilePackets: what cannot be a packet ends the connection, and costs no
// memory.
func TestHostilePackets(t *testing.T) {
	for name, length := range map[string]uint32{
		"4 GiB": 0xffffffff, "2 GiB": 1 << 31, "256 KiB and more": 256<<10 + 1, "empty": 0, "one byte": 1,
	} {
		t.Run(name, func(t *testing.T) {
			o := hostile(t, func(c *sshtest.RawConn) error {
				err := c.WriteRaw(binary.BigEndian.AppendUint32(nil, length))
				for err == nil {
					err = c.WriteRaw(bytes.Repeat([]byte{'x'}, 4096))
				}
				return err
			})
			conn, err := connect(t, o)
			var closed *sshclient.ClosedError
			if !errors.As(err, &closed) {
				t.Errorf("%v, %T %v", conn, err, err)
			}
		})
	}
}

// banner is SSH_MSG_USERAUTH_BANNER (RFC 4252, section 5.4).
func banner(text string) []byte {
	return ssh.Marshal(struct {
		Text     string `sshtype:"53"`
		Language string
	}{text, ""})
}

// TestHostileBanner: a banner reaches the caller as it is, who has to escape it.
func TestHostileBanner(t *testing.T) {
	const text = "\x1b]0;title\a\x1b[2J\x9b31m\x00\r\n\u202egnp.exe\n"
	var shown []string
	o := hostile(t, func(c *sshtest.RawConn) error {
		if err := c.AwaitMethod("none"); err != nil {
			return err
		}
		if err := c.WritePacket(banner(text)); err != nil {
			return err
		}
		if err := c.WritePacket([]byte{52}); err != nil { // SSH_MSG_USERAUTH_SUCCESS
			return err
		}
		return readOn(c)
	})
	o.UI.Notice = func(text string) { shown = append(shown, text) }
	if _, err := connect(t, o); err != nil || len(shown) != 1 || shown[0] != text {
		t.Errorf("%v, shown %q", err, shown)
	}
}

// TestHostileLogin: messages without end where the answer to a request for
// authentication is due.
func TestHostileLogin(t *testing.T) {
	for name, packet := range map[string][]byte{
		"banners":          banner("once more\n"),
		"banners, long":    banner(strings.Repeat("once more\n", 20<<10)),
		"IGNORE":           append([]byte{2, 0, 0, 16, 0}, make([]byte, 4096)...),
		"global requests":  globalRequest(true),
		"unknown messages": {200, 1, 2, 3},
		"refusals":         ssh.Marshal(refusal{Methods: []string{"password", "keyboard-interactive", "publickey"}}),
		"refusals, long":   ssh.Marshal(refusal{Methods: strings.Split(strings.Repeat("password,", 20<<10), ",")}),
		"partial success":  ssh.Marshal(refusal{Methods: []string{"password", "keyboard-interactive"}, Partial: true}),
	} {
		t.Run(name, func(t *testing.T) {
			o := hostile(t, func(c *sshtest.RawConn) error {
				if err := c.AcceptService(); err != nil {
					return err
				}
				return forever(c, packet)
			}, "ConnectTimeout=1")
			asked := 0
			o.UI.Secret = func(string) ([]byte, error) { asked++; return []byte("secret"), nil }
			o.UI.Notice = func(string) {}
			conn, err := connect(t, o)
			if conn != nil || err == nil || errors.Is(err, context.DeadlineExceeded) || asked > 6 {
				t.Errorf("%T %v, asked %d times", err, err, asked)
			}
		})
	}
}

// refusal is SSH_MSG_USERAUTH_FAILURE (RFC 4252, section 5.1).
type refusal struct {
	Methods []string `sshtype:"51"`
	Partial bool
}

// globalRequest is SSH_MSG_GLOBAL_REQUEST (RFC 4254, section 4).
func globalRequest(wantReply bool) []byte {
	return ssh.Marshal(struct {
		Name      string `sshtype:"80"`
		WantReply bool
	}{"keepalive@openssh.com", wantReply})
}

// TestHostileAfterLogin: a server that lets the client in and then talks
// without end, or never answers, does not keep it from closing.
func TestHostileAfterLogin(t *testing.T) {
	open := func(kind string) []byte {
		return ssh.Marshal(struct {
			Kind                    string `sshtype:"90"`
			Number, Window, MaxData uint32
		}{kind, 1, 1 << 20, 1 << 15})
	}
	for name, packet := range map[string][]byte{
		"global requests":                   globalRequest(false),
		"global requests that want a reply": globalRequest(true),
		"answers nobody asked for":          {82}, // SSH_MSG_REQUEST_FAILURE
		"IGNORE":                            append([]byte{2, 0, 0, 16, 0}, make([]byte, 4096)...),
		"DEBUG": ssh.Marshal(struct {
			Show       bool `sshtype:"4"`
			Text, Lang string
		}{true, strings.Repeat("x", 4096), ""}),
		"channels":           open("session"),
		"forwarded channels": open("forwarded-tcpip"),
		"ping": ssh.Marshal(struct {
			Data string `sshtype:"192"`
		}{strings.Repeat("x", 4096)}),
	} {
		t.Run(name, func(t *testing.T) {
			talking := make(chan struct{})
			o := hostile(t, func(c *sshtest.RawConn) error {
				if err := c.Authenticate("alice"); err != nil {
					return err
				}
				for i := 0; ; i++ {
					if i == 1000 {
						close(talking)
					}
					if err := c.WritePacket(packet); err != nil {
						return err
					}
				}
			})
			conn, err := connect(t, o)
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() {
				_, err := conn.Client.NewSession()
				ended <- err
			}()
			within(t, "the flood", talking)
			conn.Close()
			within(t, "the end", ended)
		})
	}
}

// within waits for what has to come.
func within[T any](t *testing.T, what string, c <-chan T) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s did not come", what)
	}
}

// infoRequest is SSH_MSG_USERAUTH_INFO_REQUEST (RFC 4256, section 3.2).
func infoRequest(count uint32, prompts ...string) []byte {
	var list []byte
	for _, prompt := range prompts {
		list = append(list, ssh.Marshal(struct {
			Text string
			Echo bool
		}{prompt, false})...)
	}
	return ssh.Marshal(struct {
		Name, Instruction, Language string `sshtype:"60"`
		Count                       uint32
		Prompts                     []byte `ssh:"rest"`
	}{"", "", "", count, list})
}

// TestHostileQuestions: more questions than there are, or than anybody would
// answer, ask nobody.
func TestHostileQuestions(t *testing.T) {
	for name, packet := range map[string][]byte{
		"2^31, none there":   infoRequest(1 << 31),
		"2^32-1, one there":  infoRequest(1<<32-1, "Password: "),
		"65":                 infoRequest(65, slices.Repeat([]string{"x"}, 65)...),
		"20,000":             infoRequest(20_000, slices.Repeat([]string{"x"}, 20_000)...),
		"one more than said": infoRequest(1, "Password: ", "Code: "),
	} {
		t.Run(name, func(t *testing.T) {
			o := hostile(t, func(c *sshtest.RawConn) error {
				if err := c.AwaitMethod("keyboard-interactive"); err != nil {
					return err
				}
				return forever(c, packet)
			})
			asked := 0
			o.UI.Secret = func(string) ([]byte, error) { asked++; return []byte("secret"), nil }
			conn, err := connect(t, o)
			var auth *sshclient.AuthError
			if conn != nil || !errors.As(err, &auth) || asked > 0 {
				t.Errorf("%T %v, asked %d times", err, err, asked)
			}
		})
	}
}
