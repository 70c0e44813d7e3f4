package sshclient

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/serverid"
	"ssh-copy-id/internal/sshkey"
)

// maxMethods bounds how many authentication methods of a server are looked at;
// there are not ten in use.
const maxMethods = 32

// answered reports whether the last request got an answer at all; the ssh package
// asks for the next method also where the server is gone, or has sent something
// that has no place there. The error is what that means, if that is known.
func (c *connection) answered(auth *ssh.ClientAuthContext) (bool, error) {
	state := c.password.state()
	c.password = nil
	lost := c.wire.broken()
	switch {
	case c.askErr != nil, len(auth.PartialSuccessMethods) > len(c.partial),
		c.allowed == nil && auth.AllowedMethods != nil: // the first refusal, of "none"
		return true, nil
	case state == refused && lost != nil:
		return false, c.denied(nil)
	case state == refused:
		return true, nil
	case lost != nil:
		c.hungUp = lost
		return false, nil
	case state == sent:
		denied := c.denied(nil)
		denied.PasswordRefused, denied.PasswordExpired = false, true
		return false, denied
	}
	return auth.AllowedMethods != nil && c.banners <= maxBanners, nil
}

// passwordRefused reports whether Options.Password was put forward, and did not
// log in.
func (c *connection) passwordRefused() bool {
	return c.o.Password != nil && (c.prompts.asked["password"] > 0 || c.prompts.passwordGiven)
}

// denied is the error of an authentication that led nowhere; cause is what kept
// the last method from being tried, or nil.
func (c *connection) denied(cause error) *AuthError {
	e := &AuthError{User: c.o.Host.User, Host: c.o.Host.HostName, Methods: c.allowed, NotAsked: c.stopped,
		Partial: c.partial, PasswordRefused: c.passwordRefused(), Err: cause}
	var unanswered *UnansweredError
	if errors.As(cause, &unanswered) {
		e.PasswordExpired = c.prompts.passwordGiven && saysExpired(unanswered.Questions)
	}
	e.Disabled = c.disabled()
	for _, method := range c.allowed {
		if !slices.Contains(defaultMethods, method) {
			e.Unsupported = append(e.Unsupported, method)
		}
	}
	return e
}

// disabled returns the settings by which every way to give a password is off
// that the server has.
func (c *connection) disabled() []string {
	var off []string
	for _, method := range []string{"password", "keyboard-interactive"} {
		switch {
		case !slices.Contains(c.allowed, method):
		case method == "password" && !c.o.enabled(method):
			off = append(off, "PasswordAuthentication no")
		case method == "keyboard-interactive" && !c.o.enabled(method):
			off = append(off, "KbdInteractiveAuthentication no")
		case !slices.Contains(c.o.preferred(), method):
			off = append(off, "PreferredAuthentications "+strings.Join(c.o.preferred(), ","))
		default:
			return nil
		}
	}
	return slices.Compact(off)
}

// settle takes in the outcome of the last request.
func (c *connection) settle(auth *ssh.ClientAuthContext) {
	progressed := len(auth.PartialSuccessMethods) > len(c.partial)
	c.allowed = auth.AllowedMethods[:min(len(auth.AllowedMethods), maxMethods)]
	c.partial = auth.PartialSuccessMethods
	if progressed {
		c.o.debug(1, "authenticated with partial success; still wanted: %s", strings.Join(c.allowed, ","))
	}
	r := c.key
	c.key = nil
	if r == nil {
		return
	}
	answer := r.answer(progressed)
	if !answer.Accepted() {
		c.refused++
		c.refusedInAll++
	}
	if r.decoy {
		if answer.Accepted() {
			c.distrust()
			c.o.debug(1, "the server accepts a key that nobody has: only a login or the file counts")
		}
		return
	}
	c.learn(r.key, answer)
	if answer == SignatureRefused && !serverid.Parse(c.wire.serverVersion()).WordHolds {
		c.untrusted = true
	}
	if c.acceptsEveryQuery() {
		c.forgetPromises()
	}
	if progressed {
		c.agentAsked = false // the next step of the login may need another key
	}
	c.o.debug(1, "server %s key %s %s", answer, r.key.Type(), ssh.FingerprintSHA256(r.key))
}

// succeeded settles a login.
func (c *connection) succeeded() {
	if r := c.key; r != nil {
		c.answers[sshkey.IDOf(r.key)] = Proven
		c.loginKey = r.key
		c.key = nil
		c.method = "publickey"
	}
}

// explain turns the error of a failed handshake into what happened.
func (c *connection) explain(err error) error {
	h := c.o.Host
	var auth *AuthError
	var ask *askError
	switch {
	case c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case errors.Is(err, errAnswered):
		return errAnswered
	case errors.Is(err, errMoreKeys):
		return errMoreKeys
	case errors.As(err, &auth):
		return auth
	case errors.As(err, &ask):
		return c.denied(ask.err)
	case c.conn.HostKey == nil:
		if c.conn.hostKeyErr != nil {
			return c.conn.hostKeyErr
		}
		return c.wire.failure(h.HostName, h.Port, err)
	}
	// The answer to the last request never came. If it was a key, the server
	// had enough of them.
	if c.key != nil {
		c.refused++
		c.key = nil
	}
	if c.hungUp != nil {
		err = c.hungUp
	}
	return &ClosedError{User: h.User, Host: h.HostName, Port: h.Port, KeysOffered: c.refused, Err: err}
}

// failed is the error of Connect. A refused login is one that ssh may not have
// needed; a jump host's own connection has spoken for itself.
func (l *login) failed(err error) error {
	var hop *HopError
	var auth *AuthError
	if errors.As(err, &auth) && !errors.As(err, &hop) {
		l.reportNotShared()
	}
	return l.pinError(err)
}
