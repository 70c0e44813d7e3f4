package hostkey

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"testing"
)

// TestExplain: the words for the refusals that ssh does not have, or that no
// table here leads to; [TestVerdictsBySSH] has the others.
func TestExplain(t *testing.T) {
	interrupted := errors.New("interrupted")
	for _, c := range []struct {
		err         error
		text, words string
	}{
		{
			&UnknownError{Host: "box", Type: "RSA", Fingerprint: "SHA256:x", Reason: Strict},
			"no RSA host key is known for box",
			"No RSA host key is known for box and you have requested strict checking.\n" + failed,
		},
		{
			&UnknownError{Host: "box", Type: "RSA", Fingerprint: "SHA256:x", Reason: CannotAsk},
			"RSA host key of box is unknown and nobody can be asked",
			"The RSA host key SHA256:x of box is not known, and nobody can be asked.\n" + failed,
		},
		{
			&UnknownError{Host: "box", Type: "RSA", Fingerprint: "SHA256:x", Reason: PinMismatch},
			"RSA host key SHA256:x of box is none of the keys expected",
			"The RSA host key SHA256:x of box is not the one expected.\n" + failed,
		},
		{
			&UnknownError{Host: "box", Type: "RSA", Fingerprint: "SHA256:x", Reason: NotRecordable},
			"RSA host key of box is unknown and there is no file to note it in",
			"The RSA host key SHA256:x of box is not known, and there is no file to note it in.\n" + failed,
		},
		{&UnknownError{Host: "box", Type: "RSA", Reason: Declined, Err: interrupted}, "RSA host key of box was not accepted", failed},
		{
			&RevokedError{Host: "box", Type: "RSA", Fingerprint: "SHA256:x", File: "krl", Listed: true},
			"RSA host key of box is revoked by krl", "Host key RSA SHA256:x revoked by file krl\n" + failed,
		},
		{&AddressError{Host: "box", Type: "RSA", IP: "::1", Asked: true, Err: interrupted}, "RSA host key of box differs from the key of its address ::1", failed},
		{
			&AddressError{Host: "box", Type: "RSA", IP: "::1", File: "f", Line: 3}, "RSA host key of box differs from the key of its address ::1",
			"Warning: the RSA host key for 'box' differs from the key for the IP address '::1'\nOffending key for IP in f:3\n" +
				"Exiting, you have requested strict checking.\n" + failed,
		},
		{&ChangedError{Host: "box", Type: "RSA", KnownFile: "f", KnownLine: 2}, "RSA host key of box has changed (f:2)", ""},
		{&FileError{File: "f", Line: 3, Reason: "why"}, "f:3: why", "f:3: why\n" + failed},
		{&FileError{File: "f", Reason: "why"}, "f: why", "f: why\n" + failed},
		{
			&FileError{File: "f", Reason: "why", Type: "RSA", Fingerprint: "SHA256:x"}, "f: why",
			"Error checking host key RSA SHA256:x in revoked keys file f: why\n" + failed,
		},
		{fs.ErrNotExist, "file does not exist", ""},
	} {
		if c.err.Error() != c.text {
			t.Errorf("%T is %q, want %q", c.err, c.err, c.text)
		}
		if got := Explain(fmt.Errorf("connect: %w", c.err)); c.words != "" && got != c.words || c.err == fs.ErrNotExist && got != "" {
			t.Errorf("%v is explained by\n%s\nwant\n%s", c.err, got, c.words)
		}
	}
	for _, err := range []error{&UnknownError{Err: interrupted}, &AddressError{Err: interrupted}} {
		if !errors.Is(err, interrupted) {
			t.Errorf("%T hides what the question returned", err)
		}
	}
}

// TestReasonOf: an error of the file system names its path once.
func TestReasonOf(t *testing.T) {
	if got := reasonOf(&fs.PathError{Op: "open", Path: "f", Err: fs.ErrPermission}); got != "permission denied" {
		t.Error(got)
	}
	if got := reasonOf(errors.New("why")); got != "why" {
		t.Error(got)
	}
}

// TestShorten: ~ stands for the home directory, where a file lies in it
// (try_tilde_unexpand in sshconnect.c).
func TestShorten(t *testing.T) {
	for _, c := range []struct{ home, file, want string }{
		{"/home/ann", "/home/ann/.ssh/known_hosts", "~/.ssh/known_hosts"},
		{"/home/ann/", "/home/ann/known_hosts", "~/known_hosts"},
		{"/home/ann", "/home/anna/known_hosts", "/home/anna/known_hosts"},
		{"/home/ann", "/home/ann", "/home/ann"},
		{"/home/ann", "known_hosts", "known_hosts"},
		{"", "/home/ann/known_hosts", "/home/ann/known_hosts"},
	} {
		if runtime.GOOS == "windows" { // with a drive, a path is absolute there
			drive := strings.NewReplacer("/home", `C:\home`)
			c.home, c.file, c.want = drive.Replace(c.home), drive.Replace(c.file), drive.Replace(c.want)
		}
		v := &Verifier{policy: Policy{Home: c.home}}
		if got := v.shorten(c.file); got != c.want {
			t.Errorf("%s in %s is %s", c.file, c.home, got)
		}
	}
}
