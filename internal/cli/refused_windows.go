package cli

import "golang.org/x/sys/windows"

// errWindowsRefused is how Windows says "connection refused": not
// syscall.ECONNREFUSED, which Go invents there.
var errWindowsRefused error = windows.WSAECONNREFUSED
