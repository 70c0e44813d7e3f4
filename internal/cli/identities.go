package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/term"
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

// fileError is what use_id_file of the stock script says about a file.
type fileError struct {
	path string // "" for a private key whose name nobody knows
	pub  string // set where path is the private key that -f would not need
	err  error
}

func (e *fileError) Error() string { return "open ID file " + e.path + ": " + e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

var (
	errNoIdentities = errors.New("no identities found")
	errNoIDFile     = errors.New("no ID file found")
	errNoPrivateKey = errors.New("no private key")
)

// identities finds the keys, or has --keygen make one where there is none.
func (r *run) identities() (source, error) {
	found, err := r.findIdentities()
	switch path := r.newKeyPath(err); {
	case !r.flags.Keygen:
		return found, err
	case err == nil:
		r.printer.info("--keygen has nothing to do: there is a key already")
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
// reported, and does not keep an older one from being used. looked says where
// else keys were looked for.
func (r *run) fromDefaults(none error, looked []string) (source, error) {
	if r.home == "" {
		return source{}, &homeError{"~/.ssh/id*.pub, the default identities"}
	}
	dir := filepath.Join(r.home, ".ssh")
	paths, err := identity.Defaults(dir)
	if err != nil {
		where := "there is no " + term.Escape(filepath.Join(dir, "id*.pub"))
		var unreadable *identity.FileError
		if errors.As(err, &unreadable) {
			where = term.Escape(dir) + ": " + systemText(unreadable.Err)
		}
		return source{}, &noKeyError{err: none, hint: r.keygenHint() + looklist(append(looked, where))}
	}
	var failed []error
	for _, path := range paths {
		s, err := r.fromFile(path)
		if err == nil {
			for _, err := range failed {
				r.printer.warning("passed over: %s", sentence(err))
			}
			return s, nil
		}
		failed = append(failed, err)
	}
	for _, err := range failed[1:] {
		r.printer.warning("passed over: %s", sentence(err))
	}
	return source{}, failed[0]
}

// looklist is the line that says where keys were looked for.
func looklist(places []string) string {
	return "\n\t(" + strings.Join(places, "; ") + ")"
}

// fromFile reads the public keys of NAME.pub, or of NAME where that ends so.
// Unless -f is given the private key beside it must be readable too, PuTTY's
// counting as well. Where there is no NAME.pub but NAME, the keys are those of
// NAME itself.
func (r *run) fromFile(name string) (source, error) {
	pub := identity.PubPath(name)
	err := readable(pub)
	switch {
	case errors.Is(err, fs.ErrNotExist) && regular(name):
		return r.fromNamed(name, pub)
	case errors.Is(err, fs.ErrNotExist) && regular(name+".ppk"):
		return r.fromNamed(name+".ppk", pub)
	case err != nil:
		return source{}, &fileError{path: pub, err: err}
	}
	ids, err := identity.ReadFile(pub)
	if err != nil {
		return source{}, err
	}
	private := privatePath(pub)
	if err := r.needPrivate(private, pub); err != nil && !r.agentHolds(ids) {
		return source{}, err
	}
	s := source{name: `"` + pub + `"`, ids: ids}
	if ids[0].Origin.PrivateKey != "" && readable(private) == nil {
		s.private = private
	}
	r.printer.fileNotes(ids[0].Origin, "")
	return s, nil
}

// fromNamed reads the keys of a file in whatever format it is: it may be a
// private key, of which the public half is taken, or a public key with another
// suffix than .pub.
func (r *run) fromNamed(name, pub string) (source, error) {
	if err := readable(name); err != nil {
		return source{}, &fileError{path: name, err: err}
	}
	ids, err := identity.ReadPublicHalf(name)
	if err != nil {
		return source{}, err
	}
	origin := ids[0].Origin
	s := source{name: `"` + name + `"`, ids: ids, private: origin.PrivateKey}
	switch {
	case origin.Format == identity.FormatPPK, origin.UTF16 && origin.Format.Private():
		// no file that ssh could be called with
	case origin.Format.Private():
		s.private = name // also one that only ssh can use, such as of a security key
	default:
		// A known_hosts file looks like keys with options.
		for _, id := range ids {
			if err := authkeys.CheckOptions(id.Entry.Options); err != nil {
				return source{}, &identity.FileError{Path: name, Line: id.Origin.Line, Err: err}
			}
		}
		if err := r.needNamedPrivate(ids[0]); err != nil && !r.agentHolds(ids) {
			return source{}, err
		}
	}
	r.printer.fileNotes(origin, pub)
	return s, nil
}

// needNamedPrivate is [run.needPrivate] for a public key file that is not called
// .pub: its private key is FILE without the suffix, where that holds one, or
// FILE.ppk in the place of the suffix.
func (r *run) needNamedPrivate(id identity.Identity) error {
	name, suffix := id.Origin.Path, filepath.Ext(id.Origin.Path)
	base := strings.TrimSuffix(name, suffix)
	if r.flags.Force || id.Origin.PrivateKey != "" || regular(base+".ppk") {
		return nil
	}
	private := privatePath(base)
	if err := readable(private); err != nil && suffix != "" {
		return &fileError{path: private, pub: name, err: err}
	}
	return &fileError{pub: name, err: errNoPrivateKey}
}

// needPrivate is the check of the stock script that the private key can be
// read, which -f leaves out; KEY.ppk is the private key in PuTTY's format.
func (r *run) needPrivate(private, public string) error {
	if r.flags.Force {
		return nil
	}
	err := readable(private)
	if err == nil || readable(private+".ppk") == nil {
		return nil
	}
	return &fileError{path: private, pub: public, err: err}
}

// fileNotes tells what a person would not expect of a key file. missing is the
// public key file in the place of which it is read.
func (p *printer) fileNotes(origin identity.Origin, missing string) {
	path := term.Escape(origin.Path)
	switch {
	case origin.Format == identity.FormatPPK && origin.UTF16:
		p.info(`the public half of the PuTTY key "%s" is used`, path)
	case origin.Format == identity.FormatPPK:
		p.info(`the public half of the PuTTY key "%s" is used; PuTTY can log in with this file, ssh cannot`, path)
	case origin.Format.Private():
		p.info(`"%s" does not exist: the public half of the private key is used`, term.Escape(missing))
	}
	switch {
	case origin.UTF16 && origin.Format.Private():
		p.warning(`"%s" is in UTF-16, and no program can log in with it; save it as UTF-8`, path)
	case origin.UTF16:
		p.warning(`"%s" is in UTF-16, which ssh cannot read; its keys were read all the same, save it as UTF-8`, path)
	}
}

// privatePath is where the script looks for the private key:
// $(dirname FILE)/$(basename FILE .pub).
func privatePath(pub string) string {
	dir, file := filepath.Split(pub)
	if dir == "" {
		dir = "." + string(filepath.Separator)
	}
	return dir + identity.PrivatePath(file)
}

// regular tells that there is a regular file, or a link to one.
func regular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// readable tells why a file cannot be read; nil where it can.
func readable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		var failed *fs.PathError
		if errors.As(err, &failed) {
			return failed.Err
		}
		return err
	}
	return f.Close()
}

// keyFileNamed reports whether a word of the command line names a key file: the
// test of the stock script for one in the place of the host.
func keyFileNamed(word string) bool { return identity.LooksLikeKey(expandHome(word)) }

// loginName is the account name without the domain Windows puts before it.
func loginName(name string) string {
	return name[strings.LastIndexByte(name, '\\')+1:]
}
