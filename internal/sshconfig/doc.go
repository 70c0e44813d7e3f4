// Package sshconfig answers one question: where, as whom and under which rules
// would ssh(1) connect for a given destination?
//
// [Resolve] reads the -o options, the user's and the system's ssh_config and
// the destination, and returns one [Host] with every setting that matters to
// this program. It follows OpenSSH's readconf.c and ssh.c: the first value of
// a setting wins, a file is read from top to bottom in one pass, Host and Match
// lines switch the lines after them on and off, Include splices other files in,
// and "Match final" or CanonicalizeHostname cause a second pass over all files.
// Where releases of OpenSSH differ the newer one is followed as long as that
// refuses nothing an older one accepts.
//
// Every keyword of ssh_config(5) is known: its argument is checked as ssh checks
// it, even in blocks that do not apply, and [Host.Dump] prints it as `ssh -G` does.
//
// # Division of labour
//
// github.com/kevinburke/ssh_config takes the plain lines apart, which are nearly
// all there are: a keyword and a value of ordinary characters. It is asked for
// nothing else. Lines with quotes, backslashes, inner comments or unusual bytes
// are split here, by OpenSSH's own rules for them, which would do for the plain
// ones too; and what the keywords mean, Host, Match and Include above all, is
// decided here, as the library evaluates only a part of it (see source.go).
//
// # What is never done
//
// The package prints nothing, asks nothing and opens no connection. Names are
// looked up only when CanonicalizeHostname or CanonicalizePermittedCNAMEs ask
// for it, and commands are run only for "Match exec".
package sshconfig
