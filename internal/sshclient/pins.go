package sshclient

import (
	"errors"
	"slices"

	"ssh-copy-id/internal/hostkey"
	"ssh-copy-id/internal/sshkey"
)

// pinSearch looks for the host key that Options.Pins describe. A server has one
// key of each type and shows one of them, while a fingerprint does not tell the
// type of its key: so a server that shows another key than the pinned one is
// asked again, without that type.
type pinSearch struct {
	seen  []string // algorithms of the keys that were not it
	first error    // about the key the server preferred
}

// otherHostKey reports whether err is about a key that is not the pinned one, and
// notes its type so that the next connection is shown another.
func (l *login) otherHostKey(err error) bool {
	var unknown *hostkey.UnknownError
	if !errors.As(err, &unknown) || unknown.Reason != hostkey.PinMismatch || unknown.Key == nil {
		return false
	}
	if l.pins.first == nil {
		l.pins.first = err
	}
	more := keyAlgorithms(sshkey.Plain(unknown.Key).Type())
	if slices.Contains(l.pins.seen, more[0]) {
		return false
	}
	l.pins.seen = append(l.pins.seen, more...)
	return true
}

// left are the algorithms of keys that were not shown yet. Certificates are not
// looked for once a plain key was not the pinned one.
func (p *pinSearch) left(algorithms []string) []string {
	if len(p.seen) == 0 {
		return algorithms
	}
	var left []string
	for _, name := range algorithms {
		if !slices.Contains(p.seen, name) && plainName(name) == name {
			left = append(left, name)
		}
	}
	return left
}

// pinError is the error where no key was the pinned one: what was said about
// the key the server prefers.
func (l *login) pinError(err error) error {
	if err != nil && l.pins.first != nil && l.hostKey == nil {
		return l.pins.first
	}
	return err
}
