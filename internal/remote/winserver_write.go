package remote

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"
)

// How often, and how far apart, a file is opened that somebody else has open.
const (
	busyTries = 5
	busyPause = 100 * time.Millisecond
)

// Edit appends through SFTP, under the lock and the precondition of package
// remote. Then it looks at the access list, which decides on Windows whether
// sshd reads the file at all.
func (w *windowsSession) Edit(ctx context.Context, change Change) (*Result, error) {
	repair := change.Repair
	change.Repair = false // modes are not what counts there
	result, err := w.append(ctx, change)
	if err != nil {
		return nil, asWindows(err)
	}
	created := false
	for i, path := range result.Created {
		created = created || path == w.sftp.at.file
		result.Created[i] = windowsPath(path)
	}
	w.finish(&result.State)
	note := func(n Note) {
		n.Path = cmp.Or(n.Path, result.State.Path)
		result.Notes = append(result.Notes, n)
	}
	result.Shared = w.shared
	if len(w.unread) > 0 {
		note(Note{Kind: NoteOtherFile, Names: w.unread})
	}
	if result.State.Exists && !created && w.hasBOM(ctx) {
		note(Note{Kind: NoteByteOrderMark})
	}
	if !result.Applied || !result.State.Exists {
		return result, nil
	}
	if w.noPowerShell != nil {
		note(Note{Kind: NoteNoPowerShell})
		return result, nil
	}
	// A file that SFTP has made may be open to everyone: older servers give it
	// mode 666 (process_open in sftp-server.c), and that is an access list.
	err = w.guard(ctx, repair || created, created, note)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		note(Note{Kind: NoteAccessUnread, Detail: err.Error()})
	}
	return result, nil
}

// append is Edit of SFTP. sftp-server.exe opens a file for writing only if nobody
// else has it open (createFile_flags_setup in fileio.c), and sshd has for the
// moment in which it looks for somebody's key. SFTP calls that a failure like
// any other, so this one is met with patience. The file is what it was then.
func (w *windowsSession) append(ctx context.Context, change Change) (*Result, error) {
	for tries := 1; ; tries++ {
		result, err := w.sftp.Edit(ctx, change)
		var e *RemoteError
		busy := errors.As(err, &e) && e.Stage == StageAppend && e.Reason == Failed && !e.Unsure
		// Without a precondition a second try might add a line twice.
		if !busy || change.Force || tries == busyTries {
			return result, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(busyPause):
		}
	}
}

// hasBOM tells whether the file begins with the byte order mark of UTF-8.
func (w *windowsSession) hasBOM(ctx context.Context) bool {
	head, err := within(ctx, w.sftp, func() (string, error) { return w.sftp.tail(w.sftp.at.file, 0, 3) })
	return err == nil && head == "\xef\xbb\xbf"
}

// AccessList is what was found out about who may write to a file on Windows: names
// as the server writes them.
type AccessList struct {
	Path    string
	Shared  bool // the file is the one of all administrators
	Writers []Principal
	Owner   *Principal // of a file that has the wrong one; else nil

	changed bool
	had     []string // lost their access by the change
	from    string   // the owner before it
	failed  string   // why the change failed
}

// Principal is an account or a group on Windows.
type Principal struct{ SID, Name string }

func newPrincipal(text string) Principal {
	sid, name, _ := strings.Cut(text, " ")
	if name == "" {
		name = sid
	}
	return Principal{sid, name}
}

// access looks at the access list of the file, as SFTP names it, and with mend
// changes it if it may: the administrators' file becomes theirs and SYSTEM's
// alone; from any other file others lose what they could write to it with.
func (w *windowsSession) access(ctx context.Context, file string, mend bool) (*AccessList, error) {
	// What Windows is given is what SFTP works on, and no link by then.
	list := &AccessList{Path: windowsPath(file), Shared: strings.EqualFold(file, w.account.sharedFile())}
	kind, how := "own", "tell"
	if list.Shared {
		kind = "shared"
	}
	if mend {
		how = "mend"
	}
	path := base64.StdEncoding.EncodeToString([]byte(list.Path))
	a, err := runPowerShell(ctx, w.client, w.o, "guard", "P="+path, "K="+kind, "J="+how)
	if err != nil {
		return nil, err
	}
	_, list.changed = a.one["changed"]
	list.had, list.from, list.failed = a.many["had"], a.one["from"], a.one["error"]
	for _, writer := range a.many["writer"] {
		list.Writers = append(list.Writers, newPrincipal(writer))
	}
	if owner, wrong := a.one["owner"]; wrong {
		p := newPrincipal(owner)
		list.Owner = &p
	}
	return list, nil
}

// guard looks at the access list of the file, which this run created or not,
// and notes what was done about it and what is still wrong.
func (w *windowsSession) guard(ctx context.Context, mend, created bool, note func(Note)) error {
	list, err := w.access(ctx, w.sftp.at.real, mend)
	if err != nil {
		return err
	}
	if list.changed {
		n := Note{Kind: NoteAccess, Path: list.Path}
		if w.shared {
			n.Kind = NoteSharedAccess
		}
		if !created { // of a new file nobody knows another owner
			n.Owner, n.Names = list.from, list.had
		}
		note(n)
	}
	if len(list.Writers) > 0 {
		note(Note{Kind: NoteWriters, Path: list.Path, Names: list.Names()})
	}
	if list.Owner != nil {
		note(Note{Kind: NoteOwner, Path: list.Path, Owner: list.Owner.Name})
	}
	if list.failed != "" {
		note(Note{Kind: NoteAccessFailed, Path: list.Path, Detail: list.failed})
	}
	return nil
}

// Names returns the names of the writers.
func (l *AccessList) Names() []string {
	var names []string
	for _, writer := range l.Writers {
		names = append(names, writer.Name)
	}
	return names
}
