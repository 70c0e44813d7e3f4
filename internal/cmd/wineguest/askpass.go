//go:build windows

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// askpass says ASKPASS_ANSWER and puts the question into the file ASKPASS_ASKED,
// one line each.
func askpass(args []string) error {
	asked, err := os.OpenFile(os.Getenv("ASKPASS_ASKED"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(asked, strings.Join(args, " "))
	if err := errors.Join(err, asked.Close()); err != nil {
		return err
	}
	fmt.Println(os.Getenv("ASKPASS_ANSWER"))
	return nil
}
