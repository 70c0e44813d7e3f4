package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"

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
	if text := hostkey.Explain(err); text != "" {
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
		none      *noKeyError
		keygen    *keygenError
		file      *fileError
		password  *passwordError
		keyFile   *identity.FileError
		hop       *sshclient.HopError
		dial      *sshclient.DialError
		handshake *sshclient.HandshakeError
		auth      *sshclient.AuthError
		closed    *sshclient.ClosedError
		types     *remote.KeyTypeError
		failed    *remote.RemoteError
		dest      *sshconfig.DestinationError
	)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, term.ErrInterrupted):
		return "interrupted; nothing was changed on the server"
	case errors.As(err, &none) && none.err == errNoIdentities:
		return "No identities found" + none.hint
	case errors.As(err, &none):
		return term.Escape(none.Error()) + none.hint
	case errors.As(err, &keygen):
		return keygenSentence(keygen)
	case errors.As(err, &file):
		return fileSentence(file)
	case errors.As(err, &password):
		return term.Escape(password.flag) + ": " + systemText(password.err)
	case errors.As(err, &keyFile):
		return keySentence(keyFile)
	case errors.As(err, &hop):
		return fmt.Sprintf("jump host %s: %s", term.Escape(hop.Hop), sentence(hop.Err))
	case errors.As(err, &dial):
		return dialSentence(dial)
	case errors.As(err, &handshake):
		return handshakeSentence(handshake)
	case errors.As(err, &auth):
		return authSentence(auth)
	case errors.As(err, &closed):
		return fmt.Sprintf("%s port %d closed the connection during the login: %s", term.Escape(closed.Host), closed.Port, term.Escape(cause(closed.Err)))
	case errors.As(err, &types):
		return term.Escape(types.Error()) + ". Nothing was sent"
	case errors.As(err, &failed):
		return remoteSentence(failed)
	case errors.As(err, &dest):
		return destinationSentence(dest)
	}
	return term.Escape(err.Error())
}

// fileSentence are the words of use_id_file in the stock script.
func fileSentence(e *fileError) string {
	text := fmt.Sprintf("failed to open ID file '%s': %s", term.Escape(e.path), systemText(e.err))
	if e.path == "" {
		text = fmt.Sprintf("'%s' is a public key, and beside it is no private key", term.Escape(e.pub))
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
	switch {
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

func dialSentence(e *sshclient.DialError) string {
	var dns *net.DNSError
	switch {
	case e.Resolving && errors.As(e.Err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("ssh: Could not resolve hostname %s: Name or service not known", term.Escape(e.Host)) + unresolvedHint(e.Host)
	case e.Resolving:
		return fmt.Sprintf("ssh: Could not resolve hostname %s: %s", term.Escape(e.Host), term.Escape(cause(e.Err)))
	}
	return fmt.Sprintf("ssh: connect to host %s port %d: %s", term.Escape(e.Host), e.Port, systemText(e.Err))
}

func handshakeSentence(e *sshclient.HandshakeError) string {
	host := term.Escape(e.Host)
	var mismatch *ssh.AlgorithmNegotiationError
	switch {
	case e.TimedOut:
		return fmt.Sprintf("%s port %d: connection timed out during %s", host, e.Port, e.Stage)
	case errors.As(e.Err, &mismatch):
		return fmt.Sprintf("ssh: Unable to negotiate with %s port %d: no matching %s found. Their offer: %s", host, e.Port,
			matching(mismatch.What), term.Escape(strings.Join(mismatch.RequestedAlgorithms, ",")))
	case e.Said == "" && errors.Is(e.Err, io.EOF):
		return fmt.Sprintf("%s port %d: connection closed by the other side during %s", host, e.Port, e.Stage)
	case e.Said != "":
		return fmt.Sprintf("%s port %d does not speak SSH: it said %q", host, e.Port, term.Escape(e.Said))
	}
	return fmt.Sprintf("%s port %d: %s failed: %s", host, e.Port, e.Stage, term.Escape(cause(e.Err)))
}

// matching names what two sides could not agree on, as ssh does (kex_choose_conf
// in kex.c).
func matching(what string) string {
	switch {
	case what == "host key":
		return "host key type"
	case what == "key exchange":
		return "key exchange method"
	case strings.HasSuffix(what, "cipher"):
		return "cipher"
	}
	return what
}

func authSentence(e *sshclient.AuthError) string {
	text := fmt.Sprintf("%s@%s: Permission denied (%s).", term.Escape(e.User), term.Escape(e.Host), term.Escape(strings.Join(e.Methods, ",")))
	var unanswered *sshclient.UnansweredError
	var interrupted *term.InterruptError
	switch {
	case errors.Is(e.Err, term.ErrHungUp), errors.As(e.Err, &interrupted) && interrupted.Signal == syscall.SIGHUP:
		// sshpass hangs up at the second question: there is nobody to tell more.
	case errors.Is(e.Err, term.ErrInterrupted):
		return "interrupted; nothing was changed on the server"
	case e.PasswordExpired:
		return fmt.Sprintf("%s@%s: the password has expired, and the server wants a new one: log in with ssh and change it, then run this again",
			term.Escape(e.User), term.Escape(e.Host))
	case errors.As(e.Err, &unanswered):
		text += fmt.Sprintf(" The server asks %q, and there is nobody to answer; run this in a terminal", term.Escape(strings.Join(unanswered.Questions, " ")))
		if unanswered.Withheld {
			text += "\n\t(the password that was given answers only a single prompt that asks for the password of the account)"
		}
	case e.PasswordRefused:
		text += " The password that was given is not accepted"
	case errors.Is(e.Err, term.ErrNoTerminal):
		text += " There is no terminal to ask for a password on; " + terminalAdvice() + ", or give the password with --password-file"
	case e.Err != nil:
		text += " " + term.Escape(e.Err.Error())
	case e.NotAsked == sshclient.BatchMode:
		text += " No password was asked for, because BatchMode is on"
	case e.NotAsked == sshclient.Unattended:
		text += " A dry run asks for no password"
	case e.NotAsked == sshclient.HostKeyChanged:
		text += " No password was sent, because the host key cannot be trusted"
	case len(e.Unsupported) > 0 && len(e.Unsupported) == len(e.Methods):
		text += " This program does not support " + term.Escape(strings.Join(e.Unsupported, " or "))
	}
	return text
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
	return term.Escape(cause(err))
}

// cause is the text of the innermost error that says something of its own.
func cause(err error) string {
	if err == nil {
		return "no reason given"
	}
	text := err.Error()
	for _, noise := range []string{"ssh: handshake failed: ", "ssh: "} {
		text = strings.TrimPrefix(text, noise)
	}
	return text
}
