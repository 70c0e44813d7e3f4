package copyid

import (
	"io/fs"
	"slices"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/sshconfig"
)

// Report is what was done on one host.
type Report struct {
	Target Target
	// User, HostName and Port are what the destination resolved to.
	User, HostName string
	Port           int
	// Path is the target file as the server names it; "" where it was neither
	// read nor changed because the server accepts every key already.
	Path string
	// ServerVersion is the server's identification string, not escaped.
	ServerVersion string
	// Size is the length of the target file after the change, in bytes; 0
	// where it was not touched.
	Size int64
	// Keys holds what became of each key.
	Keys []KeyState
	// Created are the files and directories that were made.
	Created []string
	// Repaired are the modes that were changed.
	Repaired []Repair
	// Notes are remarks of the remote side, not escaped.
	Notes []string
	// SFTP is true where the file was changed through SFTP, asked for or not.
	SFTP bool
	// Unheard is true where no answer came to the change, and that the server
	// refused the keys before and accepts them now shows that it was made.
	Unheard bool
	// Shared is true where Path is the file of all administrators of a Windows
	// server. The keys are then verified whatever Options.NoVerify says.
	Shared bool
	// Verification is what the server said afterwards.
	Verification Verification
	// Login is what ssh_config says about logging in with a key.
	Login LoginSettings
}

// LoginSettings are the settings of ssh_config that decide which keys ssh offers
// to a host.
type LoginSettings struct {
	// IdentityFiles are the files of IdentityFile, or ssh's defaults where
	// IdentityFilesConfigured is false.
	IdentityFiles           []string
	IdentityFilesConfigured bool
	IdentitiesOnly          bool
	// IdentityAgent is a socket, "none", or "" for the agent of the environment.
	IdentityAgent        string
	PubkeyAuthentication bool
	// Methods are the PreferredAuthentications; nil for the default.
	Methods []string
	// KeyAlgorithms are the names of PubkeyAcceptedAlgorithms.
	KeyAlgorithms []string
}

func loginSettings(h *sshconfig.Host) LoginSettings {
	return LoginSettings{
		IdentityFiles: h.IdentityFiles, IdentityFilesConfigured: h.IdentityFilesConfigured, IdentitiesOnly: h.IdentitiesOnly,
		IdentityAgent: h.IdentityAgent, PubkeyAuthentication: h.PubkeyAuthentication, Methods: h.PreferredAuthentications,
		KeyAlgorithms: sshconfig.KeyTypes.Names(h.PubkeyAcceptedAlgorithms),
	}
}

// Added are the identities that were added, in order.
func (r *Report) Added() []identity.Identity {
	var ids []identity.Identity
	for _, k := range r.Keys {
		if k.Outcome == Added {
			ids = append(ids, k.Identity)
		}
	}
	return ids
}

// Present are the keys that the target file held already, as they would have
// been added.
func (r *Report) Present() []identity.Identity {
	var ids []identity.Identity
	for _, k := range r.Keys {
		if k.Outcome == Present {
			ids = append(ids, k.Identity)
		}
	}
	return ids
}

// Unusable are the keys that were not added because the target file has their
// very line, and that the server refuses all the same.
func (r *Report) Unusable() []KeyState {
	var keys []KeyState
	for _, k := range r.Keys {
		same := func(id identity.Identity) bool { return id.Entry.Blob() == k.Identity.Entry.Blob() }
		refused := slices.ContainsFunc(r.Verification.Refused, same)
		if !r.Verification.Done {
			refused = k.Refused && len(r.Repaired) == 0
		}
		if refused && k.unrestricted() {
			keys = append(keys, k)
		}
	}
	return keys
}

// Unusable are the keys that would not be added because the target file has
// their very line, and that the server refuses all the same.
func (p *Plan) Unusable() []KeyState {
	var keys []KeyState
	for _, k := range p.Keys {
		if k.Refused && k.unrestricted() {
			keys = append(keys, k)
		}
	}
	return keys
}

// unrestricted reports whether the file holds the key on a line without options,
// which could be why the server refuses it here and now.
func (k *KeyState) unrestricted() bool { return k.Outcome == Present && len(k.ExistingOptions) == 0 }

// notOffered reports whether the server did not offer to look at keys at all.
func (v *Verification) notOffered() bool {
	return len(v.Unasked) > 0 && !v.KeysOff && len(v.Methods) > 0 && !slices.Contains(v.Methods, "publickey")
}

// Repair is one changed mode.
type Repair struct {
	Path     string
	From, To fs.FileMode
}

// Verification is what the server says about the keys after the change.
type Verification struct {
	// Done is false where the server was not asked, or Err kept us from it.
	Done bool
	// Accepted and Refused are the keys asked about.
	Accepted, Refused []identity.Identity
	// Unasked are keys that were not asked about: the server had refused too
	// many others, or Methods leave no room for a key, or its answer means
	// nothing (AcceptsEveryKey).
	Unasked []identity.Identity
	// AcceptsEveryKey reports whether the server says yes to keys that nobody has.
	AcceptsEveryKey bool
	// NoKeyAsked reports whether the server lets the account in without a key, so
	// that nothing could be verified.
	NoKeyAsked bool
	// Methods are the authentication methods the server offered last.
	Methods []string
	// KeysOff is true where ssh_config has PubkeyAuthentication no.
	KeysOff bool
	// LoggedIn reports whether one of the keys logged in and our own command
	// answered, or an SFTP session where the file was changed through one.
	LoggedIn bool
	// Nowhere is the login with one of the keys that led nowhere; nil mostly.
	// The key is in none of the lists.
	Nowhere *LoginError
	// Causes are the likely reasons for a refusal, the likeliest first.
	Causes []Cause
	// Err is why the server could not be asked.
	Err error
}
