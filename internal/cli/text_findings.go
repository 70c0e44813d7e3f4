package cli

import (
	"fmt"
	"strings"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/term"
)

// findingMessages warn about lines of the target file that hold a key and do not
// do what they seem to do, with what to do about it: one warning for all lines
// with the same fault.
func findingMessages(keys []copyid.KeyState, path string) (list []message) {
	for _, k := range keys {
		if k.Outcome == copyid.Ineffective {
			continue // see ineffective
		}
		for _, same := range alike(k.Findings) {
			text, helps := findingSentence(same.Finding, k.Reader)
			switch {
			case text == "":
				continue
			case k.New() && k.Line == 0:
				helps = "the key is added on a line of its own"
			case same.Kind == authkeys.FoundOverruled:
				helps = fmt.Sprintf("remove line %d, or %s", same.By, same.where())
			}
			list = append(list, warningf("%s of %s %s %s too, but %s; %s",
				same.where(), term.Escape(path), same.verb(), describe(k.Identity), text, helps))
		}
	}
	return list
}

// ineffective shows the error for keys that were not added because the target file
// has their very line, by which the server does not let them in.
func (p *textOutput) ineffective(keys []copyid.KeyState, path string) {
	if len(keys) == 0 {
		return
	}
	for _, k := range keys {
		for _, same := range alike(k.Findings) {
			if text, helps := findingSentence(same.Finding, k.Reader); text != "" && same.Kind.Dead() {
				p.printErr("\n%s: ERROR: %s of %s already %s %s, but %s; the same line is not added again\n\t(%s)\n", p.name,
					same.where(), term.Escape(path), same.verb(), describe(k.Identity), text, helps)
			}
		}
	}
	p.printErr("\n")
}

// sameFindings is a finding and the lines that it is true of.
type sameFindings struct {
	authkeys.Finding
	lines []int
}

// alike puts findings that differ in their line alone together, in the order of
// the first of each.
func alike(findings []authkeys.Finding) []sameFindings {
	place := map[string]int{}
	var groups []sameFindings
	for _, f := range findings {
		line := f.Line
		f.Line = 0
		key := fmt.Sprintf("%q", []any{f})
		at, known := place[key]
		if !known {
			at = len(groups)
			place[key] = at
			groups = append(groups, sameFindings{Finding: f})
			groups[at].Line = line
		}
		groups[at].lines = append(groups[at].lines, line)
	}
	return groups
}

// shownLines is how many line numbers one warning names.
const shownLines = 3

// where names the lines.
func (s sameFindings) where() string {
	if len(s.lines) == 1 {
		return fmt.Sprintf("line %d", s.Line)
	}
	var numbers []string
	for _, line := range s.lines[:min(shownLines, len(s.lines))] {
		numbers = append(numbers, fmt.Sprint(line))
	}
	if more := len(s.lines) - len(numbers); more > 0 {
		return fmt.Sprintf("lines %s and %d more", strings.Join(numbers, ", "), more)
	}
	last := len(numbers) - 1
	return fmt.Sprintf("lines %s and %s", strings.Join(numbers[:last], ", "), numbers[last])
}

func (s sameFindings) verb() string {
	if len(s.lines) == 1 {
		return "holds"
	}
	return "hold"
}

// findingSentence says what is the matter with a line, and what to do; nothing
// where the line does no harm.
func findingSentence(f authkeys.Finding, reader authkeys.Reader) (text, helps string) {
	sshd := term.Escape(reader.String())
	const mend = "put the key on a line of its own, or use -f"
	switch f.Kind {
	case authkeys.FoundByteOrderMark:
		return "behind a byte order mark, which " + sshd + " does not skip", "remove the mark (save the file as UTF-8 without BOM)"
	case authkeys.FoundNotText:
		return "in UTF-16, which " + sshd + " does not read", "save the file as UTF-8"
	case authkeys.FoundGlued:
		return "another key is on the same line, and " + sshd + " reads the first at most", mend
	case authkeys.FoundCarriageReturn:
		return "its lines end in carriage returns alone, which " + sshd + " takes for one line", "save the file with newlines"
	case authkeys.FoundCommentedOut:
		return "commented out", "remove the # if the key is to be let in"
	case authkeys.FoundDamaged:
		return sshd + " does not read it (" + f.Reason.String() + ")", mend
	case authkeys.FoundCertificate:
		return "as a certificate, which lets nobody in there", mend
	case authkeys.FoundDSA:
		return "DSA keys are refused since OpenSSH 7.0", "install a key of another type"
	case authkeys.FoundShortRSA:
		return fmt.Sprintf("with %d bits it is too short for %s", f.Bits, sshd), "install a longer key"
	case authkeys.FoundOptionsRefused:
		return fmt.Sprintf("%s refuses its option %s (%s)", sshd, term.Escape(f.Option), f.OptionReason), "correct the option"
	case authkeys.FoundCertAuthority:
		return "marked cert-authority: the line accepts certificates signed by this key, not the key itself", mend
	case authkeys.FoundExpired:
		return "its expiry-time " + term.Escape(f.Value) + " has passed", "remove the line, or give it a later time"
	case authkeys.FoundLayout:
		return sshd + " does not find it: it reads a key type at the start of the line or one blank after the options, then one blank and the key", "remove the extra blanks and tabs"
	case authkeys.FoundLong:
		return fmt.Sprintf("%s reads no line longer than %d bytes", sshd, f.Limit), "shorten the comment or the options"
	case authkeys.FoundBeyond:
		return fmt.Sprintf("%s reads only the first %d lines of the file", sshd, f.Limit), "remove lines that are not needed"
	case authkeys.FoundOverruled:
		how := "without options"
		if len(f.Options) > 0 {
			how = "with the options " + optionText(f.Options)
		}
		return fmt.Sprintf("line %d comes first and decides, %s", f.By, how),
			fmt.Sprintf("remove one of the lines, %d or %d", f.By, f.Line)
	case authkeys.FoundPartlyOverruled:
		return fmt.Sprintf("where the options of line %d (%s) do not let the key in, this line does", f.By, term.Escape(strings.Join(f.Options, ","))),
			"remove it if that is not meant"
	}
	return "", "" // a duplicate does no harm
}

// unreadableSentence says why a line that the server could not read was not
// written.
func unreadableSentence(e *copyid.UnreadableError) string {
	reader, key := term.Escape(e.Reader.String()), describe(e.Identity)
	if e.Option == nil {
		return fmt.Sprintf("the server (%s) reads no line longer than %d bytes, and that of %s has %d; nothing was added\n\t(--comment gives it a shorter comment)",
			reader, e.Reader.MaxLine(), key, e.Length)
	}
	return fmt.Sprintf("the server (%s) cannot read the option %s of %s (%s): it would ignore the whole line; nothing was added\n\t(leave the option out, or restrict the key on the server)",
		reader, term.Escape(e.Option.Option), key, e.Option.Reason)
}
