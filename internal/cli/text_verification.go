package cli

import (
	"slices"
	"strings"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/term"
)

// verificationMessages say what the server said about the keys after the change.
func verificationMessages(v *copyid.Verification) (list []message) {
	switch {
	case v.Err != nil:
		return []message{warningf("could not check whether the server accepts the key(s): %s", uncheckedSentence(v.Err))}
	case v.NoKeyAsked:
		return []message{infof("not verified: the server lets this account in without asking for a key")}
	case !v.Done:
		return nil
	}
	switch n := len(v.Accepted); {
	case n == 0:
	case v.LoggedIn && n == 1:
		list = append(list, infof("verified: logged in with 1 key"))
	case v.LoggedIn:
		list = append(list, infof("verified: the server now accepts %d keys; logged in with one of them", n))
	default:
		list = append(list, infof("verified: the server now accepts %s", count(n, "key")))
	}
	if v.Nowhere != nil {
		list = append(list, nowhereMessage(v.Nowhere))
	}
	for _, id := range v.Refused {
		list = append(list, warningf("the server still refuses %s", describe(id)))
		list = append(list, unknownTypeMessages(id, v.Causes)...)
	}
	for _, id := range v.Unasked {
		list = append(list, warningf("not checked, %s: %s", uncheckedReason(v), describe(id)))
	}
	return append(list, causeMessages(v.Causes)...)
}

// unknownTypeMessages name the likeliest cause why a server refuses a key of a
// type that is not understood here: it does not know the type either. sshd passes
// over the line then. causes are those that were seen.
func unknownTypeMessages(id identity.Identity, causes []copyid.Cause) []message {
	seen := slices.ContainsFunc(causes, func(c copyid.Cause) bool { return c.Kind == copyid.CauseKeyType })
	if !authkeys.Opaque(id.Entry.Key) || seen {
		return nil
	}
	return []message{warningf("likely cause: the server's version does not know keys of the type %s, or its PubkeyAcceptedAlgorithms leaves them out",
		term.Escape(id.Entry.Key.Type()))}
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
