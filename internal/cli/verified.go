package cli

import (
	"fmt"
	"slices"
	"strings"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/term"
)

// verified prints what the server said about the keys after the change.
func (p *printer) verified(v *copyid.Verification) {
	switch {
	case v.Err != nil:
		p.warning("could not check whether the server accepts the key(s): %s", uncheckedSentence(v.Err))
	case v.NoKeyAsked:
		p.info("not verified: the server lets this account in without asking for a key")
		return
	case !v.Done:
		return
	}
	if len(v.Accepted) > 0 {
		switch n := len(v.Accepted); {
		case v.LoggedIn && n == 1:
			p.info("verified: logged in with 1 key")
		case v.LoggedIn:
			p.info("verified: the server now accepts %d keys; logged in with one of them", n)
		default:
			p.info("verified: the server now accepts %s", count(n, "key"))
		}
	}
	if v.Nowhere != nil {
		p.nowhere(v.Nowhere)
	}
	for _, id := range v.Refused {
		p.warning("the server still refuses %s", describe(id))
		p.unknownType(id, v.Causes)
	}
	for _, id := range v.Unasked {
		p.warning("not checked, %s: %s", uncheckedReason(v), describe(id))
	}
	p.causes(v.Causes)
}

// notUnderstood says of keys of types that are not understood here what is left
// out for them.
func (p *printer) notUnderstood(ids []identity.Identity) {
	told := map[string]bool{}
	for _, id := range ids {
		if name := id.Entry.Key.Type(); authkeys.Opaque(id.Entry.Key) && !told[name] {
			told[name] = true
			p.info("keys of the type %s cannot sign here: the server is asked whether it accepts them, and no login is tried with them", term.Escape(name))
		}
	}
}

// unknownType names the likeliest cause why a server refuses a key of a type that
// is not understood here: it does not know the type either. sshd passes over
// the line then. causes are those that were seen.
func (p *printer) unknownType(id identity.Identity, causes []copyid.Cause) {
	seen := slices.ContainsFunc(causes, func(c copyid.Cause) bool { return remote.FindingKind(c.Kind) == remote.FindKeyType })
	if authkeys.Opaque(id.Entry.Key) && !seen {
		p.warning("likely cause: the server's version does not know keys of the type %s, or its PubkeyAcceptedAlgorithms leaves them out",
			term.Escape(id.Entry.Key.Type()))
	}
}

// uncheckedReason says why the server was not asked about a key.
func uncheckedReason(v *copyid.Verification) string {
	switch {
	case v.KeysOff:
		return "PubkeyAuthentication is off in ssh_config"
	case v.AcceptsEveryKey:
		return "the server says yes to every key it is asked about"
	case len(v.Methods) > 0 && !slices.Contains(v.Methods, "publickey"):
		return "the server does not offer publickey authentication at first (it offers " + term.Escape(strings.Join(v.Methods, ",")) + ")"
	}
	if len(v.Refused) == 0 {
		return "the server hung up before it could be asked"
	}
	return "the server refused too many keys"
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
