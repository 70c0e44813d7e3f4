package sshclient

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// keyboardInteractive is one keyboard-interactive request (RFC 4256), in the
// words of input_userauth_info_req.
func (c *connection) keyboardInteractive() ssh.AuthMethod {
	c.prompts.asked["keyboard-interactive"]++
	c.wire.extend(secretReplyLimit)
	return ssh.KeyboardInteractive(func(name, instruction string, questions []string, echos []bool) ([]string, error) {
		c.wire.stopTimer()
		defer c.wire.extend(secretReplyLimit)
		return c.answerRound(name, instruction, questions, echos)
	})
}

// answerRound answers one round of questions.
func (c *connection) answerRound(name, instruction string, questions []string, echos []bool) ([]string, error) {
	c.prompts.interactiveAsked = true
	if c.rounds++; c.rounds > maxRounds {
		return nil, c.cannotAsk(errTooManyRounds)
	}
	if len(questions) > maxPrompts {
		return nil, c.cannotAsk(errors.New("too many keyboard-interactive questions"))
	}
	for _, text := range []string{name, instruction} {
		if text = strings.TrimRight(text, "\r\n"); text != "" {
			c.o.notice(text)
		}
	}
	if given, ok := c.givenAnswer(name+"\n"+instruction, questions, echos); ok {
		c.reportLoggingIn(c.conn)
		return given, nil
	}
	if len(questions) > 0 && !c.o.canPrompt() {
		return nil, c.cannotAsk(&UnansweredError{Questions: questions, Withheld: c.o.Password != nil})
	}
	answers := make([]string, len(questions))
	for i, question := range questions {
		answer, err := c.answer(c.o.interactivePrompt(question), echos[i])
		if err != nil {
			if c.o.Password != nil {
				err = &UnansweredError{Questions: questions[i : i+1], Withheld: true, Err: err}
			}
			return nil, c.cannotAsk(err)
		}
		answers[i] = answer
	}
	if len(questions) > 0 && c.tooLate() {
		for i, question := range questions {
			c.late.keep("keyboard-interactive", c.o.interactivePrompt(question), answers[i])
		}
		return nil, errTooLate
	}
	if len(questions) > 0 {
		c.reportLoggingIn(c.conn)
	}
	return answers, nil
}

func (o *Options) interactivePrompt(question string) string {
	return fmt.Sprintf("(%s@%s) %s", o.Host.User, o.promptHost(), question)
}

// givenAnswer answers a request that has one question, whose answer is not to
// be seen, with Options.Password, once, if it asks for the account's password.
// Other questions (a code, a passphrase, a new password) are for a prompt.
func (c *connection) givenAnswer(introduction string, questions []string, echos []bool) ([]string, bool) {
	if c.o.Password == nil || c.prompts.passwordGiven || len(questions) != 1 || echos[0] {
		return nil, false
	}
	if !asksForPassword(introduction, questions[0], c.o.Host.User, c.o.promptHost()) {
		c.o.debug(1, "the password that was given is no answer to %q", questions[0])
		return nil, false
	}
	c.prompts.passwordGiven = true
	c.o.debug(1, "answering with the password that was given")
	return []string{string(c.o.Password)}, true
}

// answer asks one keyboard-interactive question.
func (c *connection) answer(prompt string, echo bool) (string, error) {
	if answer, ok := c.late.take(prompt); ok {
		return answer, nil
	}
	c.reportNotShared()
	if echo && c.o.UI.Line != nil {
		return c.o.UI.Line(prompt)
	}
	secret, err := c.o.UI.Secret(prompt)
	return string(secret), err
}
