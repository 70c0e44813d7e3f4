// Package remote reads and changes the authorized_keys file of an account on a
// server, over an SSH connection that is logged in already.
//
// # Backends
//
// [OpenShell] speaks to install.sh, a POSIX shell script that package scriptrun
// runs on the server. [OpenSFTP] does the same work through SFTP, for accounts
// that may not run commands. [OpenWindows] and [OpenNetScreen] are for servers
// without a POSIX shell. All give a [Session]; [Open] chooses among them, and
// goes on with SFTP where the shell cannot be used.
//
// # What Edit promises
//
// The file ends up with all of the new lines, or is byte for byte what it was.
// Everything to be written arrives at the server and is checked before the
// first byte is written; the write is one append, made under a lock, never an
// overwrite; what was written is read back, and an append that was cut short,
// by a full disk say, is taken back. Writers that know nothing of the lock
// lose nothing, because an append is all that ever happens to the file.
//
// # Trust
//
// The server is not trusted: what it sends is bounded in size, parsed strictly
// and returned as it came, not escaped. Nothing the caller passes is ever part
// of a command.
package remote

import (
	"context"
	"io"
	"io/fs"
	"time"

	"ssh-copy-id/internal/scriptrun"
)

// Limits of what is accepted from a server and sent to it.
const (
	// MaxCandidates is how many candidate lines a State holds at most.
	MaxCandidates = 10_000
	// maxAnswer bounds an answer, in bytes.
	maxAnswer = 8 << 20
	// maxRemarks bounds the notes, repairs and created directories of an answer.
	maxRemarks = 1000
	// maxRequest bounds the lines of one Change, in bytes.
	maxRequest = 1 << 20
)

// Options says which file a session works on and how.
type Options struct {
	// Target is the file, as given with -t: absolute, or relative to the
	// remote home, which "~/" and "$HOME/" at its start mean as well. Empty
	// means the account's own authorized_keys: ~/.ssh/authorized_keys, root's
	// /etc/dropbear/authorized_keys on OpenWrt, nsroot's
	// /nsconfig/ssh/authorized_keys on NetScaler,
	// /etc/ssh/keys-USER/authorized_keys on ESXi, and
	// ~/config/settings/ssh/authorized_keys on Haiku. A Target that is given
	// is used on those systems too.
	Target string
	// Account is another account whose file it is, for a login as root; empty
	// means the login's own. All is then done as that account, never with
	// root's power, so that a link it controls reaches nothing it could not
	// write itself; of a Target outside the home likewise only what it may
	// write. The remote home is the account's, State.User its name. OpenShell
	// only, with the reasons NotRoot, NoAccount, IsRoot and CannotSwitch.
	Account string
	// Trace runs the remote script with set -x and copies the server's
	// standard error to Stderr.
	Trace  bool
	Stderr io.Writer
	// Waiting is called while another program holds the lock, first after
	// some three seconds and then every five. nil tells nobody.
	Waiting func(Wait)
	// Writing is called immediately before the lines of a Change are appended,
	// when the file is known to be as the Change demands; with OpenShell the
	// server announces that and goes on without waiting. It may be called again
	// for an append that is tried again. nil is not called.
	Writing func()
	// Shared is called before Writing where the file is the one that all
	// administrators of a Windows server share. It may be nil.
	Shared func(path string)
	// Awaiting is called every ten seconds in which the server does not do what
	// it is asked for: a start-up file of the account's shell may take its time.
	// After 25 seconds the session gives up. nil: nothing is reported.
	Awaiting func(what Awaited, elapsed time.Duration)
	// SFTP makes Open use SFTP only.
	SFTP bool
}

// Run returns the options of a script.
func (o Options) Run() scriptrun.Options {
	return scriptrun.Options{Account: o.Account, Trace: o.Trace, Stderr: o.Stderr, Awaiting: o.Awaiting}
}

func (o Options) writing() {
	if o.Writing != nil {
		o.Writing()
	}
}

// Wait tells that the lock of the target file is held by somebody else.
type Wait struct {
	Seconds int    // how long it has been waited for
	Holder  string // host and process id as the holder wrote them; may be empty
}

// Session reads and changes one target file. A Session is for one goroutine.
// Errors are *RemoteError, or the context's when that ended the work.
type Session interface {
	// Read tells the state of the file, with the lines that contain one of
	// blobs. It changes nothing on the server.
	Read(ctx context.Context, blobs []string) (*State, error)
	// Edit makes a change. It is the only method that writes.
	Edit(ctx context.Context, change Change) (*Result, error)
	// Close ends the session, not the connection.
	Close() error
}

// State is what the server tells about the target file.
type State struct {
	Path   string // the file, absolute
	Real   string // Path with every link resolved, where that differs; else empty
	Exists bool
	Size   int64 // bytes
	// Sum stands for the content of the whole file; see Change.Expect. It is
	// empty in the State of a Result that was applied.
	Sum string
	// Candidates are the lines that contain one of the blobs asked about, in
	// the file's order. Truncated tells that there were more than
	// MaxCandidates.
	Candidates []Candidate
	Truncated  bool
	// NoFinalNewline: the last line is not ended. Edit mends that.
	NoFinalNewline bool
	// NotText: the file is in UTF-16 (authkeys.File.UTF16). Edit refuses it.
	NotText bool
	// Foreign is a place on the way to the file that another account can change,
	// for a login as root with a Target: Change.Guard refuses to write there.
	Foreign string
	// Facts are about "/" and every directory down to the file, and the file,
	// in that order; a component that is a link has a second fact about what
	// it leads to. Behind them come those of Real.
	Facts []PathFact
	// Repairs are the permissions a Change with Repair would mend; empty in
	// the State of a Result that was applied.
	Repairs []Repair
	Home    string
	User    string // the server's LOGNAME or USER; may be empty
	OS      string // uname -s; empty if unknown
}

// Candidate is a line of the target file. NUL bytes arrive as U+0001.
type Candidate struct {
	Number int // from 1
	Text   string
}

// The kinds of a PathFact.
const (
	Dir     = "dir"
	File    = "file"
	Link    = "link"
	Missing = "missing"
	Other   = "other"
)

// PathFact is what the server tells of one component of a path.
type PathFact struct {
	Path string
	// Mode are the permission, set-id and sticky bits, without a type.
	Mode fs.FileMode
	// Owner is the owner's name if it is root or the account itself, and the
	// numeric user id otherwise.
	Owner string
	Mine  bool // the account is the owner
	Kind  string
	Link  string // where a link leads, as it is written there
	// ACL: an access control list may grant more than Mode tells.
	ACL bool

	size int64 // of a file
}

// Change is what to do to the target file.
type Change struct {
	// Lines are appended in this order, each with a newline. With none only
	// permissions are repaired.
	Lines []string
	// Blobs are the base64 key blobs that the precondition is about and that
	// the State of a Result lists candidates for.
	Blobs []string
	// Expect is the precondition: empty means that no line may contain any of
	// the blobs; else it is the Sum of the State the change was planned from.
	Expect string
	// Force drops the precondition.
	Force bool
	// Repair mends permissions that would make sshd ignore the file, or that
	// let others read it: of the home, its group and world write permission;
	// of .ssh, all but 700; of the file, all but 600. With a Target outside
	// .ssh only the file, and outside the home only its write permission for
	// others. Only what the account owns is touched.
	Repair bool
	// Guard refuses, with the reason Foreign, what a login as root must not do
	// unasked: to write to a Target where another account controls a directory
	// or a link on the way. Without Guard it is a note of the Result.
	Guard bool
}

// Result is the outcome of Edit.
type Result struct {
	// Applied: the lines are in the file. If it is false nothing was changed,
	// and State is what contradicts the precondition.
	Applied bool
	// State holds all but Sum, Candidates and Repairs if Applied.
	State    State
	Repaired []Repair
	Created  []string // directories and file that did not exist
	// Notes are remarks, such as a chmod that failed.
	Notes []Note
	// Shared: the file is the one of all administrators of a Windows server.
	Shared bool
	// Recovered: an append of an earlier run that was cut short was taken back.
	Recovered bool
}

// Repair is a mode that was, or would be, mended.
type Repair struct {
	Path     string
	From, To fs.FileMode
}
