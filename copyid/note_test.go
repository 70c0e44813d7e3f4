package copyid

import (
	"testing"

	"ssh-copy-id/internal/remote"
)

// TestNoteKinds: each note of a session is one of those that a report may have.
func TestNoteKinds(t *testing.T) {
	public := map[NoteKind]bool{
		NoteChmod: true, NoteNoModes: true, NoteForeign: true, NoteEveryAccount: true, NoteMoreFiles: true, NoteNoFile: true,
		NoteOtherFile: true, NoteByteOrderMark: true, NoteNoPowerShell: true, NoteAccess: true, NoteSharedAccess: true,
		NoteWriters: true, NoteOwner: true, NoteAccessFailed: true, NoteAccessUnread: true,
	}
	for _, kind := range []remote.NoteKind{
		remote.NoteChmod, remote.NoteNoModes, remote.NoteForeign, remote.NoteEveryAccount, remote.NoteMoreFiles, remote.NoteNoFile,
		remote.NoteOtherFile, remote.NoteByteOrderMark, remote.NoteNoPowerShell, remote.NoteAccess, remote.NoteSharedAccess,
		remote.NoteWriters, remote.NoteOwner, remote.NoteAccessFailed, remote.NoteAccessUnread,
	} {
		if got := notes([]remote.Note{{Kind: kind}}); len(got) != 1 || !public[got[0].Kind] {
			t.Errorf("%s: %v", kind, got)
		}
	}
}
