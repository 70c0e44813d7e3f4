package cli

import (
	"fmt"
	"slices"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/term"
)

// Diagnosis shows a line for each key on standard output, and what it lacks on
// standard error.
func (p *textOutput) Diagnosis(d *copyid.Diagnosis) {
	if d.NoKeyAsked {
		p.print("the server lets this account in without asking for a key\n")
	}
	for _, k := range d.Keys {
		p.print("%s: %s\n", diagnosed(d, k), describe(k.Identity))
	}
	inCauses := func(k copyid.KeyState) bool { return !d.NoKeyAsked && len(k.Dead()) > 0 }
	p.say(findingMessages(slices.DeleteFunc(slices.Clone(d.Keys), inCauses), d.Path)...)
	for _, k := range d.Keys {
		if k.Outcome != copyid.Accepted && k.Outcome != copyid.Add && !d.NoKeyAsked {
			p.say(unknownTypeMessages(k.Identity, d.Causes)...)
		}
	}
	p.say(causeMessages(d.Causes)...)
}

// diagnosed says how the server takes a key.
func diagnosed(d *copyid.Diagnosis, k copyid.KeyState) string {
	path := term.Escape(d.Path)
	switch {
	case d.NoKeyAsked && k.Line > 0:
		return fmt.Sprintf("on line %d of %s", k.Line, path)
	case d.NoKeyAsked:
		return "not in " + path
	case len(k.Dead()) > 0:
		return fmt.Sprintf("refused, and on no line of %s that lets it in", path)
	case k.Outcome == copyid.Accepted:
		return "accepted"
	case k.Outcome == copyid.Add:
		return "refused, and not in " + path
	}
	return fmt.Sprintf("refused, though on line %d of %s", k.Line, path)
}
