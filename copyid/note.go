package copyid

import "ssh-copy-id/internal/remote"

// NoteKind is what a [Note] is about. The words are stable.
type NoteKind string

// The kinds.
const (
	// NoteChmod: a mode could not be changed; Detail has the server's words.
	NoteChmod NoteKind = "chmod"
	// NoteNoModes: chmod has no effect on Path.
	NoteNoModes NoteKind = "no modes"
	// NoteForeign: another account can change what Path leads to.
	NoteForeign NoteKind = "foreign"
	// NoteEveryAccount: a key in Path lets its owner in to every local account, as
	// on a Citrix NetScaler.
	NoteEveryAccount NoteKind = "every account"
	// NoteMoreFiles: ~/.ssh/authorized_keys.d holds files, which the server may
	// read before authorized_keys.
	NoteMoreFiles NoteKind = "more files"
	// NoteNoFile: the keys went into the configuration of the device, and not into
	// the file of Options.TargetPath.
	NoteNoFile NoteKind = "no file"

	// NoteOtherFile: sshd on Windows reads Names for this account, not Path.
	NoteOtherFile NoteKind = "other file"
	// NoteByteOrderMark: Path begins with one, so that sshd on Windows does not
	// understand its first line.
	NoteByteOrderMark NoteKind = "byte order mark"
	// NoteNoPowerShell: a Windows server has no powershell.exe that can be run, so
	// the access list of Path was not checked.
	NoteNoPowerShell NoteKind = "no powershell.exe"
	// NoteAccess: the access list of Path was changed, so that only the account,
	// administrators and SYSTEM can write to it. It belonged to Owner, and Names
	// were taken from the list.
	NoteAccess NoteKind = "access list changed"
	// NoteSharedAccess: the same of the file that all administrators share, which
	// belongs to Administrators and SYSTEM alone now.
	NoteSharedAccess NoteKind = "shared file taken over"
	// NoteWriters: Names may write to Path, so sshd ignores it.
	NoteWriters NoteKind = "writers"
	// NoteOwner: Path belongs to Owner, so sshd ignores it.
	NoteOwner NoteKind = "owner"
	// NoteAccessFailed: the access list of Path could not be changed, for Detail.
	NoteAccessFailed NoteKind = "access list unchanged"
	// NoteAccessUnread: the access list of Path could not be looked at, for Detail.
	NoteAccessUnread NoteKind = "access list unread"
)

// Note is a remark on a change: something that is odd about the file, or that
// could not be done. Its texts are the server's, not escaped.
type Note struct {
	Kind   NoteKind `json:"kind"`
	Path   string   `json:"path,omitzero"`
	Names  []string `json:"names,omitzero"`
	Owner  string   `json:"owner,omitzero"`
	Detail string   `json:"detail,omitzero"`
}

func notes(list []remote.Note) []Note {
	var notes []Note
	for _, n := range list {
		notes = append(notes, Note{NoteKind(n.Kind), n.Path, n.Names, n.Owner, n.Detail})
	}
	return notes
}
