package remote

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// maxNote bounds what of the server's words goes into a note, in bytes.
const maxNote = 1000

// How often, and how far apart, a file is opened that somebody else has open.
const (
	busyTries = 5
	busyPause = 100 * time.Millisecond
)

// sharedNote is told with every change of the administrators' file.
const sharedNote = "%s is shared by all administrators: whoever holds the key can log in as each of them"

// Add appends through SFTP, under the lock and the precondition of package
// remote. Then it looks at the access list, which decides on Windows whether
// sshd reads the file at all.
func (w *windowsSession) Add(ctx context.Context, change Change) (*Result, error) {
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
	note := func(format string, values ...any) {
		text := fmt.Sprintf(format, values...)
		result.Notes = append(result.Notes, strings.ToValidUTF8(text[:min(len(text), maxNote)], ""))
	}
	if w.shared {
		note(sharedNote, result.State.Path)
	}
	if w.unread != "" {
		note("sshd may not read %s: %s", result.State.Path, w.unread)
	}
	if result.State.Exists && !created && w.hasBOM(ctx) {
		note("%s begins with a byte order mark: sshd does not understand its first line", result.State.Path)
	}
	if !result.Applied || !result.State.Exists {
		return result, nil
	}
	// A file that SFTP has made may be open to everyone: older servers give it
	// mode 666 (process_open in sftp-server.c), and that is an access list.
	err = w.guard(ctx, repair || created, note)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		note("the access list of %s could not be looked at: %v", result.State.Path, err)
	}
	return result, nil
}

// append is Add of SFTP. sftp-server.exe opens a file for writing only if nobody
// else has it open (createFile_flags_setup in fileio.c), and sshd has for the
// moment in which it looks for somebody's key. SFTP calls that a failure like
// any other, so this one is met with patience. The file is what it was then.
func (w *windowsSession) append(ctx context.Context, change Change) (*Result, error) {
	for tries := 1; ; tries++ {
		result, err := w.sftp.Add(ctx, change)
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
	head := ""
	err := w.sftp.within(ctx, func() error {
		text, err := w.sftp.tail(w.sftp.at.file, 0, 3)
		head = text
		return err
	})
	return err == nil && head == "\xef\xbb\xbf"
}

// guard looks at the access list of the file and mends it if it may: the
// administrators' file becomes theirs and SYSTEM's alone; from any other file
// others lose what they could write to it with. It notes what was done, and
// what is still wrong.
func (w *windowsSession) guard(ctx context.Context, mend bool, note func(string, ...any)) error {
	// What Windows is given is what SFTP works on, and no link by then.
	file := windowsPath(w.sftp.at.real)
	kind, how := "own", "tell"
	if w.shared {
		kind = "shared"
	}
	if mend {
		how = "mend"
	}
	path := base64.StdEncoding.EncodeToString([]byte(file))
	a, err := runPowerShell(ctx, w.client, w.o, "guard", "P="+path, "K="+kind, "J="+how)
	if err != nil {
		return err
	}
	if now, changed := a.one["now"]; changed {
		what := "nobody but the account, administrators and SYSTEM can write to %s any more; access list was %s, is %s"
		if w.shared {
			what = "%s belongs to Administrators and SYSTEM alone now; access list was %s, is %s"
		}
		note(what, file, a.one["was"], now)
	}
	if writers := a.many["writer"]; len(writers) > 0 {
		note("sshd ignores %s because others may write to it: %s", file, strings.Join(writers, " "))
	}
	if owner, wrong := a.one["owner"]; wrong {
		note("sshd ignores %s because it belongs to %s", file, owner)
	}
	if why, failed := a.one["error"]; failed {
		note("changing the access list of %s failed: %s", file, why)
	}
	return nil
}
