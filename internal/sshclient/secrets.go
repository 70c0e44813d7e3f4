package sshclient

import (
	"errors"
	"fmt"
	"strings"

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

// askError marks that asking a person failed, which ends the authentication.
type askError struct{ err error }

func (e *askError) Error() string { return "asking failed: " + e.err.Error() }
func (e *askError) Unwrap() error { return e.err }

// mayAsk tells whether a password may be put forward by method once more, a
// person's or the one of Options.Password, and notes why not.
func (a *authenticator) mayAsk(method string) bool {
	h := a.o.Host
	switch {
	case a.askErr != nil, a.o.StopWhenAccepted && a.allAccepted():
		return false
	case !a.secretsAllowed():
		a.stopped = HostKeyChanged
		return false
	case a.o.Password != nil:
		return a.asked[method] == 0 // refused once, it is refused for good
	case a.o.NeverAsk:
		return false
	case !a.someoneThere():
		a.stopped = BatchMode
		return false
	case a.asked[method] >= h.NumberOfPasswordPrompts:
		return false
	case method == "keyboard-interactive" && a.asked[method] > 0 && !a.interactiveSeen:
		// The server offers the method but asks nothing: no use in a repeat
		// (userauth_kbdint).
		return false
	}
	return true
}

// someoneThere tells whether there is a person to ask.
func (a *authenticator) someoneThere() bool {
	return !a.o.NeverAsk && !a.o.Host.BatchMode && a.o.UI.Secret != nil
}

// passwordState is how far a password request is.
type passwordState int

const (
	notSent passwordState = iota
	sent                  // and not answered by a plain refusal
	refused
)

// errRefusedOnce ends a password request after its first refusal.
var errRefusedOnce = errors.New("password refused")

// password is one password request, in the words of userauth_passwd.
//
// The ssh package does not tell a refusal from an answer it does not know, such
// as the request for a new password (RFC 4252 section 8): both lead to the next
// AuthCallback. But only a refusal makes a retryable method ask again.
func (a *authenticator) password() ssh.AuthMethod {
	a.asked["password"]++
	if a.asked["password"] > 1 {
		a.o.alert("Permission denied, please try again.")
	}
	return ssh.RetryableAuthMethod(ssh.PasswordCallback(func() (string, error) {
		if a.passwordState == sent {
			a.passwordState = refused
			return "", errRefusedOnce
		}
		secret, err := a.secret()
		if err != nil {
			return "", a.cannotAsk(err)
		}
		if a.tooLate() {
			a.keep("password", a.passwordPrompt(), string(secret))
			return "", errTooLate
		}
		a.passwordState = sent
		a.tellLoggingIn()
		a.wire.allow(secretReplyLimit)
		return string(secret), nil
	}), 2)
}

// secret is the password: the one that was given, or a person's answer.
func (a *authenticator) secret() ([]byte, error) {
	if a.o.Password != nil {
		a.o.debug(1, "sending the password that was given")
		return a.o.Password, nil
	}
	prompt := a.passwordPrompt()
	if answer, ok := a.takeKept(prompt); ok {
		return []byte(answer), nil
	}
	a.tellNotShared()
	return a.o.UI.Secret(prompt)
}

func (a *authenticator) passwordPrompt() string {
	return fmt.Sprintf("%s@%s's password: ", a.o.Host.User, a.o.promptHost())
}

// errTooLate ends an authentication whose answer came when the server had hung
// up already.
var errTooLate = errors.New("the server has hung up")

// tooLate reports whether the server hung up while a person was asked, as sshd
// does after LoginGraceTime. It says yes for one connection only: there the
// answer is kept, for another one.
func (a *authenticator) tooLate() bool {
	if a.o.Password != nil || a.lateOnce || a.wire.broken() == nil {
		return false
	}
	a.lateOnce = true
	a.kept = map[string]string{}
	return true
}

// keep keeps the answer to a prompt of method, which has not been sent.
func (a *authenticator) keep(method, prompt, answer string) {
	a.kept[prompt] = answer
	a.keptFor = method
}

// takeKept returns the answer that was given to the same prompt of a connection
// that was lost, once.
func (a *authenticator) takeKept(prompt string) (string, bool) {
	answer, ok := a.kept[prompt]
	delete(a.kept, prompt)
	return answer, ok
}

// reconnectForAnswer reports whether another connection is needed for an answer
// that came too late, and says so.
func (a *authenticator) reconnectForAnswer() bool {
	if a.keptFor == "" {
		return false
	}
	a.asked[a.keptFor]--
	a.keptFor = ""
	a.o.alert("The server closed the connection while it waited for the answer (LoginGraceTime); connecting again.")
	return true
}

// cannotAsk remembers why a question got no answer: the next callback ends the
// authentication with it, since asking again would end the same way.
func (a *authenticator) cannotAsk(err error) error {
	a.askErr = err
	return &askError{err}
}

// promptHost is the name of the host in a prompt.
func (o *Options) promptHost() string {
	if o.Host.HostKeyAlias != "" {
		return o.Host.HostKeyAlias
	}
	return o.Host.HostName
}

// keyboardInteractive is one keyboard-interactive request (RFC 4256), in the
// words of input_userauth_info_req.
func (a *authenticator) keyboardInteractive() ssh.AuthMethod {
	a.asked["keyboard-interactive"]++
	a.wire.allow(secretReplyLimit)
	return ssh.KeyboardInteractive(func(name, instruction string, questions []string, echos []bool) ([]string, error) {
		a.wire.relax()
		defer a.wire.allow(secretReplyLimit)
		a.interactiveSeen = true
		if a.rounds++; a.rounds > maxRounds {
			return nil, a.cannotAsk(errTooManyRounds)
		}
		if len(questions) > maxPrompts {
			return nil, a.cannotAsk(errors.New("too many keyboard-interactive questions"))
		}
		for _, text := range []string{name, instruction} {
			if text = strings.TrimRight(text, "\r\n"); text != "" {
				a.o.notice(text)
			}
		}
		if given, ok := a.givenAnswer(name+"\n"+instruction, questions, echos); ok {
			a.tellLoggingIn()
			return given, nil
		}
		if len(questions) > 0 && !a.someoneThere() {
			return nil, a.cannotAsk(&UnansweredError{Questions: questions, Withheld: a.o.Password != nil})
		}
		answers := make([]string, len(questions))
		for i, question := range questions {
			answer, err := a.answer(a.interactivePrompt(question), echos[i])
			if err != nil {
				if a.o.Password != nil {
					err = &UnansweredError{Questions: questions[i : i+1], Withheld: true, Err: err}
				}
				return nil, a.cannotAsk(err)
			}
			answers[i] = answer
		}
		if len(questions) > 0 && a.tooLate() {
			for i, question := range questions {
				a.keep("keyboard-interactive", a.interactivePrompt(question), answers[i])
			}
			return nil, errTooLate
		}
		if len(questions) > 0 {
			a.tellLoggingIn()
		}
		return answers, nil
	})
}

func (a *authenticator) interactivePrompt(question string) string {
	return fmt.Sprintf("(%s@%s) %s", a.o.Host.User, a.o.promptHost(), question)
}

// givenAnswer answers a request that has one question, whose answer is not to
// be seen, with Options.Password, once, if it asks for the account's password.
// Other questions (a code, a passphrase, a new password) are for a person.
func (a *authenticator) givenAnswer(introduction string, questions []string, echos []bool) ([]string, bool) {
	if a.o.Password == nil || a.passwordGiven || len(questions) != 1 || echos[0] {
		return nil, false
	}
	if !asksForPassword(introduction, questions[0], a.o.Host.User, a.o.promptHost()) {
		a.o.debug(1, "the password that was given is no answer to %q", questions[0])
		return nil, false
	}
	a.passwordGiven = true
	a.o.debug(1, "answering with the password that was given")
	return []string{string(a.o.Password)}, true
}

// answer asks one keyboard-interactive question.
func (a *authenticator) answer(prompt string, echo bool) (string, error) {
	if answer, ok := a.takeKept(prompt); ok {
		return answer, nil
	}
	a.tellNotShared()
	if echo && a.o.UI.Line != nil {
		return a.o.UI.Line(prompt)
	}
	secret, err := a.o.UI.Secret(prompt)
	return string(secret), err
}
