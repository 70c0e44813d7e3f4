package remote

import (
	"regexp"
	"strings"
)

// variable is a variable of the environment as cmd.exe writes it.
var variable = regexp.MustCompile(`%[A-Za-z_][A-Za-z0-9_().]*%`)

// psVariable is one as PowerShell writes it.
var psVariable = regexp.MustCompile(`\$(?:env:([A-Za-z_]\w*)|\{env:([A-Za-z_]\w*)\})`)

// programData is how sshd_config on Windows names that directory
// (misc_internal.h).
const programData = "__PROGRAMDATA__"

// driveStart is how a path with a drive begins, SFTP's included.
var driveStart = regexp.MustCompile(`^/?[A-Za-z]:(?:[/\\]|$)`)

// driveRelative is how a path begins that starts at the current folder of a drive.
var driveRelative = regexp.MustCompile(`^[A-Za-z]:`)

// windowsOnly reports whether a target is written in a way that means something
// on Windows alone: with a drive, backslashes, variables or __PROGRAMDATA__.
func windowsOnly(target string) bool {
	return strings.Contains(target, `\`) || driveStart.MatchString(target) || driveRelative.MatchString(target) || variable.MatchString(target) ||
		psVariable.MatchString(target) || strings.HasPrefix(target, programData)
}

// CheckTarget refuses an Options.Target that is a path on Windows, for a server
// that is none: a file of that name would be made in the home. The error is a
// *RemoteError with the reason WindowsPath.
func CheckTarget(target string) error {
	if !windowsOnly(target) {
		return nil
	}
	return &RemoteError{Stage: StageRequest, Path: target, Reason: WindowsPath, Status: -1}
}

// variables writes the variables of PowerShell as cmd.exe does, which
// ExpandEnvironmentVariables understands.
func variables(target string) string { return psVariable.ReplaceAllString(target, "%$1$2%") }

// target is a file as given with -t, its variables replaced, as SFTP names it.
func (w *windowsSession) target(t string) (string, error) {
	invalid := func(detail string) (string, error) {
		return "", &RemoteError{Stage: StageRequest, Path: w.o.Target, Reason: Invalid, Status: -1, Detail: detail, Windows: true}
	}
	if unknown := variable.FindString(t); unknown != "" {
		return invalid("the server knows no variable " + unknown)
	}
	t = strings.ReplaceAll(t, `\`, "/")
	if rest, ok := strings.CutPrefix(t, programData+"/"); ok {
		return w.account.data + "/" + rest, nil
	}
	if drive, ok := sftpPath(strings.TrimPrefix(t, "/")); ok {
		return drive, nil
	}
	for _, prefix := range []string{"~/", "$HOME/", "${HOME}/"} {
		t = strings.TrimPrefix(t, prefix)
	}
	if t == "" || strings.HasPrefix(t, "/") || strings.Contains(t, ":") {
		return invalid("a path on Windows begins with a drive, or is relative to the profile directory")
	}
	return w.account.profile + "/" + t, nil
}

// sftpPath is a Windows path with a drive as sftp-server.exe takes it: C:\a is
// /C:/a. It reports false for any other path.
func sftpPath(p string) (string, bool) {
	if len(p) < 3 || p[1] != ':' || !strings.ContainsRune(`\/`, rune(p[2])) || strings.ContainsAny(p, "\n\x00") {
		return "", false
	}
	if c := p[0] | 0x20; c < 'a' || c > 'z' || strings.Contains(p[2:], ":") {
		return "", false
	}
	return "/" + strings.ReplaceAll(p, `\`, "/"), true
}

// windowsPath is a path of SFTP as Windows writes it, and what else it is given
// unchanged.
func windowsPath(p string) string {
	if len(p) < 3 || p[0] != '/' || p[2] != ':' {
		return p
	}
	return strings.ReplaceAll(p[1:], "/", `\`)
}
