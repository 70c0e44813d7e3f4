// Package authkeys reads and edits authorized_keys files as documents: bytes
// in, bytes out, without touching a disk.
//
// # Entries
//
// A line of the file is blank, a comment that begins with '#', or an entry as
// the AUTHORIZED_KEYS FILE FORMAT section of sshd(8) has it:
//
//	[options] keytype base64-key [comment]
//
// [ParseEntry] reads one in the steps of sshd itself, so that it takes for an
// entry what sshd takes for one: auth_check_authkey_line in
// auth2-pubkeyfile.c first looks for a key at the start of the line
// (sshkey_read in sshkey.c); where there is none, it takes what stands before
// the first unquoted blank for options (sshkey_advance_past_options in
// authfile.c) and looks for the key behind them. The key type that is written
// out must be the one inside the key. What the options mean, and whether sshd
// knows them, is not judged on reading: [CheckOptions] and [File.State] do that,
// and [Option] makes options that sshd reads back as they were meant.
//
// Two entries are the same key when their [Entry.Blob] is the same, whatever
// their options and comments say.
//
// # Files
//
// [Parse] never fails. A line it does not understand stays as it is, and so
// does every other byte that was not asked to change: [File.Bytes] of an
// unedited file is the input. [Line.Err] says what is wrong with a line.
// Lines may have any length. Nothing is parsed before it is asked for, so a
// file of a hundred thousand lines costs no more memory than its bytes.
package authkeys
