package cli

import (
	"io"

	"github.com/spf13/pflag"
)

// option is an option of the command line: how it is read, and what the help says
// of it. A new one is a row of sections, beside the place that makes use of what
// it sets.
type option struct {
	name     string
	letter   string
	also     string // another letter for the same
	argument string // as the help shows it
	read     reading
	help     string
	brief    string // in the short usage; "" for an option that it leaves out
}

// section is a part of the help.
type section struct {
	title   string
	options []option
}

// sections are all options, in the order of the help.
var sections = []section{
	{"Which keys", []option{
		{
			name: "identity", letter: "i", argument: "[FILE]", read: optional((*Flags).setIdentity),
			help: "install the key of FILE; .pub is added to the name where it is missing and such a file is there; else FILE is " +
				"read: a .ppk of PuTTY, an SSH2 or PEM key, the public half of a private key. Without FILE: the newest " +
				"~/.ssh/id*.pub. Without -i: every key of the agent, or else the newest ~/.ssh/id*.pub.",
		},
		{
			name: "force", letter: "f", read: toggle(func(f *Flags) *bool { return &f.Force }),
			help:  "add the keys without looking whether they are there already; the private key need not be at hand",
			brief: "force mode -- add the keys without looking whether they are there already",
		},
		{
			name: "keygen", read: toggle(func(f *Flags) *bool { return &f.Keygen }),
			help: "where there is no key, make one (Ed25519) and install it: FILE of -i, or ~/.ssh/id_ed25519. Its passphrase is " +
				"asked for; no file is ever overwritten",
		},
		{
			name: "no-passphrase", read: toggle(func(f *Flags) *bool { return &f.NoPassphrase }),
			help: "make that key without a passphrase",
		},
	}},
	{"What stands around it", []option{
		{
			name: "restrict", read: keyOption(false),
			help: "let the key log in and nothing more: no forwarding, no terminal",
		},
		{
			name: "from", argument: "LIST", read: keyOption(true),
			help: "only from these addresses or host names: patterns, with commas between",
		},
		{
			name: "command", argument: "COMMAND", read: keyOption(true),
			help: "whoever logs in with the key gets this command only",
		},
		{
			name: "expiry-time", argument: "TIME", read: keyOption(true),
			help: "until then: YYYYMMDD[HHMM[SS]][Z]",
		},
		{
			name: "key-option", argument: "K[=V]", read: takes((*Flags).addAnyKeyOption),
			help: "another option of authorized_keys, see sshd(8); may be given several times",
		},
		{
			name: "comment", argument: "TEXT", read: takes((*Flags).setComment),
			help: "this comment in place of the key's own",
		},
	}},
	{"What is done", []option{
		{
			name: "dry-run", letter: "n", read: toggle(func(f *Flags) *bool { return &f.DryRun }),
			help:  "tell what would be added, and change nothing",
			brief: "dry run    -- tell what would be added, and change nothing",
		},
		{
			name: "target-path", letter: "t", argument: "PATH", read: takes((*Flags).setTarget),
			help: "add to this file on the remote side instead of .ssh/authorized_keys",
		},
		{
			name: "sftp", letter: "s", read: toggle(func(f *Flags) *bool { return &f.SFTP }),
			help:  "change the file by sftp alone, for servers that run no commands",
			brief: "use sftp   -- change the file by sftp alone, for servers that run no commands",
		},
		{
			name: "for-user", argument: "NAME", read: once(func(f *Flags) *string { return &f.ForUser }),
			help: "as root: add to the file of this account, with its rights",
		},
		{
			name: "key-format", argument: "FORMAT", read: takes((*Flags).setKeyFormat),
			help: "openssh, or rfc4716 for servers that want keys between BEGIN SSH2 PUBLIC KEY lines",
		},
		{
			name: "print-commands", argument: "PLATFORM", read: takes((*Flags).setPlatform),
			help: "print what to type on an appliance that keeps keys in its configuration, for the user that the hostname is " +
				"given with, and do nothing; \"list\" names them",
		},
		{
			name: "diagnose", read: toggle(func(f *Flags) *bool { return &f.Diagnose }),
			help: "tell why the server refuses the keys, and what mends it; change nothing. Exit with 0 if it accepts them",
		},
		{
			name: "no-repair", read: toggle(func(f *Flags) *bool { return &f.NoRepair }),
			help: "leave permissions as they are, even where they make the server ignore the keys",
		},
		{
			name: "verify", read: toggle(func(f *Flags) *bool { return &f.Verify }),
			help: "exit with status 1 if the server refuses a key that has been added",
		},
		{
			name: "no-verify", read: toggle(func(f *Flags) *bool { return &f.NoVerify }),
			help: "do not ask the server whether it accepts the keys",
		},
	}},
	{"How to get there", []option{
		{
			name: "port", letter: "p", argument: "PORT", read: takes((*Flags).setPort),
			help: "port of the SSH server",
		},
		{
			name: "config", letter: "F", argument: "FILE", read: takes((*Flags).setConfig),
			help: "read FILE in place of the usual ssh_config files; \"none\" reads no file at all",
		},
		{
			name: "option", letter: "o", argument: "LINE", read: takes((*Flags).addOption),
			help: "a line of ssh_config, as in -o Port=2222; may be given several times",
		},
		{
			name: "jump", letter: "J", argument: "HOST[,HOST]", read: takes((*Flags).setJump),
			help:  "go through these hosts (ProxyJump)",
			brief: "jump       -- go through this host, or these with commas between",
		},
		{
			name: "host-key", argument: "PRINT", read: takes((*Flags).addPin),
			help: "take an unknown host whose key has this fingerprint, SHA256:..., without a question, and refuse another; may " +
				"be given several times",
		},
		{
			name: "password-file", argument: "FILE", read: once(func(f *Flags) *string { return &f.PasswordFile }),
			help: "use the first line of FILE as the password; \"-\" is standard input",
		},
		{
			name: "password-fd", argument: "N", read: takes((*Flags).setPasswordFD),
			help: "read the password from this open file descriptor",
		},
		{
			name: "password-env", argument: "NAME", read: once(func(f *Flags) *string { return &f.PasswordEnv }),
			help: "take it from this environment variable",
		},
		{
			name: "print-config", letter: "G", read: toggle(func(f *Flags) *bool { return &f.PrintConfig }),
			help:  "print what ssh_config makes of the host, in the format of ssh -G, and do nothing else",
			brief: "config     -- print what ssh_config makes of the host, and do nothing",
		},
	}},
	{"What is told", []option{
		{
			name: "verbose", letter: "v", read: counts(func(f *Flags) *int { return &f.Verbose }),
			help:  "tell about the connection as ssh -v does; -vv and -vvv tell more",
			brief: "verbose    -- tell about the connection as ssh -v does; up to three times",
		},
		{
			name: "debug", letter: "x", read: toggle(func(f *Flags) *bool { return &f.Debug }),
			help:  "trace what is done, on the remote side too",
			brief: "debug      -- trace what is done, on the remote side too",
		},
		{
			name: "usage", letter: "h", also: "?", read: toggle(func(f *Flags) *bool { return &f.ShortHelp }),
			help: "print the short usage, with exit status 1",
		},
		{
			name: "help", read: toggle(func(f *Flags) *bool { return &f.Help }),
			help: "print this text",
		},
		{
			name: "version", read: toggle(func(f *Flags) *bool { return &f.Version }),
			help: "print the version",
		},
	}},
}

// reading adds an option to the set that pflag reads the command line with.
type reading func(set *pflag.FlagSet, o option, f *Flags)

// toggle is an option without an argument.
func toggle(field func(*Flags) *bool) reading {
	return func(set *pflag.FlagSet, o option, f *Flags) {
		set.BoolVarP(field(f), o.name, o.letter, false, "")
		if o.also != "" {
			// pflag wants a long name for every letter; -? has no other use for one.
			set.BoolVarP(field(f), o.also, o.also, false, "")
			set.Lookup(o.also).Hidden = true
		}
	}
}

// counts is an option that may be given several times, to the same purpose.
func counts(field func(*Flags) *int) reading {
	return func(set *pflag.FlagSet, o option, f *Flags) { set.CountVarP(field(f), o.name, o.letter, "") }
}

// takes is an option with an argument.
func takes(take func(f *Flags, value string) error) reading {
	return func(set *pflag.FlagSet, o option, f *Flags) {
		set.FuncP(o.name, o.letter, "", func(value string) error { return take(f, value) })
	}
}

// optional is an option whose argument may be left out.
func optional(take func(f *Flags, value string) error) reading {
	return func(set *pflag.FlagSet, o option, f *Flags) {
		takes(take)(set, o, f)
		// settleIdentity leaves no bare -i behind except in a word that is an
		// error further on; this keeps pflag from taking the rest of it for a file.
		set.Lookup(o.name).NoOptDefVal = "-"
	}
}

// once is an option that makes sense with one value only.
func once(field func(*Flags) *string) reading {
	return func(set *pflag.FlagSet, o option, f *Flags) {
		takes(func(f *Flags, value string) error { return setOnce(field(f), "--"+o.name, value) })(set, o, f)
	}
}

// keyOption is an option of authorized_keys, without a value or with one.
func keyOption(valued bool) reading {
	return func(set *pflag.FlagSet, o option, f *Flags) {
		if !valued {
			set.BoolFuncP(o.name, o.letter, "", func(string) error { return f.addKeyOption(o.name, "") })
			return
		}
		set.FuncP(o.name, o.letter, "", func(value string) error { return f.addKeyOption(o.name, value) })
	}
}

// flagSet is how pflag reads the options.
func (f *Flags) flagSet() *pflag.FlagSet {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	for _, s := range sections {
		for _, o := range s.options {
			o.read(set, o, f)
		}
	}
	return set
}
