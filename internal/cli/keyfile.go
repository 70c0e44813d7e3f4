package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
)

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
		return source{}, missingFile(pub, err)
	}
	ids, err := identity.ReadFile(pub)
	if err != nil {
		return source{}, mistaken(err)
	}
	private := privatePath(pub)
	if err := r.needPrivate(private, pub); err != nil && !r.agentHolds(ids) {
		return source{}, err
	}
	s := source{name: `"` + pub + `"`, ids: ids}
	if ids[0].Origin.PrivateKey != "" && readable(private) == nil {
		s.private = private
	}
	r.remarkFile(ids[0].Origin, "")
	return s, nil
}

// fromNamed reads the keys of a file in whatever format it is: it may be a
// private key, of which the public half is taken, or a public key with another
// suffix than .pub.
func (r *run) fromNamed(name, pub string) (source, error) {
	if err := readable(name); err != nil {
		return source{}, missingFile(name, err)
	}
	ids, err := identity.ReadPublicHalf(name)
	if err != nil {
		return source{}, mistaken(err)
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
				return source{}, mistaken(&identity.FileError{Path: name, Line: id.Origin.Line, Err: err})
			}
		}
		if err := r.needNamedPrivate(ids[0]); err != nil && !r.agentHolds(ids) {
			return source{}, err
		}
	}
	r.remarkFile(origin, pub)
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
	return &fileError{pub: name, err: errNoPrivateKey, authorizedKeys: mistakenFile(name) == authorizedKeysFile}
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

// remarkFile remarks on what nobody would expect of a key file. missing is the
// public key file in the place of which it is read.
func (r *run) remarkFile(origin identity.Origin, missing string) {
	if origin.Format.Private() {
		r.out.Remark(publicHalf{origin, missing})
	}
	if origin.UTF16 {
		r.out.Remark(inUTF16{origin})
	}
}

// missingFile is the error for a public key file that cannot be read.
func missingFile(pub string, err error) error {
	e := &fileError{path: pub, err: err}
	if !errors.Is(err, fs.ErrNotExist) {
		return e
	}
	base := strings.TrimSuffix(pub, ".pub")
	for _, other := range []string{pub + ".txt", base + ".txt", base + ".pem"} {
		if regular(other) {
			e.instead = other
			break
		}
	}
	return e
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

// regular reports whether there is a regular file, or a link to one.
func regular(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// readable returns why a file cannot be read; nil where it can.
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
