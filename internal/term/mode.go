package term

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
