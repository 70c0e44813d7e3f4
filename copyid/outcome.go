package copyid

import (
	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
)

// Outcome is what is to become of a key, or what became of it. The words are
// stable. Those for removal, "remove", "removed" and "absent", are reserved.
type Outcome string

// The outcomes.
const (
	// Add: the key is not there, and is to be added. It is in a plan, and in a
	// diagnosis for a key that is not there.
	Add Outcome = "add"
	// Added: the key was added. It is in a report.
	Added Outcome = "added"
	// Accepted: the server says it accepts the key already.
	Accepted Outcome = "accepted"
	// Present: the target file holds the key as it would be installed, or
	// without options where it would be installed without.
	Present Outcome = "present"
	// PresentOtherOptions: the target file holds the key with other options.
	PresentOtherOptions Outcome = "present-other-options"
	// Ineffective: the target file holds the very line that would be added, and
	// the server does not let the key in by it. Findings say why.
	Ineffective Outcome = "ineffective"
)

// KeyState is what is known of one key.
type KeyState struct {
	Identity identity.Identity `json:"identity"`
	Outcome  Outcome           `json:"outcome"`
	// Line is the number of the line in the target file that holds the key,
	// counted from 1; 0 where that is not known.
	Line int `json:"line,omitzero"`
	// ExistingOptions are the options the key has on that line; nil for none.
	ExistingOptions []string `json:"existingOptions,omitzero"`
	// EffectiveLine is the line by which sshd lets the key in, as far as the file
	// shows; 0 for none, or where the file was not read.
	EffectiveLine int `json:"effectiveLine,omitzero"`
	// Findings are the lines that hold the key and do not do what they seem to.
	Findings []authkeys.Finding `json:"findings,omitzero"`
	// Refused reports whether the server, asked about the key before anything was
	// changed, said no.
	Refused bool `json:"refused,omitzero"`
	// Reader is the server that reads the file, as far as its version shows.
	Reader authkeys.Reader `json:"reader"`
	// FileChecked reports of a key with the outcome Accepted whether the target
	// file was searched for it; Line is 0 then where another source lets it in.
	FileChecked bool `json:"fileChecked,omitzero"`
}

// New reports whether the key is not there and is to be added, or was.
func (k *KeyState) New() bool { return k.Outcome == Add || k.Outcome == Added }

// withOutcome are the identities of the keys with an outcome, in order.
func withOutcome(keys []KeyState, outcome Outcome) []identity.Identity {
	var ids []identity.Identity
	for _, k := range keys {
		if k.Outcome == outcome {
			ids = append(ids, k.Identity)
		}
	}
	return ids
}

// Evidence is what a plan rests on.
type Evidence string

// The kinds of evidence.
const (
	// NoEvidence: nothing was looked at, since the keys are added all the same.
	NoEvidence Evidence = "none"
	// FromQueries: the server was asked about keys; the file was not read.
	FromQueries Evidence = "queries"
	// FromFile: the target file was read.
	FromFile Evidence = "file"
)
