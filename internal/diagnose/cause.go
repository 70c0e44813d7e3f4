package diagnose

import (
	"io/fs"

	"ssh-copy-id/authkeys"
)

// CauseKind is a reason why a server refuses a key that its file holds.
type CauseKind string

// The kinds, the most likely first.
const (
	CauseLine       CauseKind = "line"                 // Finding: the key is on a line that lets nobody in
	CausePubkey     CauseKind = "PubkeyAuthentication" // keys are not asked for at all
	CauseOptions    CauseKind = "options"              // Value: the key's options, which may forbid this login
	CauseAbsent     CauseKind = "absent"               // the file does not hold Key
	CauseFile       CauseKind = "file"                 // nothing wrong can be seen: another file is read, or the key is not accepted
	CauseMissing    CauseKind = "missing"              // there is no such file; with Value it is a dir or other
	CauseOtherFile  CauseKind = "AuthorizedKeysFile"   // sshd reads Files, not Path
	CauseMode       CauseKind = "mode"                 // others may write (safe_path in misc.c)
	CauseOwner      CauseKind = "owner"                // neither the account's nor root's
	CauseUnreadable CauseKind = "unreadable"           // the account may not read the file
	CauseEncrypted  CauseKind = "encrypted home"       // Value: ecryptfs or fscrypt
	CauseLabel      CauseKind = "SELinux label"        // Value: the context
	CauseKeyType    CauseKind = "key type"             // Key is none of PubkeyAcceptedAlgorithms, Value
	CauseRSASize    CauseKind = "RequiredRSASize"      // Key is shorter than Value bits
	CauseRoot       CauseKind = "PermitRootLogin"      // Value: no or forced-commands-only
	CauseUsers      CauseKind = "users"                // Option: AllowUsers, DenyUsers or one of the groups
	CauseMethods    CauseKind = "AuthenticationMethods"
	CauseExpired    CauseKind = "expired" // Value: the first day it was; empty: the password
	CauseLocked     CauseKind = "locked"
	CauseShell      CauseKind = "shell"                 // Value lets nobody in, or is not in /etc/shells
	CauseACL        CauseKind = "access control list"   // Value grants somebody write access
	CauseCommand    CauseKind = "AuthorizedKeysCommand" // Value is asked for keys as well
	CauseImmutable  CauseKind = "immutable"             // no program can add keys
	CauseRevoked    CauseKind = "RevokedKeys"           // Value: the file, which may list a key

	// On Windows alone: the file is in Value, such as UTF-16; Value may write to
	// it; the other file there is, Files, which holds a key (Value is
	// "key", or "key read" where sshd reads it),
	// does not ("no key") or is missing ("missing").
	CauseEncoding  CauseKind = "encoding"
	CauseWriter    CauseKind = "access list"
	CauseElsewhere CauseKind = "elsewhere"
)

var causeOrder = []CauseKind{CausePubkey, CauseMissing, CauseOtherFile, CauseEncoding, CauseWriter, CauseMode, CauseOwner, CauseUnreadable,
	CauseEncrypted, CauseLabel, CauseKeyType, CauseRSASize, CauseRevoked, CauseRoot, CauseUsers, CauseMethods, CauseExpired, CauseLocked,
	CauseShell, CauseACL, CauseCommand, CauseImmutable, CauseElsewhere}

// Cause is one likely reason. Its texts may come from the server and are not
// escaped.
type Cause struct {
	Kind CauseKind `json:"kind"`
	// Path is the file or directory it is about; "" for none.
	Path string `json:"path,omitzero"`
	// Mode and Owner are what Path has.
	Mode  fs.FileMode `json:"mode,omitzero"`
	Owner string      `json:"owner,omitzero"`
	// Option is the keyword of sshd_config, in lower case, and Value what it
	// is set to, or what else is against the key; see the kinds.
	Option string `json:"option,omitzero"`
	Value  string `json:"value,omitzero"`
	// Files are where sshd looks for keys, for CauseOtherFile.
	Files []string `json:"files,omitzero"`
	// Key is the key it is about, where it is not about all of them.
	Key authkeys.Entry `json:"key,omitzero"`
	// Finding is what is wrong with the line, and Reader who reads it, for
	// CauseLine.
	Finding authkeys.Finding `json:"finding,omitzero"`
	Reader  authkeys.Reader  `json:"reader,omitzero"`
	// Fix is the command that removes the cause, for root's shell on the server;
	// with InConfig the line to put into sshd_config. "" for none.
	Fix      string `json:"fix,omitzero"`
	InConfig bool   `json:"inConfig,omitzero"`
	// Unsure reports whether what it rests on is open to doubt.
	Unsure bool `json:"unsure,omitzero"`
	// Informational reports whether it keeps no key out by itself.
	Informational bool `json:"informational,omitzero"`
}
