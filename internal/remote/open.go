package remote

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/serverid"
)

// A driver is a way to the file of an account on some kind of server.
type driver struct {
	name  string
	match func(server serverid.Server, o Options) bool
	open  func(ctx context.Context, client *ssh.Client, o Options) (Session, error)
}

// drivers are all of them; the first that matches counts.
var drivers = []driver{
	{"windows", func(server serverid.Server, _ Options) bool { return server.Windows }, OpenWindows},
	{"netscreen", func(server serverid.Server, _ Options) bool { return server.Software == serverid.ScreenOS }, OpenNetScreen},
	{"sftp", func(_ serverid.Server, o Options) bool { return o.SFTP }, posix(OpenSFTP)},
	{"shell", func(serverid.Server, Options) bool { return true }, posix(openEither)},
}

// driverFor returns the driver for a server.
func driverFor(server serverid.Server, o Options) driver {
	return drivers[slices.IndexFunc(drivers, func(d driver) bool { return d.match(server, o) })]
}

// Open makes the session that suits the server: OpenWindows, OpenNetScreen or,
// with Options.SFTP, OpenSFTP. Everywhere else it is OpenShell, with SFTP in its
// place where no shell of the account can be used.
//
// SFTP is also what looks at the file where the shell may have changed it and
// could not be heard: such a change is then known to have been made, or is made.
// An account whose shell lets nobody in is not reached that way: that was
// somebody's intention.
func Open(ctx context.Context, client *ssh.Client, o Options) (Session, error) {
	return driverFor(serverid.Parse(string(client.ServerVersion())), o).open(ctx, client, o)
}

// posix is open without targets that only Windows understands.
func posix(open func(context.Context, *ssh.Client, Options) (Session, error)) func(context.Context, *ssh.Client, Options) (Session, error) {
	return func(ctx context.Context, client *ssh.Client, o Options) (Session, error) {
		if err := CheckTarget(o.Target); err != nil {
			return nil, err
		}
		return open(ctx, client, o)
	}
}

// openEither opens a shell, with SFTP in its place where that may help.
func openEither(ctx context.Context, client *ssh.Client, o Options) (Session, error) {
	shell, err := OpenShell(ctx, client, o)
	if err != nil || o.Account != "" {
		return shell, err
	}
	return &either{shell: shell, open: func(ctx context.Context) (Session, error) { return OpenSFTP(ctx, client, o) }, wrote: o.writing}, nil
}

// UsesSFTP reports whether a session of Open for a POSIX server works through
// SFTP, as far as it has worked.
func UsesSFTP(s Session) bool {
	switch s := s.(type) {
	case *either:
		return s.sftp != nil
	case *sftpSession:
		return true
	}
	return false
}

// either is a session with a shell, and with SFTP once that has taken over.
type either struct {
	shell, sftp Session
	open        func(context.Context) (Session, error)
	wrote       func() // Options.Writing
}

func (e *either) Read(ctx context.Context, blobs []string) (*State, error) {
	if e.sftp == nil {
		state, err := e.shell.Read(ctx, blobs)
		if !e.takeOver(ctx, err) {
			return state, err
		}
	}
	return e.sftp.Read(ctx, blobs)
}

func (e *either) Edit(ctx context.Context, change Change) (*Result, error) {
	if e.sftp != nil {
		return e.sftp.Edit(ctx, change)
	}
	result, err := e.shell.Edit(ctx, change)
	var failed *RemoteError
	if !errors.As(err, &failed) {
		return result, err
	}
	if !failed.Unsure {
		if e.takeOver(ctx, err) {
			return e.sftp.Edit(ctx, change)
		}
		return nil, err
	}
	// The shell may have made the change, or may yet make it: its precondition
	// keeps it from making it twice.
	if !failed.ConnectionLives() || !e.openSFTP(ctx, failed) {
		return nil, err
	}
	state, readErr := e.sftp.Read(ctx, change.Blobs)
	switch {
	case readErr != nil:
		errors.As(readErr, &failed.SFTP)
		return nil, err
	case holds(state, change.Lines):
		e.wrote()
		return &Result{Applied: true, State: *state}, nil
	case failed.prefersSFTP() && !change.Force:
		return e.sftp.Edit(ctx, change)
	}
	return nil, err
}

// Close closes both sessions.
func (e *either) Close() error {
	err := e.shell.Close()
	if e.sftp != nil {
		err = errors.Join(err, e.sftp.Close())
	}
	return err
}

// takeOver opens SFTP where the shell failed with an error that allows it.
func (e *either) takeOver(ctx context.Context, err error) bool {
	var failed *RemoteError
	return errors.As(err, &failed) && failed.prefersSFTP() && e.openSFTP(ctx, failed)
}

// openSFTP opens SFTP, or notes in failed why it cannot.
func (e *either) openSFTP(ctx context.Context, failed *RemoteError) bool {
	session, err := e.open(ctx)
	if err != nil {
		errors.As(err, &failed.SFTP)
		return false
	}
	e.sftp = session
	return true
}

// holds reports whether every one of lines is a line of the file.
func holds(state *State, lines []string) bool {
	for _, line := range lines {
		if !slices.ContainsFunc(state.Candidates, func(c Candidate) bool { return c.Text == line }) {
			return false
		}
	}
	return true
}

// prefersSFTP reports whether the shell could not be used for a reason that
// leaves SFTP: the server refuses commands, a start-up file reads what was sent,
// never ends or sends the output elsewhere, or there is no sh to be found.
func (e *RemoteError) prefersSFTP() bool {
	switch e.Reason {
	case Refused:
		return e.Stage == StageStart
	case Eaten, Unheard:
		return true
	case Silent:
		return e.Awaited == AwaitCommand || e.Awaited == AwaitShell
	case NoAnswer:
		return noShell(e.Status, e.Detail)
	}
	return false
}

// ConnectionLives reports whether the connection outlasted the error, so that
// another look can show what became of a change that is Unsure.
func (e *RemoteError) ConnectionLives() bool { return e.Reason != Closed || e.Status >= 0 }

// noShell reports whether a command ended so because sh was not found, or
// because the account is one of sshd's internal-sftp.
func noShell(status int, said string) bool {
	// The status is POSIX's for a command that is not found. csh, cmd.exe and
	// PowerShell have none of their own for that.
	if status == 127 || servesSFTPOnly(said) {
		return true
	}
	for _, words := range []string{"sh: Command not found", "'sh' is not recognized", "The term 'sh' is not recognized"} {
		if strings.Contains(said, words) {
			return true
		}
	}
	return false
}
