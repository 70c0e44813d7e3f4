package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
)

// entryFlags adds the options that say what stands around a key.
func (f *Flags) entryFlags(set *pflag.FlagSet) {
	set.BoolFunc("restrict", "", func(string) error { return f.addKeyOption("--restrict", "restrict", "") })
	for _, name := range []string{"from", "command", "expiry-time"} {
		set.Func(name, "", func(value string) error { return f.addKeyOption("--"+name, name, value) })
	}
	set.Func("key-option", "", f.addAnyKeyOption)
	set.Func("comment", "", f.setComment)
}

func (f *Flags) addKeyOption(flag, name, value string) error {
	option, err := authkeys.Option(name, value)
	if err != nil {
		return optionUsage(flag, err)
	}
	f.KeyOptions = append(f.KeyOptions, option)
	return nil
}

func (f *Flags) addAnyKeyOption(text string) error {
	option, err := authkeys.ParseOption(text)
	if err != nil {
		return optionUsage("--key-option", err)
	}
	f.KeyOptions = append(f.KeyOptions, option)
	return nil
}

func (f *Flags) setComment(text string) error {
	comment, err := authkeys.Comment(text)
	if err != nil {
		return optionUsage("--comment", err)
	}
	f.Comment, f.CommentSet = comment, true
	return nil
}

// optionUsage says what is wrong with a flag that sshd would refuse as an
// option of a key.
func optionUsage(flag string, err error) error {
	var wrong *authkeys.OptionError
	if !errors.As(err, &wrong) {
		return &UsageError{Text: flag + ": " + err.Error()}
	}
	text := flag + ": "
	if wrong.Option != "" && flag != "--"+wrong.Option {
		text += wrong.Option + ": "
	}
	if wrong.Part != "" {
		text += fmt.Sprintf("%q: ", wrong.Part)
	}
	return &UsageError{Text: text + wrong.Reason.String()}
}

// expired tells whether a key could not log in any more for its expiry-time.
func expired(entry authkeys.Entry) (over string, yes bool) {
	for _, f := range authkeys.Parse([]byte(entry.Line()+"\n")).State(entry.Key, time.Now()).Findings {
		if f.Kind == authkeys.FoundExpired {
			return f.Value, true
		}
	}
	return "", false
}

// dressed are the keys with the options and the comment of the command line
// around them. Options that the file gives a key stay, in front.
func (f *Flags) dressed(ids []identity.Identity) ([]identity.Identity, error) {
	for _, id := range ids {
		if !f.CommentSet && authkeys.CheckComment(id.Entry.Comment) != nil {
			return nil, &commentError{id.Origin.Path, id.Origin.Line}
		}
	}
	if len(f.KeyOptions) == 0 && !f.CommentSet {
		return ids, nil
	}
	var dressed []identity.Identity
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
		dressed = append(dressed, id)
	}
	return dressed, nil
}
