package cli

import (
	"fmt"

	"ssh-copy-id/copyid"
	"ssh-copy-id/internal/term"
)

// verified tells what the server said about the keys after the change, and
// decides the exit status that --verify asks for.
func (r *run) verified(v *copyid.Verification) {
	p := r.printer
	switch {
	case v.Err != nil:
		p.warning("could not check whether the server accepts the key(s): %s", sentence(v.Err))
	case !v.Done:
		return
	}
	if len(v.Accepted) > 0 {
		how := "the server now accepts"
		if v.LoggedIn {
			how = "logged in with"
		}
		p.info("verified: %s %s", how, count(len(v.Accepted), "key"))
	}
	for _, id := range v.Refused {
		p.warning("the server still refuses %s", describe(id))
	}
	for _, id := range v.Unasked {
		p.warning("not checked, the server refused too many keys: %s", describe(id))
	}
	for _, cause := range v.Causes {
		p.warning("likely cause: %s", causeSentence(cause))
	}
	if r.flags.Verify && (v.Err != nil || len(v.Refused)+len(v.Unasked) > 0) {
		r.status = 1
	}
}

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// causeSentence says what is likely wrong and what to do about it.
func causeSentence(c copyid.Cause) string {
	path := term.Escape(c.Path)
	switch c.Kind {
	case copyid.CauseMode:
		return fmt.Sprintf("%s has mode %04o: others may write to it, so sshd ignores the keys; try: chmod go-w %s",
			path, c.Mode.Perm(), shellWord(path))
	case copyid.CauseOwner:
		return fmt.Sprintf("%s belongs to user %s, not to this account or root, so sshd ignores the keys", path, term.Escape(c.Owner))
	case copyid.CauseMethod:
		return "the server does not offer publickey authentication (PubkeyAuthentication in its sshd_config)"
	case copyid.CauseRoot:
		return "root may not be allowed to log in (PermitRootLogin in the server's sshd_config)"
	case copyid.CauseOptions:
		return fmt.Sprintf("the key stands in %s with options that may forbid this login", path)
	}
	return fmt.Sprintf("the server may read another file than %s (AuthorizedKeysFile in its sshd_config) or not accept this type of key", path)
}
