package copyid

import (
	"errors"
	"fmt"
	"strings"

	"ssh-copy-id/internal/remote"
)

// The codes of a [RemoteError].
const (
	CodeInvalid      Code = "invalid"       // what is to be sent cannot be
	CodeRefused      Code = "refused"       // the server opens no session, or runs no commands
	CodeNoAnswer     Code = "no-answer"     // something else ran: a forced command, nologin
	CodeEaten        Code = "eaten"         // a start-up file of the shell read what was sent
	CodeUnheard      Code = "unheard"       // the script's output went elsewhere
	CodeSilent       Code = "silent"        // the server did not do in time what Awaited names
	CodeGarbled      Code = "garbled"       // the answer makes no sense
	CodeTooMuch      Code = "too-much"      // more data than is accepted
	CodeRemoteClosed Code = "closed"        // the connection or the channel ended
	CodeNotRoot      Code = "not-root"      // Options.Account needs a login as root
	CodeNoAccount    Code = "no-account"    // there is no such account
	CodeIsRoot       Code = "is-root"       // Options.Account is root itself
	CodeCannotSwitch Code = "cannot-switch" // no program runs commands as another account
	CodeNoSFTP       Code = "no-sftp"       // the server refuses SFTP
	CodeNotSFTP      Code = "not-sftp"      // something else answered in its place: Detail
	CodeNoPowerShell Code = "no-powershell" // a Windows server without a usable powershell.exe
	CodeWindowsPath  Code = "windows-path"  // only a Windows server reads such a path
	CodeDirectory    Code = "directory"     // the target is a directory
	CodeIrregular    Code = "irregular"     // the target is neither file nor directory
	CodeUnreadable   Code = "unreadable"    // the target may not be read
	CodeNotText      Code = "not-text"      // the target is in UTF-16
	CodeLocked       Code = "locked"        // another program did not release the lock
	CodeFull         Code = "disk-full"
	CodeQuota        Code = "quota"
	CodeReadOnly     Code = "read-only-file-system"
	CodeWriteDenied  Code = "write-denied"
	CodeImmutable    Code = "immutable"
	CodeNotDir       Code = "not-a-directory" // a part of the path is a file
	CodeForeign      Code = "foreign"         // another account controls the way to the file, at Detail
	CodeNoHome       Code = "no-home"         // the home directory, Detail, does not exist
	CodeNoTool       Code = "no-tool"         // the server lacks a program
	CodeFailed       Code = "failed"          // anything else
)

// RemoteError is returned if the target file could not be read or changed. The
// file is what it was before, unless Unsure is set.
type RemoteError struct {
	Code Code `json:"code"`
	// Stage is what was being done: "open", "start", "append" and the like.
	Stage string `json:"stage"`
	// Path is the target file; "" where it is not known.
	Path string `json:"path,omitempty"`
	// Detail is what the server said, or what the Code says that it is; not escaped.
	Detail string `json:"detail,omitempty"`
	// Status is the exit status of the remote command where it ended without an
	// answer; -1 if the server did not send one.
	Status int `json:"status"`
	// Unsure reports whether the change had been sent when the error came, so that
	// it may or may not have been made. Never is a part of it.
	Unsure bool `json:"unsure,omitempty"`
	// Device reports whether the keys go into the configuration of an appliance.
	Device bool `json:"device,omitempty"`
	// Windows reports whether the server runs Windows.
	Windows bool `json:"windows,omitempty"`
	// Awaited is what the server was waited for, for CodeSilent.
	Awaited Awaited `json:"awaited,omitempty"`
	// Closure is why the account runs nothing; "" where that is not known.
	Closure Closure `json:"closure,omitempty"`
	// Fix is the command for PowerShell on a Windows server that makes the file one
	// that sshd reads, for CodeNotText; "" for none.
	Fix string `json:"fix,omitempty"`
	// SFTP is how SFTP failed, where it was tried after this error.
	SFTP *RemoteError `json:"sftp,omitempty"`
}

// StageOpen is the first stage of a RemoteError: opening a session.
const StageOpen = string(remote.StageOpen)

// Closure is why an account lets in and runs nothing.
type Closure string

// The closures.
const (
	PasswordExpired Closure = Closure(remote.PasswordExpired)
	AccountExpired  Closure = Closure(remote.AccountExpired)
	RootOnly        Closure = Closure(remote.RootOnly) // for the time being: nologin
)

// Error implements error.
func (e *RemoteError) Error() string {
	text := "remote " + e.Stage
	if e.Path != "" {
		text += " " + e.Path
	}
	text += ": " + string(e.Code)
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// KeyTypeError is returned if the server has no use for keys of a type. Nothing was
// sent; without those keys the change can be made.
type KeyTypeError struct {
	Code Code `json:"code"`
	// Server is what it is: "ScreenOS"; Takes are the key types it takes.
	Server string   `json:"server"`
	Takes  []string `json:"takes"`
	// Refused are the keys it does not take, each by type and fingerprint.
	Refused []string `json:"refused"`
}

// Error implements error.
func (e *KeyTypeError) Error() string {
	return fmt.Sprintf("%s takes %s keys only, not %s", e.Server, strings.Join(e.Takes, " and "), strings.Join(e.Refused, ", "))
}

// remoteCodes are the codes of the reasons.
var remoteCodes = map[remote.Reason]Code{
	remote.Invalid:      CodeInvalid,
	remote.Refused:      CodeRefused,
	remote.NoAnswer:     CodeNoAnswer,
	remote.Eaten:        CodeEaten,
	remote.Unheard:      CodeUnheard,
	remote.Silent:       CodeSilent,
	remote.Garbled:      CodeGarbled,
	remote.TooMuch:      CodeTooMuch,
	remote.Closed:       CodeRemoteClosed,
	remote.NotRoot:      CodeNotRoot,
	remote.NoAccount:    CodeNoAccount,
	remote.IsRoot:       CodeIsRoot,
	remote.CannotSwitch: CodeCannotSwitch,
	remote.NoSFTP:       CodeNoSFTP,
	remote.NotSFTP:      CodeNotSFTP,
	remote.NoPowerShell: CodeNoPowerShell,
	remote.WindowsPath:  CodeWindowsPath,
	remote.Directory:    CodeDirectory,
	remote.Irregular:    CodeIrregular,
	remote.Unreadable:   CodeUnreadable,
	remote.NotText:      CodeNotText,
	remote.Locked:       CodeLocked,
	remote.Full:         CodeFull,
	remote.Quota:        CodeQuota,
	remote.ReadOnly:     CodeReadOnly,
	remote.Denied:       CodeWriteDenied,
	remote.Immutable:    CodeImmutable,
	remote.NotDir:       CodeNotDir,
	remote.Foreign:      CodeForeign,
	remote.NoHome:       CodeNoHome,
	remote.NoTool:       CodeNoTool,
	remote.Failed:       CodeFailed,
}

// remoteError is about work on the server.
func remoteError(err error) error {
	var types *remote.KeyTypeError
	var failed *remote.RemoteError
	switch {
	case errors.As(err, &types):
		e := &KeyTypeError{Code: CodeKeyType, Server: types.Server, Takes: types.Takes}
		for _, key := range types.Keys {
			e.Refused = append(e.Refused, key.Type+" "+key.Fingerprint)
		}
		return e
	case errors.As(err, &failed):
		return remoteFailure(failed)
	}
	return nil
}

func remoteFailure(e *remote.RemoteError) *RemoteError {
	if e == nil {
		return nil
	}
	code, known := remoteCodes[e.Reason]
	if !known {
		code = CodeFailed
	}
	return &RemoteError{
		Code: code, Stage: string(e.Stage), Path: e.Path, Detail: e.Detail, Status: e.Status, Unsure: e.Unsure, Device: e.Device,
		Windows: e.Windows, Awaited: Awaited(e.Awaited), Closure: Closure(e.Closure()), Fix: e.Fix, SFTP: remoteFailure(e.SFTP),
	}
}
