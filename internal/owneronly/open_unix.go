//go:build !windows

package owneronly

import "os"

// Mkdir makes a directory that is its owner's alone. The error is that of
// [os.Mkdir].
func Mkdir(name string) error { return os.Mkdir(name, 0o700) }

// OpenFile is [os.OpenFile] for a file that is its owner's alone if this call
// makes it.
func OpenFile(name string, flag int) (*os.File, error) { return os.OpenFile(name, flag, 0o600) }
