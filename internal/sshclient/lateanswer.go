package sshclient

import "errors"

// errTooLate ends an authentication whose answer came when the server had hung
// up already.
var errTooLate = errors.New("the server has hung up")

// lateAnswer holds what was typed when the server had hung up already, as sshd
// does after LoginGraceTime, for another connection. There is one such chance.
type lateAnswer struct {
	happened bool
	method   string            // that the answers are for; "" once the other connection is made
	answers  map[string]string // by prompt
}

// keep keeps the answer to a prompt of method, which has not been sent.
func (l *lateAnswer) keep(method, prompt, answer string) {
	if l.answers == nil {
		l.answers = map[string]string{}
	}
	l.answers[prompt], l.method = answer, method
}

// take returns the answer that was kept for a prompt, once.
func (l *lateAnswer) take(prompt string) (string, bool) {
	answer, ok := l.answers[prompt]
	delete(l.answers, prompt)
	return answer, ok
}

// tooLate reports whether the server hung up while an answer was awaited. It
// says yes for one connection only: there the answer is kept, for another one.
func (c *connection) tooLate() bool {
	if c.o.Password != nil || c.late.happened || c.wire.broken() == nil {
		return false
	}
	c.late.happened = true
	return true
}

// reconnectForAnswer reports whether another connection is needed for an answer
// that came too late, and says so.
func (l *login) reconnectForAnswer() bool {
	if l.late.method == "" {
		return false
	}
	l.prompts.asked[l.late.method]--
	l.late.method = ""
	l.o.alert("The server closed the connection while it waited for the answer (LoginGraceTime); connecting again.")
	return true
}
