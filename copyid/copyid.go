// Package copyid installs public keys in the authorized_keys file of an account on
// a remote host.
//
// A [Client] works on any number of hosts with one set of [Options]. [Client.Dial]
// resolves a [Target] to a [Host], which owns the connection, and a [Goal] says
// which keys are to be in the file:
//
//   - [Host.Ensure] makes the goal true with as few round trips as possible: it
//     asks which keys the server accepts, adds the others in one exchange, and asks
//     the server afterwards whether it now accepts them.
//   - [Host.Plan] finds out the same, reads the file as well, and changes nothing;
//     [Host.Apply] carries out what was planned, provided that the file still is
//     what the plan rests on.
//   - [Host.Verify] and [Host.Diagnose] say whether the server accepts keys, and why
//     not.
//   - [Client.Each] ensures a goal on many hosts at once.
//
// What they return, [Plan], [Report], [Verification] and [Diagnosis], are plain
// values: they hold no connection, and can be kept and written as JSON.
//
// # What counts as installed
//
// A key is there already if its owner can log in with it. The server is asked
// whether it accepts that very key (RFC 4252 section 7; no private key is needed
// to ask). Where the private half is at hand and needs no question, a login with
// it runs the command "exit", whose status decides; else the word of a server
// counts that does not give it for a key that nobody has. A key is there as well
// if the target file holds it on a line that the server uses. A key that is there
// with other options is left as it is: adding a second, unrestricted line would
// widen access. The words for all that are the values of [Outcome].
//
// # Users and programs
//
// The package never prints, never exits and does not read os.Args. A program
// passes what it may ask and report through [Options], in callbacks that carry the
// target they are about. If a callback that asks is nil, the question fails.
package copyid

import (
	"os"
	"time"

	"golang.org/x/crypto/ssh/agent"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/account"
	"ssh-copy-id/internal/keyring"
	"ssh-copy-id/internal/remote"
)

// UI holds the ways to reach the user. If Secret or Line is nil, prompts of that
// kind fail; a nil Notice or Debug drops the text. Each call carries the target it
// is about. Of Secret, Line and Confirm one is called at a time; the others may be
// called by several goroutines at once where several hosts are worked on.
type UI struct {
	// Secret asks without echo: a password or a passphrase.
	Secret func(t Target, prompt string) ([]byte, error)
	// Line asks with echo: the host key question, say.
	Line func(t Target, prompt string) (string, error)
	// Confirm asks for permission to add a key to the agent (AddKeysToAgent
	// ask); nil refuses.
	Confirm func(t Target, prompt string) bool
	// Notice shows what ssh prints by default: banners and host key warnings.
	// The text may hold newlines and comes from elsewhere: escape it.
	Notice func(t Target, text string)
	// Debug receives what `ssh -v` would print; level is 1 to 3.
	Debug func(t Target, level int, text string)
}

// Progress reports what is about to happen on a target, in the order in which it
// does. Nil functions are passed over. They may be called by several goroutines at
// once where several hosts are worked on.
type Progress struct {
	// Configured comes when ssh_config has been read, with its LogLevel: QUIET,
	// FATAL, ERROR, INFO, VERBOSE, DEBUG, DEBUG2 or DEBUG3.
	Configured func(t Target, logLevel string)
	// Asking comes before the server is asked which keys it accepts.
	Asking func(t Target)
	// Remaining comes when it has answered and before the user is asked for a
	// secret, with the keys it did not accept.
	Remaining func(t Target, ids []identity.Identity)
	// Installing comes immediately before the keys are written, with exactly
	// those. It does not come where the file turns out to hold all of them.
	Installing func(t Target, ids []identity.Identity)
	// Installed comes after Installing, as soon as the file has been changed and
	// before the keys are verified. It does not come after an error.
	Installed func(t Target, ids []identity.Identity)
	// NotShared comes with the socket of a connection that ssh would share
	// (ControlPath), where the login asks the user for a secret or is refused.
	NotShared func(t Target, socket string)
	// Shared comes before Installing where the file, path, is the one that all
	// administrators of a Windows server share.
	Shared func(t Target, path string)
	// Waiting comes while another program holds the lock of the file, first
	// after some three seconds and then every five. holder is the host and process
	// as that program wrote them; it may be empty.
	Waiting func(t Target, holder string)
	// Awaiting comes every ten seconds in which the server does not do what it is
	// waited for.
	Awaiting func(t Target, what Awaited, elapsed time.Duration)
}

// Awaited is what a server is waited for.
type Awaited string

// What a server is waited for.
const (
	AwaitChannel Awaited = Awaited(remote.AwaitChannel) // to open a session
	AwaitCommand Awaited = Awaited(remote.AwaitCommand) // to run a command
	AwaitShell   Awaited = Awaited(remote.AwaitShell)   // the account's shell, to start
	AwaitAnswer  Awaited = Awaited(remote.AwaitAnswer)  // to finish its answer
	AwaitSFTP    Awaited = Awaited(remote.AwaitSFTP)    // the SFTP server, to start
	AwaitReply   Awaited = Awaited(remote.AwaitReply)   // the SFTP server, to reply
)

// Options are what holds for every host. The zero value does what the ssh-copy-id
// command does without flags, as far as it can without an agent and without asking
// the user.
type Options struct {
	// Home is the user's home directory, ~ in ssh_config; "" is that of the account
	// that runs the program.
	Home string
	// User is the user's login name, the default for the remote one; "" is that of
	// the account that runs the program.
	User string
	// LookupEnv looks up the environment for ssh_config; nil is the real one.
	LookupEnv func(name string) (value string, set bool)
	// Shell runs a ProxyCommand; "" is /bin/sh.
	Shell string

	// Force adds the keys without asking whether they are there (-f).
	Force bool
	// NoPrompt keeps every login from asking the user anything, from having an
	// agent sign and from adding a key to one: what cannot be found out so stays
	// unknown (-n).
	NoPrompt bool
	// SFTP changes the file through the sftp subsystem only (-s).
	SFTP bool
	// Format is how keys are written.
	Format Format
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
	// host's. It is put forward once for each method that wants one, and the user
	// is not asked for it. nil: the user is asked.
	Password []byte
	// Pins are fingerprints (SHA256:…) of which an unknown host must have one:
	// it is then accepted without a question, and refused otherwise.
	Pins []string
	// Trace receives what the remote script does, line by line (-x); nil: no
	// trace.
	Trace func(t Target, line string)

	// Agent opens the agent that IdentityAgent names; "" is the one of the
	// environment. It is called once for each. An error counts as no agent; it is
	// for the function to report. nil: no agent.
	Agent func(identityAgent string) (agent.ExtendedAgent, error)
	// UI reaches the user.
	UI UI
	// Progress reports what happens.
	Progress Progress
}

// Target is one account on one host, and how to get there.
type Target struct {
	// Destination is [user@]host or ssh://[user@]host[:port].
	Destination string `json:"destination,omitzero"`
	// Config are ssh_config lines that come before every file, as -o gives
	// them.
	Config []string `json:"config,omitzero"`
	// ConfigFile replaces the usual ssh_config files (-F); "" keeps them,
	// "none" reads none.
	ConfigFile string `json:"configFile,omitzero"`
}

// Client works on hosts with one set of Options. Several goroutines may use it.
type Client struct {
	o      Options
	ring   *keyring.Ring
	asking chan struct{} // holds one value while the user is asked something
}

// New makes a Client.
func New(o Options) *Client {
	if o.LookupEnv == nil {
		o.LookupEnv = os.LookupEnv
	}
	getenv := func(name string) string { value, _ := o.LookupEnv(name); return value }
	if o.Home == "" {
		o.Home, _ = account.Home() // what needs one says that there is none
	}
	if o.User == "" {
		o.User = account.User(getenv)
	}
	return &Client{o: o, ring: keyring.New(o.Agent), asking: make(chan struct{}, 1)}
}
