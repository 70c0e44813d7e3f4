package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/term"
)

// remoteSentence says why the target file could not be read or changed, what to
// do about it, and what became of the keys.
func remoteSentence(e *copyid.RemoteError) string {
	text := remoteText(e)
	if e.Unsure && e.Device && e.Code != copyid.CodeRemoteClosed {
		return text + ". Some of the keys may have been taken: look at the device"
	}
	if e.Unsure {
		return text + ". The change had been sent and may have been made: run the command again to see, which also takes back what was left unfinished"
	}
	return text + ". No key was added"
}

// uncheckedSentence says why the keys could not be verified. They have been
// added by then, so nothing is said of a change that was not made.
func uncheckedSentence(err error) string {
	var failed *copyid.RemoteError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, term.ErrInterrupted):
		return "interrupted"
	case errors.As(err, &failed):
		return remoteText(failed)
	}
	return sentence(err)
}

// remoteText is remoteSentence without what became of the keys.
func remoteText(e *copyid.RemoteError) string {
	text, quoted := reasonText(e)
	if closed := closedAccount(e); closed != "" {
		text = closed
	}
	if said := shellText(e.Detail); quoted && said != "" {
		text += "; the server said: " + said
	}
	switch {
	case e.SFTP == nil:
	case e.SFTP.Code == copyid.CodeNoSFTP:
		text += "; and it has no SFTP for this account"
	default:
		text += "; SFTP was tried as well: " + sftpSentence(e.SFTP)
	}
	return text
}

// reasonWords are the reasons that need no more than the file, for which FILE
// stands.
var reasonWords = map[copyid.Code]string{
	copyid.CodeRefused:      "the server runs no commands for this account",
	copyid.CodeNoSFTP:       "the server has no SFTP for this account",
	copyid.CodeNotSFTP:      "the server's SFTP does not start for this account",
	copyid.CodeUnheard:      "nothing was heard from the account's shell: a start-up file sends the output elsewhere",
	copyid.CodeNoAnswer:     "the account has no usable shell: another program answered (a forced command, nologin or the like); -s may work",
	copyid.CodeEaten:        "a start-up file of the account's shell reads standard input; try -s to use SFTP",
	copyid.CodeRemoteClosed: "the connection ended",
	copyid.CodeGarbled:      "another program answered in place of the one that was started (a forced command or the like)",
	copyid.CodeDirectory:    "FILE is a directory, not a file",
	copyid.CodeIrregular:    "FILE is not a regular file",
	copyid.CodeUnreadable:   "FILE cannot be read by this account",
	copyid.CodeLocked:       "FILE is locked by another program that does not let go",
	copyid.CodeFull:         "no space left on the disk of FILE",
	copyid.CodeQuota:        "the disk quota of the account is used up, FILE cannot grow",
	copyid.CodeReadOnly:     "FILE is on a read-only file system",
	copyid.CodeWriteDenied:  "FILE may not be written by this account",
	copyid.CodeImmutable:    "FILE is protected against changes (an immutable or append-restricted file)",
	copyid.CodeNotDir:       "a part of the path FILE is a file, not a directory",
	copyid.CodeTooMuch:      "the server sends more than it should: a start-up file of the account may print without end",
	copyid.CodeNoTool:       "the server lacks a program that is needed to change FILE",
	copyid.CodeFailed:       "changing FILE failed",
}

// reasonText says why, and whether what the server said may follow.
func reasonText(e *copyid.RemoteError) (text string, quoted bool) {
	path := orDefault(e.Path)
	switch e.Code {
	case copyid.CodeRefused:
		if e.Stage == copyid.StageOpen {
			return "the server opens no session for this account", true
		}
	case copyid.CodeNotSFTP:
		if e.Detail == "" {
			return reasonWords[e.Code] + ": it ended without a word", true
		}
	case copyid.CodeNotText:
		return path + " is in UTF-16, which sshd cannot read, so nothing was appended; save it as UTF-8 first" + reencodeAdvice(e), true
	case copyid.CodeNoPowerShell, copyid.CodeWindowsPath:
		return windowsSentence(e), false
	case copyid.CodeSilent:
		return silentSentence(e.Awaited), true
	case copyid.CodeNotRoot, copyid.CodeNoAccount, copyid.CodeIsRoot, copyid.CodeCannotSwitch:
		return accountSentence(e), false
	case copyid.CodeForeign:
		return fmt.Sprintf("another account can change what %s leads to, and root would write there; "+
			"use --for-user to write with that account's rights, or -f to write all the same", shellText(e.Detail)), false
	case copyid.CodeNoHome:
		return fmt.Sprintf("the home directory of the account, %s, does not exist: create it on the server first", shellText(e.Detail)), false
	}
	words, known := reasonWords[e.Code]
	if !known {
		return fmt.Sprintf("changing %s failed (%s)", path, codeWords(e.Code)), true
	}
	return strings.ReplaceAll(words, "FILE", path), e.Code != copyid.CodeGarbled && e.Code != copyid.CodeTooMuch
}

// closedAccount says why an account lets in and runs nothing; "" where that is
// not known.
func closedAccount(e *copyid.RemoteError) string {
	switch e.Closure {
	case copyid.PasswordExpired:
		return "the account's password has expired, and the server runs nothing until it is changed: log in with ssh, change it, and run this again"
	case copyid.AccountExpired:
		return "the account has expired, and the server runs nothing for it"
	case copyid.RootOnly:
		return "the server lets only root log in at present (nologin)"
	}
	return ""
}

// sftpSentence says why SFTP failed in place of a shell.
func sftpSentence(e *copyid.RemoteError) string {
	switch {
	case e.Code == copyid.CodeSilent:
		return silentSentence(e.Awaited)
	case e.Code == copyid.CodeNotSFTP && e.Detail == "":
		return "it ended without a word"
	case e.Code == copyid.CodeNotSFTP:
		return "in its place the server said: " + shellText(e.Detail)
	case e.Detail != "":
		return shellText(e.Detail)
	}
	return codeWords(e.Code)
}

// codeWords is a code as words of a sentence.
func codeWords(code copyid.Code) string {
	switch code {
	case copyid.CodeReadOnly:
		return "read-only file system"
	case copyid.CodeWriteDenied:
		return "permission denied"
	case copyid.CodeImmutable:
		return "operation not permitted"
	}
	return strings.ReplaceAll(string(code), "-", " ")
}

// silentSentence says what the server did not do in time, and what may help.
func silentSentence(awaited copyid.Awaited) string {
	switch awaited {
	case copyid.AwaitChannel:
		return "the server did not open a session in time"
	case copyid.AwaitCommand:
		return "the server did not run a command in time"
	case copyid.AwaitShell:
		return "the account's shell did not start in time: look at its start-up files"
	case copyid.AwaitSFTP:
		return "the SFTP server did not start in time: look at the start-up files of the account's shell"
	case copyid.AwaitReply:
		return "the SFTP server did not reply in time"
	}
	return "the server did not finish its answer in time"
}

// accountSentence says why --for-user could not be done.
func accountSentence(e *copyid.RemoteError) string {
	switch {
	case e.Windows:
		return "--for-user is not supported on a Windows server, where no program may act as another account without its password: log in as that account"
	case e.Code == copyid.CodeNotRoot:
		return "--for-user needs a login as root, and this account is not"
	case e.Code == copyid.CodeNoAccount:
		return "the server has no account of the name that --for-user gives"
	case e.Code == copyid.CodeIsRoot:
		return "the account that --for-user gives is root itself: leave the option out"
	}
	return "the server has no program that runs a command as another account (runuser, setpriv, su, sudo, doas): " + shellText(e.Detail)
}

// shellPrefix is what a shell puts before a message: its name and the place in
// a script that nobody here has seen.
var shellPrefix = regexp.MustCompile(`^[\w./-]*sh: (?:line )?\d+: (?:eval: )?(?:line \d+: )?`)

// shellText is what a remote shell said, on one line and without its own name.
func shellText(text string) string {
	text = shellPrefix.ReplaceAllString(strings.TrimSpace(text), "")
	// A restricted shell repeats the command, which tells nobody anything.
	if before, _, found := strings.Cut(text, "sh -c 'x=;"); found {
		text = strings.TrimRight(before, "' \"") + " (the command that was sent)"
	}
	return term.Escape(strings.ReplaceAll(strings.TrimRight(text, "."), "\n", " / "))
}
