package copyid

import (
	"golang.org/x/crypto/ssh"

	"ssh-copy-id/identity"
)

// Goal is what is to be true of the target file.
type Goal struct {
	// Present are the keys that are to be in it.
	Present []identity.Identity `json:"present"`
	// Absent are keys that are not to be in it. Nothing removes keys yet: a Goal
	// that has any is refused with ErrAbsent before anything is done.
	Absent []ssh.PublicKey `json:"-"`
}

// distinctKeys drops identities whose key came before: one line is enough.
func distinctKeys(ids []identity.Identity) []identity.Identity {
	seen := map[string]bool{}
	var kept []identity.Identity
	for _, id := range ids {
		if blob := id.Entry.Blob(); !seen[blob] {
			seen[blob] = true
			kept = append(kept, id)
		}
	}
	return kept
}
