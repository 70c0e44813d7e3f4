package agentconn

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh/agent"
)

const cygwinText = "!<socket >49152 s 01234567-89ABCDEF-00000001-ffffffff\x00"

func TestParseSocketFile(t *testing.T) {
	nonce := "\x00\n\r\xff0123456789ab"
	for _, tt := range []struct {
		in   string
		want socketFile
		err  error
	}{
		{"49152\n" + nonce, socketFile{port: 49152, nonce: [16]byte([]byte(nonce))}, nil},
		{cygwinText, socketFile{port: 49152, cygwin: true, nonce: [16]byte{
			0x67, 0x45, 0x23, 0x01, 0xef, 0xcd, 0xab, 0x89, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}}, nil},
		{strings.TrimSuffix(cygwinText, "\x00"), socketFile{port: 49152, cygwin: true, nonce: [16]byte{
			0x67, 0x45, 0x23, 0x01, 0xef, 0xcd, 0xab, 0x89, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}}, nil},
		{"", socketFile{}, errNoSocketFile},
		{"49152\nshort", socketFile{}, errNoSocketFile},
		{"0\n" + nonce, socketFile{}, errNoSocketFile},
		{"65536\n" + nonce, socketFile{}, errNoSocketFile},
		{"-1\n" + nonce, socketFile{}, errNoSocketFile},
		{"49152\n" + nonce + "x", socketFile{}, errNoSocketFile},
		{"!<socket >", socketFile{}, errBadSocketFile},
		{"!<socket >0 s 01234567-89abcdef-00000001-ffffffff", socketFile{}, errBadSocketFile},
		{"!<socket >1 d 01234567-89abcdef-00000001-ffffffff", socketFile{}, errBadSocketFile},
		{"!<socket >1 s 01234567-89abcdef-00000001", socketFile{}, errBadSocketFile},
		{"!<socket >1 s 1234567-89abcdef-00000001-ffffffff", socketFile{}, errBadSocketFile},
		{"!<socket >1 s 0123456g-89abcdef-00000001-ffffffff", socketFile{}, errBadSocketFile},
		{"!<socket >1 s +1234567-89abcdef-00000001-ffffffff", socketFile{}, errBadSocketFile},
	} {
		got, err := parseSocketFile([]byte(tt.in))
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("parseSocketFile(%q) = %+v, %v; want %+v, %v", tt.in, got, err, tt.want, tt.err)
		}
	}
}

func FuzzParseSocketFile(f *testing.F) {
	f.Add([]byte(cygwinText))
	f.Add([]byte("49152\n0123456789abcdef"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := parseSocketFile(content)
		if err == nil && (file.port < 1 || file.port > 65535) {
			t.Errorf("%q gives port %d", content, file.port)
		}
	})
}

// imitatedSocket serves an agent behind a socket file of one of both forms and
// returns the path of the file. With liar set it does not know the secret.
func imitatedSocket(t *testing.T, cygwin, liar bool, ring agent.Agent) string {
	t.Helper()
	nonce := [16]byte{'s', 'e', 'c', 'r', 'e', 't', 0, '\n', 1, 2, 3, 4, 5, 6, 7, 8}
	addr := listen(t, "tcp", "127.0.0.1:0", func(conn net.Conn) {
		var got [16]byte
		if _, err := io.ReadFull(conn, got[:]); err != nil || got != nonce {
			return
		}
		if cygwin {
			if liar {
				got[0]++
			}
			_, _ = conn.Write(got[:])
			var who [12]byte
			if _, err := io.ReadFull(conn, who[:]); err != nil {
				return
			}
			_, _ = conn.Write(who[:])
		}
		_ = agent.ServeAgent(ring, conn)
	})
	port := addr.(*net.TCPAddr).Port
	content := fmt.Sprintf("%d\n%s", port, nonce[:])
	if cygwin {
		content = fmt.Sprintf("!<socket >%d s 72636573-0A007465-04030201-08070605\x00", port)
	}
	path := filepath.Join(t.TempDir(), "S.agent")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestImitatedSockets(t *testing.T) {
	ring, key := keyring(t)
	for name, cygwin := range map[string]bool{"gpg-agent": false, "Cygwin": true} {
		t.Run(name, func(t *testing.T) {
			path := imitatedSocket(t, cygwin, false, ring)
			conn, err := windowsOpener(&fakeWindows{}, environment("SSH_AUTH_SOCK", path)).open("")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			checkAgent(t, conn, key)
		})
	}
	t.Run("another program at the port", func(t *testing.T) {
		path := imitatedSocket(t, true, true, ring)
		_, err := windowsOpener(&fakeWindows{}, environment()).open(path)
		if err == nil || !strings.Contains(err.Error(), "another program") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("damaged file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "S.agent")
		if err := os.WriteFile(path, []byte("!<socket >x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := windowsOpener(&fakeWindows{}, environment()).open(path); !errors.Is(err, errBadSocketFile) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("no file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "missing")
		if _, err := windowsOpener(&fakeWindows{}, environment()).open(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("path of Cygwin", func(t *testing.T) {
		const path = "/tmp/ssh-none/agent.1"
		if _, err := windowsOpener(&fakeWindows{}, environment()).open(path); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "cygpath") {
			t.Errorf("error %v", err)
		}
	})
	// Wine has no such sockets; every other system of ours has.
	socket := filepath.Join(socketDir(t), "sock")
	switch l, err := net.Listen("unix", socket); {
	case err == nil:
		l.Close()
		t.Run("real socket", func(t *testing.T) {
			listen(t, "unix", socket, serveAgent(ring))
			conn, err := windowsOpener(&fakeWindows{}, environment("SSH_AUTH_SOCK", socket)).open("")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			checkAgent(t, conn, key)
		})
	case runtime.GOOS != "windows":
		t.Error(err)
	}
}
