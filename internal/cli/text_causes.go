package cli

import (
	"fmt"
	"strings"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/term"
)

// causeMessages say why a server refuses keys, with what repairs it.
func causeMessages(causes []copyid.Cause) (list []message) {
	for _, c := range causes {
		text := causeSentence(c)
		switch {
		case c.Fix != "" && c.InConfig:
			text += "; put at the top of the server's sshd_config: " + term.Escape(c.Fix)
		case c.Fix != "" && c.Kind == copyid.CauseEncoding:
			text += "; in PowerShell on the server: " + term.Escape(c.Fix)
		case c.Fix != "":
			text += "; on the server: " + term.Escape(c.Fix)
		}
		switch {
		case c.Informational:
			list = append(list, message{info, text})
		case c.Unsure:
			list = append(list, warningf("possible cause: %s", text))
		default:
			list = append(list, warningf("likely cause: %s", text))
		}
	}
	return list
}

// causeSentence says what is likely wrong.
func causeSentence(c copyid.Cause) string {
	for _, words := range []func(copyid.Cause) string{windowsCause, configCause, fileCause, accountCause, lineCause} {
		if text := words(c); text != "" {
			return text
		}
	}
	return fmt.Sprintf("the server may read another file than %s (AuthorizedKeysFile in its sshd_config), not accept this type of key, or have revoked it (RevokedKeys)", term.Escape(c.Path))
}

// causeKey names the key that a cause is about.
func causeKey(c copyid.Cause) string {
	if c.Key.Key == nil {
		return "the key"
	}
	return describe(identity.Identity{Entry: c.Key})
}

// configCause is about settings of sshd_config; "" for other causes.
func configCause(c copyid.Cause) string {
	path, value := term.Escape(c.Path), term.Excerpt(c.Value)
	switch c.Kind {
	case copyid.CauseMethod:
		if c.Option != "" {
			return "the server does not look at keys (PubkeyAuthentication no)"
		}
		return "the server does not offer publickey authentication (PubkeyAuthentication or AuthenticationMethods in its sshd_config)"
	case copyid.CauseRoot:
		return strings.TrimSpace("root may not log in with any key (PermitRootLogin "+value) + " in the server's sshd_config)"
	case copyid.CauseOtherFile:
		if len(c.Files) == 0 {
			return fmt.Sprintf("sshd reads no file of keys for this account (AuthorizedKeysFile %s)", value)
		}
		return fmt.Sprintf("sshd reads keys from %s, not from %s (AuthorizedKeysFile)", term.Escape(strings.Join(c.Files, " and ")), path)
	case copyid.CauseKeyType:
		return fmt.Sprintf("%s is of a type the server does not accept (PubkeyAcceptedAlgorithms %s)", causeKey(c), value)
	case copyid.CauseRSASize:
		return fmt.Sprintf("%s is shorter than the %s bits the server wants (RequiredRSASize)", causeKey(c), value)
	case copyid.CauseUsers:
		return fmt.Sprintf("the server's %s (%s) keeps this account out", term.Escape(c.Option), value)
	case copyid.CauseMethods:
		return fmt.Sprintf("the server wants another method or more than one (AuthenticationMethods %s)", value)
	case copyid.CauseCommand:
		return fmt.Sprintf("the server asks a program for keys as well (AuthorizedKeysCommand %s)", value)
	case copyid.CauseRevoked:
		return fmt.Sprintf("the server refuses keys that its RevokedKeys file %s lists, and every key where it cannot read that file", value)
	}
	return ""
}

// fileCause is about the target file and what leads to it; "" for other causes.
func fileCause(c copyid.Cause) string {
	path, value := term.Escape(c.Path), term.Excerpt(c.Value)
	switch c.Kind {
	case copyid.CauseMode:
		return fmt.Sprintf("%s has mode %04o: others may write to it, so sshd ignores the keys", path, unixMode(c.Mode))
	case copyid.CauseOwner:
		return fmt.Sprintf("%s belongs to user %s, not to this account or root, so sshd ignores the keys", path, term.Escape(c.Owner))
	case copyid.CauseMissing:
		return path + " is not there, or is no file"
	case copyid.CauseUnreadable:
		return path + " cannot be read by the account, as which sshd opens it"
	case copyid.CauseEncrypted:
		return fmt.Sprintf("%s is encrypted (%s) until the account has logged in, so sshd cannot read the keys", path, value)
	case copyid.CauseLabel:
		return fmt.Sprintf("%s has the SELinux context %s, which sshd may not read", path, value)
	case copyid.CauseACL:
		return fmt.Sprintf("the access control list of %s lets others write (%s)", path, value)
	case copyid.CauseImmutable:
		return path + " is immutable: no program can add keys to it"
	}
	return ""
}

// accountCause is about the account itself; "" for other causes.
func accountCause(c copyid.Cause) string {
	value := term.Excerpt(c.Value)
	switch c.Kind {
	case copyid.CauseExpired:
		return strings.TrimSpace("the account, or its password, has expired " + value)
	case copyid.CauseLocked:
		return "the account is locked"
	case copyid.CauseShell:
		return fmt.Sprintf("the login shell %s lets nobody in, or is not in /etc/shells", value)
	}
	return ""
}

// lineCause is about the lines of the target file; "" for other causes.
func lineCause(c copyid.Cause) string {
	path := term.Escape(c.Path)
	switch c.Kind {
	case copyid.CauseOptions:
		return fmt.Sprintf("the key stands in %s with the options %s, which may forbid this login", orDefault(c.Path), term.Excerpt(c.Value))
	case copyid.CauseLine:
		text, helps := findingSentence(c.Finding, c.Reader)
		return fmt.Sprintf("line %d of %s holds %s, but %s; %s", c.Finding.Line, path, causeKey(c), text, helps)
	case copyid.CauseAbsent:
		return fmt.Sprintf("%s does not hold %s", path, causeKey(c))
	}
	return ""
}
