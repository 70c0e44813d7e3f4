package realsshd

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"golang.org/x/crypto/ssh"
)

// acceptedPrefix marks a connection in the log of a server that does not
// accept them itself.
const acceptedPrefix = "accepted connection from "

// kind is what differs between the servers.
type kind struct {
	name     string
	programs []string // that must be installed
	ready    string   // the log line of a server that accepts connections
	inetd    bool     // the server handles one connection on standard input

	prepare func(dir string) ([]ssh.PublicKey, error) // host keys and configuration
	argv    func(port int) []string                   // inside the namespace
	session []string                                  // inetd: the program of one connection
}

func kindOf(cfg Config) (*kind, error) {
	program := func(name string) string {
		if cfg.Program != "" {
			return cfg.Program
		}
		path, err := find(name)
		if err != nil {
			return name // the failure to start it says the rest
		}
		return path
	}
	if cfg.Server != OpenSSH && cfg.Server != "" && len(cfg.ConfigLines) > 0 {
		return nil, fmt.Errorf("%s has no configuration file", cfg.Server)
	}
	switch cfg.Server {
	case OpenSSH, "":
		return opensshKind(program("sshd"), cfg), nil
	case Dropbear:
		return dropbearKind(program("dropbear"), cfg), nil
	case TinySSH:
		return tinysshKind(program("tinysshd"), cfg), nil
	}
	return nil, fmt.Errorf("unknown server %q", cfg.Server)
}

func opensshKind(sshd string, cfg Config) *kind {
	return &kind{
		name:     OpenSSH,
		programs: []string{"sshd", "perl"},
		ready:    "Server listening on ",
		prepare: func(dir string) ([]ssh.PublicKey, error) {
			keys, err := opensshHostKeys(dir)
			if err != nil {
				return nil, err
			}
			text := serverConfig(cfg.ConfigLines, len(keys))
			return keys, os.WriteFile(filepath.Join(dir, "sshd_config"), []byte(text), 0o600)
		},
		argv: func(port int) []string {
			// sshd wants to be called by its absolute path. -p wins over Port.
			argv := []string{sshd, "-D", "-e", "-f", serverDir + "/sshd_config", "-p", strconv.Itoa(port)}
			return append(argv, cfg.Args...)
		},
	}
}

func dropbearKind(dropbear string, cfg Config) *kind {
	return &kind{
		name:     Dropbear,
		programs: []string{"dropbear", "dropbearkey", "perl"},
		ready:    "Not backgrounding",
		prepare: func(dir string) ([]ssh.PublicKey, error) {
			file := filepath.Join(dir, "hostkey")
			out, err := exec.Command("dropbearkey", "-t", "ed25519", "-f", file).CombinedOutput()
			if err != nil {
				return nil, fmt.Errorf("dropbearkey: %v: %s", err, out)
			}
			for line := range bytes.Lines(out) {
				if key, _, _, _, err := ssh.ParseAuthorizedKey(line); err == nil {
					return []ssh.PublicKey{key}, nil
				}
			}
			return nil, errors.New("dropbearkey printed no public key")
		},
		argv: func(port int) []string {
			argv := []string{dropbear, "-F", "-E", "-r", serverDir + "/hostkey", "-P", serverDir + "/pid", "-p", "127.0.0.1:" + strconv.Itoa(port)}
			return append(argv, cfg.Args...)
		},
	}
}

func tinysshKind(tinysshd string, cfg Config) *kind {
	return &kind{
		name:     TinySSH,
		programs: []string{"tinysshd", "tinysshd-makekey", "nsenter", "perl"},
		ready:    "ready",
		inetd:    true,
		prepare: func(dir string) ([]ssh.PublicKey, error) {
			keys := filepath.Join(dir, "keys") // it makes the directory itself
			program, err := find("tinysshd-makekey")
			if err != nil {
				return nil, err
			}
			if out, err := exec.Command(program, "-q", keys).CombinedOutput(); err != nil {
				return nil, fmt.Errorf("tinysshd-makekey: %v: %s", err, out)
			}
			raw, err := os.ReadFile(filepath.Join(keys, "ed25519.pk"))
			if err != nil {
				return nil, err
			}
			key, err := ssh.NewPublicKey(ed25519.PublicKey(raw))
			return []ssh.PublicKey{key}, err
		},
		argv: func(int) []string {
			return []string{"/bin/sh", "-c", "echo ready; exec sleep infinity"}
		},
		session: append(append([]string{tinysshd, "-v"}, cfg.Args...), serverDir+"/keys"),
	}
}

// serve accepts connections for a server that cannot, and hands each to a
// process inside the namespaces.
func (k *kind) serve(s *Server, listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return // closed
		}
		fmt.Fprintf(s.log, "%s%s\n", acceptedPrefix, conn.RemoteAddr())
		if err := k.handOver(s, conn.(*net.TCPConn)); err != nil {
			fmt.Fprintf(s.log, "%s: %v\n", k.name, err)
		}
	}
}

// handOver starts the server for one connection and lets go of the socket.
func (k *kind) handOver(s *Server, conn *net.TCPConn) error {
	defer conn.Close()
	socket, err := conn.File()
	if err != nil {
		return err
	}
	defer socket.Close()
	args := append([]string{"-t", strconv.Itoa(s.pid), "-m", "-p", "--"}, k.session...)
	cmd := exec.Command("nsenter", args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = socket, socket, s.log
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // its log tells more than its status
	return nil
}
