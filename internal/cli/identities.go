package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"ssh-copy-id/identity"
)

// source is where the keys come from and which they are.
type source struct {
	name    string // as the "Source of key(s)" line shows it
	ids     []identity.Identity
	skipped []identity.Skipped
	private string // the private key beside the file, for the final hint
}

// fileError is what use_id_file of the stock script says about a file.
type fileError struct {
	path string
	pub  string // set where path is the private key that -f would not need
	err  error
}

func (e *fileError) Error() string { return "open ID file " + e.path + ": " + e.err.Error() }
func (e *fileError) Unwrap() error { return e.err }

var (
	errNoIdentities = errors.New("no identities found")
	errNoIDFile     = errors.New("no ID file found")
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
// else the newest default file.
func (r *run) findIdentities() (source, error) {
	if r.flags.IdentitySet {
		path := r.flags.Identity
		if path == "" {
			var err error
			if path, err = r.newest(); err != nil {
				return source{}, &noKeyError{errNoIDFile, r.keygenHint()}
			}
		}
		return r.fromFile(path)
	}
	if s, ok := r.fromAgent(); ok {
		return s, nil
	}
	path, err := r.newest()
	if err != nil {
		return source{}, &noKeyError{errNoIdentities, r.keygenHint()}
	}
	return r.fromFile(path)
}

func (r *run) newest() (string, error) { return identity.Newest(filepath.Join(r.home, ".ssh")) }

// fromAgent takes every key of the agent; an agent that is not there or holds
// nothing leaves the choice to the files.
func (r *run) fromAgent() (source, bool) {
	opened, err := r.agent.open("")
	if err != nil {
		r.debug(1, "agent: "+err.Error())
		return source{}, false
	}
	ids, skipped, err := identity.FromAgent(opened)
	if err != nil {
		r.debug(1, "agent: "+err.Error())
		return source{}, false
	}
	r.debug(1, "agent: it holds "+count(len(ids)+len(skipped), "key"))
	return source{name: "ssh-add -L", ids: ids, skipped: skipped}, len(ids) > 0
}

// fromFile reads the public keys of a file. Unless -f is given the private key
// beside it must be readable too.
func (r *run) fromFile(name string) (source, error) {
	pub := identity.PubPath(name)
	private := privatePath(pub)
	if err := readable(pub); err != nil {
		return source{}, &fileError{path: pub, err: err}
	}
	if !r.flags.Force {
		if err := readable(private); err != nil {
			return source{}, &fileError{path: private, pub: pub, err: err}
		}
	}
	ids, err := identity.ReadFile(pub)
	if err != nil {
		return source{}, err
	}
	s := source{name: `"` + pub + `"`, ids: ids}
	if readable(private) == nil {
		s.private = private
	}
	return s, nil
}

// privatePath is where the script looks for the private key:
// $(dirname FILE)/$(basename FILE .pub).
func privatePath(pub string) string {
	dir, file := filepath.Split(pub)
	if dir == "" {
		dir = "." + string(filepath.Separator)
	}
	return dir + strings.TrimSuffix(file, ".pub")
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

// readableKeyFile is the test of the stock script for a key file that stands
// where the host should: it can be read and holds "ssh" somewhere.
func readableKeyFile(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxKeyFile {
		return false
	}
	content, err := os.ReadFile(path)
	return err == nil && strings.Contains(strings.ToLower(string(content)), "ssh")
}

// maxKeyFile bounds what is taken for a key file, in bytes.
const maxKeyFile = 1 << 20

// loginName is the account name without the domain Windows puts before it.
func loginName(name string) string {
	return name[strings.LastIndexByte(name, '\\')+1:]
}

func tooManyHosts(hosts []string) string {
	return "Too many arguments.  Expecting a target hostname, got: " + strconv.Itoa(len(hosts)) + ": " + strings.Join(hosts, " ")
}
