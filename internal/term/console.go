package term

import "regexp"

// stream is what a standard stream of a Windows program is.
type stream int

const (
	otherStream stream = iota // a file, a pipe, nothing
	onConsole
	onPty // a pipe to the terminal of Cygwin, MSYS2 or Git Bash (mintty)
)

// ptyPipe is the name of such a pipe (fhandler_pty_master::setup in Cygwin's
// sources).
var ptyPipe = regexp.MustCompile(`^\\(cygwin|msys)-[0-9a-fA-F]+-pty[0-9]+-(from|to)-master`)

// consoleSeen reports whether somebody sees the console of this process. A console
// that can be opened may be one nobody sees: Cygwin and its kin give one to
// every Windows program, whose real terminal is a pipe, and so do editors
// and services that start a program without a window (CREATE_NO_WINDOW). A
// question would be asked there for ever.
//
// A stream that is the console proves that it is meant. Otherwise a user who
// has redirected all three must have a window, and not the one of mintty.
func consoleSeen(streams [3]stream, window bool, getenv func(string) string) bool {
	pty := false
	for _, s := range streams {
		if s == onConsole {
			return true
		}
		pty = pty || s == onPty
	}
	return window && !pty && getenv("MSYSTEM") == "" && getenv("TERM_PROGRAM") != "mintty"
}

// Bits of a console's input mode (SetConsoleMode).
const (
	enableProcessedInput = 0x1
	enableLineInput      = 0x2
	enableEchoInput      = 0x4
	enableVTInput        = 0x200
)

// questionMode is the console mode to read one line in: the console edits it
// and turns Ctrl-C into a signal, and arrow keys do not arrive as escape
// sequences.
func questionMode(before uint32, echo bool) uint32 {
	mode := before&^(enableEchoInput|enableVTInput) | enableProcessedInput | enableLineInput
	if echo {
		mode |= enableEchoInput
	}
	return mode
}
