package copyid

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/hostkey"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
)

// This file turns the errors of the packages below into those that are documented
// here: every exported method returns no others.

// public returns an error as one of this package; nil for nil.
func public(err error) error {
	if err == nil || isPublic(err) {
		return err
	}
	var hop *sshclient.HopError
	if errors.As(err, &hop) {
		return &JumpError{Code: CodeJumpHost, Hop: hop.Hop, Err: public(hop.Err)}
	}
	for _, convert := range []func(error) error{hostKeyError, configError, connectionError, loginFailure, remoteError} {
		if converted := convert(err); converted != nil {
			return converted
		}
	}
	code := CodeOther
	if errors.Is(err, context.Canceled) {
		code = CodeCancelled
	}
	return &Error{Code: code, Message: err.Error(), Err: err}
}

// finish makes the error that a method returns one of this package.
func finish(err *error) { *err = public(*err) }

// isPublic reports whether an error is one of this package already.
func isPublic(err error) bool {
	switch err.(type) {
	case *Error, *ConfigError, *DestinationError, *ConnectError, *HandshakeError, *JumpError, *ProxyError, *AlgorithmError,
		*HostKeyError, *AuthError, *UnansweredError, *ClosedError, *LoginError, *DeviceError, *UnreadableError, *RemoteError, *KeyTypeError:
		return true
	}
	return slices.Contains([]error{ErrAbsent, ErrBusy, ErrStale, ErrNoLogin}, err)
}

func hostKeyError(err error) error {
	var (
		unknown *hostkey.UnknownError
		changed *hostkey.ChangedError
		revoked *hostkey.RevokedError
		address *hostkey.AddressError
		file    *hostkey.FileError
	)
	e := &HostKeyError{}
	switch {
	case errors.As(err, &unknown):
		*e = HostKeyError{Code: CodeHostKeyUnknown, Host: unknown.Host, Type: unknown.Type, Fingerprint: unknown.Fingerprint, Err: unknown.Err}
	case errors.As(err, &changed):
		*e = HostKeyError{Code: CodeHostKeyChanged, Host: changed.Host, Type: changed.Type, Fingerprint: changed.Fingerprint, File: changed.KnownFile, Line: changed.KnownLine}
	case errors.As(err, &revoked):
		*e = HostKeyError{Code: CodeHostKeyRevoked, Host: revoked.Host, Type: revoked.Type, Fingerprint: revoked.Fingerprint, File: revoked.File, Line: revoked.Line}
	case errors.As(err, &address):
		*e = HostKeyError{Code: CodeHostKeyAddress, Host: address.Host, Type: address.Type, File: address.File, Line: address.Line, Err: address.Err}
	case errors.As(err, &file):
		*e = HostKeyError{Code: CodeHostKeyFile, Type: file.Type, Fingerprint: file.Fingerprint, File: file.File, Line: file.Line}
	default:
		return nil
	}
	e.Words = strings.Split(hostkey.Explain(err), "\n")
	return e
}

func configError(err error) error {
	var config *sshconfig.Error
	var destination *sshconfig.DestinationError
	switch {
	case errors.As(err, &config):
		return &ConfigError{Code: CodeConfig, Messages: config.Messages}
	case errors.As(err, &destination):
		code := map[sshconfig.DestinationReason]Code{
			sshconfig.BadURI: CodeBadURI, sshconfig.BadJump: CodeBadJump, sshconfig.InvalidHostname: CodeInvalidHostname,
			sshconfig.InvalidUser: CodeInvalidUser, sshconfig.EmptyUser: CodeEmptyUser,
		}[destination.Reason]
		if code == "" {
			code = CodeNoHost
		}
		return &DestinationError{Code: code, Destination: destination.Destination, Message: destination.Error()}
	}
	return nil
}

// connectionError is about connections that did not come to a login.
func connectionError(err error) error {
	var (
		proxy      *sshclient.ProxyError
		dial       *sshclient.DialError
		handshake  *sshclient.HandshakeError
		algorithms *sshclient.AlgorithmError
	)
	switch {
	case errors.As(err, &proxy):
		return &ProxyError{Code: CodeProxyCommand, Host: proxy.Host, Port: proxy.Port, Status: proxy.Status, LastWords: proxy.LastWords, Err: public(proxy.Err)}
	case errors.As(err, &dial):
		code := CodeConnect
		if dial.Resolving {
			code = CodeResolve
		}
		return &ConnectError{Code: code, Host: dial.Host, Port: dial.Port, Message: dial.Error(), Err: dial.Err}
	case errors.As(err, &handshake):
		return handshakeError(handshake)
	case errors.As(err, &algorithms):
		return &AlgorithmError{Code: CodeNoAlgorithm, Keyword: algorithms.Keyword, Wanted: algorithms.Wanted, Supported: sshclient.Supported(algorithms.Keyword)}
	}
	return nil
}

func handshakeError(h *sshclient.HandshakeError) *HandshakeError {
	e := &HandshakeError{Code: CodeHandshake, Host: h.Host, Port: h.Port, Stage: string(h.Stage), Said: h.Said, Err: h.Err}
	if h.Err != nil {
		e.Message = h.Err.Error()
	}
	var mismatch *ssh.AlgorithmNegotiationError
	switch {
	case h.TimedOut:
		e.Code = CodeHandshakeTimeout
	case errors.As(h.Err, &mismatch):
		e.Code, e.Mismatch = CodeNoCommonMethod, mismatchOf(mismatch)
	case h.Refusal() == sshclient.NotAllowed:
		e.Code = CodeNotAllowedNow
	case h.Refusal() == sshclient.ExceededMaxStartups:
		e.Code = CodeMaxStartups
	case h.Said != "":
		e.Code = CodeNotSSH
	case h.LargeExponent:
		e.Code = CodeLargeExponent
	}
	return e
}

// mismatchOf names what two sides could not agree on as ssh does (kex_choose_conf
// in kex.c).
func mismatchOf(e *ssh.AlgorithmNegotiationError) *Mismatch {
	m := &Mismatch{What: e.What, Offered: e.RequestedAlgorithms}
	keyword := ""
	switch {
	case e.What == "host key":
		m.What, keyword = "host key type", "HostKeyAlgorithms"
	case e.What == "key exchange":
		m.What, keyword = "key exchange method", "KexAlgorithms"
	case strings.HasSuffix(e.What, "cipher"):
		m.What, keyword = "cipher", "Ciphers"
	case strings.HasSuffix(e.What, "MAC"):
		keyword = "MACs"
	}
	for _, name := range e.RequestedAlgorithms {
		if slices.Contains(sshclient.Supported(keyword), name) {
			m.Keyword, m.LeftOut = keyword, name
			break
		}
	}
	return m
}

// loginFailure is about logins that the server did not grant.
func loginFailure(err error) error {
	var (
		auth       *sshclient.AuthError
		unanswered *sshclient.UnansweredError
		closed     *sshclient.ClosedError
	)
	switch {
	case errors.As(err, &auth):
		code := CodeDenied
		switch {
		case auth.PasswordExpired:
			code = CodePasswordExpired
		case auth.PasswordRefused:
			code = CodePasswordRefused
		}
		return &AuthError{
			Code: code, User: auth.User, Host: auth.Host, Methods: auth.Methods, NotAsked: NotAsked(auth.NotAsked), Partial: auth.Partial,
			PasswordRefused: auth.PasswordRefused, Disabled: auth.Disabled, Unsupported: auth.Unsupported, Err: public(auth.Err),
		}
	case errors.As(err, &unanswered):
		return &UnansweredError{Code: CodeUnanswered, Questions: unanswered.Questions, Withheld: unanswered.Withheld, Err: unanswered.Err}
	case errors.As(err, &closed):
		e := &ClosedError{Code: CodeClosed, User: closed.User, Host: closed.Host, Port: closed.Port, KeysOffered: closed.KeysOffered, Err: closed.Err}
		if closed.Err != nil {
			e.Message = closed.Err.Error()
		}
		return e
	}
	return nil
}
