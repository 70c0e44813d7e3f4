package copyid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/hostkey"
	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/sshclient"
	"ssh-copy-id/internal/sshconfig"
)

// TestPublicErrors: whatever the packages below return becomes an error of this
// package, with a code, that still leads to the cause and can be written as JSON.
func TestPublicErrors(t *testing.T) {
	negotiation := func(what string, theirs ...string) error {
		return &sshclient.HandshakeError{Stage: sshclient.StageKex, Err: &ssh.AlgorithmNegotiationError{What: what, RequestedAlgorithms: theirs}}
	}
	for _, c := range []struct {
		err   error
		code  Code
		cause error
		facts string // part of the JSON
	}{
		{&sshconfig.Error{Messages: []string{"a", "b"}}, CodeConfig, nil, `["a","b"]`},
		{&sshconfig.DestinationError{Destination: "-h", Reason: sshconfig.InvalidHostname}, CodeInvalidHostname, nil, `"-h"`},
		{&sshconfig.DestinationError{Reason: sshconfig.NoHost}, CodeNoHost, nil, `"no host in`},
		{&sshclient.DialError{Host: "h", Port: 22, Err: syscall.ECONNREFUSED}, CodeConnect, syscall.ECONNREFUSED, `"port":22`},
		{&sshclient.DialError{Host: "h", Resolving: true, Err: io.EOF}, CodeResolve, io.EOF, `"host":"h"`},
		{&sshclient.HandshakeError{Stage: sshclient.StageBanner, TimedOut: true}, CodeHandshakeTimeout, nil, `"banner exchange"`},
		{&sshclient.HandshakeError{Said: "Not allowed at this time"}, CodeNotAllowedNow, nil, `"Not allowed`},
		{&sshclient.HandshakeError{Said: "Exceeded MaxStartups"}, CodeMaxStartups, nil, `"Exceeded`},
		{&sshclient.HandshakeError{Said: "HTTP/1.1"}, CodeNotSSH, nil, `"HTTP/1.1"`},
		{&sshclient.HandshakeError{LargeExponent: true, Err: io.EOF}, CodeLargeExponent, io.EOF, `"EOF"`},
		{&sshclient.HandshakeError{Err: io.EOF}, CodeHandshake, io.EOF, ``},
		{negotiation("client to server cipher", "x", "3des-cbc"), CodeNoCommonMethod, nil, `"what":"cipher","offered":["x","3des-cbc"],"keyword":"Ciphers","leftOut":"3des-cbc"`},
		{negotiation("host key", "ssh-rsa"), CodeNoCommonMethod, nil, `"what":"host key type"`},
		{negotiation("key exchange", "none"), CodeNoCommonMethod, nil, `"what":"key exchange method","offered":["none"]}`},
		{negotiation("server to client MAC", "hmac-sha1-96"), CodeNoCommonMethod, nil, `"keyword":"MACs"`},
		{&sshclient.AlgorithmError{Keyword: "Ciphers", Wanted: []string{"x"}}, CodeNoAlgorithm, nil, `"aes128-ctr"`},
		{&sshclient.HopError{Hop: "hop", Err: &sshclient.DialError{Err: io.EOF}}, CodeJumpHost, io.EOF, `"error":{"code":"not-connected"`},
		{&sshclient.ProxyError{Status: "exit status 1", Err: &sshclient.ClosedError{Err: io.EOF}}, CodeProxyCommand, io.EOF, `"error":{"code":"connection-closed"`},
		{&hostkey.UnknownError{Host: "h", Type: "RSA", Err: io.EOF}, CodeHostKeyUnknown, io.EOF, `"Host key verification failed."`},
		{&hostkey.ChangedError{Host: "h", KnownFile: "/k", KnownLine: 3}, CodeHostKeyChanged, nil, `"file":"/k","line":3`},
		{&hostkey.RevokedError{File: "/k", Line: 2}, CodeHostKeyRevoked, nil, `"line":2`},
		{&hostkey.AddressError{Host: "h", File: "/k", Err: io.EOF}, CodeHostKeyAddress, io.EOF, `"host":"h"`},
		{&hostkey.FileError{File: "/k", Reason: "bad"}, CodeHostKeyFile, nil, `bad`},
		{fmt.Errorf("wrapped: %w", &hostkey.FileError{File: "/k"}), CodeHostKeyFile, nil, ``},
		{&sshclient.AuthError{User: "u", Methods: []string{"publickey"}, NotAsked: sshclient.BatchMode, Err: io.EOF}, CodeDenied, io.EOF, `"notAsked":"batch mode"`},
		{&sshclient.AuthError{PasswordRefused: true}, CodePasswordRefused, nil, `"passwordRefused":true`},
		{&sshclient.AuthError{PasswordExpired: true}, CodePasswordExpired, nil, ``},
		{&sshclient.UnansweredError{Questions: []string{"Code:"}, Err: io.EOF}, CodeUnanswered, io.EOF, `["Code:"]`},
		{&remote.RemoteError{Reason: remote.Full, Path: "/k", Status: 1, SFTP: &remote.RemoteError{Reason: remote.NoSFTP}}, CodeFull, nil, `"sftp":{"code":"no-sftp"`},
		{&remote.RemoteError{Reason: remote.Silent, Awaited: remote.AwaitShell, Unsure: true}, CodeSilent, nil, `"unsure":true`},
		{&remote.RemoteError{Reason: "new"}, CodeFailed, nil, ``},
		{&remote.KeyTypeError{Server: "ScreenOS", Takes: []string{"ssh-dss"}, Keys: []remote.RefusedKey{{Type: "ssh-rsa", Fingerprint: "SHA256:x"}}}, CodeKeyType, nil, `"refused":["ssh-rsa SHA256:x"]`},
		{&sshclient.ClosedError{Host: "h", Err: io.EOF}, CodeClosed, io.EOF, `"EOF"`},
		{fmt.Errorf("x: %w", context.Canceled), CodeCancelled, context.Canceled, `"x: context canceled"`},
		{os.ErrPermission, CodeOther, os.ErrPermission, `permission`},
	} {
		got := public(c.err)
		at := reflect.TypeOf(got).Elem()
		code := reflect.ValueOf(got).Elem().FieldByName("Code")
		switch {
		case at.PkgPath() != reflect.TypeFor[Error]().PkgPath():
			t.Errorf("%#v became a %v", c.err, at)
		case code.String() != string(c.code):
			t.Errorf("%#v has the code %v, want %s", c.err, code, c.code)
		case c.cause != nil && !errors.Is(got, c.cause):
			t.Errorf("%#v lost its cause", c.err)
		case public(got) != got:
			t.Errorf("%#v is converted twice", c.err)
		case got.Error() == "":
			t.Errorf("%#v has no text", c.err)
		}
		if text, err := json.Marshal(got); err != nil || !strings.Contains(string(text), c.facts) {
			t.Errorf("%#v: %s, %v, want %s", c.err, text, err, c.facts)
		}
	}
	if public(nil) != nil {
		t.Error("nil became an error")
	}
	for _, err := range []error{ErrBusy, ErrStale, ErrNoLogin, ErrAbsent} {
		if public(err) != err {
			t.Errorf("%v is no error of this package", err)
		}
	}
}

// TestClosedAccounts has what sshd and PAM say of an account that runs nothing.
func TestClosedAccounts(t *testing.T) {
	for said, want := range map[string]Closure{
		"WARNING: Your password has expired.\nPassword change required but no TTY available.": PasswordExpired,
		"You are required to change your password immediately (administrator enforced).":      PasswordExpired,
		"User alice not allowed because /etc/nologin exists\r\ngoing down":                    RootOnly,
		"Your account has expired; please contact your system administrator.":                 AccountExpired,
		"This account is currently not available.":                                            "", "hello": "", "": "",
	} {
		e := &remote.RemoteError{Reason: remote.NoAnswer, Detail: said, Status: 1}
		if got := remoteFailure(e).Closure; got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
		e.Reason = remote.Full
		if got := remoteFailure(e).Closure; got != "" {
			t.Errorf("a full disk with %q: %q", said, got)
		}
	}
}
