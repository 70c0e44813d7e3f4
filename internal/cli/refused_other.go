//go:build !windows

package cli

import "syscall"

// errWindowsRefused has its own number on Windows only.
var errWindowsRefused error = syscall.ECONNREFUSED
