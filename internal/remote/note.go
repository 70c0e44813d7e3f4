package remote

import (
	"fmt"
	"strings"
)

// NoteKind is what a [Note] is about.
type NoteKind string

// The kinds.
const (
	NoteChmod        NoteKind = "chmod"         // Detail: how it failed, in the words of the tool
	NoteNoModes      NoteKind = "no modes"      // chmod has no effect on Path
	NoteForeign      NoteKind = "foreign"       // another account can change what Path leads to
	NoteEveryAccount NoteKind = "every account" // a key in Path lets its owner in to every local account (Citrix NetScaler)
	NoteMoreFiles    NoteKind = "more files"    // ~/.ssh/authorized_keys.d holds files too
	NoteNoFile       NoteKind = "no file"       // keys go into the configuration, whatever Options.Target says (ScreenOS)

	// On Windows alone.
	NoteOtherFile     NoteKind = "other file"             // sshd reads Names, not Path
	NoteByteOrderMark NoteKind = "byte order mark"        // at the start of Path
	NoteNoPowerShell  NoteKind = "no powershell.exe"      // so the access list of Path was not checked
	NoteAccess        NoteKind = "access list changed"    // only the account, administrators and SYSTEM can write to Path; Owner had it before, and Names were taken from its list
	NoteSharedAccess  NoteKind = "shared file taken over" // the same, of the file of all administrators, which is theirs alone now
	NoteWriters       NoteKind = "writers"                // Names may write to Path
	NoteOwner         NoteKind = "owner"                  // Path belongs to Owner
	NoteAccessFailed  NoteKind = "access list unchanged"  // Detail: why it could not be changed
	NoteAccessUnread  NoteKind = "access list unread"     // Detail: why it could not be looked at
)

// Note is a remark on a change: something that is odd about the file, or that
// could not be done. Its texts are the server's, not escaped.
type Note struct {
	Kind   NoteKind
	Path   string
	Names  []string
	Owner  string
	Detail string
}

// String shows the facts, for tests.
func (n Note) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", n.Kind, n.Path, n.Owner, strings.Join(n.Names, ","), n.Detail))
}

// scriptNote is a note of the remote script: a word, and what it is about.
func scriptNote(value string) (Note, bool) {
	word, rest, _ := strings.Cut(value, " ")
	switch word {
	case "chmod":
		return Note{Kind: NoteChmod, Detail: rest}, rest != ""
	case "foreign":
		return Note{Kind: NoteForeign, Path: rest}, rest != ""
	case "everyaccount":
		return Note{Kind: NoteEveryAccount, Path: rest}, rest != ""
	case "morefiles":
		return Note{Kind: NoteMoreFiles}, rest == ""
	}
	return Note{}, false
}
