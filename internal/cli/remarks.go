package cli

import (
	"fmt"
	"io/fs"
	"strings"
	"time"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/owneronly"
	"ssh-copy-id/internal/term"
)

// remark is what a run finds worth a word on its way. Each is a type of its own:
// the facts are its fields, and words puts them into a message.
type remark interface{ words() message }

// Remarks on signals and the environment.

// waitingForChange: a signal has come in the middle of a change.
type waitingForChange struct{}

func (waitingForChange) words() message {
	return infof("interrupted; waiting until the change that was begun is complete (once more ends at once)")
}

// askpassUnusable: SSH_ASKPASS names no program that can be run.
type askpassUnusable struct {
	value string
	err   error
}

func (r askpassUnusable) words() message {
	return warningf("SSH_ASKPASS names no program that can be run: %s: %s", term.Escape(r.value), systemText(r.err))
}

// askpassQuoted: SSH_ASKPASS has quotes around its value, bare.
type askpassQuoted struct{ bare string }

func (r askpassQuoted) words() message {
	return warningf("the value of SSH_ASKPASS has quotes around it, which are left out: %s", term.Escape(r.bare))
}

// socketQuoted: SSH_AUTH_SOCK has quotes around its value.
type socketQuoted struct{}

func (socketQuoted) words() message {
	return warningf("the value of SSH_AUTH_SOCK has quotes around it, which are left out")
}

// passwordExposed: others may read the file of --password-file.
type passwordExposed struct {
	path string
	mode fs.FileMode
}

func (r passwordExposed) words() message {
	return warningf("the password in '%s' can be read by others (mode %04o)", term.Escape(r.path), r.mode.Perm())
}

// Remarks on agents.

// agentUnreachable: the agent that a setting names cannot be opened.
type agentUnreachable struct {
	agent agentPlace
	err   error
}

func (r agentUnreachable) words() message {
	return warningf("no keys are taken from %s: %s", agentText(r.agent), term.Escape(systemText(r.err)))
}

// agentSilent: the agent does not answer.
type agentSilent struct {
	agent agentPlace
	err   error
}

func (r agentSilent) words() message {
	return warningf("no keys are taken from %s: %s", agentText(r.agent), term.Excerpt(r.err.Error()))
}

// commentsCleaned: some comments of the agent's keys hold what could steer a terminal.
type commentsCleaned struct{ count int }

func (r commentsCleaned) words() message {
	return infof("control characters and bidirectional overrides in %s of the agent become '?'", count(r.count, "comment"))
}

// agentConfirms: the agent asks its user before it signs.
type agentConfirms struct{ key string }

func (r agentConfirms) words() message {
	return infof("waiting for the agent to confirm the use of key '%s'", term.Escape(r.key))
}

// Remarks on the keys to install.

// keySkipped: a key of the source is not one to install.
type keySkipped struct{ identity.Skipped }

func (r keySkipped) words() message {
	return warningf("not installed: %s: %s", describe(r.Identity), r.Reason)
}

// typeUnknown: keys of this type are installed, and cannot be tried.
type typeUnknown struct{ name string }

func (r typeUnknown) words() message {
	return infof("keys of the type %s cannot sign here: the server is asked whether it accepts them, and no login is tried with them", term.Escape(r.name))
}

// passedOver: a default identity cannot be used, and an older one is.
type passedOver struct{ err error }

func (r passedOver) words() message { return warningf("passed over: %s", sentence(r.err)) }

// publicHalf: the key was read from a private key, in place of the file missing.
type publicHalf struct {
	origin  identity.Origin
	missing string
}

func (r publicHalf) words() message {
	path := term.Escape(r.origin.Path)
	switch {
	case r.origin.Format != identity.FormatPPK:
		return infof(`"%s" does not exist: the public half of the private key is used`, term.Escape(r.missing))
	case r.origin.UTF16:
		return infof(`the public half of the PuTTY key "%s" is used`, path)
	}
	return infof(`the public half of the PuTTY key "%s" is used; PuTTY can log in with this file, ssh cannot`, path)
}

// inUTF16: the key's file is in UTF-16.
type inUTF16 struct{ origin identity.Origin }

func (r inUTF16) words() message {
	path := term.Escape(r.origin.Path)
	if r.origin.Format.Private() {
		return warningf(`"%s" is in UTF-16, and no program can log in with it; save it as UTF-8`, path)
	}
	return warningf(`"%s" is in UTF-16, which ssh cannot read; its keys were read all the same, save it as UTF-8`, path)
}

// Remarks on --keygen.

// keygenIdle: there is a key, and none is made.
type keygenIdle struct{}

func (keygenIdle) words() message {
	return infof("--keygen has nothing to do: there is a key already")
}

// keyMade: a key was made.
type keyMade struct {
	path string // of the private half
	key  identity.Identity
}

func (r keyMade) words() message {
	return infof("made a new key: '%s', %s", term.Escape(r.path), describe(r.key))
}

// keyUnprotected: the key that was made has no passphrase.
type keyUnprotected struct{}

func (keyUnprotected) words() message {
	return infof("the key has no passphrase: whoever can read that file can log in with it")
}

// keyKept: the run has failed, and the key that it made stays.
type keyKept struct{ path string }

func (r keyKept) words() message {
	return infof("the new key '%s' stays: the next run installs it", term.Escape(r.path))
}

// Remarks on the work on a host.

// connectionNotShared: ssh would go through this socket, and not log in.
type connectionNotShared struct{ socket string }

func (r connectionNotShared) words() message {
	return infof("the shared connection at %s (ControlPath) is not used: this program logs in by itself", term.Escape(r.socket))
}

// fileLocked: another program, which calls itself holder, is changing the file.
type fileLocked struct{ holder string }

func (r fileLocked) words() message {
	return message{plain, fmt.Sprintf("waiting for another program that is changing the file (%s)", r.holder)}
}

// serverAwaited: the server has not done what it is waited for.
type serverAwaited struct {
	what    copyid.Awaited
	elapsed time.Duration
}

func (r serverAwaited) words() message {
	what := map[copyid.Awaited]string{
		copyid.AwaitChannel: "the server to open a session",
		copyid.AwaitCommand: "the server to run a command",
		copyid.AwaitShell:   "the account's shell to start",
		copyid.AwaitAnswer:  "the server to finish its answer",
		copyid.AwaitSFTP:    "the SFTP server to start",
		copyid.AwaitReply:   "the SFTP server to reply",
	}[r.what]
	return message{plain, fmt.Sprintf("waiting for %s, for %d seconds so far", what, r.elapsed/time.Second)}
}

// asking: the server is about to be asked which keys it accepts.
type asking struct{}

func (asking) words() message {
	return infof("attempting to log in with the new key(s), to filter out any that are already installed")
}

// remaining: so many keys are not accepted yet.
type remaining struct{ count int }

func (r remaining) words() message {
	return infof("%d key(s) remain to be installed -- if you are prompted now it is to install the new keys", r.count)
}

// sharedFile: the keys are about to go into the file of all administrators of a
// Windows server.
type sharedFile struct{ path string }

func (r sharedFile) words() message {
	return infof("the file is %s, which all administrators share: whoever holds the key can log in as each of them", term.Escape(r.path))
}

// installing: a key is about to be written.
type installing struct{ key identity.Identity }

func (r installing) words() message {
	options := ""
	if len(r.key.Entry.Options) > 0 {
		options = ", with options " + optionText(r.key.Entry.Options)
	}
	return infof("key to install: %s%s", describe(r.key), options)
}

// exposed: ssh.exe refuses a file for its access list.
type exposed struct {
	found *owneronly.Exposure
	use   owneronly.Use
}

func (r exposed) words() message {
	what, access := "ssh.exe will ignore the private key", "have access to it"
	if r.use == owneronly.ConfigFile {
		what, access = "ssh.exe will not start with", "may change it"
	}
	var why []string
	if r.found.Owner != "" {
		why = append(why, "it belongs to "+r.found.Owner)
	}
	if len(r.found.Others) > 0 {
		why = append(why, "others than you "+access+" ("+strings.Join(r.found.Others, ", ")+")")
	}
	text := term.Escape(what + " '" + r.found.Path + "': " + strings.Join(why, ", and "))
	for _, command := range r.found.Mend {
		text += "\n\t(to change that: " + term.Escape(command) + ")"
	}
	return message{warning, text}
}
