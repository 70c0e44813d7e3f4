package cli

import (
	"strings"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/term"
)

// Plan shows what a dry run would add, between the lines of the stock script.
func (p *textOutput) Plan(plan *copyid.Plan) {
	p.say(keyMessages(plan.Keys, plan.Path)...)
	dead := ineffectiveAmong(plan.Keys)
	p.ineffective(dead, plan.Path)
	ids := plan.ToAdd()
	switch unusable := plan.Unusable(); {
	case len(ids) > 0:
		for _, k := range unusable {
			p.say(warningf("%s", refusedLine(k, plan.Path)))
		}
	case len(unusable) > 0:
		p.notUsable(unusable, plan.Path)
		return
	case len(dead) > 0:
		return
	default:
		p.allSkipped()
		return
	}
	p.say(basisMessages(plan)...)
	var block strings.Builder
	for _, id := range ids {
		block.WriteString(term.Escape(id.Entry.Line()) + "\n")
	}
	p.print("=-=-=-=-=-=-=-=\nWould have added the following key(s):\n\n%s=-=-=-=-=-=-=-=\n", block.String())
}

// basisMessages say what a plan rests on, where that is less than a login, or
// more than the server's word.
func basisMessages(plan *copyid.Plan) []message {
	switch {
	case plan.Evidence == copyid.FromQueries && !plan.LoggedIn && len(plan.Unasked) == 0:
		return []message{infof("no key could log in: this answer rests on what the server says about each key, %s was not read", orDefault(plan.Path))}
	case plan.Evidence == copyid.FromQueries && !plan.LoggedIn:
		return []message{warningf("no key could log in and %s was not read, so of %s below it is not known whether they are there",
			orDefault(plan.Path), count(len(plan.Unasked), "key"))}
	case plan.Evidence == copyid.FromFile:
		return []message{infof("%s was read and not changed", term.Escape(plan.Path))}
	}
	return nil
}
