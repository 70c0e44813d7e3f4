package copyid

import (
	"ssh-copy-id/internal/hostkey"
	"ssh-copy-id/internal/sshconfig"
)

// CheckPin returns what is wrong with a fingerprint for [Options.Pins]; nil if
// nothing is.
func CheckPin(fingerprint string) error { return hostkey.CheckPin(fingerprint) }

// ParsePort reads a port as ssh reads that of its -p, where it may be the name of
// a TCP service too. It returns -1 for anything else.
func ParsePort(text string) int { return sshconfig.ParsePort(text) }

// DefaultKeyAlgorithms returns what [LoginSettings.KeyAlgorithms] are where
// ssh_config says nothing about them.
func DefaultKeyAlgorithms() []string { return sshconfig.KeyTypes.Names(nil) }
