package sshclient

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// maxPrompts bounds the questions one keyboard-interactive request may put.
const maxPrompts = 64

// maxRounds bounds the requests of keyboard-interactive on one connection, and
// maxBanners the banners: a server could go on for ever with either.
const (
	maxRounds  = 64
	maxBanners = 64
)

var (
	errTooManyBanners = errors.New("banners do not come to an end")
	errTooManyRounds  = errors.New("keyboard-interactive does not come to an end")
)

// askError marks that asking failed, which ends the authentication.
type askError struct{ err error }

func (e *askError) Error() string { return "asking failed: " + e.err.Error() }
func (e *askError) Unwrap() error { return e.err }

// mayAsk reports whether a password may be put forward by method once more, a
// prompt's answer or Options.Password, and notes why not.
func (c *connection) mayAsk(method string) bool {
	asked := c.prompts.asked[method]
	switch {
	case c.askErr != nil, c.settled():
		return false
	case !c.secretsAllowed():
		c.stopped = HostKeyChanged
		return false
	case c.o.Password != nil:
		return asked == 0 // refused once, it is refused for good
	case c.o.NeverAsk:
		return false
	case !c.o.canPrompt():
		c.stopped = BatchMode
		return false
	case asked >= c.o.Host.NumberOfPasswordPrompts:
		return false
	case method == "keyboard-interactive" && asked > 0 && !c.prompts.interactiveAsked:
		// The server offers the method but asks nothing: no use in a repeat
		// (userauth_kbdint).
		return false
	}
	return true
}

// cannotAsk remembers why a question got no answer: the next callback ends the
// authentication with it, since asking again would end the same way.
func (c *connection) cannotAsk(err error) error {
	c.askErr = err
	return &askError{err}
}

// promptHost is the name of the host in a prompt.
func (o *Options) promptHost() string {
	if o.Host.HostKeyAlias != "" {
		return o.Host.HostKeyAlias
	}
	return o.Host.HostName
}

// passwordState is how far a password request is.
type passwordState int

const (
	notSent passwordState = iota
	sent                  // and not answered by a plain refusal
	refused
)

// passwordRequest is one request of the method password.
type passwordRequest struct{ reached passwordState }

// state is how far the request is; there may be none.
func (r *passwordRequest) state() passwordState {
	if r == nil {
		return notSent
	}
	return r.reached
}

// errRefusedOnce ends a password request after its first refusal.
var errRefusedOnce = errors.New("password refused")

// sendPassword is one password request, in the words of userauth_passwd.
//
// The ssh package does not tell a refusal from an answer it does not know, such
// as the request for a new password (RFC 4252 section 8): both lead to the next
// AuthCallback. But only a refusal makes a retryable method ask again.
func (c *connection) sendPassword() ssh.AuthMethod {
	c.prompts.asked["password"]++
	if c.prompts.asked["password"] > 1 {
		c.o.alert("Permission denied, please try again.")
	}
	r := &passwordRequest{}
	c.password = r
	return ssh.RetryableAuthMethod(ssh.PasswordCallback(func() (string, error) {
		if r.reached == sent {
			r.reached = refused
			return "", errRefusedOnce
		}
		secret, err := c.secret()
		if err != nil {
			return "", c.cannotAsk(err)
		}
		if c.tooLate() {
			c.late.keep("password", c.o.passwordPrompt(), string(secret))
			return "", errTooLate
		}
		r.reached = sent
		c.reportLoggingIn(c.conn)
		c.wire.extend(secretReplyLimit)
		return string(secret), nil
	}), 2)
}

// secret is the password: the one that was given, or the answer to a prompt.
func (c *connection) secret() ([]byte, error) {
	if c.o.Password != nil {
		c.o.debug(1, "sending the password that was given")
		return c.o.Password, nil
	}
	prompt := c.o.passwordPrompt()
	if answer, ok := c.late.take(prompt); ok {
		return []byte(answer), nil
	}
	c.reportNotShared()
	return c.o.UI.Secret(prompt)
}

func (o *Options) passwordPrompt() string {
	return fmt.Sprintf("%s@%s's password: ", o.Host.User, o.promptHost())
}
