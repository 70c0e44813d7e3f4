package cli

import (
	"errors"
	"path/filepath"

	"ssh-copy-id/identity"
)

// source is where the keys come from and which they are.
type source struct {
	name    string // as the "Source of key(s)" line shows it
	ids     []identity.Identity
	skipped []identity.Skipped
	private string // the private key beside the file, for the final hint
}

// loginFile is the file for -i of ssh: the private key, or else the public key
// file, which names a key of the agent; "" where there is none.
func (s source) loginFile() string {
	if s.private != "" || len(s.ids) == 0 {
		return s.private
	}
	if o := s.ids[0].Origin; o.Source == identity.File && o.Format == identity.FormatOpenSSH && !o.UTF16 {
		return o.Path
	}
	return ""
}

// identities finds the keys, or has --keygen make one where there is none.
func (r *run) identities() (source, error) {
	found, err := r.findIdentities()
	switch path := r.newKeyPath(err); {
	case !r.flags.Keygen:
		return found, err
	case err == nil:
		r.out.Remark(keygenIdle{})
		return found, nil
	case path == "":
		return source{}, err
	default:
		if err := r.keygen(path); err != nil {
			return source{}, err
		}
		return r.fromFile(path)
	}
}

// findIdentities finds the keys: the file of -i, else every key of the agent,
// else the newest default file that can be used.
func (r *run) findIdentities() (source, error) {
	if r.flags.IdentitySet {
		if r.flags.Identity != "" {
			return r.fromFile(r.flags.Identity)
		}
		return r.fromDefaults(errNoIDFile, nil)
	}
	s, looked, err := r.fromAgent()
	if err != nil || len(s.ids) > 0 {
		return s, err
	}
	return r.fromDefaults(errNoIdentities, looked)
}

// fromDefaults takes the newest ~/.ssh/id*.pub. One that cannot be used is
// reported, and does not keep an older one from being used. looked is where else
// keys were looked for.
func (r *run) fromDefaults(none error, looked []place) (source, error) {
	if r.home == "" {
		return source{}, &homeError{"~/.ssh/id*.pub, the default identities"}
	}
	dir := filepath.Join(r.home, ".ssh")
	paths, err := identity.Defaults(dir)
	if err != nil {
		where := place{dir: dir}
		var unreadable *identity.FileError
		if errors.As(err, &unreadable) {
			where.err = unreadable.Err
		}
		return source{}, &noKeyError{err: none, private: privateAlone(dir), looked: append(looked, where)}
	}
	var failed []error
	for _, path := range paths {
		s, err := r.fromFile(path)
		if err == nil {
			for _, err := range failed {
				r.out.Remark(passedOver{err})
			}
			return s, nil
		}
		failed = append(failed, err)
	}
	for _, err := range failed[1:] {
		r.out.Remark(passedOver{err})
	}
	return source{}, failed[0]
}

// place is where keys were looked for and none were found: an agent, or the
// directory of the default identities.
type place struct {
	agent agentPlace
	found agentState
	dir   string // "" for an agent
	err   error  // why dir cannot be read; nil where it has no identities
}

// privateAlone is a private key in dir that has no .pub file; "" for none.
func privateAlone(dir string) string {
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		private := filepath.Join(dir, name)
		if _, err := identity.Encrypted(private); err == nil {
			return private
		}
	}
	return ""
}
