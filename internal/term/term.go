// Package term asks the person at the terminal: secrets without echo, lines,
// and permission through an askpass program. It also makes foreign text safe
// to show.
//
// # Where a question goes
//
// The rules are those of read_passphrase in OpenSSH's readpass.c. A question
// is shown on the controlling terminal (/dev/tty, on Windows CONIN$ and
// CONOUT$ where somebody sees them), never on standard output, and its answer
// is never read from standard input, so both may be redirected. The program
// named by SSH_ASKPASS takes the terminal's place when
//
//   - SSH_ASKPASS_REQUIRE is "force";
//   - SSH_ASKPASS_REQUIRE is "prefer" and a display is there;
//   - there is no terminal, a display is there, and SSH_ASKPASS_REQUIRE is
//     not "never".
//
// A display is there when DISPLAY or WAYLAND_DISPLAY is set and not empty. On
// Windows, which has no such variables, a display is always there.
//
// # Differences from OpenSSH
//
// OpenSSH turns a question nobody could answer into an empty answer; here it
// is [ErrNoTerminal] or [ErrDeclined], so that no empty password is sent. A
// prompt is passed through [EscapeLines], as servers may choose its words. A
// batch file as askpass gets a prompt without cmd.exe's special characters.
package term

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

// MaxAnswer is the number of bytes of an answer that are kept; the rest of the
// line is read and dropped. It is the size of the buffer in OpenSSH's
// read_passphrase, less its closing NUL. Silent truncation is deliberate: a
// longer passphrase was cut at the same place when ssh-keygen asked for it.
const MaxAnswer = 1023

var (
	// ErrNoTerminal says that there is neither a terminal nor an askpass
	// program to ask. It is always a [*NoTerminalError].
	ErrNoTerminal = errors.New("no terminal to ask on")
	// ErrInterrupted says that a signal ended the question. The terminal is
	// as it was before. It is always an [*InterruptError].
	ErrInterrupted = errors.New("interrupted")
	// ErrHungUp says that the terminal went away while a question was open.
	ErrHungUp = errors.New("the terminal is gone")
	// ErrDeclined says that the askpass program ended with a status other
	// than 0, which is how it reports "cancel".
	ErrDeclined = errors.New("askpass declined to answer")
)

// NoTerminalError tells why no question could be asked. It matches
// [ErrNoTerminal].
type NoTerminalError struct {
	Terminal error  // why the terminal was not used, nil if it was not tried
	Askpass  string // why askpass was not used
}

func (e *NoTerminalError) Error() string {
	if e.Terminal == nil {
		return fmt.Sprintf("%v: %s", ErrNoTerminal, e.Askpass)
	}
	return fmt.Sprintf("%v: %v; %s", ErrNoTerminal, e.Terminal, e.Askpass)
}

// Is reports whether target is [ErrNoTerminal].
func (e *NoTerminalError) Is(target error) bool { return target == ErrNoTerminal }

// InterruptError names the signal that ended a question. It matches
// [ErrInterrupted]. A caller that wants to end as other programs do sends the
// signal to itself again.
type InterruptError struct{ Signal os.Signal }

func (e *InterruptError) Error() string { return fmt.Sprintf("%v (%v)", ErrInterrupted, e.Signal) }

// Is reports whether target is [ErrInterrupted].
func (e *InterruptError) Is(target error) bool { return target == ErrInterrupted }

// AskpassError says that the askpass program could not be run.
type AskpassError struct {
	Program string
	Err     error
}

func (e *AskpassError) Error() string { return fmt.Sprintf("askpass %s: %v", e.Program, e.Err) }

// Prompter asks one question at a time; it may be used by several goroutines.
type Prompter struct {
	mu      sync.Mutex
	getenv  func(string) string
	display bool // askpass needs no DISPLAY here
	open    func() (terminal, error)
	run     func(program, prompt, hint string) ([]byte, error)
	find    func() string
}

// New returns a Prompter that takes SSH_ASKPASS, SSH_ASKPASS_REQUIRE, DISPLAY
// and WAYLAND_DISPLAY from getenv, at the time of each question. Askpass
// programs inherit the environment of the process.
func New(getenv func(string) string) *Prompter {
	return &Prompter{
		getenv:  getenv,
		display: displayAlways,
		open:    openTerminal,
		run:     runAskpass,
		find:    findAskpass,
	}
}

// Secret asks for something that must not be shown. The answer comes without
// its newline and is never longer than [MaxAnswer] bytes; end of input counts
// as an empty answer, as in readpassphrase(3). What was typed before the
// prompt is discarded.
//
// Errors: [ErrNoTerminal], [ErrInterrupted], [ErrDeclined], [*AskpassError],
// or the terminal's own.
func (p *Prompter) Secret(prompt string) ([]byte, error) {
	return p.ask(prompt, false)
}

// Line asks a question whose answer is shown while it is typed. The answer
// comes without its newline; otherwise Line is like [Prompter.Secret].
func (p *Prompter) Line(prompt string) (string, error) {
	answer, err := p.ask(prompt, true)
	return string(answer), err
}

// Confirm asks for permission as OpenSSH's ask_permission does (AddKeysToAgent
// ask): only through askpass, which is told by SSH_ASKPASS_PROMPT=confirm to
// show two buttons. Exit status 0 with an empty answer or "yes" is a yes.
// Where askpass may not be used the answer is no, without an error.
func (p *Prompter) Confirm(prompt string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if allowed, _ := p.askpassRule(); !allowed {
		return false, nil
	}
	answer, err := p.askpass(prompt, "confirm", nil)
	switch {
	case errors.Is(err, ErrDeclined):
		return false, nil
	case err != nil:
		return false, err
	}
	return len(answer) == 0 || strings.EqualFold(string(answer), "yes"), nil
}

// IsTerminal reports whether somebody may be sitting at the other end of f.
func IsTerminal(f *os.File) bool { return isTerminal(f) }

// askpassRule reports whether askpass may be used at all, and whether it is
// used without trying the terminal first.
func (p *Prompter) askpassRule() (allowed, first bool) {
	allowed = p.display || p.getenv("DISPLAY") != "" || p.getenv("WAYLAND_DISPLAY") != ""
	switch strings.ToLower(p.getenv("SSH_ASKPASS_REQUIRE")) {
	case "force":
		return true, true
	case "prefer":
		return allowed, allowed
	case "never":
		return false, false
	}
	return allowed, false
}

func (p *Prompter) ask(prompt string, echo bool) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	allowed, first := p.askpassRule()
	if first {
		return p.askpass(prompt, "", nil)
	}
	tty, err := p.open()
	if err == nil {
		var answer []byte
		if answer, err = converse(tty, EscapeLines(prompt), echo); err != errBackground {
			return answer, err
		}
	}
	if allowed {
		return p.askpass(prompt, "", err)
	}
	reason := "SSH_ASKPASS needs DISPLAY, or SSH_ASKPASS_REQUIRE=force"
	if strings.EqualFold(p.getenv("SSH_ASKPASS_REQUIRE"), "never") {
		reason = "SSH_ASKPASS_REQUIRE is never"
	}
	return nil, &NoTerminalError{Terminal: err, Askpass: reason}
}

// askpass runs the askpass program. noTTY is why the terminal was not used, if
// it was tried.
func (p *Prompter) askpass(prompt, hint string, noTTY error) ([]byte, error) {
	program := p.getenv("SSH_ASKPASS")
	if program == "" {
		program = p.find()
	}
	if program == "" {
		return nil, &NoTerminalError{Terminal: noTTY, Askpass: "SSH_ASKPASS is not set"}
	}
	return p.run(program, EscapeLines(prompt), hint)
}
