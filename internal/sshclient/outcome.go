package sshclient

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// maxMethods bounds how many authentication methods of a server are looked at;
// there are not ten in use.
const maxMethods = 32

// answered tells whether the last request got an answer at all; the ssh package
// asks for the next method also where the server is gone, or has sent something
// that has no place there. The error is what that means, if that is known.
func (a *authenticator) answered(auth *ssh.ClientAuthContext) (bool, error) {
	state := a.passwordState
	a.passwordState = notSent
	lost := a.wire.broken()
	switch {
	case a.askErr != nil, len(auth.PartialSuccessMethods) > len(a.partial),
		a.allowed == nil && auth.AllowedMethods != nil: // the first refusal, of "none"
		return true, nil
	case state == refused && lost != nil:
		return false, a.denied(nil)
	case state == refused:
		return true, nil
	case lost != nil:
		a.hungUp = lost
		return false, nil
	case state == sent:
		denied := a.denied(nil)
		denied.PasswordRefused, denied.PasswordExpired = false, true
		return false, denied
	}
	return auth.AllowedMethods != nil && a.banners <= maxBanners, nil
}

// passwordRefused tells whether Options.Password was put forward in vain.
func (a *authenticator) passwordRefused() bool {
	return a.o.Password != nil && (a.asked["password"] > 0 || a.passwordGiven)
}

// denied is the error of an authentication that led nowhere; cause is what kept
// the last method from being tried, or nil.
func (a *authenticator) denied(cause error) *AuthError {
	e := &AuthError{User: a.o.Host.User, Host: a.o.Host.HostName, Methods: a.allowed, NotAsked: a.stopped,
		Partial: a.partial, PasswordRefused: a.passwordRefused(), Err: cause}
	var unanswered *UnansweredError
	if errors.As(cause, &unanswered) {
		e.PasswordExpired = a.passwordGiven && saysExpired(unanswered.Questions)
	}
	e.Disabled = a.disabled()
	for _, method := range a.allowed {
		if !slices.Contains(defaultMethods, method) {
			e.Unsupported = append(e.Unsupported, method)
		}
	}
	return e
}

// disabled returns the settings by which every way to give a password is off
// that the server has.
func (a *authenticator) disabled() []string {
	var off []string
	for _, method := range []string{"password", "keyboard-interactive"} {
		switch {
		case !slices.Contains(a.allowed, method):
		case method == "password" && !a.enabled(method):
			off = append(off, "PasswordAuthentication no")
		case method == "keyboard-interactive" && !a.enabled(method):
			off = append(off, "KbdInteractiveAuthentication no")
		case !slices.Contains(a.preferred(), method):
			off = append(off, "PreferredAuthentications "+strings.Join(a.preferred(), ","))
		default:
			return nil
		}
	}
	return slices.Compact(off)
}

// settle takes in the outcome of the last request.
func (a *authenticator) settle(auth *ssh.ClientAuthContext) {
	progressed := len(auth.PartialSuccessMethods) > len(a.partial)
	a.allowed = auth.AllowedMethods[:min(len(auth.AllowedMethods), maxMethods)]
	a.partial = auth.PartialSuccessMethods
	if progressed {
		a.o.debug(1, "authenticated with partial success; still wanted: %s", strings.Join(a.allowed, ","))
	}
	p := a.pending
	a.pending = nil
	if p == nil {
		return
	}
	answer := p.answer(progressed)
	if !answer.Accepted() {
		a.refused++
		a.refusedInAll++
	}
	if p.decoy {
		a.settleDecoy(answer)
		return
	}
	a.learn(p.key, answer)
	if progressed {
		a.agentAsked = false // the next step of the login may need another key
	}
	a.o.debug(1, "server %s key %s %s", answer, p.key.Type(), ssh.FingerprintSHA256(p.key))
}

// answer is what the server said of the key of an attempt that did not end the
// login.
func (p *attempt) answer(progressed bool) Answer {
	switch {
	case !p.promised:
		return Refused
	case progressed:
		return Proven
	case p.signed:
		return SignatureRefused
	}
	return Promised
}

// learn takes in an answer about a key. What it has proved stays so: where two
// keys are wanted, one of them does not count twice.
func (a *authenticator) learn(key ssh.PublicKey, answer Answer) {
	blob := string(key.Marshal())
	known := a.answers[blob]
	if known != Proven && (answer == SignatureRefused || answer > known) {
		a.answers[blob] = answer
	}
	if answer == SignatureRefused && !wordHolds(a.wire.serverVersion()) {
		a.everyKey = true
	}
	if a.promisesNothing() {
		a.forgetPromises()
	}
}

// succeeded settles a login.
func (a *authenticator) succeeded() {
	if p := a.pending; p != nil {
		a.answers[string(p.key.Marshal())] = Proven
		a.loginKey = p.key
		a.pending = nil
		a.method = "publickey"
	}
}

// explain turns the error of a failed handshake into what happened.
func (a *authenticator) explain(ctx context.Context, err error, w *wire, conn *Conn) error {
	h := a.o.Host
	var auth *AuthError
	var ask *askError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, errAnswered):
		return errAnswered
	case errors.Is(err, errMoreKeys):
		return errMoreKeys
	case errors.As(err, &auth):
		return auth
	case errors.As(err, &ask):
		return a.denied(ask.err)
	case conn.HostKey == nil:
		if conn.hostKeyErr != nil {
			return conn.hostKeyErr
		}
		return w.failure(h.HostName, h.Port, err)
	}
	// The answer to the last request never came. If it was a key, the server
	// had enough of them.
	if a.pending != nil {
		a.refused++
		a.pending = nil
	}
	if a.hungUp != nil {
		err = a.hungUp
	}
	return &ClosedError{User: h.User, Host: h.HostName, Port: h.Port, KeysOffered: a.refused, Err: err}
}
