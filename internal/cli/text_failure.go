package cli

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/term"
)

// Failure shows the one ERROR line of a failed run, between blank lines as the
// stock script has it.
func (p *textOutput) Failure(err error) {
	var usage *UsageError
	var nowhere *copyid.LoginError
	var appliance *copyid.DeviceError
	var config *copyid.ConfigError
	var hostKey *copyid.HostKeyError
	switch {
	case errors.As(err, &usage):
		p.usageError(usage)
	case errors.As(err, &nowhere):
		p.loginFailed(nowhere)
	case errors.As(err, &appliance):
		p.onDevice(appliance)
	case errors.As(err, &hostKey) && !errors.Is(err, term.ErrInterrupted):
		p.hostKeyFailed(err, hostKey.Words)
	case errors.As(err, &config) && len(config.Messages) > 1:
		last := len(config.Messages) - 1
		p.before(config.Messages[:last])
		p.error(sentence(&copyid.ConfigError{Code: config.Code, Messages: config.Messages[last:]}))
	default:
		p.error(sentence(err))
	}
}

// error shows the ERROR line.
func (p *textOutput) error(text string) { p.printErr("\n%s: ERROR: %s\n\n", p.name, text) }

// before shows the lines that ssh prints before the one that is the ERROR here.
// They are foreign.
func (p *textOutput) before(lines []string) {
	if len(lines) > 0 {
		p.printErr("%s\n", term.EscapeLines(strings.Join(lines, "\n")))
	}
}

// hostKeyFailed shows ssh's words about a host key that was not accepted.
func (p *textOutput) hostKeyFailed(err error, words []string) {
	where, advice := "", ""
	var hop *copyid.JumpError
	if errors.As(err, &hop) {
		where = "jump host " + term.Escape(hop.Hop) + ": "
	}
	if errors.Is(err, term.ErrNoTerminal) {
		advice = "\n\t(the host key is not known, and there is no terminal to ask about it on; " + terminalAdvice() + ", or give its fingerprint with --host-key)"
	}
	last := len(words) - 1
	p.before(words[:last])
	p.error(where + term.Escape(words[last]) + advice)
}

// usageError shows what is wrong with the command line, and the usage where that
// helps.
func (p *textOutput) usageError(e *UsageError) {
	text := term.Escape(e.Text)
	if e.Hint != "" {
		text += "\n\t(" + term.Escape(e.Hint) + ")"
	}
	switch {
	case text == "":
	case e.Getopt:
		p.printErr("%s: %s\n", p.name, text)
	case e.ShowUsage:
		p.printErr("%s: ERROR: %s\n\n", p.name, text)
	default:
		p.error(text)
	}
	if e.ShowUsage {
		p.Usage()
	}
}

// sentence turns the facts of an error into words: ssh's own where ssh has them.
func sentence(err error) string {
	if errors.Is(err, context.Canceled) || errors.Is(err, term.ErrInterrupted) {
		return "interrupted; nothing was changed on the server"
	}
	for _, words := range []func(error) string{keySentence, connectionSentence, serverSentence} {
		if text := words(err); text != "" {
			return text
		}
	}
	return term.Excerpt(cause(err))
}

// serverSentence is about what a server did not do, and a host that cannot be one;
// "" for other errors.
func serverSentence(err error) string {
	var types *copyid.KeyTypeError
	var failed *copyid.RemoteError
	var unread *copyid.UnreadableError
	var dest *copyid.DestinationError
	switch {
	case errors.As(err, &types):
		return term.Escape(types.Error()) + ". Nothing was sent"
	case errors.As(err, &failed):
		return remoteSentence(failed)
	case errors.As(err, &unread):
		return unreadableSentence(unread)
	case errors.As(err, &dest):
		return destinationSentence(dest)
	}
	return ""
}

// systemText is an operating system error in the words of strerror(3), which
// scripts know; anything else as it is.
func systemText(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, errWindowsRefused):
		return "Connection refused"
	case errors.Is(err, fs.ErrNotExist):
		return "No such file or directory"
	case errors.Is(err, fs.ErrPermission):
		return "Permission denied"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "Connection timed out"
	}
	var number syscall.Errno
	if errors.As(err, &number) {
		text := number.Error()
		return strings.ToUpper(text[:1]) + text[1:]
	}
	return term.Excerpt(cause(err))
}

// cause is the text of an error without the noise of Go's packages: what the net
// package puts before the words of the operating system is left out.
func cause(err error) string {
	if err == nil {
		return "no reason given"
	}
	text := err.Error()
	for _, noise := range []string{"ssh: handshake failed: ", "ssh: "} {
		text = strings.TrimPrefix(text, noise)
	}
	var operation *net.OpError
	var dns *net.DNSError
	var number syscall.Errno
	switch {
	case errors.As(err, &dns):
		text = strings.ReplaceAll(text, dns.Error(), resolverText(dns))
		if errors.As(err, &operation) {
			text = strings.ReplaceAll(text, operation.Error(), resolverText(dns))
		}
	case errors.As(err, &operation) && errors.As(operation.Err, &number):
		text = strings.ReplaceAll(text, operation.Error(), systemText(number))
	case errors.As(err, &operation) && operation.Timeout():
		text = strings.ReplaceAll(text, operation.Error(), "Connection timed out")
	}
	return text
}

// resolverText is a failure of the resolver in the words of gai_strerror(3).
func resolverText(e *net.DNSError) string {
	switch {
	case e.IsNotFound:
		return "Name or service not known"
	case e.IsTemporary, e.IsTimeout:
		return "Temporary failure in name resolution"
	}
	return "Non-recoverable failure in name resolution"
}
