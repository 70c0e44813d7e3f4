// Package cli is the ssh-copy-id command.
//
// # What to change for what
//
//	a flag             a row in options.go and the field it sets in flags.go; its use in
//	                   run.go or run_options.go; its entry in man/ssh-copy-id.1
//	an output          a type with the methods of output (output.go), as textOutput (text.go)
//	                   is one; Run (run.go) makes it
//	a sentence         the text_*.go of its subject and the same name in testdata/golden; what
//	                   comes up on the way is a type in remarks.go
//	an exit status     exitStatus in status.go
//	a key format       a file with its two functions and a row of notations, both in identity
//	                   (format.go)
//	a platform         whose file is reached in another way: a session in internal/remote and
//	                   a row of drivers (open.go); whose server reads other things: a row in
//	                   internal/serverid; where somebody types in the commands: a row in
//	                   internal/device
//	a key option       a row of optionKinds in authkeys/optionvalue.go
//	an ssh_config line keywords.go in internal/sshconfig
//
// # From flags to output
//
// [ParseFlags] makes [Flags] of the command line. [Run] finds the keys (source.go,
// keyfile.go, keygen.go, agent.go), has package copyid do the work, and hands to
// an output what that returns. An output takes values and makes text of them: it
// decides nothing, reads no file and sets no status. The errors and the reports
// of copyid are values too, so that each sentence can be tested with a literal
// (testdata/golden; `go test -update` writes it anew).
//
// # The rules of output
//
// Standard output carries what the stock script prints there (the number of keys
// added, the hint how to log in, the block of a dry run) and nothing else.
// Everything else, questions included, goes to standard error or the terminal.
// Lines begin with the program's name as it was called and INFO, WARNING or
// ERROR. Text that comes from a server or a file is escaped before it is shown.
package cli
