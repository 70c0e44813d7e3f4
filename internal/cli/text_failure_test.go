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
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/account"
	"ssh-copy-id/internal/device"
	"ssh-copy-id/internal/hostkey"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/term"
)

// failure is a case that shows an error.
func failure(name string, err error) shown {
	return shown{name, func(o output) { o.Failure(err) }}
}

// TestFailures has the sentences about errors that the files of their own do not
// have.
func TestFailures(t *testing.T) {
	golden(t, "failures", []shown{
		failure("interrupted", fmt.Errorf("login: %w", context.Canceled)),
		failure("interrupted at a question", &term.InterruptError{}),
		failure("interrupted while writing", errInterrupted),
		failure("interrupted before verifying", errNotVerified),
		failure("usage only", &UsageError{ShowUsage: true}),
		failure("usage with a reason", &UsageError{Text: "Missing hostname", ShowUsage: true}),
		failure("usage with a hint", &UsageError{Text: "too \x1bmany", Hint: "use \x1bfewer", ShowUsage: true}),
		failure("usage by getopts", &UsageError{Text: "illegal option -- z", ShowUsage: true, Getopt: true}),
		failure("an option without usage", &UsageError{Text: "Bad port '0'", Hint: "use another"}),
		failure("write error", &outputError{syscall.EPIPE}),
		failure("no home", &homeError{"~/.ssh/known_hosts (UserKnownHostsFile)"}),
		failure("no home at all", account.ErrNoHome),
		failure("configuration, one line", &copyid.ConfigError{Messages: []string{"config line 1: Bad configuration option: x\x1b"}}),
		failure("configuration, three lines", &copyid.ConfigError{Messages: []string{"a: line 1: bad", "b\x1b", "a: terminating, 1 bad configuration options"}}),
		failure("configuration of a jump host", &copyid.JumpError{Hop: "hop", Err: &copyid.ConfigError{Messages: []string{"line 1: bad"}}}),
		failure("device", &copyid.DeviceError{Platform: "mikrotik", Title: titleOf(t, "mikrotik"), User: "admin", HostName: "box", Keys: []identity.Identity{testKey(1, "me")}}),
		failure("device that takes no such key", &copyid.DeviceError{Platform: "mikrotik", Title: titleOf(t, "mikrotik"), User: "admin", HostName: "box", Keys: []identity.Identity{testKey(1, "me", "restrict")}}),
		failure("device and a user that cannot be named", &copyid.DeviceError{Platform: "mikrotik", Title: titleOf(t, "mikrotik"), User: "a b", HostName: "box"}),
		failure("line too long for the server", &copyid.UnreadableError{Identity: testKey(1, "me"), Reader: authkeys.Dropbear("2022.83"), Length: 4000}),
		failure("option that the server does not read", &copyid.UnreadableError{Identity: testKey(1, "me", "restrict"), Reader: authkeys.Dropbear("2019.78"), Option: &authkeys.OptionError{Option: "restrict", Reason: authkeys.OptionUnknown}}),
		failure("password file", &passwordError{"--password-file x\x1b", fs.ErrNotExist}),
		failure("password empty", &passwordError{"--password-fd 3", errEmptyPassword}),
		failure("unknown to this table", errors.New("ssh: handshake failed: ssh: something\x1b")),
		failure("no reason", &copyid.HandshakeError{Code: copyid.CodeHandshake, Host: "h", Port: 22, Stage: "key exchange"}),
	})
}

func titleOf(t *testing.T, name string) string {
	t.Helper()
	platform, known := device.ByName(name)
	if !known {
		t.Fatal("no platform " + name)
	}
	return platform.Title
}

// TestKeyFailures has the sentences about keys and their files.
func TestKeyFailures(t *testing.T) {
	looked := []place{
		{agent: agentPlace{agentOfEnvironment, "/tmp/agent"}, found: agentUnreached}, {agent: agentPlace{agentConfigured, "/tmp/a\x1b"}, found: agentMute},
		{agent: agentPlace{origin: agentOff}, found: agentAbsent}, {agent: agentPlace{origin: agentUnset}, found: agentAbsent},
		{agent: agentPlace{origin: agentNotRunning}, found: agentAbsent}, {agent: agentPlace{agentOfEnvironment, "/s"}, found: agentUnusable},
		{agent: agentPlace{agentOfEnvironment, "/s"}, found: agentEmpty}, {dir: "/home/me/.ssh"}, {dir: "/home/me/.ssh", err: fs.ErrPermission},
	}
	missing := func(path string) error { return &fileError{path: path, err: fs.ErrNotExist} }
	file := func(err error) error { return &identity.FileError{Path: "a key", Err: err} }
	golden(t, "keys", []shown{
		failure("no identities", &noKeyError{err: errNoIdentities, looked: looked}),
		failure("no identities but a private key", &noKeyError{err: errNoIdentities, private: "/home/me/.ssh/id_rsa", looked: looked[3:4]}),
		failure("no file", &noKeyError{err: errNoIDFile, looked: looked[7:8]}),
		failure("missing", missing("k.pub")),
		failure("missing, and k.pem is there", &fileError{path: "k.pub", err: fs.ErrNotExist, instead: "k.pem"}),
		failure("unreadable", &fileError{path: "k.pub", err: fs.ErrPermission}),
		failure("missing %NAME%", missing(`%USERPROFILE%/k.pub`)),
		failure("missing $env:", missing(`$env:USERPROFILE/k.pub`)),
		failure("missing $HOME", missing("$HOME/k.pub")),
		failure("missing quotes", missing(`"k".pub`)),
		failure("missing ~", missing("~/k.pub")),
		failure("missing blank", missing(" k.pub")),
		failure("missing private key", &fileError{path: "k", pub: "k.pub", err: fs.ErrNotExist}),
		failure("no private key", &fileError{pub: "k.txt", err: errNoPrivateKey}),
		failure("authorized_keys", &fileError{pub: "authorized_keys", err: errNoPrivateKey, authorizedKeys: true}),
		failure("known_hosts", &mistakenError{path: "known_hosts", kind: knownHostsFile, err: file(identity.ErrNoKeys)}),
		failure("ssh_config", &mistakenError{path: "config", kind: configFile, err: file(identity.ErrNoKeys)}),
		failure("too much work", file(&identity.DerivationError{})),
		failure("public half unknown", file(identity.ErrNoPublicKey)),
		failure("public half unsupported", file(identity.ErrUnsupported)),
		failure("no keys", file(identity.ErrNoKeys)),
		failure("comment", &commentError{"k.pub", 2}),
		failure("keygen: exists", &keygenError{path: "k", err: errNeverOverwritten, regular: true}),
		failure("keygen: a directory", &keygenError{path: "k", err: errNeverOverwritten}),
		failure("keygen: no terminal", &keygenError{path: "k", err: term.ErrNoTerminal}),
		failure("keygen: denied", &keygenError{path: "k", err: fs.ErrPermission}),
		failure("keygen: batch", &keygenError{path: "k", err: errBatchPassphrase}),
		failure("keygen: mismatches", &keygenError{path: "k", err: errMismatches}),
	})
}

// TestConnectionFailures has the sentences about connections that did not come to
// a login.
func TestConnectionFailures(t *testing.T) {
	dial := func(err error) *copyid.ConnectError {
		return &copyid.ConnectError{Code: copyid.CodeConnect, Host: "h", Port: 22, Err: err}
	}
	resolving := func(host string, err error) error {
		return &copyid.ConnectError{Code: copyid.CodeResolve, Host: host, Port: 22, Err: err}
	}
	notFound := &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}
	handshake := func(e copyid.HandshakeError) error {
		e.Host, e.Port = "h", 22
		if e.Stage == "" {
			e.Stage = copyid.StageBanner
		}
		return &e
	}
	mismatch := func(what, keyword, leftOut string, theirs ...string) error {
		return handshake(copyid.HandshakeError{Code: copyid.CodeNoCommonMethod, Stage: "key exchange",
			Mismatch: &copyid.Mismatch{What: what, Offered: theirs, Keyword: keyword, LeftOut: leftOut}})
	}
	golden(t, "connections", []shown{
		failure("refused", dial(syscall.ECONNREFUSED)),
		failure("unreachable", dial(&net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)})),
		failure("timed out", dial(os.ErrDeadlineExceeded)),
		failure("network timeout", dial(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{IsTimeout: true}})),
		failure("no file", dial(fs.ErrNotExist)),
		failure("denied", dial(fs.ErrPermission)),
		failure("another reason", dial(errors.New("odd\x1b"))),
		failure("channel refused", dial(&ssh.OpenChannelError{Reason: ssh.ConnectionFailed, Message: "no\x1broute"})),
		failure("jump host refused", &copyid.JumpError{Hop: "hop", Err: dial(syscall.ECONNREFUSED)}),
		failure("jump host, login", &copyid.JumpError{Hop: "hop", Err: &copyid.AuthError{User: "u", Host: "h", Methods: []string{"publickey"}}}),
		failure("not resolved", resolving("h", notFound)),
		failure("not resolved, a key file", resolving("k.pub", notFound)),
		failure("not resolved, a port", resolving("h:2222", notFound)),
		failure("not resolved, a path", resolving("h:dir", notFound)),
		failure("not resolved, [::1]:22", resolving("[::1]:22", notFound)),
		failure("not resolved, an address", resolving("::1", notFound)),
		failure("not resolved, half an address", resolving("a::1", notFound)),
		failure("resolver fails for now", resolving("h", &net.DNSError{Err: "x", Name: "h", IsTemporary: true})),
		failure("resolver fails", resolving("h", &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "x", Name: "h"}})),
		failure("handshake timed out", handshake(copyid.HandshakeError{Code: copyid.CodeHandshakeTimeout})),
		failure("no SSH", handshake(copyid.HandshakeError{Code: copyid.CodeNotSSH, Said: "HTTP/1.1 400\x1b"})),
		failure("not allowed", handshake(copyid.HandshakeError{Code: copyid.CodeNotAllowedNow, Said: "Not allowed at this time"})),
		failure("too many startups", handshake(copyid.HandshakeError{Code: copyid.CodeMaxStartups, Said: "Exceeded MaxStartups"})),
		failure("large exponent", handshake(copyid.HandshakeError{Code: copyid.CodeLargeExponent, Err: io.EOF})),
		failure("closed at the banner", handshake(copyid.HandshakeError{Err: io.EOF})),
		failure("reset at key exchange", handshake(copyid.HandshakeError{Stage: "key exchange", Err: syscall.ECONNRESET})),
		failure("handshake, another reason", handshake(copyid.HandshakeError{Err: &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.EHOSTUNREACH)}})),
		failure("no key exchange", mismatch("key exchange method", "", "", "x\x1b")),
		failure("old key exchange", mismatch("key exchange method", "KexAlgorithms", "diffie-hellman-group1-sha1", "diffie-hellman-group1-sha1")),
		failure("old host key", mismatch("host key type", "HostKeyAlgorithms", "ssh-rsa", "ssh-rsa")),
		failure("old cipher", mismatch("cipher", "Ciphers", "3des-cbc", "3des-cbc")),
		failure("old MAC", mismatch("server to client MAC", "MACs", "hmac-sha1-96", "hmac-sha1-96")),
		failure("no compression", mismatch("compression", "", "", "zlib")),
		failure("algorithms", &copyid.AlgorithmError{Keyword: "Ciphers", Wanted: []string{"none\x1b", "x"}, Supported: sshclient.Supported("Ciphers")}),
		failure("closed during the login", &copyid.ClosedError{User: "u", Host: "h", Port: 22, Err: io.EOF}),
		failure("disconnected during the login", &copyid.ClosedError{User: "u", Host: "h", Port: 22, Err: errors.New("ssh: disconnect, reason 2: too many\x1b")}),
		failure("proxy", &copyid.ProxyError{Host: "h", Port: 22, Status: "exit status 1", Err: io.EOF}),
		failure("proxy with words", &copyid.ProxyError{Host: "h", Port: 22, Status: "exit status 1", LastWords: "nc: \x1b", Err: io.EOF}),
	})
}

// TestLoginFailures has the sentences about logins.
func TestLoginFailures(t *testing.T) {
	auth := func(e copyid.AuthError) error {
		e.User, e.Host = "u", "h"
		if e.Methods == nil {
			e.Methods = []string{"publickey", "password"}
		}
		return &e
	}
	key := testKey(1, "me").Entry.Key
	golden(t, "logins", []shown{
		failure("denied", auth(copyid.AuthError{})),
		failure("keys only", auth(copyid.AuthError{Methods: []string{"publickey"}})),
		failure("hung up", auth(copyid.AuthError{Err: term.ErrHungUp})),
		failure("interrupted", auth(copyid.AuthError{Err: term.ErrInterrupted})),
		failure("password expired", auth(copyid.AuthError{Code: copyid.CodePasswordExpired})),
		failure("unanswered", auth(copyid.AuthError{Err: &copyid.UnansweredError{Questions: []string{"Code:", "PIN\x1b:"}}})),
		failure("unanswered with a password", auth(copyid.AuthError{Err: &copyid.UnansweredError{Questions: []string{"Code:"}, Withheld: true}})),
		failure("password refused", auth(copyid.AuthError{PasswordRefused: true})),
		failure("no terminal", auth(copyid.AuthError{Err: term.ErrNoTerminal})),
		failure("another reason", auth(copyid.AuthError{Err: errors.New("odd\x1b")})),
		failure("batch mode", auth(copyid.AuthError{NotAsked: copyid.BatchMode})),
		failure("dry run", auth(copyid.AuthError{NotAsked: copyid.Unattended})),
		failure("host key changed", auth(copyid.AuthError{NotAsked: copyid.HostKeyDoubtful})),
		failure("disabled", auth(copyid.AuthError{Disabled: []string{"PasswordAuthentication no", "KbdInteractiveAuthentication no"}})),
		failure("unsupported", auth(copyid.AuthError{Methods: []string{"hostbased"}, Unsupported: []string{"hostbased"}})),
		failure("leads nowhere", &copyid.LoginError{Key: authkeys.NewEntry(key, ""), Status: 1, Said: "This account is\x1b\n\n not available\n"}),
		failure("leads nowhere without a word", &copyid.LoginError{Key: authkeys.NewEntry(key, ""), Status: 255}),
		failure("does not end", &copyid.LoginError{Key: authkeys.NewEntry(key, ""), Unended: true}),
		failure("closed", &copyid.LoginError{Key: authkeys.NewEntry(key, ""), Closed: true}),
	})
}

// hostKeyError is an error about a host key as copyid has it.
func hostKeyError(err error) error {
	return &copyid.HostKeyError{Words: strings.Split(hostkey.Explain(err), "\n"), Err: errors.Unwrap(err)}
}

// TestHostKeyFailures has ssh's words about host keys.
func TestHostKeyFailures(t *testing.T) {
	unknown := func(reason hostkey.Reason, err error) error {
		return hostKeyError(&hostkey.UnknownError{Host: "h", Type: "ED25519", Fingerprint: "SHA256:x", Reason: reason, Err: err})
	}
	changed := func(address *hostkey.AddressState) error {
		return hostKeyError(&hostkey.ChangedError{Host: "h", Type: "RSA", Fingerprint: "SHA256:x", File: "/k", KnownType: "ED25519", KnownFile: "/k", KnownLine: 3, Address: address})
	}
	golden(t, "hostkeys", []shown{
		failure("strict", unknown(hostkey.Strict, nil)),
		failure("nobody to ask", unknown(hostkey.CannotAsk, nil)),
		failure("declined", unknown(hostkey.Declined, nil)),
		failure("no terminal", unknown(hostkey.Declined, term.ErrNoTerminal)),
		failure("interrupted", unknown(hostkey.Declined, term.ErrInterrupted)),
		failure("another fingerprint", unknown(hostkey.PinMismatch, nil)),
		failure("no file", unknown(hostkey.NotRecordable, nil)),
		failure("of a jump host", &copyid.JumpError{Hop: "hop\x1b", Err: unknown(hostkey.Strict, nil)}),
		failure("changed", changed(nil)),
		failure("changed, address unknown", changed(&hostkey.AddressState{IP: "1.2.3.4"})),
		failure("changed, address the same", changed(&hostkey.AddressState{IP: "1.2.3.4", Known: true, Same: true, File: "/k", Line: 4})),
		failure("changed, address another", changed(&hostkey.AddressState{IP: "1.2.3.4", Known: true, File: "/k", Line: 4})),
		failure("revoked", hostKeyError(&hostkey.RevokedError{Host: "h", Type: "RSA", Fingerprint: "SHA256:x", File: "/k", Line: 2})),
		failure("revoked by list", hostKeyError(&hostkey.RevokedError{Host: "h", Type: "RSA", Fingerprint: "SHA256:x", File: "/krl", Listed: true})),
		failure("address differs", hostKeyError(&hostkey.AddressError{Host: "h", Type: "RSA", IP: "1.2.3.4", File: "/k", Line: 2})),
		failure("address differs from the name's", hostKeyError(&hostkey.AddressError{Host: "h", Type: "RSA", IP: "1.2.3.4", File: "/k", Line: 2, MatchFile: "/m", MatchLine: 5})),
		failure("address differs, asked", hostKeyError(&hostkey.AddressError{Host: "h", Type: "RSA", IP: "1.2.3.4", File: "/k", Line: 2, Asked: true})),
		failure("file", hostKeyError(&hostkey.FileError{File: "/k", Line: 3, Reason: "bad\x1b"})),
		failure("file as a whole", hostKeyError(&hostkey.FileError{File: "/k", Reason: "bad"})),
		failure("file of revoked keys", hostKeyError(&hostkey.FileError{File: "/krl", Reason: "bad", Type: "RSA", Fingerprint: "SHA256:x"})),
	})
}
