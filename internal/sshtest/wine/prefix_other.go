//go:build !linux

package wine

import "fmt"

// Prefix is a Windows of its own. Here there is none.
type Prefix struct{}

// Available says why no prefix can be had here.
func Available() error { return fmt.Errorf("%w: it takes Wine on Linux", ErrUnsupported) }

// Start makes a prefix. Here it cannot.
func Start() (*Prefix, error) { return nil, Available() }

// Shared is the prefix of this process. Here there is none.
func Shared() (*Prefix, error) { return nil, Available() }

// CloseShared closes the shared prefix. Here there is none.
func CloseShared() error { return nil }
