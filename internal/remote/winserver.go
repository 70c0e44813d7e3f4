package remote

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshdconfig"
)

// administratorsFile is the file that sshd on Windows reads for members of
// Administrators where nobody has changed its sshd_config.
const administratorsFile = "administrators_authorized_keys"

// windowsSession is a Session with an OpenSSH server on Windows. The bytes go
// through SFTP, as sftpSession does it; who the account is and who may write to
// the file is asked and set by windows.ps1.
type windowsSession struct {
	sftp    *sftpSession
	client  *ssh.Client
	o       Options
	account *windowsAccount
	config  *sshdconfig.Config
	shared  bool // the file is the administrators' one
	// unread are the files that sshd reads where the file is none of them.
	unread []string
	// noPowerShell is why windows.ps1 could not be run; nil if it was.
	noPowerShell error
}

// OpenWindows asks a Windows server about the account, with one command for
// whatever its DefaultShell is, and starts its SFTP subsystem. With an empty
// Options.Target the file is .ssh\authorized_keys in the profile, and for
// members of Administrators ssh\administrators_authorized_keys in ProgramData
// where the server's sshd_config says so and its sshd can resolve the group
// that it names. A Target may be written with slashes or backslashes, and with
// variables of the environment (%USERPROFILE%) or __PROGRAMDATA__.
//
// The paths of a State and an error are as Windows writes them. It has no
// modes and no owners by number, so a State holds no Facts and no Repairs; what
// Edit did to the access list is in the Notes of its Result.
//
// Where powershell.exe cannot be run, SFTP alone does the work for accounts
// that are not administrators. An error is a *RemoteError or the context's.
func OpenWindows(ctx context.Context, client *ssh.Client, o Options) (Session, error) {
	w, err := openWindows(ctx, client, o)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func openWindows(ctx context.Context, client *ssh.Client, o Options) (*windowsSession, error) {
	if o.Account != "" {
		return nil, &RemoteError{Stage: StageStart, Reason: CannotSwitch, Status: -1, Windows: true,
			Detail: "Windows has no program that acts as another account without its password"}
	}
	if err := readRequest(o, nil).check(); err != nil {
		return nil, err
	}
	w := &windowsSession{client: client, o: o}
	var parameters []string
	if o.Target != "" {
		w.o.Target = variables(o.Target)
		parameters = append(parameters, "P="+base64.StdEncoding.EncodeToString([]byte(w.o.Target)))
	}
	a, err := runPowerShell(ctx, client, o, "look", parameters...)
	if withoutPowerShell(err) {
		return w.withoutPowerShell(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	if w.account, err = newWindowsAccount(a, string(client.ServerVersion())); err != nil {
		return nil, err
	}
	if expanded, ok := a.one["target"]; ok {
		w.o.Target = expanded
	}
	return w, w.open(ctx)
}

// open finds the file and starts SFTP for it.
func (w *windowsSession) open(ctx context.Context) error {
	w.config = w.account.config()
	base, err := w.locate()
	if err != nil {
		return err
	}
	if w.shared && w.o.Shared != nil {
		writing, path := w.o.writing, windowsPath(w.o.Target)
		announce := sync.OnceFunc(func() { w.o.Shared(path) })
		w.o.Writing = func() { announce(); writing() }
	}
	session, err := OpenSFTP(ctx, w.client, w.o)
	if err != nil {
		return asWindows(err)
	}
	w.sftp = session.(*sftpSession)
	if err := w.visible(ctx, base); err != nil {
		session.Close()
		return err
	}
	return nil
}

// locate sets o.Target to the file, as SFTP names it, and returns the directory
// that has to be there.
func (w *windowsSession) locate() (base string, err error) {
	a := w.account
	own, shared := a.ownFile(), a.sharedFile()
	read := a.keysFiles(w.config)
	if w.o.Target != "" {
		if w.o.Target, err = w.target(w.o.Target); err != nil {
			return "", err
		}
		// A file elsewhere need not have its directory yet.
		base = w.o.Target[:min(len("/C:"), len(w.o.Target))] + "/"
	} else {
		// Of two files that sshd reads the one that lets in nobody else.
		w.o.Target, base = own, a.profile
		if a.admin && !holdsPath(read, own) && holdsPath(read, shared) {
			w.o.Target, base = shared, a.data
		}
	}
	w.shared = strings.EqualFold(w.o.Target, shared)
	if !holdsPath(read, w.o.Target) {
		for _, file := range read {
			w.unread = append(w.unread, windowsPath(file))
		}
	}
	return base, nil
}

// other is the file that sshd reads for an account of the other kind, as SFTP
// names it: the account's own, or the administrators'.
func (w *windowsSession) other() string {
	if w.shared {
		return w.account.ownFile()
	}
	return w.account.sharedFile()
}

// visible checks that SFTP shows the directory the command named: with a
// ChrootDirectory it is another tree, and the keys would go nowhere.
func (w *windowsSession) visible(ctx context.Context, base string) error {
	_, err := within(ctx, w.sftp, func() (struct{}, error) {
		if info, err := w.sftp.client.Stat(base); err != nil || !info.IsDir() {
			return struct{}{}, &RemoteError{Stage: StageTarget, Path: windowsPath(w.o.Target), Reason: Failed, Status: -1,
				Detail: windowsPath(base) + " cannot be seen through SFTP (ChrootDirectory, or an account that never logged in?)"}
		}
		return struct{}{}, nil
	})
	return err
}

func (w *windowsSession) Read(ctx context.Context, blobs []string) (*State, error) {
	st, err := w.sftp.Read(ctx, blobs)
	if err != nil {
		return nil, asWindows(err)
	}
	w.finish(st)
	return st, nil
}

func (w *windowsSession) Close() error { return w.sftp.Close() }

// finish makes a State of SFTP one of Windows. What SFTP says of modes and
// owners there is made up (fileio_stat in fileio.c).
func (w *windowsSession) finish(st *State) {
	asWindowsState(st)
	st.Home, st.User = windowsPath(w.account.profile), w.account.user
}

func asWindowsState(st *State) {
	st.Path, st.Real, st.Home = windowsPath(st.Path), windowsPath(st.Real), windowsPath(st.Home)
	st.Facts, st.Repairs, st.OS = nil, nil, "Windows"
}

// asWindows gives the paths of an error of SFTP as Windows writes them.
func asWindows(err error) error {
	var e *RemoteError
	if errors.As(err, &e) {
		e.Path, e.Windows = windowsPath(e.Path), true
		if e.Reason == NotText {
			e.Fix = reencode(e.Path, "UTF-16")
		}
		if e.State != nil {
			asWindowsState(e.State)
		}
	}
	return err
}
