package term

import (
	"os"
	"syscall"
)

// endingSignals are Ctrl-C and Ctrl-Break, and the closing of the console.
var endingSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

// ExitStatus is how a program ends after a signal.
func ExitStatus(os.Signal) int { return 1 }
