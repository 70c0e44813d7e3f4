package cli

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// settleIdentity settles the one thing pflag cannot know: whether the word
// after -i is the file of -i or the host. It returns the command line with
// every -i and --identity written as --identity=FILE, or as --identity= for
// the default identity, and every other word as it was and where it was. set
// is asked which options take an argument, and is not changed.
//
// The word after -i is its file if it is no option and another word is left
// to be the host; else it is the host. Where the host then turns out to be a
// key file (readable says so), somebody has forgotten the host: that is the
// error. `-i -- FILE` insists.
//
// In a bundle the letters go on after i as in `-in`, which is -i -n, and the
// word looked at is the one after the bundle: `-fi FILE` and `-if FILE` are
// the same. Where pflag and getopts disagree about a bundle (`-p=22`, `-f=no`,
// `-test.x`) it is written so that pflag reads it as getopts would.
//
// The command line returned is complete even if there is an error, so that
// what else is wrong with it can be found, and settling it again changes
// nothing.
func settleIdentity(set *pflag.FlagSet, args []string, readable func(path string) bool) ([]string, error) {
	words, err := splitWords(set, args)
	operands := 0
	for _, w := range words {
		if w.operand {
			operands++
		}
	}
	settled := make([]string, 0, len(args))
	for i := 0; i < len(words); i++ {
		w := words[i]
		if !w.asks || i+1 == len(words) || !words[i+1].operand {
			settled = append(settled, w.parts...)
			continue
		}
		next := words[i+1].parts[0]
		if operands > 1 {
			operands--
			i++
			// The file goes to the end, after the letters that follow the i.
			bare := slices.Index(w.parts, bareIdentity)
			settled = append(settled, slices.Delete(w.parts, bare, bare+1)...)
			settled = append(settled, bareIdentity+next)
			continue
		}
		if err == nil && readable(next) {
			err = &UsageError{Text: `Missing hostname. Use "-i -- ` + next + `" if you really mean to use this as the hostname`, ShowUsage: true}
		}
		settled = append(settled, w.parts...)
	}
	return settled, err
}

// bareIdentity is -i without a file.
const bareIdentity = "--identity="

// word is a word of the command line.
type word struct {
	parts   []string // what pflag is to be given for it
	operand bool     // neither an option nor the argument of one
	asks    bool     // one of parts is a bareIdentity that may take the next word
}

// splitWords tells options, their arguments and the other words apart, as
// getopts does, except that options may follow other words.
func splitWords(set *pflag.FlagSet, args []string) (words []word, err error) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		w := word{parts: []string{arg}}
		wantsNext := false
		switch {
		case len(arg) < 2 || arg[0] != '-':
			w.operand = true
		case arg == "--":
			words = append(words, w)
			for _, rest := range args[i+1:] {
				words = append(words, word{parts: []string{rest}, operand: true})
			}
			return words, err
		case arg == "--identity":
			w = word{parts: []string{bareIdentity}, asks: true}
		case strings.HasPrefix(arg, "--"):
			wantsNext = takesArgument(set.Lookup(arg[2:]))
		default:
			var glued *UsageError
			if w, wantsNext, glued = splitBundle(set, arg); glued != nil && err == nil {
				err = glued
			}
		}
		words = append(words, w)
		if wantsNext && i+1 < len(args) {
			i++
			words = append(words, word{parts: []string{args[i]}})
		}
	}
	return words, err
}

// takesArgument reports whether an option must have an argument.
func takesArgument(option *pflag.Flag) bool { return option != nil && option.NoOptDefVal == "" }

// splitBundle reads a word of option letters. wantsNext reports whether the last of
// them takes the next word as its argument.
func splitBundle(set *pflag.FlagSet, arg string) (w word, wantsNext bool, err *UsageError) {
	letters := arg[1:]
	start := 0 // of the letters that are not in w.parts yet
	flush := func(end int) {
		if end > start {
			w.parts = append(w.parts, "-"+letters[start:end])
		}
		start = end
	}
	for i := range len(letters) {
		if letters[i] == 'i' {
			flush(i)
			start = i + 1
			w.parts = append(w.parts, bareIdentity)
			w.asks = true
			continue
		}
		option := set.ShorthandLookup(letters[i : i+1])
		if takesArgument(option) {
			value := letters[i+1:]
			if w.asks && letters[i] == 't' && value != "" {
				err = gluedIdentity(arg)
			}
			if readOtherwise(letters[i:]) {
				flush(i + 1)
				w.parts = append(w.parts, value)
				return w, false, err
			}
			flush(len(letters))
			return w, value == "", err
		}
		if option == nil {
			// An error, which is for pflag to find: '=' on its own, lest pflag
			// take it for the value of the letter before; '-' not at the front,
			// lest the rest be taken for a long option.
			switch letters[i] {
			case '=':
				flush(i)
			case '-':
				return word{parts: []string{arg}}, false, nil
			}
			break
		}
	}
	flush(len(letters))
	return w, false, nil
}

// readOtherwise reports whether pflag would not read the letters as an option
// and its argument: it drops a leading '=', and passes over what looks like an
// option of `go test`.
func readOtherwise(letters string) bool {
	return strings.HasPrefix(letters[1:], "=") || strings.HasPrefix(letters, "test.")
}

// gluedIdentity is the error for `-itest`. To getopts that is -i and -t est,
// and the keys would go to a file of that odd name; but whoever knows older
// releases of the script means `-i test`.
func gluedIdentity(arg string) *UsageError {
	return &UsageError{Text: arg + ": put a space before the file of -i, or before the path of -t", ShowUsage: true}
}
