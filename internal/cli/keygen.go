package cli

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/owneronly"
)

// defaultKey is the name of the key that --keygen makes, in ~/.ssh.
const defaultKey = "id_ed25519"

// maxMismatches is how often a passphrase that is not repeated alike is asked
// for again: an askpass program that cannot do it would never end.
const maxMismatches = 3

// newKeyPath is where --keygen makes a key because err says that there is none:
// the file that -i names, else ~/.ssh/id_ed25519. "" for another error.
func (r *run) newKeyPath(err error) string {
	var file *fileError
	switch {
	case r.home != "" && (errors.Is(err, errNoIdentities) || errors.Is(err, errNoIDFile)):
		return filepath.Join(r.home, ".ssh", defaultKey)
	case errors.As(err, &file) && file.pub == "" && errors.Is(file.err, fs.ErrNotExist):
		return privatePath(file.path)
	}
	return ""
}

// keygen makes an Ed25519 key. What is wrong with the configuration, or with the
// place for the key, is found before anybody is asked for a passphrase.
func (r *run) keygen(path string) error {
	host, err := r.resolve()
	if err != nil {
		return err
	}
	if err := placeForKey(path); err != nil {
		return err
	}
	var passphrase []byte
	switch {
	case r.flags.NoPassphrase:
	case host.Login.BatchMode:
		return &keygenError{path: path, err: errBatchPassphrase}
	default:
		if passphrase, err = r.newPassphrase(path); err != nil {
			return &keygenError{path: path, err: err}
		}
		defer clear(passphrase)
	}
	private, public, err := identity.Generate(r.keyComment(), passphrase)
	if err != nil {
		return &keygenError{path: path, err: err}
	}
	defer clear(private)
	release := r.ending.Hold() // both halves or none
	defer release()
	if err := writeKey(path, private, public.Line()+"\n"); err != nil {
		if errors.Is(err, fs.ErrExist) { // another copy was faster
			return overwritten(path)
		}
		return &keygenError{path: path, err: err}
	}
	r.progress.keyMade(path)
	r.out.Remark(keyMade{path, identity.Identity{Entry: public}})
	if len(passphrase) == 0 {
		r.out.Remark(keyUnprotected{})
	}
	return nil
}

// newPassphrase asks for a passphrase twice, in the words of ssh-keygen.
func (r *run) newPassphrase(path string) ([]byte, error) {
	for try := 1; try <= maxMismatches; try++ {
		first, err := r.prompter.Secret(fmt.Sprintf("Enter passphrase for \"%s\" (empty for no passphrase): ", path))
		if err != nil {
			return nil, err
		}
		again, err := r.prompter.Secret("Enter same passphrase again: ")
		if err != nil {
			clear(first)
			return nil, err
		}
		same := subtle.ConstantTimeCompare(first, again) == 1
		clear(again)
		if same {
			return first, nil
		}
		clear(first)
		if try < maxMismatches {
			r.out.Notice("Passphrases do not match.  Try again.")
		}
	}
	return nil, errMismatches
}

// placeForKey returns why a key cannot be made at path, as far as can be seen
// without making it.
func placeForKey(path string) error {
	for _, file := range []string{path, identity.PubPath(path)} {
		if _, err := os.Lstat(file); err == nil {
			return overwritten(file)
		}
	}
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); err != nil && filepath.Base(dir) != ".ssh" { // which will be made
		return &keygenError{path: path, err: err}
	}
	return nil
}

// overwritten is the error for a file that a new key would replace.
func overwritten(path string) error {
	return &keygenError{path: path, err: errNeverOverwritten, regular: regular(path)}
}

// keyComment is the comment ssh-keygen gives a key: who made it, and where.
func (r *run) keyComment() string {
	host, err := os.Hostname()
	if err != nil {
		return r.user
	}
	return r.user + "@" + host
}

// writeKey writes both halves to files that are not there yet, and leaves none
// behind where that fails. They are on the disk before anything is installed.
func writeKey(path string, private []byte, public string) error {
	if dir := filepath.Dir(path); filepath.Base(dir) == ".ssh" {
		if err := owneronly.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	f, err := owneronly.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	if err := writeAndClose(f, private); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	pub := identity.PubPath(path)
	f, err = os.OpenFile(pub, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	if err := writeAndClose(f, []byte(public)); err != nil {
		return errors.Join(err, os.Remove(pub), os.Remove(path))
	}
	return nil
}

func writeAndClose(f *os.File, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
