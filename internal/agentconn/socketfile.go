package agentconn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// socketFile is what a file says that stands for a socket on Windows: a port
// on the loopback address and a secret that proves one may read the file.
//
// Two forms exist. Cygwin and MSYS write
// "!<socket >PORT s XXXXXXXX-XXXXXXXX-XXXXXXXX-XXXXXXXX" and want the secret
// exchanged both ways, then process, user and group numbers; gpg-agent
// (libassuan) writes "PORT\n" and 16 bytes, and only wants those sent.
type socketFile struct {
	port   int
	nonce  [16]byte
	cygwin bool
}

var (
	errBadSocketFile = errors.New("damaged socket file")
	errNoSocketFile  = errors.New("not a socket file")
)

// cygwinMark begins Cygwin's form.
const cygwinMark = "!<socket >"

// maxSocketFile, in bytes, is more than either form needs.
const maxSocketFile = 128

// readSocketFile reads the file at path. A real AF_UNIX socket cannot be
// opened as a file, which is an error like any other here.
func readSocketFile(path string) (socketFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return socketFile{}, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxSocketFile))
	if err != nil {
		return socketFile{}, err
	}
	return parseSocketFile(content)
}

func parseSocketFile(content []byte) (socketFile, error) {
	if rest, ok := bytes.CutPrefix(content, []byte(cygwinMark)); ok {
		text, _, _ := strings.Cut(string(rest), "\x00")
		return parseCygwin(strings.Fields(text))
	}
	digits, nonce, ok := bytes.Cut(content, []byte("\n"))
	if !ok || len(nonce) != 16 {
		return socketFile{}, errNoSocketFile
	}
	port, err := parsePort(string(digits))
	if err != nil {
		return socketFile{}, errNoSocketFile
	}
	return socketFile{port: port, nonce: [16]byte(nonce)}, nil
}

func parseCygwin(fields []string) (socketFile, error) {
	if len(fields) != 3 || fields[1] != "s" {
		return socketFile{}, errBadSocketFile
	}
	port, err := parsePort(fields[0])
	groups := strings.Split(fields[2], "-")
	if err != nil || len(groups) != 4 {
		return socketFile{}, errBadSocketFile
	}
	file := socketFile{port: port, cygwin: true}
	for i, group := range groups {
		// Each group is a 32-bit number, sent as it lies in a PC's memory.
		n, err := strconv.ParseUint(group, 16, 32)
		if err != nil || len(group) != 8 {
			return socketFile{}, errBadSocketFile
		}
		binary.LittleEndian.PutUint32(file.nonce[4*i:], uint32(n))
	}
	return file, nil
}

func parsePort(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, errBadSocketFile
	}
	return int(n), nil
}

// dialSocketFile connects to the port and proves to have read the file.
func (o *opener) dialSocketFile(file socketFile) (net.Conn, error) {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(file.port))
	conn, err := o.dial("tcp", address, o.quick)
	if err != nil {
		return nil, err
	}
	if err := file.greet(conn, o.quick); err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return conn, nil
}

func (f socketFile) greet(conn net.Conn, wait time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	if _, err := conn.Write(f.nonce[:]); err != nil {
		return explain(err, wait)
	}
	if !f.cygwin {
		return nil
	}
	var back [16]byte
	if _, err := io.ReadFull(conn, back[:]); err != nil {
		return explain(err, wait)
	}
	if back != f.nonce {
		return errors.New("another program than the one that wrote the socket file answers")
	}
	// Process, user and group number. User and group are not known outside
	// Cygwin; agents do not look at them.
	var who [12]byte
	binary.LittleEndian.PutUint32(who[:], uint32(os.Getpid()))
	if _, err := conn.Write(who[:]); err != nil {
		return explain(err, wait)
	}
	if _, err := io.ReadFull(conn, who[:]); err != nil {
		return explain(err, wait)
	}
	return nil
}
