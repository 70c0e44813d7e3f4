package copyid

import (
	"io/fs"
	"slices"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/sshconfig"
)

// Report is what was done on one host.
type Report struct {
	Target Target `json:"target"`
	// User, HostName and Port are what the destination resolved to.
	User     string `json:"user"`
	HostName string `json:"hostName"`
	Port     int    `json:"port"`
	// Path is the target file as the server names it; "" where it was neither
	// read nor changed because the server accepts every key already.
	Path string `json:"path,omitzero"`
	// ServerVersion is the server's identification string, not escaped.
	ServerVersion string `json:"serverVersion,omitzero"`
	// Size is the length of the target file after the change, in bytes; 0
	// where it was not touched.
	Size int64 `json:"size,omitzero"`
	// Keys holds what became of each key.
	Keys []KeyState `json:"keys"`
	// Created are the files and directories that were made.
	Created []string `json:"created,omitzero"`
	// Repaired are the modes that were changed.
	Repaired []Repair `json:"repaired,omitzero"`
	// Notes are remarks on the change.
	Notes []Note `json:"notes,omitzero"`
	// SFTP is true where the file was changed through SFTP, asked for or not.
	SFTP bool `json:"sftp,omitzero"`
	// Unheard is true where no answer came to the change, and that the server
	// refused the keys before and accepts them now shows that it was made.
	Unheard bool `json:"unheard,omitzero"`
	// Shared is true where Path is the file of all administrators of a Windows
	// server. The keys are then verified whatever Options.NoVerify says.
	Shared bool `json:"shared,omitzero"`
	// Verification is what the server said afterwards.
	Verification Verification `json:"verification,omitzero"`
	// Login is what ssh_config says about logging in with a key.
	Login LoginSettings `json:"login,omitzero"`
}

// LoginSettings are the settings of ssh_config that decide which keys ssh offers
// to a host.
type LoginSettings struct {
	// IdentityFiles are the files of IdentityFile, or ssh's defaults where
	// IdentityFilesConfigured is false.
	IdentityFiles           []string `json:"identityFiles,omitzero"`
	IdentityFilesConfigured bool     `json:"identityFilesConfigured,omitzero"`
	IdentitiesOnly          bool     `json:"identitiesOnly,omitzero"`
	// IdentityAgent is a socket, "none", or "" for the agent of the environment.
	IdentityAgent        string `json:"identityAgent,omitzero"`
	PubkeyAuthentication bool   `json:"pubkeyAuthentication,omitzero"`
	// BatchMode reports whether the user is not to be asked anything.
	BatchMode bool `json:"batchMode,omitzero"`
	// Methods are the PreferredAuthentications; nil for the default.
	Methods []string `json:"methods,omitzero"`
	// KeyAlgorithms are the names of PubkeyAcceptedAlgorithms.
	KeyAlgorithms []string `json:"keyAlgorithms,omitzero"`
}

func loginSettings(h *sshconfig.Host) LoginSettings {
	return LoginSettings{
		IdentityFiles: h.IdentityFiles, IdentityFilesConfigured: h.IdentityFilesConfigured, IdentitiesOnly: h.IdentitiesOnly,
		IdentityAgent: h.IdentityAgent, BatchMode: h.BatchMode, PubkeyAuthentication: h.PubkeyAuthentication, Methods: h.PreferredAuthentications,
		KeyAlgorithms: sshconfig.KeyTypes.Names(h.PubkeyAcceptedAlgorithms),
	}
}

// Added are the identities that were added, in order.
func (r *Report) Added() []identity.Identity { return withOutcome(r.Keys, Added) }

// Present are the keys that the target file held already, as they would have
// been added.
func (r *Report) Present() []identity.Identity { return withOutcome(r.Keys, Present) }

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

// report begins the report of a task.
func (t *task) report() *Report {
	return &Report{Target: t.Target, User: t.User, HostName: t.HostName, Port: t.Port, Login: t.Login}
}

// take fills the report from the task as it was carried out.
func (r *Report) take(t *task, result *remote.Result) {
	r.Keys, r.Path = slices.Clone(t.keys), result.State.Path
	for i := range r.Keys {
		if r.Keys[i].Outcome == Add {
			r.Keys[i].Outcome = Added
		}
	}
	r.ServerVersion, r.Size = t.conn.ServerVersion, result.State.Size
	r.Created, r.Notes, r.SFTP, r.Shared = result.Created, notes(result.Notes), t.sftp, result.Shared
	for _, repair := range result.Repaired {
		r.Repaired = append(r.Repaired, Repair{Path: repair.Path, From: repair.From, To: repair.To})
	}
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
	Path string      `json:"path"`
	From fs.FileMode `json:"from,omitzero"`
	To   fs.FileMode `json:"to,omitzero"`
}

// Verification is what the server says about the keys after the change.
type Verification struct {
	// Done is false where the server was not asked, or Err kept us from it.
	Done bool `json:"done"`
	// Accepted and Refused are the keys asked about.
	Accepted []identity.Identity `json:"accepted,omitzero"`
	Refused  []identity.Identity `json:"refused,omitzero"`
	// Unasked are keys that were not asked about: the server had refused too
	// many others, or Methods leave no room for a key, or its answer means
	// nothing (AcceptsEveryKey).
	Unasked []identity.Identity `json:"unasked,omitzero"`
	// AcceptsEveryKey reports whether the server says yes to keys that nobody has.
	AcceptsEveryKey bool `json:"acceptsEveryKey,omitzero"`
	// NoKeyAsked reports whether the server lets the account in without a key, so
	// that nothing could be verified.
	NoKeyAsked bool `json:"noKeyAsked,omitzero"`
	// Methods are the authentication methods the server offered last.
	Methods []string `json:"methods,omitzero"`
	// KeysOff is true where ssh_config has PubkeyAuthentication no.
	KeysOff bool `json:"keysOff,omitzero"`
	// LoggedIn reports whether one of the keys logged in and our own command
	// answered, or an SFTP session where the file was changed through one.
	LoggedIn bool `json:"loggedIn,omitzero"`
	// Nowhere is the login with one of the keys that led nowhere; nil mostly.
	// The key is in none of the lists.
	Nowhere *LoginError `json:"nowhere,omitzero"`
	// Causes are the likely reasons for a refusal, the likeliest first.
	Causes []Cause `json:"causes,omitzero"`
	// Err is why the server could not be asked.
	Err error `json:"err,omitzero"`
}
