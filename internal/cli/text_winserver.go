package cli

import (
	"fmt"
	"strings"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/term"
)

// The sentences in this file are about servers that run Windows.

// windowsSentence says why nothing could be done on a Windows server, or on
// another one with a path of Windows.
func windowsSentence(e *copyid.RemoteError) string {
	if e.Code == copyid.CodeWindowsPath {
		return fmt.Sprintf("-t %s is a path as Windows writes it, and this server does not run Windows; give the file as this server names it, such as .ssh/authorized_keys",
			term.Escape(e.Path))
	}
	if e.Path == "" {
		return "the server has no powershell.exe that can be run, and no SFTP: " + shellText(e.Detail)
	}
	return fmt.Sprintf("the server has no powershell.exe that can be run, and the access list of %s, the file of this administrator, cannot be checked without it; "+
		"add the key there as an administrator, or install it for an account that is none", term.Escape(e.Path))
}

// reencodeAdvice is the command that makes a file on a Windows server one that
// sshd can read; "" for other servers.
func reencodeAdvice(e *copyid.RemoteError) string {
	if e.Fix == "" {
		return ""
	}
	return ", in PowerShell on the server: " + term.Escape(e.Fix)
}

// windowsCause says what is likely wrong on a Windows server; "" for what is
// said about every server in the same words.
func windowsCause(c copyid.Cause) string {
	path, value := term.Escape(c.Path), term.Escape(c.Value)
	switch kind := c.Kind; {
	case kind == copyid.CauseWriter:
		return fmt.Sprintf("others may write to %s, so sshd ignores it: %s", path, value)
	case kind == copyid.CauseOwner && c.Value == "Windows":
		return fmt.Sprintf("%s belongs to %s, not to this account or Administrators, so sshd ignores it", path, term.Escape(c.Owner))
	case kind == copyid.CauseEncoding:
		return fmt.Sprintf("%s is in %s, which sshd cannot read", path, value)
	case kind == copyid.CauseElsewhere:
		file := term.Escape(strings.Join(c.Files, " and "))
		switch c.Value {
		case "key":
			return fmt.Sprintf("%s holds the key, but sshd does not read that file for this account", file)
		case "key read":
			return fmt.Sprintf("%s holds the key, and sshd reads that file for this account", file)
		case "missing":
			return file + " does not exist"
		}
		return file + " does not hold the key"
	}
	return ""
}
