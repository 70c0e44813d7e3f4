package cli

import (
	"fmt"
	"slices"
	"strings"
)

// usageText is what -h, -? and a command line with an error show. name is the one
// that messages begin with.
func usageText(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s %s\n", name, synopsis)
	for _, letter := range briefOrder {
		fmt.Fprintf(&b, "\t-%c: %s\n", letter, optionOf(string(letter)).brief)
	}
	b.WriteString("\t-h|-?: print this help\n\t--help: explain every option\n")
	return b.String()
}

const synopsis = `[-h|-?|-f|-n|-s|-x] [-i [identity_file]] [-t target_path] [-F ssh_config] [[-o ssh_option] ...] [-p port] [user@]hostname`

// briefOrder are the options of the short usage: those of the stock script first.
const briefOrder = "fnsxJGv"

// optionOf is the option of a letter.
func optionOf(letter string) option {
	for _, s := range sections {
		if i := slices.IndexFunc(s.options, func(o option) bool { return o.letter == letter }); i >= 0 {
			return s.options[i]
		}
	}
	return option{}
}

// fullHelp is the text of --help.
func fullHelp(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s [option ...] [user@]hostname\n%s", name, helpIntroduction)
	for _, s := range sections {
		fmt.Fprintf(&b, "\n%s:\n", s.title)
		for _, o := range s.options {
			b.WriteString(helpOf(o))
		}
	}
	return b.String() + helpEnd
}

// helpColumn is where the explanations begin, and helpWidth how wide they are.
const helpColumn, helpWidth = 27, 53

// helpOf explains an option.
func helpOf(o option) string {
	names := "    "
	if o.letter != "" {
		names = "-" + o.letter + ", "
	}
	if o.also != "" {
		names += "-" + o.also + ", "
	}
	left := strings.TrimRight("  "+names+"--"+o.name+" "+o.argument, " ")
	indent := strings.Repeat(" ", helpColumn)
	text := indent + strings.Join(wrapped(o.help, helpWidth), "\n"+indent) + "\n"
	if len(left) >= helpColumn {
		return left + "\n" + text
	}
	return left + text[len(left):]
}

// wrapped are the lines of a text that is not to be wider.
func wrapped(text string, width int) []string {
	var lines []string
	for word := range strings.FieldsSeq(text) {
		if last := len(lines) - 1; last >= 0 && len(lines[last])+1+len(word) <= width {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

const helpIntroduction = `
Adds your public keys to the authorized_keys file of an account on another
machine, so that you can log in there without a password.
`

const helpEnd = `
The word after -i is its file if another word is left to be the host;
"-i -- WORD" makes it the host. Options may follow the host.

The exit status is 0 if the keys are on the remote side, whether they had to be
added or not, and 1 otherwise: also where the server refuses a key although its
file has the very line. See ssh-copy-id(1).
`
