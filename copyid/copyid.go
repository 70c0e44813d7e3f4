// Package copyid installs public keys in the authorized_keys file of an
// account on a remote host.
//
// The work on one host has two halves. [Client.Plan] connects, finds out which
// keys the account accepts already, and decides; it changes nothing on the
// server. [Client.Apply] is the only road that writes: it adds what the plan
// wants added, provided that the file still is what the plan took it for, and
// asks the server afterwards whether it now accepts the keys.
//
// # What counts as installed
//
// A key is there already when it gets its owner in. The server is asked whether
// it accepts that very key (RFC 4252 section 7; no private key is needed to
// ask). Where the private half is at hand and asks nobody, a login with it runs
// the command "exit", whose status decides; else the word of a server counts
// that does not give it for a key that nobody has. A key is there as well when
// the target file holds it on a line that the server uses. A key that is there
// with other options is left as it is: adding a second, unrestricted line would
// widen access.
//
// # People and programs
//
// The package never prints, never exits and reads neither os.Args nor the
// environment. Whoever uses it passes what it may ask and tell through
// [Options]; a nil callback means that nobody can be asked.
package copyid

import (
	"golang.org/x/crypto/ssh/agent"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/keyring"
)

// UI holds the ways to reach a person. A nil Secret or Line means that nobody
// can be asked; a nil Notice or Debug drops the text.
type UI struct {
	// Secret asks without echo: a password or a passphrase.
	Secret func(prompt string) ([]byte, error)
	// Line asks with echo: the host key question, say.
	Line func(prompt string) (string, error)
	// Confirm asks for permission to add a key to the agent (AddKeysToAgent
	// ask); nil refuses.
	Confirm func(prompt string) bool
	// Notice shows what ssh prints by default: banners and host key warnings.
	// The text may hold newlines and comes from elsewhere: escape it.
	Notice func(text string)
	// Debug receives what `ssh -v` would tell; level is 1 to 3.
	Debug func(level int, text string)
}

// Progress tells what is about to happen, in the order in which it does. Nil
// functions are passed over.
type Progress struct {
	// Configured comes when ssh_config has been read, with its LogLevel: QUIET,
	// FATAL, ERROR, INFO, VERBOSE, DEBUG, DEBUG2 or DEBUG3.
	Configured func(logLevel string)
	// Asking comes before the server is asked which keys it accepts.
	Asking func()
	// Remaining comes when it has answered and before a person is asked for a
	// secret, with the keys it did not accept.
	Remaining func(ids []identity.Identity)
	// Installing comes immediately before the keys are written, with exactly
	// those. It does not come where the file turns out to hold all of them.
	Installing func(ids []identity.Identity)
	// Installed comes after Installing, as soon as the file has been changed and
	// before the keys are verified. It does not come after an error.
	Installed func(ids []identity.Identity)
	// NotShared comes with the socket of a connection that ssh would share
	// (ControlPath), where the login asks a person for a secret or is refused.
	NotShared func(socket string)
	// Shared comes before Installing where the file, path, is the one that all
	// administrators of a Windows server share.
	Shared func(path string)
}

// Options are what holds for every host. The zero value does what the
// ssh-copy-id command does without flags, as far as it can without a person
// to ask.
type Options struct {
	// Home is the home directory of whoever runs the program; ~ in ssh_config.
	Home string
	// User is that person's login name, the default for the remote one.
	User string
	// LookupEnv looks up the environment for ssh_config; nil is an empty one.
	LookupEnv func(name string) (value string, set bool)
	// Shell runs a ProxyCommand; "" is /bin/sh.
	Shell string

	// Force adds the keys without asking whether they are there (-f).
	Force bool
	// DryRun keeps Plan from asking anybody for a secret; Apply refuses to work
	// (-n).
	DryRun bool
	// SFTP changes the file through the sftp subsystem only (-s).
	SFTP bool
	// RFC4716 writes the keys in the format of that RFC, between lines BEGIN and
	// END SSH2 PUBLIC KEY, for servers that read no other. Their options are
	// lost, and only keys in that format count as present.
	RFC4716 bool
	// TargetPath is the file to add to (-t); "" is the account's
	// authorized_keys. Relative paths start at the remote home.
	TargetPath string
	// Account is the account whose file is changed, where that is another one
	// than the one that logs in, which must be root then; "" for its own. The
	// file is changed with that account's rights and no others.
	Account string
	// NoRepair leaves modes alone that make sshd ignore the file.
	NoRepair bool
	// NoVerify skips the question whether the server now accepts the keys.
	NoVerify bool
	// Password is the password of the account on the target, and of no jump
	// host's. It is put forward once for each method that wants one, and nobody
	// is asked for it; nil: whoever UI reaches is asked.
	Password []byte
	// Pins are fingerprints (SHA256:…) of which an unknown host must have one:
	// it is then accepted without a question, and refused otherwise.
	Pins []string
	// Trace receives what the remote script does, line by line (-x); nil: no
	// trace.
	Trace func(line string)

	// Agent opens the agent that IdentityAgent names; "" is the one of the
	// environment. An error counts as no agent; it is for the function to tell.
	// nil: no agent.
	Agent func(identityAgent string) (agent.ExtendedAgent, error)
	// UI reaches the person.
	UI UI
	// Progress tells what happens.
	Progress Progress
}

// Target is one account on one host, and how to get there.
type Target struct {
	// Destination is [user@]host or ssh://[user@]host[:port].
	Destination string
	// Config are ssh_config lines that come before every file, as -o gives
	// them.
	Config []string
	// ConfigFile replaces the usual ssh_config files (-F); "" keeps them,
	// "none" reads none.
	ConfigFile string
}

// Client works on hosts with one set of Options. It may be used by several
// goroutines where the callbacks of its Options allow that.
type Client struct {
	o    Options
	ring *keyring.Ring
}

// New makes a Client.
func New(o Options) *Client {
	if o.LookupEnv == nil {
		o.LookupEnv = func(string) (string, bool) { return "", false }
	}
	return &Client{o: o, ring: keyring.New(o.Agent)}
}

func (c *Client) notice(text string) {
	if c.o.UI.Notice != nil {
		c.o.UI.Notice(text)
	}
}

func (c *Client) debug(text string) {
	if c.o.UI.Debug != nil {
		c.o.UI.Debug(1, text)
	}
}
