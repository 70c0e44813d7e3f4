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
	"ssh-copy-id/internal/term"
)

// defaultKey is the name of the key that --keygen makes, in ~/.ssh.
const defaultKey = "id_ed25519"

// maxMismatches is how often a passphrase that is not repeated alike is asked
// for again: an askpass program that cannot do it would never end.
const maxMismatches = 3

// keygenError tells why no key was made.
type keygenError struct {
	path string // the private key
	err  error
}

func (e *keygenError) Error() string { return "make the key " + e.path + ": " + e.err.Error() }
func (e *keygenError) Unwrap() error { return e.err }

// noKeyError tells that there is no key to install, and what to do about it.
type noKeyError struct {
	err  error  // errNoIdentities or errNoIDFile
	hint string // a line of its own
}

func (e *noKeyError) Error() string { return e.err.Error() }
func (e *noKeyError) Unwrap() error { return e.err }

var (
	errNeverOverwritten = errors.New("the file exists, and is not overwritten")
	errMismatches       = errors.New("the passphrases do not match")
	errBatchPassphrase  = errors.New("BatchMode is on, and nobody is asked for a passphrase; add --no-passphrase for a key without one")
)

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
	case host.BatchMode:
		return &keygenError{path, errBatchPassphrase}
	default:
		if passphrase, err = r.newPassphrase(path); err != nil {
			return &keygenError{path, err}
		}
		defer clear(passphrase)
	}
	private, public, err := identity.Generate(r.keyComment(), passphrase)
	if err != nil {
		return &keygenError{path, err}
	}
	defer clear(private)
	release := r.ending.Hold() // both halves or none
	defer release()
	if err := writeKey(path, private, public.Line()+"\n"); err != nil {
		if errors.Is(err, fs.ErrExist) { // another copy was faster
			err = errNeverOverwritten
		}
		return &keygenError{path, err}
	}
	r.progress.keyMade(path)
	r.printer.info("made a new key: '%s', %s", term.Escape(path), describe(identity.Identity{Entry: public}))
	if len(passphrase) == 0 {
		r.printer.info("the key has no passphrase: whoever can read that file can log in with it")
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
			r.printer.notice("Passphrases do not match.  Try again.")
		}
	}
	return nil, errMismatches
}

// placeForKey tells why a key cannot be made at path, as far as can be seen
// without making it.
func placeForKey(path string) error {
	for _, file := range []string{path, identity.PubPath(path)} {
		if _, err := os.Lstat(file); err == nil {
			return &keygenError{file, errNeverOverwritten}
		}
	}
	dir := filepath.Dir(path)
	if _, err := os.Stat(dir); err != nil && filepath.Base(dir) != ".ssh" { // which will be made
		return &keygenError{path, err}
	}
	return nil
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

// keygenSentence says why no key was made.
func keygenSentence(e *keygenError) string {
	path := term.Escape(e.path)
	switch {
	case errors.Is(e.err, errNeverOverwritten) && regular(e.path):
		return fmt.Sprintf("no key was made, because '%s' exists and is not overwritten; to install it, give it with -i", path)
	case errors.Is(e.err, errNeverOverwritten):
		return fmt.Sprintf("no key was made, because '%s' exists and is not overwritten", path)
	case errors.Is(e.err, term.ErrNoTerminal):
		return fmt.Sprintf("the key '%s' was not made: there is no terminal to ask for its passphrase on; %s, or add --no-passphrase for a key without one", path, terminalAdvice())
	}
	return fmt.Sprintf("the key '%s' was not made: %s", path, systemText(e.err))
}

// keygenHint names --keygen to somebody who has no key at all, or the private
// key that is there without its public half.
func (r *run) keygenHint() string {
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		private := filepath.Join(r.home, ".ssh", name)
		if _, err := identity.Encrypted(private); err == nil {
			return fmt.Sprintf("\n\t('%s' has no .pub file beside it: to install its public half, give it with -i)", term.Escape(private))
		}
	}
	return "\n\t(to make a key and install it, add the --keygen option)"
}
