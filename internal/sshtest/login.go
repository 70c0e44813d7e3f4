package sshtest

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

var errRefused = errors.New("refused")

// login is the authentication of one connection.
type login struct {
	server *Server
	left   [][]string // the chains that can still succeed, without what was done
	method string     // of the last success
	forced string     // command= of the key that was used
	conn   net.Conn   // the connection under the login
	// failures are the attempts that count, and keys those of them that were
	// refused keys.
	failures, keys int
}

// chains reads Config.Methods.
func chains(methods []string) ([][]string, error) {
	var all [][]string
	for _, m := range methods {
		chain := strings.Split(m, ",")
		for _, method := range chain {
			if !slices.Contains([]string{"publickey", "password", "keyboard-interactive"}, method) {
				return nil, fmt.Errorf("unknown authentication method %q", method)
			}
		}
		all = append(all, chain)
	}
	return all, nil
}

func (l *login) config() *ssh.ServerConfig {
	cfg := &l.server.cfg
	l.left, _ = chains(cfg.Methods) // Start has checked them
	c := &ssh.ServerConfig{
		Config:                    cfg.Crypto,
		PublicKeyAuthAlgorithms:   cfg.PubkeyAlgorithms,
		MaxAuthTries:              cfg.MaxAuthTries,
		ServerVersion:             cfg.Version,
		VerifiedPublicKeyCallback: l.verified,
		AuthLogCallback:           l.log,
	}
	if cfg.Banner != "" {
		c.BannerCallback = func(ssh.ConnMetadata) string { return cfg.Banner }
	}
	for _, a := range cfg.Accounts {
		c.NoClientAuth = c.NoClientAuth || a.NoAuth
	}
	c.NoClientAuthCallback = func(c ssh.ConnMetadata) (*ssh.Permissions, error) {
		if a := l.server.account(c.User()); a == nil || !a.NoAuth {
			return nil, errRefused
		}
		return nil, nil
	}
	now := l.callbacks()
	c.PasswordCallback = now.PasswordCallback
	c.PublicKeyCallback = now.PublicKeyCallback
	c.KeyboardInteractiveCallback = now.KeyboardInteractiveCallback
	for _, k := range cfg.HostKeys {
		c.AddHostKey(k)
	}
	return c
}

// callbacks are those of the methods a client may use next.
func (l *login) callbacks() ssh.ServerAuthCallbacks {
	var c ssh.ServerAuthCallbacks
	for _, chain := range l.left {
		switch chain[0] {
		case "password":
			c.PasswordCallback = l.password
		case "publickey":
			c.PublicKeyCallback = l.query
		case "keyboard-interactive":
			c.KeyboardInteractiveCallback = l.interactive
		}
	}
	return c
}

// passed records the success of a method: the login's end, or a step of it.
func (l *login) passed(method string) error {
	l.method = method
	var left [][]string
	for _, chain := range l.left {
		if chain[0] != method {
			continue
		}
		if len(chain) == 1 {
			return nil
		}
		left = append(left, chain[1:])
	}
	l.left = left
	return &ssh.PartialSuccessError{Next: l.callbacks()}
}

func (l *login) log(c ssh.ConnMetadata, method string, err error) {
	l.server.counts.add(func(n *Counters) { n.Attempts[method]++ })
	if err == nil {
		return
	}
	l.server.cfg.Log("%s: %s for %s: %v", c.RemoteAddr(), method, c.User(), err)
	var partial *ssh.PartialSuccessError
	if method == "none" || errors.As(err, &partial) {
		return
	}
	l.failures++
	if method == "publickey" {
		l.keys++
	}
	// The ssh package counts refused keys apart from other failures, and so
	// lets in whom sshd would send away. It cannot be made to say so.
	limit := l.server.cfg.MaxAuthTries
	if limit == 0 {
		limit = 6
	}
	if limit > 0 && l.failures >= limit && l.keys > 0 {
		l.conn.Close()
	}
}

func (l *login) password(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
	l.server.counts.add(func(n *Counters) { n.Passwords++ })
	a := l.server.account(c.User())
	if a == nil || a.Password == "" || subtle.ConstantTimeCompare(password, []byte(a.Password)) != 1 {
		return nil, errRefused
	}
	return nil, l.passed("password")
}

func (l *login) interactive(c ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
	a := l.server.account(c.User())
	rounds := []Challenge{{Prompts: []Prompt{{Text: "Password: "}}}}
	known := a != nil && (a.Password != "" || a.Challenges != nil)
	if known {
		rounds[0].Prompts[0].Answer = a.Password
		if a.Challenges != nil {
			rounds = a.Challenges
		}
	}
	right := known
	for _, r := range rounds {
		var texts []string
		var echos []bool
		for _, p := range r.Prompts {
			texts, echos = append(texts, p.Text), append(echos, p.Echo)
		}
		answers, err := ask(r.Name, r.Instruction, texts, echos)
		if err != nil {
			return nil, err
		}
		l.server.counts.add(func(n *Counters) { n.Rounds++ })
		for i, p := range r.Prompts {
			right = right && answers[i] == p.Answer
		}
		if !right {
			return nil, errRefused
		}
	}
	return nil, l.passed("keyboard-interactive")
}

// query answers whether a key may log in; x/crypto asks it once for a query
// and the signature that follows.
func (l *login) query(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	l.server.counts.add(func(n *Counters) { n.Queries++ })
	a := l.server.account(c.User())
	if a == nil {
		return nil, errRefused
	}
	if l.server.cfg.PromiseEveryKey {
		return nil, nil
	}
	options, err := l.server.authorized(a, key, c.RemoteAddr())
	if err != nil {
		return nil, err
	}
	return &ssh.Permissions{Extensions: map[string]string{"command": forcedCommand(options)}}, nil
}

func (l *login) verified(c ssh.ConnMetadata, key ssh.PublicKey, p *ssh.Permissions, _ string) (*ssh.Permissions, error) {
	l.server.counts.add(func(n *Counters) { n.Signatures++ })
	if l.server.cfg.PromiseEveryKey {
		options, err := l.server.authorized(l.server.account(c.User()), key, c.RemoteAddr())
		if err != nil {
			return nil, err
		}
		l.forced = forcedCommand(options)
		return nil, l.passed("publickey")
	}
	l.forced = p.Extensions["command"]
	return nil, l.passed("publickey")
}
