package cli

import (
	"time"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
)

// expired reports whether a key could not log in any more for its expiry-time.
func expired(entry authkeys.Entry) (over string, yes bool) {
	for _, f := range authkeys.Parse([]byte(entry.Line()+"\n")).State(entry.Key, time.Now()).Findings {
		if f.Kind == authkeys.FoundExpired {
			return f.Value, true
		}
	}
	return "", false
}

// withOptions returns the keys with the options and the comment of the command line
// around them. Options that the file gives a key stay, in front.
func (f *Flags) withOptions(ids []identity.Identity) ([]identity.Identity, error) {
	for _, id := range ids {
		if !f.CommentSet && authkeys.CheckComment(id.Entry.Comment) != nil {
			return nil, &commentError{id.Origin.Path, id.Origin.Line}
		}
	}
	if len(f.KeyOptions) == 0 && !f.CommentSet {
		return ids, nil
	}
	var list []identity.Identity
	for _, id := range ids {
		options := append(append([]string{}, id.Entry.Options...), f.KeyOptions...)
		if err := authkeys.CheckOptions(options); err != nil {
			return nil, optionUsage("the options of "+describe(id), err)
		}
		comment := id.Entry.Comment
		if f.CommentSet {
			comment = f.Comment
		}
		id.Entry = authkeys.NewEntry(id.Entry.Key, comment, options...)
		if over, yes := expired(id.Entry); yes {
			return nil, &UsageError{Text: "--expiry-time " + over + " is over: nobody could log in with the key"}
		}
		list = append(list, id)
	}
	return list, nil
}
