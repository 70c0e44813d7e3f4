package script

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"ssh-copy-id/internal/sshtest"
)

// settings is what the words of an sshd command say.
type settings struct {
	server sshtest.Config
	modes  []os.FileMode // of the homes
	fault  string
	known  string
	config []string
	w      *world
}

func cmdSSHD(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "sshd")
	if len(args) == 0 {
		ts.Fatalf("usage: sshd NAME [key=value...]")
	}
	w, name := worldOf(ts), args[0]
	if w.hosts[name] != nil {
		ts.Fatalf("there is a server %q", name)
	}
	s := &settings{w: w, known: "yes", server: sshtest.Config{StrictModes: true}}
	for _, word := range args[1:] {
		key, value, ok := strings.Cut(word, "=")
		if !ok {
			ts.Fatalf("%q is no key=value", word)
		}
		if err := s.set(ts, key, value); err != nil {
			ts.Fatalf("%s: %v", word, err)
		}
	}
	ts.Check(s.start(name))
}

// start starts the server and writes it into the client's files.
func (s *settings) start(name string) error {
	if s.fault != "" {
		f, err := sshtest.StartFault(s.fault)
		if err != nil {
			return err
		}
		s.w.hosts[name] = &host{fault: f, known: "no", user: "alice"}
		return s.w.addHost(name, s.w.hosts[name], f.Port(), s.config)
	}
	s.account() // at least alice
	for i, a := range s.server.Accounts {
		if s.w.homes[a.Home] {
			return fmt.Errorf("%s is another account's home: say home=", a.Home)
		}
		s.w.homes[a.Home] = true
		if err := os.MkdirAll(a.Home, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(a.Home, s.modes[i]); err != nil {
			return err
		}
	}
	server, err := sshtest.Start(s.server)
	if err != nil {
		return err
	}
	h := &host{server: server, known: s.known, user: s.server.Accounts[0].Name}
	s.w.hosts[name] = h
	return s.w.addHost(name, h, server.Port(), s.config)
}

// account is the one the next words are about.
func (s *settings) account() *sshtest.Account {
	if len(s.server.Accounts) == 0 {
		s.addAccount("alice")
	}
	return &s.server.Accounts[len(s.server.Accounts)-1]
}

func (s *settings) addAccount(name string) {
	home := filepath.Join(s.w.dir, "remote", name)
	s.server.Accounts = append(s.server.Accounts, sshtest.Account{Name: name, Home: home})
	s.modes = append(s.modes, 0o755)
}

func (s *settings) set(ts *testscript.TestScript, key, value string) error {
	if key == "user" {
		s.addAccount(value)
		return nil
	}
	if done, err := s.setServer(key, value); done || err != nil {
		return err
	}
	return s.setAccount(ts, key, value)
}

func (s *settings) setServer(key, value string) (done bool, err error) {
	c, list := &s.server, strings.Split(value, ",")
	switch key {
	case "methods":
		c.Methods = strings.Fields(value)
	case "max-tries":
		c.MaxAuthTries, err = strconv.Atoi(value)
	case "banner":
		c.Banner = value + "\n"
	case "version":
		c.Version = value
	case "strict-modes":
		c.StrictModes, err = yes(value)
	case "host-keys":
		c.HostKeys, err = sshtest.GenerateHostKeys(list...)
	case "authorized-keys":
		c.AuthorizedKeysFile = value
	case "pubkey-algorithms":
		c.PubkeyAlgorithms = list
	case "ciphers":
		c.Crypto.Ciphers = list
	case "macs":
		c.Crypto.MACs = list
	case "kex":
		c.Crypto.KeyExchanges = list
	case "promise-every-key":
		c.PromiseEveryKey, err = yes(value)
	case "forwarding":
		c.Forwarding, err = yes(value)
	case "fault":
		s.fault = value
	case "known":
		if !slices.Contains([]string{"yes", "no", "hashed", "other"}, value) {
			return true, fmt.Errorf("want yes, no, hashed or other")
		}
		s.known = value
	case "config":
		s.config = append(s.config, value)
	default:
		return false, nil
	}
	return true, err
}

func (s *settings) setAccount(ts *testscript.TestScript, key, value string) (err error) {
	a := s.account()
	switch key {
	case "password":
		a.Password = value
	case "shell":
		a.Shell = value
	case "home":
		a.Home = ts.MkAbs(value)
	case "mode":
		mode, perr := strconv.ParseUint(value, 8, 32)
		s.modes[len(s.modes)-1], err = os.FileMode(mode), perr
	case "env":
		a.Env = append(a.Env, value)
	case "no-auth":
		a.NoAuth, err = yes(value)
	case "forced":
		a.ForcedCommand = value
	case "sftp-only":
		a.SFTPOnly, err = yes(value)
	case "no-exec":
		a.NoExec, err = yes(value)
	case "no-sftp":
		a.NoSFTP, err = yes(value)
	case "chroot":
		a.Chroot, err = yes(value)
	case "prompt", "echo-prompt", "answer", "instruction":
		return setChallenge(a, key, value)
	default:
		return fmt.Errorf("unknown key")
	}
	return err
}

func setChallenge(a *sshtest.Account, key, value string) error {
	if a.Challenges == nil {
		a.Challenges = make([]sshtest.Challenge, 1)
	}
	c := &a.Challenges[0]
	switch key {
	case "instruction":
		c.Instruction = value
	case "answer":
		if len(c.Prompts) == 0 {
			return fmt.Errorf("answer before its prompt")
		}
		c.Prompts[len(c.Prompts)-1].Answer = value
	default:
		c.Prompts = append(c.Prompts, sshtest.Prompt{Text: value, Echo: key == "echo-prompt"})
	}
	return nil
}

func yes(value string) (bool, error) {
	switch value {
	case "yes":
		return true, nil
	case "no":
		return false, nil
	}
	return false, fmt.Errorf("want yes or no")
}

// AddHost tells the client of a server that another command has started: it
// writes "Host name" into ssh_config and the keys, if any, into known_hosts.
func AddHost(ts *testscript.TestScript, name, user string, port int, keys []ssh.PublicKey, config ...string) error {
	w := worldOf(ts)
	var lines string
	for _, key := range keys {
		lines += knownhosts.Line([]string{address(port)}, key) + "\n"
	}
	return errors.Join(w.writeConfig(name, user, port, config), w.writeKnown(lines))
}

func address(port int) string { return knownhosts.Normalize(fmt.Sprintf("127.0.0.1:%d", port)) }

func (w *world) addHost(name string, h *host, port int, config []string) error {
	if err := w.writeConfig(name, h.user, port, config); err != nil {
		return err
	}
	var lines string
	switch h.known {
	case "yes", "hashed":
		lines = h.server.KnownHosts(h.known == "hashed", address(port))
	case "other":
		for _, key := range h.server.HostKeys() {
			other, err := sshtest.GenerateHostKeys(kindOf(key))
			if err != nil {
				return err
			}
			lines += knownhosts.Line([]string{address(port)}, other[0].PublicKey()) + "\n"
		}
	}
	return w.writeKnown(lines)
}

// writeConfig adds a Host block. The first value of an option counts, so what
// the story says itself comes before ours.
func (w *world) writeConfig(name, user string, port int, config []string) error {
	block := "\nHost " + name + "\n"
	for _, line := range config {
		block += "    " + line + "\n"
	}
	block += fmt.Sprintf("    HostName 127.0.0.1\n    Port %d\n    User %s\n    UserKnownHostsFile %q\n    GlobalKnownHostsFile %q\n",
		port, user, filepath.ToSlash(filepath.Join(w.dir, "known_hosts")), filepath.ToSlash(filepath.Join(w.dir, "no_known_hosts")))
	return appendFile(filepath.Join(w.dir, "ssh_config"), block)
}

func (w *world) writeKnown(lines string) error {
	if lines == "" {
		return nil
	}
	return appendFile(filepath.Join(w.dir, "known_hosts"), lines)
}

// kindOf is the type of a key as sshtest.GenerateKey calls it.
func kindOf(key ssh.PublicKey) string {
	switch key.Type() {
	case ssh.KeyAlgoRSA:
		return "rsa"
	case ssh.KeyAlgoECDSA256:
		return "ecdsa"
	case ssh.KeyAlgoECDSA384:
		return "ecdsa-384"
	case ssh.KeyAlgoECDSA521:
		return "ecdsa-521"
	}
	return "ed25519"
}

func appendFile(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}

func cmdStop(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "sshd-stop")
	if len(args) != 1 {
		ts.Fatalf("usage: sshd-stop NAME")
	}
	worldOf(ts).find(ts, args).close()
}

func cmdProxy(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "proxy")
	if len(args) < 2 {
		ts.Fatalf("usage: proxy NAME HOST [key=value...]")
	}
	w := worldOf(ts)
	target := w.find(ts, args[1:2])
	if target.server == nil {
		ts.Fatalf("%s is no server", args[1])
	}
	var cfg sshtest.ProxyConfig
	var config []string
	for _, word := range args[2:] {
		key, value, _ := strings.Cut(word, "=")
		var err error
		switch key {
		case "delay":
			cfg.Delay, err = time.ParseDuration(value)
		case "cut-to-server":
			cfg.CutToServer, err = strconv.ParseInt(value, 10, 64)
		case "cut-to-client":
			cfg.CutToClient, err = strconv.ParseInt(value, 10, 64)
		case "cut-connection":
			cfg.CutConnection, err = strconv.Atoi(value)
		case "stall":
			cfg.Stall, err = yes(value)
		case "config":
			config = append(config, value)
		default:
			err = fmt.Errorf("unknown key")
		}
		if err != nil {
			ts.Fatalf("%s: %v", word, err)
		}
	}
	p, err := sshtest.StartProxy(target.server.Addr(), cfg)
	ts.Check(err)
	ts.Defer(func() { p.Close() })
	ts.Check(w.addHost(args[0], target, p.Port(), config))
}
