package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/hostkey"
	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
	"ssh-copy-id/internal/term"
)

// failure prints the one ERROR line of a failed run, between blank lines as
// the stock script has it.
func (p *printer) failure(err error) {
	var usage *UsageError
	if errors.As(err, &usage) {
		p.usageError(err)
		return
	}
	var nowhere *copyid.LoginError
	if errors.As(err, &nowhere) {
		p.loginFailed(nowhere)
		return
	}
	var appliance *copyid.DeviceError
	if errors.As(err, &appliance) {
		p.onDevice(appliance)
		return
	}
	if text := hostkey.Explain(err); text != "" && !errors.Is(err, term.ErrInterrupted) {
		lines := strings.Split(text, "\n")
		last := len(lines) - 1
		if last > 0 {
			p.tell("%s\n", term.EscapeLines(strings.Join(lines[:last], "\n")))
		}
		where := ""
		var hop *sshclient.HopError
		if errors.As(err, &hop) {
			where = "jump host " + term.Escape(hop.Hop) + ": "
		}
		advice := ""
		if errors.Is(err, term.ErrNoTerminal) {
			advice = "\n\t(the host key is not known, and there is no terminal to ask about it on; " + terminalAdvice() + ", or give its fingerprint with --host-key)"
		}
		p.tell("\n%s: ERROR: %s%s%s\n\n", p.name, where, term.Escape(lines[last]), advice)
		return
	}
	var config *sshconfig.Error
	if errors.As(err, &config) && len(config.Messages) > 1 {
		last := len(config.Messages) - 1
		p.tell("%s\n", term.EscapeLines(strings.Join(config.Messages[:last], "\n")))
		err = &sshconfig.Error{Messages: config.Messages[last:]}
	}
	p.tell("\n%s: ERROR: %s\n\n", p.name, sentence(err))
}

// usageError prints what is wrong with the command line, and the usage where
// that helps.
func (p *printer) usageError(err error) {
	var usage *UsageError
	if !errors.As(err, &usage) {
		p.failure(err)
		return
	}
	text := term.Escape(usage.Text)
	if usage.Hint != "" {
		text += "\n\t(" + term.Escape(usage.Hint) + ")"
	}
	switch {
	case text == "":
	case usage.Getopt:
		p.tell("%s: %s\n", p.name, text)
	case usage.ShowUsage:
		p.tell("%s: ERROR: %s\n\n", p.name, text)
	default:
		p.tell("\n%s: ERROR: %s\n\n", p.name, text)
	}
	if usage.ShowUsage {
		printUsage(p.err, p.name)
	}
}

// sentence turns the facts of an error into words: ssh's own where ssh has
// them.
func sentence(err error) string {
	var (
		homeless  *homeError
		comment   *commentError
		none      *noKeyError
		keygen    *keygenError
		file      *fileError
		password  *passwordError
		keyFile   *identity.FileError
		hop       *sshclient.HopError
		proxy     *sshclient.ProxyError
		dial      *sshclient.DialError
		handshake *sshclient.HandshakeError
		auth      *sshclient.AuthError
		closed    *sshclient.ClosedError

		algorithms *sshclient.AlgorithmError
		types      *remote.KeyTypeError
		failed     *remote.RemoteError
		dest       *sshconfig.DestinationError
		unread     *copyid.UnreadableError
	)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, term.ErrInterrupted):
		return "interrupted; nothing was changed on the server"
	case errors.As(err, &none) && none.err == errNoIdentities:
		return "No identities found" + none.hint
	case errors.As(err, &none):
		return term.Escape(none.Error()) + none.hint
	case errors.As(err, &homeless):
		return term.Escape(homeless.Error())
	case errors.As(err, &comment):
		return term.Escape(comment.Error())
	case errors.As(err, &keygen):
		return keygenSentence(keygen)
	case errors.As(err, &file):
		return fileSentence(file)
	case errors.As(err, &password):
		return term.Escape(password.flag) + ": " + systemText(password.err)
	case errors.As(err, &keyFile):
		return keySentence(keyFile)
	case errors.As(err, &hop):
		if refused, direct := hop.Err.(*sshclient.DialError); direct {
			return fmt.Sprintf("jump host %s: %s", term.Escape(hop.Hop), dialSentence(refused, "[user@]host:port in -J or ProxyJump"))
		}
		return fmt.Sprintf("jump host %s: %s", term.Escape(hop.Hop), sentence(hop.Err))
	case errors.As(err, &proxy):
		return proxySentence(proxy)
	case errors.As(err, &dial):
		return dialSentence(dial, "-p")
	case errors.As(err, &handshake):
		return handshakeSentence(handshake)
	case errors.As(err, &auth):
		return authSentence(auth)
	case errors.As(err, &closed):
		return closedSentence(closed)
	case errors.As(err, &algorithms):
		return algorithmSentence(algorithms)
	case errors.As(err, &types):
		return term.Escape(types.Error()) + ". Nothing was sent"
	case errors.As(err, &failed):
		return remoteSentence(failed)
	case errors.As(err, &unread):
		return unreadableSentence(unread)
	case errors.As(err, &dest):
		return destinationSentence(dest)
	}
	return term.Excerpt(cause(err))
}

// fileSentence are the words of use_id_file in the stock script.
func fileSentence(e *fileError) string {
	text := fmt.Sprintf("failed to open ID file '%s': %s", term.Escape(e.path), systemText(e.err))
	if e.path == "" {
		text = fmt.Sprintf("'%s' is a public key, and beside it is no private key", term.Escape(e.pub))
		if mistakenFile(e.pub) == "authorized_keys" {
			text = fmt.Sprintf("'%s' is an authorized_keys file, and beside it are no private keys", term.Escape(e.pub))
		}
	}
	if e.pub == "" && errors.Is(e.err, fs.ErrNotExist) {
		text += missingHint(e.path)
	}
	if e.pub != "" {
		text += fmt.Sprintf("\n\t(to install the contents of '%s' anyway, look at the -f option)", term.Escape(e.pub))
	}
	return text
}

// keySentence says what is wrong with a key file, and for a private key whose
// public half is out of reach how to get at it.
func keySentence(e *identity.FileError) string {
	why := ""
	var work *identity.DerivationError
	switch mistaken := mistakenSentence(e.Path); {
	case mistaken != "" && !errors.Is(e.Err, identity.ErrPrivateKey):
		return mistaken
	case errors.As(e.Err, &work):
		return term.Escape(e.Error()) + "\n\t(write the key anew with less work, with the program that made it, or use its .pub file)"
	case errors.Is(e.Err, identity.ErrNoPublicKey):
		why = "the public half of this private key is not known without its passphrase"
	case errors.Is(e.Err, identity.ErrUnsupported):
		why = "the public half of this private key cannot be worked out here"
	default:
		return term.Escape(e.Error())
	}
	return term.Escape(fmt.Sprintf("%s: %s; write it to a file of its own first, with: ssh-keygen -y -f %s > %s",
		e.Path, why, shellWord(e.Path), shellWord(identity.PubPath(e.Path))))
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
