package sshtest

import (
	"bufio"
	"context"
	"crypto/dsa" //lint:ignore SA1019 the only keys ScreenOS takes
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// NetScreenConfig describes a firewall with ScreenOS that is made up. It
// imitates what package remote meets there, and no more; of its error lines
// only "unknown keyword" is known to be ScreenOS's own.
type NetScreenConfig struct {
	// Account and Password let a client in, as does a DSA key that was set.
	Account, Password string
	// Dir is an existing directory for the device's state.
	Dir string
	// Greeting is printed before the first prompt.
	Greeting string
	// NoPrompt prints no prompts; Echo repeats what is typed.
	NoPrompt, Echo bool
	// SetError and SaveError are printed in answer to those commands, which
	// then do nothing. Empty: they work.
	SetError, SaveError string
	// Status is the exit status after exit. Zero: 1, as a real one gives.
	Status int
	// Silent reads what is typed, says nothing and does not end; Endless
	// prints without end after the first command.
	Silent, Endless bool
}

const dss = "ssh-dss"

// NetScreen is a running device.
type NetScreen struct {
	*Server

	cfg NetScreenConfig

	mu          sync.Mutex
	lines       []string
	keys, saved []string
}

// StartNetScreen makes a device and begins to serve on loopback.
func StartNetScreen(cfg NetScreenConfig) (*NetScreen, error) {
	if cfg.Status == 0 {
		cfg.Status = 1
	}
	n := &NetScreen{cfg: cfg}
	var err error
	n.Server, err = Start(Config{
		Version:  "SSH-2.0-NetScreen",
		Accounts: []Account{{Name: cfg.Account, Password: cfg.Password, Home: cfg.Dir, NoSFTP: true, Run: n.run}},
	})
	return n, err
}

// Lines are all lines that were typed, without line ends.
func (n *NetScreen) Lines() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.lines)
}

// Keys are the keys that were set, in base64; Saved are those that outlast a
// restart.
func (n *NetScreen) Keys() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.keys)
}

// Saved: see Keys.
func (n *NetScreen) Saved() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.saved)
}

// run is a session of the device's command line.
func (n *NetScreen) run(ctx context.Context, c *Command) int {
	if c.Line != "" {
		fmt.Fprintf(c.Stdout, "unknown keyword %s\r\n", c.Line)
		return 255
	}
	if n.cfg.Silent {
		go io.Copy(io.Discard, c.Stdin)
		<-ctx.Done()
		return 255
	}
	say := func(text string) {
		if text != "" {
			io.WriteString(c.Stdout, text+"\r\n")
		}
	}
	say(n.cfg.Greeting)
	in := bufio.NewScanner(c.Stdin)
	for {
		if !n.cfg.NoPrompt {
			io.WriteString(c.Stdout, "fw-error-1(M)-> ")
		}
		if !in.Scan() {
			return 255
		}
		line := in.Text()
		if n.cfg.Echo {
			say(line)
		}
		for n.cfg.Endless {
			if _, err := io.WriteString(c.Stdout, strings.Repeat("Interface down.\r\n", 500)); err != nil {
				return 255
			}
		}
		answer, end := n.command(line)
		say(answer)
		if end {
			return n.cfg.Status
		}
	}
}

// command does what a line says, and tells whether it ends the session.
func (n *NetScreen) command(line string) (answer string, end bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
	words := strings.Fields(line)
	switch {
	case line == "":
		return "", false
	case line == "exit":
		return "", true
	case line == "save" && n.cfg.SaveError != "":
		return n.cfg.SaveError, false
	case line == "save":
		n.saved = slices.Clone(n.keys)
		return "Save System Configuration ...\r\nDone", false
	case len(words) == 5 && strings.HasPrefix(line, "set ssh pka-dsa key "):
		return n.set(words[4]), false
	}
	return strings.Repeat(" ", len(words[0])) + "^----------unknown keyword " + words[0], false
}

// set takes a key, in base64.
func (n *NetScreen) set(blob string) (answer string) {
	if n.cfg.SetError != "" {
		return n.cfg.SetError
	}
	wire, err := base64.StdEncoding.DecodeString(blob)
	if err != nil {
		return "Invalid key"
	}
	var key dsaKey
	if err := ssh.Unmarshal(wire, &key); err != nil || key.Type != dss || key.P.BitLen() != 1024 {
		return "Invalid DSA key"
	}
	if slices.Contains(n.keys, blob) {
		return ""
	}
	n.keys = append(n.keys, blob)
	// Where the server of this package looks when a client logs in.
	file := filepath.Join(n.cfg.Dir, ".ssh", "authorized_keys")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err.Error()
	}
	var text strings.Builder
	for _, key := range n.keys {
		text.WriteString(dss + " " + key + "\n")
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return err.Error()
	}
	return ""
}

// dsaParameters are what all keys of GenerateDSAKey share; finding them takes
// a second.
var dsaParameters = sync.OnceValues(func() (dsa.Parameters, error) {
	var p dsa.Parameters
	err := dsa.GenerateParameters(&p, rand.Reader, dsa.L1024N160)
	return p, err
})

// dsaKey is a public DSA key as SSH sends it (RFC 4253 section 6.6).
type dsaKey struct {
	Type       string
	P, Q, G, Y *big.Int
}

// GenerateDSAKey makes a public key that a NetScreen takes, of 1024 bits, in the
// format in which SSH sends it. The ssh package cannot sign with such keys.
func GenerateDSAKey() ([]byte, error) {
	parameters, err := dsaParameters()
	if err != nil {
		return nil, err
	}
	key := &dsa.PrivateKey{PublicKey: dsa.PublicKey{Parameters: parameters}}
	if err := dsa.GenerateKey(key, rand.Reader); err != nil {
		return nil, err
	}
	return ssh.Marshal(dsaKey{dss, key.P, key.Q, key.G, key.Y}), nil
}
