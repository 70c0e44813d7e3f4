package cli

import (
	"fmt"
	"strings"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/term"
)

// noteSentence is about something odd that came up with a change.
func noteSentence(n copyid.Note) string {
	text := windowsNote(n)
	switch n.Kind {
	case copyid.NoteChmod:
		text = n.Detail
	case copyid.NoteNoModes:
		text = "chmod has no effect on " + n.Path
	case copyid.NoteForeign:
		text = "another account can change what " + n.Path + " leads to"
	case copyid.NoteEveryAccount:
		text = n.Path + " opens every local account; neither /flash nor /flash/nsconfig may be writable for the group or others"
	case copyid.NoteMoreFiles:
		text = "~/.ssh/authorized_keys.d holds files, which the server may read before authorized_keys"
	case copyid.NoteNoFile:
		text = "ScreenOS keeps keys in its configuration, not in the file that was named"
	}
	return term.Escape(text)
}

// maxNote bounds what is shown of a note about a Windows server, in bytes: an
// access list may have any number of entries.
const maxNote = 1000

// windowsNote is noteSentence for Windows servers, not escaped; "" for other
// notes.
func windowsNote(n copyid.Note) string {
	text := ""
	switch n.Kind {
	case copyid.NoteOtherFile:
		text = fmt.Sprintf("sshd reads keys of this account from %s, not from %s (AuthorizedKeysFile in its sshd_config)",
			strings.Join(n.Names, " and "), n.Path)
	case copyid.NoteByteOrderMark:
		text = n.Path + " begins with a byte order mark: sshd does not understand its first line"
	case copyid.NoteNoPowerShell:
		text = "powershell.exe cannot be run on the server: SFTP alone was used, and the access list of " + n.Path + " was not checked"
	case copyid.NoteAccess:
		text = fmt.Sprintf("nobody but the account, administrators and SYSTEM can write to %s any more", n.Path) + accessText(n)
	case copyid.NoteSharedAccess:
		text = n.Path + " belongs to Administrators and SYSTEM alone now" + accessText(n)
	case copyid.NoteWriters:
		text = fmt.Sprintf("others may write to %s, so sshd ignores it: %s", n.Path, strings.Join(n.Names, ", "))
	case copyid.NoteOwner:
		text = fmt.Sprintf("%s belongs to %s, so sshd ignores it", n.Path, n.Owner)
	case copyid.NoteAccessFailed:
		text = fmt.Sprintf("changing the access list of %s failed: %s", n.Path, n.Detail)
	case copyid.NoteAccessUnread:
		text = fmt.Sprintf("the access list of %s could not be looked at: %s", n.Path, n.Detail)
	}
	return strings.ToValidUTF8(text[:min(len(text), maxNote)], "")
}

// accessText is what an access list had that it has no more.
func accessText(n copyid.Note) string {
	text := ""
	if n.Owner != "" {
		text = "; it belonged to " + n.Owner
	}
	if len(n.Names) > 0 {
		text += "; taken from its access list: " + strings.Join(n.Names, ", ")
	}
	return text
}
