package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/term"
)

// The sentences about the keys to install and the files they come from.

// keySentence is about the keys to install, and what else is read on this side; ""
// for other errors.
func keySentence(err error) string {
	var (
		none     *noKeyError
		homeless *homeError
		comment  *commentError
		keygen   *keygenError
		file     *fileError
		password *passwordError
		wrong    *mistakenError
		keyFile  *identity.FileError
	)
	switch {
	case errors.As(err, &none):
		return noKeySentence(none)
	case errors.As(err, &homeless):
		return term.Escape(homeless.Error())
	case errors.As(err, &comment):
		return term.Escape(comment.Error())
	case errors.As(err, &keygen):
		return keygenSentence(keygen)
	case errors.As(err, &file):
		return fileSentence(file)
	case errors.As(err, &password):
		return term.Escape(password.flag) + ": " + systemText(password.err)
	case errors.As(err, &wrong):
		return mistakenSentence(wrong)
	case errors.As(err, &keyFile):
		return keyFileSentence(keyFile)
	}
	return ""
}

// noKeySentence says that there is no key, where it was looked for, and how to get
// one.
func noKeySentence(e *noKeyError) string {
	text := term.Escape(e.Error())
	if e.err == errNoIdentities {
		text = "No identities found"
	}
	if e.private != "" {
		text += fmt.Sprintf("\n\t('%s' has no .pub file beside it: to install its public half, give it with -i)", term.Escape(e.private))
	} else {
		text += "\n\t(to make a key and install it, add the --keygen option)"
	}
	var looked []string
	for _, p := range e.looked {
		looked = append(looked, placeText(p))
	}
	return text + "\n\t(" + strings.Join(looked, "; ") + ")"
}

// placeText says what was found at a place in the place of keys.
func placeText(p place) string {
	switch {
	case p.dir != "" && p.err != nil:
		return term.Escape(p.dir) + ": " + systemText(p.err)
	case p.dir != "":
		return "there is no " + term.Escape(filepath.Join(p.dir, "id*.pub"))
	}
	return agentText(p.agent) + map[agentState]string{
		agentUnreached: " cannot be reached", agentMute: " does not answer",
		agentUnusable: " holds no key that can be installed", agentEmpty: " holds no keys",
	}[p.found]
}

// agentText names an agent, or says why there is none.
func agentText(a agentPlace) string {
	switch a.origin {
	case agentOff:
		return "no agent: IdentityAgent is none"
	case agentConfigured:
		return "the agent of IdentityAgent (" + term.Escape(a.path) + ")"
	case agentOfEnvironment:
		return "the agent of SSH_AUTH_SOCK (" + term.Escape(a.path) + ")"
	case agentNotRunning:
		return "no agent: neither OpenSSH's nor Pageant runs"
	}
	return "no agent: SSH_AUTH_SOCK is not set"
}

// fileSentence are the words of use_id_file in the stock script.
func fileSentence(e *fileError) string {
	text := fmt.Sprintf("failed to open ID file '%s': %s", term.Escape(e.path), systemText(e.err))
	if e.path == "" {
		text = fmt.Sprintf("'%s' is a public key, and beside it is no private key", term.Escape(e.pub))
		if e.authorizedKeys {
			text = fmt.Sprintf("'%s' is an authorized_keys file, and beside it are no private keys", term.Escape(e.pub))
		}
	}
	if e.pub == "" && errors.Is(e.err, fs.ErrNotExist) {
		text += missingHint(e)
	}
	if e.pub != "" {
		text += fmt.Sprintf("\n\t(to install the contents of '%s' anyway, look at the -f option)", term.Escape(e.pub))
	}
	return text
}

// keyFileSentence says what is wrong with a key file, and for a private key whose
// public half is out of reach how to get at it.
func keyFileSentence(e *identity.FileError) string {
	why := ""
	var work *identity.DerivationError
	switch {
	case errors.As(e.Err, &work):
		return term.Escape(e.Error()) + "\n\t(write the key anew with less work, with the program that made it, or use its .pub file)"
	case errors.Is(e.Err, identity.ErrNoPublicKey):
		why = "the public half of this private key is not known without its passphrase"
	case errors.Is(e.Err, identity.ErrUnsupported):
		why = "the public half of this private key cannot be worked out here"
	default:
		return term.Escape(e.Error())
	}
	return term.Escape(fmt.Sprintf("%s: %s; write it to a file of its own first, with: ssh-keygen -y -f %s > %s",
		e.Path, why, shellWord(e.Path), shellWord(identity.PubPath(e.Path))))
}

// mistakenSentence says what a file is that was given as a key.
func mistakenSentence(e *mistakenError) string {
	what := "is an ssh_config file, which -F takes, and holds no key"
	if e.kind == knownHostsFile {
		what = "is a known_hosts file: it holds the keys of servers, and none of yours"
	}
	return fmt.Sprintf("'%s' %s; -i wants the file of a key, such as ~/.ssh/id_ed25519", term.Escape(e.path), what)
}

// missingHint is a line of its own about a key file that is not there: what is
// there instead, or what about its name may not be meant.
func missingHint(e *fileError) string {
	if e.instead != "" {
		return fmt.Sprintf("\n\t(there is a file '%s': give that name with -i)", term.Escape(e.instead))
	}
	base, hint := strings.TrimSuffix(e.path, ".pub"), ""
	switch {
	case percentName.MatchString(base):
		hint = percentName.FindString(base) + " was not replaced by its value: cmd.exe does that, PowerShell wants $env:NAME, other shells $NAME"
	case strings.Contains(strings.ToLower(base), "$env:"):
		hint = "$env: was not replaced by its value: PowerShell does that, outside of single quotes; cmd.exe wants %NAME%, other shells $NAME"
	case dollarName.MatchString(base):
		hint = dollarName.FindString(base) + " was not replaced by its value: a shell does that, outside of single quotes"
	case strings.ContainsAny(base, `"'`):
		hint = "the quotes are part of the name here: leave them out"
	case strings.HasPrefix(base, "~"):
		hint = "~ was not replaced by the home directory: a shell does that, outside of quotes"
	case strings.TrimSpace(base) != base:
		hint = "the name begins or ends with a blank or a line end: leave that out"
	default:
		return ""
	}
	return "\n\t(" + term.Escape(hint) + ")"
}

var (
	percentName = regexp.MustCompile(`%[A-Za-z_][A-Za-z0-9_()]*%`)
	dollarName  = regexp.MustCompile(`\$(\{[A-Za-z_][A-Za-z0-9_]*\}|[A-Za-z_][A-Za-z0-9_]*)`)
)

// keygenSentence says why no key was made.
func keygenSentence(e *keygenError) string {
	path := term.Escape(e.path)
	switch {
	case errors.Is(e.err, errNeverOverwritten) && e.regular:
		return fmt.Sprintf("no key was made, because '%s' exists and is not overwritten; to install it, give it with -i", path)
	case errors.Is(e.err, errNeverOverwritten):
		return fmt.Sprintf("no key was made, because '%s' exists and is not overwritten", path)
	case errors.Is(e.err, term.ErrNoTerminal):
		return fmt.Sprintf("the key '%s' was not made: there is no terminal to ask for its passphrase on; %s, or add --no-passphrase for a key without one", path, terminalAdvice())
	}
	return fmt.Sprintf("the key '%s' was not made: %s", path, systemText(e.err))
}
