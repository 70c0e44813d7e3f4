package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"ssh-copy-id/internal/sshtest"
	"ssh-copy-id/internal/sshtest/realsshd"
)

const (
	account  = "alice"
	password = "correct horse battery"

	// oneWay is the delay of the proxy in each direction.
	oneWay = 25 * time.Millisecond

	// The names of the two ways to the server in the client's configuration.
	near = "near"
	far  = "far"

	// longest bounds one run of one program.
	longest = 2 * time.Minute
)

// host is the server, real or not.
type host interface {
	kind() string
	port() int
	keys() []ssh.PublicKey
	home() string
	connections() int
	penalties() int
	close() error
}

// world is what the programs run in.
type world struct {
	set    settings
	dir    string // the client's home
	server host
	proxy  *sshtest.Proxy
	agent  *sshtest.Agent
	line   []byte // of key, as it must stand in authorized_keys
}

func newWorld(dir string, set settings) (*world, error) {
	w := &world{set: set, dir: filepath.Join(dir, "client")}
	if err := os.MkdirAll(filepath.Join(w.dir, ".ssh"), 0o700); err != nil {
		return nil, err
	}
	var err error
	if w.server, err = startHost(filepath.Join(dir, "server")); err != nil {
		return nil, err
	}
	if err := w.fill(); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// fill makes the proxy, the agent and the client's files.
func (w *world) fill() error {
	address := "127.0.0.1:" + strconv.Itoa(w.server.port())
	var err error
	if w.proxy, err = sshtest.StartProxy(address, sshtest.ProxyConfig{Delay: oneWay}); err != nil {
		return err
	}
	if w.agent, err = sshtest.StartAgent(); err != nil {
		return err
	}
	key, err := sshtest.GenerateKey("ed25519")
	if err != nil {
		return err
	}
	if err := sshtest.WriteKey(w.path("key"), key, "measured", ""); err != nil {
		return err
	}
	if w.line, err = os.ReadFile(w.path("key.pub")); err != nil {
		return err
	}
	for i := range w.set.agent {
		file := w.path("agent" + strconv.Itoa(i))
		key, err := sshtest.GenerateKey("ed25519")
		if err != nil {
			return err
		}
		if err := sshtest.WriteKey(file, key, "agent "+strconv.Itoa(i), ""); err != nil {
			return err
		}
		if err := w.agent.AddFile(file, ""); err != nil {
			return err
		}
	}
	return w.writeClientFiles(address)
}

func (w *world) writeClientFiles(address string) error {
	var known strings.Builder
	for _, key := range w.server.keys() {
		for _, a := range []string{address, w.proxy.Addr()} {
			known.WriteString(knownhosts.Line([]string{a}, key) + "\n")
		}
	}
	var config strings.Builder
	for name, port := range map[string]int{near: w.server.port(), far: w.proxy.Port(), behind: w.server.port()} {
		fmt.Fprintf(&config, "Host %s\n\tHostName 127.0.0.1\n\tPort %d\n", name, port)
	}
	// The identity file is one that is not there: no key of the person who
	// measures may take part.
	fmt.Fprintf(&config, "Host *\n\tUser %s\n\tUserKnownHostsFile %s\n\tGlobalKnownHostsFile none\n\tIdentityFile %s\n\tStrictHostKeyChecking yes\n\tUpdateHostKeys no\n",
		account, w.path("known_hosts"), w.path("none"))
	askpass := "#!/bin/sh\necho '" + password + "'\n"
	for _, f := range []struct {
		name, text string
		mode       os.FileMode
	}{
		{"known_hosts", known.String(), 0o600},
		{"config", config.String(), 0o600},
		{"askpass", askpass, 0o700},
	} {
		if err := os.WriteFile(w.path(f.name), []byte(f.text), f.mode); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) path(name string) string { return filepath.Join(w.dir, ".ssh", name) }

func (w *world) close() {
	if w.agent != nil {
		w.agent.Close()
	}
	if w.proxy != nil {
		w.proxy.Close()
	}
	w.server.close()
}

// authorizedKeys is the account's file on the server.
func (w *world) authorizedKeys() string {
	return filepath.Join(w.server.home(), ".ssh", "authorized_keys")
}

// reset makes the account as new.
func (w *world) reset() error { return os.RemoveAll(filepath.Join(w.server.home(), ".ssh")) }

// holds says whether the account has the keys, each on a line, and none other.
func (w *world) holds(lines ...[]byte) error {
	data, err := os.ReadFile(w.authorizedKeys())
	if err != nil {
		return err
	}
	for _, line := range lines {
		if !bytes.Contains(data, line) {
			return fmt.Errorf("a key was not installed")
		}
	}
	if n := bytes.Count(data, []byte("\n")); n != len(lines) {
		return fmt.Errorf("authorized_keys holds %d lines, not %d", n, len(lines))
	}
	return nil
}

// sample is one run of one program.
type sample struct {
	wall, cpu   time.Duration // cpu: of the program and all it started
	resident    int64         // bytes at most, 0 if the system does not tell
	connections int
	output      string
	err         error
}

// measure runs a program on the client and counts what it does.
func (w *world) measure(ctx context.Context, env []string, argv ...string) sample {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	before := w.server.connections()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = w.dir
	cmd.Env = append([]string{
		"HOME=" + w.dir, "PATH=" + os.Getenv("PATH"), "LC_ALL=C",
		"SSH_ASKPASS=" + w.path("askpass"), "SSH_ASKPASS_REQUIRE=force", "DISPLAY=none",
	}, env...)
	start := time.Now()
	out, err := cmd.CombinedOutput()
	s := sample{wall: time.Since(start), output: string(out), err: err}
	if state := cmd.ProcessState; state != nil {
		s.cpu = state.UserTime() + state.SystemTime()
		s.resident = residentBytes(state)
	}
	time.Sleep(20 * time.Millisecond) // the server's log comes through a pipe
	s.connections = w.server.connections() - before
	return s
}

// inProcess is the server where there is no root.
type inProcess struct {
	*sshtest.Server
	dir string
}

func (p inProcess) kind() string          { return "the in-process test server" }
func (p inProcess) port() int             { return p.Port() }
func (p inProcess) keys() []ssh.PublicKey { return p.HostKeys() }
func (p inProcess) home() string          { return filepath.Join(p.dir, account) }
func (p inProcess) connections() int      { return p.Counters().Connections }
func (p inProcess) penalties() int        { return 0 }
func (p inProcess) close() error          { return p.Close() }

// real is the machine's own sshd.
type real struct{ *realsshd.Server }

func (r real) kind() string          { return "this machine's sshd" }
func (r real) port() int             { return r.Port }
func (r real) keys() []ssh.PublicKey { return r.HostKeys }
func (r real) home() string          { return r.Home(account) }
func (r real) connections() int      { return r.Connections() }
func (r real) penalties() int        { return r.Penalties() }
func (r real) close() error          { return r.Close() }

func startHost(dir string) (host, error) {
	why := realsshd.Available(realsshd.OpenSSH)
	if why == nil {
		s, err := realsshd.Start(realsshd.Config{
			Accounts: []realsshd.Account{{Name: account, Password: password}},
		})
		return real{s}, err
	}
	fmt.Fprintln(os.Stderr, "bench:", why)
	s, err := sshtest.StartAccount(dir, account, password)
	return inProcess{s, dir}, err
}
