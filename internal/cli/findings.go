package cli

import (
	"fmt"
	"strings"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/term"
)

// findings tells about lines of the target file that hold a key and do not do
// what they seem to do, with what to do about it.
func (p *printer) findings(keys []copyid.KeyPlan, path string) {
	for _, k := range keys {
		for _, f := range k.Findings {
			text, helps := findingSentence(f)
			if text == "" {
				continue
			}
			if k.Decision == copyid.Install && k.Line == 0 {
				helps = "the key is added on a line of its own"
			}
			p.warning("line %d of %s holds %s too, but %s; %s", f.Line, term.Escape(path), describe(k.Identity), text, helps)
		}
	}
}

// findingSentence says what is the matter with a line, and what to do; nothing
// where the line does no harm.
func findingSentence(f authkeys.Finding) (text, helps string) {
	const mend = "put the key on a line of its own, or use -f"
	switch f.Kind {
	case authkeys.FoundByteOrderMark:
		return "behind a byte order mark, which sshd does not skip", "remove the mark (save the file as UTF-8 without BOM)"
	case authkeys.FoundNotText:
		return "in UTF-16, which sshd does not read", "save the file as UTF-8"
	case authkeys.FoundGlued:
		return "another key stands on the same line, and sshd reads the first at most", mend
	case authkeys.FoundCarriageReturn:
		return "its lines end in carriage returns alone, which sshd takes for one line", "save the file with newlines"
	case authkeys.FoundCommentedOut:
		return "commented out", "remove the # if the key is to be let in"
	case authkeys.FoundDamaged:
		return "sshd does not read it (" + f.Reason.String() + ")", mend
	case authkeys.FoundCertificate:
		return "as a certificate, which lets nobody in there", mend
	case authkeys.FoundDSA:
		return "DSA keys are refused since OpenSSH 7.0", "install a key of another type"
	case authkeys.FoundShortRSA:
		return fmt.Sprintf("with %d bits it is too short for sshd", f.Bits), "install a longer key"
	case authkeys.FoundOptionsRefused:
		return fmt.Sprintf("sshd refuses its option %s (%s)", term.Escape(f.Option), f.OptionReason), "correct the option"
	case authkeys.FoundCertAuthority:
		return "with cert-authority it lets in whom the key signed for, not the key", mend
	case authkeys.FoundExpired:
		return "its expiry-time " + term.Escape(f.Value) + " is over", "remove the line, or give it a later time"
	case authkeys.FoundOverruled:
		return fmt.Sprintf("line %d comes first and decides, with the options %s", f.By, term.Escape(strings.Join(f.Options, ","))),
			fmt.Sprintf("remove one of the lines, %d or %d", f.By, f.Line)
	case authkeys.FoundPartlyOverruled:
		return fmt.Sprintf("where the options of line %d (%s) do not let the key in, this line does", f.By, term.Escape(strings.Join(f.Options, ","))),
			"remove it if that is not meant"
	}
	return "", "" // a duplicate does no harm
}
