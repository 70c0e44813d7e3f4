package sshclient

import (
	"errors"
	"strings"
	"syscall"
)

// systemText is an operating system error in the words of strerror(3), without
// the addresses that the net package writes before it.
func systemText(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		text := number.Error()
		return strings.ToUpper(text[:1]) + text[1:]
	}
	return err.Error()
}
