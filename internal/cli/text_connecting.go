package cli

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/term"
)

// The sentences about connections that did not come to a login, in ssh's own
// words where ssh has some.

// connectionSentence is about connections that did not come to a login; "" for
// other errors.
func connectionSentence(err error) string {
	var (
		hop        *copyid.JumpError
		proxy      *copyid.ProxyError
		dial       *copyid.ConnectError
		handshake  *copyid.HandshakeError
		auth       *copyid.AuthError
		closed     *copyid.ClosedError
		algorithms *copyid.AlgorithmError
	)
	switch {
	case errors.As(err, &hop):
		if refused, direct := hop.Err.(*copyid.ConnectError); direct {
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
	}
	return ""
}

// dialSentence says why no connection was made; port is how another port is given.
func dialSentence(e *copyid.ConnectError, port string) string {
	var dns *net.DNSError
	var rejected *ssh.OpenChannelError
	host := term.Escape(e.Host)
	switch {
	case e.Code == copyid.CodeResolve && errors.As(e.Err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("ssh: Could not resolve hostname %s: Name or service not known", host) + unresolvedHint(e.Host)
	case e.Code == copyid.CodeResolve:
		return fmt.Sprintf("ssh: Could not resolve hostname %s: %s", host, term.Excerpt(cause(e.Err)))
	case errors.As(e.Err, &rejected):
		// What ssh -W says of a channel that its host did not open.
		return fmt.Sprintf("ssh: connect to host %s port %d: open failed: %s: %s", host, e.Port,
			term.Escape(rejected.Reason.String()), term.Escape(rejected.Message))
	}
	text := fmt.Sprintf("ssh: connect to host %s port %d: %s", host, e.Port, systemText(e.Err))
	if errors.Is(e.Err, syscall.ECONNREFUSED) || errors.Is(e.Err, errWindowsRefused) {
		text += "\n\t(no SSH server listens there: look whether it is running, and give another port with " + port + ")"
	}
	return text
}

func handshakeSentence(e *copyid.HandshakeError) string {
	host := term.Escape(e.Host)
	switch {
	case e.Code == copyid.CodeHandshakeTimeout:
		return fmt.Sprintf("%s port %d: Connection timed out during %s", host, e.Port, e.Stage)
	case e.Mismatch != nil:
		return fmt.Sprintf("ssh: Unable to negotiate with %s port %d: no matching %s found. Their offer: %s", host, e.Port,
			e.Mismatch.What, term.Excerpt(strings.Join(e.Mismatch.Offered, ","))) + negotiationHint(e.Mismatch)
	case e.Code == copyid.CodeNotAllowedNow:
		return fmt.Sprintf("%s port %d refuses connections from here for now: it said %q", host, e.Port, e.Said) +
			"\n\t(an OpenSSH server does so for 15 seconds to 10 minutes after connections that did not log in (PerSourcePenalties)," +
			"\n\tor while too many connections wait to log in (MaxStartups): try again later." +
			"\n\tA run with -n that does not log in costs 5 seconds of penalty)"
	case e.Code == copyid.CodeMaxStartups:
		return fmt.Sprintf("%s port %d takes no further connection for now: it said %q", host, e.Port, e.Said) +
			"\n\t(too many connections wait to log in there (MaxStartups): try again in a moment)"
	case e.Said != "":
		return fmt.Sprintf("%s port %d does not speak SSH: it said %q", host, e.Port, term.Excerpt(e.Said))
	case e.Code == copyid.CodeLargeExponent:
		return fmt.Sprintf("%s port %d: the server's RSA host key has an exponent of more than 24 bits, with which this program cannot check it", host, e.Port) +
			"\n\t(where the server has a host key of another type: -o HostKeyAlgorithms=-rsa*,ssh-rsa*)"
	case hungUp(e.Err) != "":
		return fmt.Sprintf("Connection %s by %s port %d during %s", hungUp(e.Err), host, e.Port, e.Stage) + hungUpHint(e.Stage)
	}
	return fmt.Sprintf("%s port %d: %s failed: %s", host, e.Port, e.Stage, term.Excerpt(cause(e.Err)))
}

// hungUp is ssh's word for the end of a connection; "" for another error
// (sshpkt_vfatal in packet.c).
func hungUp(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, errWindowsReset), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "closed"
	}
	return ""
}

// hungUpHint says why a server hangs up without its version.
func hungUpHint(stage string) string {
	if stage != copyid.StageBanner {
		return ""
	}
	return "\n\t(an sshd hangs up like this on an address that it does not let in, or while too many connections wait to log in (MaxStartups))"
}

// negotiationHint names the option that opens what both sides have and this one
// does not propose by itself.
func negotiationHint(m *copyid.Mismatch) string {
	if m.LeftOut == "" {
		return ""
	}
	return fmt.Sprintf("\n\t(old and weak, and left out by default as by ssh: -o %s=+%s takes it)", m.Keyword, term.Escape(m.LeftOut))
}

func algorithmSentence(e *copyid.AlgorithmError) string {
	return fmt.Sprintf("this program has none of the algorithms of %s: %s\n\t(it has %s)", e.Keyword,
		term.Escape(strings.Join(e.Wanted, ",")), strings.Join(e.Supported, ","))
}

// closedSentence is about a server that hung up during the login.
func closedSentence(e *copyid.ClosedError) string {
	host := term.Escape(e.Host)
	if how := hungUp(e.Err); how != "" {
		return fmt.Sprintf("Connection %s by %s port %d during the login", how, host, e.Port)
	}
	return fmt.Sprintf("%s port %d closed the connection during the login: %s", host, e.Port, term.Excerpt(cause(e.Err)))
}

// proxySentence is about a ProxyCommand that ended by itself.
func proxySentence(e *copyid.ProxyError) string {
	text := fmt.Sprintf("the ProxyCommand of %s ended before the login, with %s", term.Escape(e.Host), e.Status)
	if e.LastWords != "" {
		text += ": " + term.Escape(e.LastWords)
	}
	return text
}

func authSentence(e *copyid.AuthError) string {
	text := fmt.Sprintf("%s@%s: Permission denied (%s).", term.Escape(e.User), term.Escape(e.Host), term.Excerpt(strings.Join(e.Methods, ",")))
	var unanswered *copyid.UnansweredError
	var interrupted *term.InterruptError
	switch {
	case errors.Is(e.Err, term.ErrHungUp), errors.As(e.Err, &interrupted) && interrupted.Signal == syscall.SIGHUP:
		// sshpass hangs up at the second question: there is nobody to tell more.
	case errors.Is(e.Err, term.ErrInterrupted):
		return "interrupted; nothing was changed on the server"
	case e.Code == copyid.CodePasswordExpired:
		return fmt.Sprintf("%s@%s: the password has expired, and the server wants a new one: log in with ssh and change it, then run this again",
			term.Escape(e.User), term.Escape(e.Host))
	case errors.As(e.Err, &unanswered):
		text += fmt.Sprintf(" The server asks %q, and there is nobody to answer; run this in a terminal", term.Excerpt(strings.Join(unanswered.Questions, " ")))
		if unanswered.Withheld {
			text += "\n\t(the password that was given answers only a single prompt that asks for the password of the account)"
		}
	case e.PasswordRefused:
		text += " The password that was given is not accepted"
	case errors.Is(e.Err, term.ErrNoTerminal):
		text += " There is no terminal to ask for a password on; " + terminalAdvice() + ", or give the password with --password-file"
	case e.Err != nil:
		text += " " + term.Escape(e.Err.Error())
	case e.NotAsked == copyid.BatchMode:
		text += " No password was asked for, because BatchMode is on"
	case e.NotAsked == copyid.Unattended:
		text += " A dry run asks for no password"
	case e.NotAsked == copyid.HostKeyDoubtful:
		text += " No password was sent, because the host key cannot be trusted"
	case len(e.Disabled) > 0:
		text += " No password was asked for, because ssh_config has " + term.Escape(strings.Join(e.Disabled, " and "))
	case len(e.Unsupported) > 0 && len(e.Unsupported) == len(e.Methods):
		text += " This program does not support " + term.Excerpt(strings.Join(e.Unsupported, " or "))
	case slices.Equal(e.Methods, []string{"publickey"}):
		text += "\n\t(the server takes no password: give a key that it accepts already with -o IdentityFile=FILE or in the agent," +
			" or have somebody who can log in add the key)"
	}
	return text
}
