//go:build windows

// Wineguest is the programs that tests under Wine need on the Windows side.
// Which of them it is depends on the name it is called by:
//
//	launch   runs a program with a home of its own
//	agent    an agent on a named pipe, or in the guise of Pageant
//	askpass  answers with ASKPASS_ANSWER and writes down what it was asked
//	relay    connects standard input and output with an address
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	name := strings.ToLower(filepath.Base(os.Args[0]))
	work, known := map[string]func([]string) error{
		"launch": launch, "agent": serveAgent, "askpass": askpass, "relay": relay,
	}[strings.TrimSuffix(name, ".exe")]
	if !known {
		work = func([]string) error { return fmt.Errorf("called as %q", name) }
	}
	if err := work(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(failed)
	}
}

// failed is the exit status of a guest whose own work failed.
const failed = 254
