package remote

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/crypto/ssh"
)

// administratorsFile is the file that sshd on Windows reads for members of
// Administrators, as sshd_config names it; see authorizedKeysFile.
const administratorsFile = "administrators_authorized_keys"

// IsWindows tells by the identification string of a server whether it is
// Microsoft's OpenSSH, as "SSH-2.0-OpenSSH_for_Windows_9.5". An OpenSSH of
// Cygwin or MSYS2 is not: there a POSIX shell answers.
func IsWindows(serverVersion string) bool {
	parts := strings.SplitN(serverVersion, "-", 3)
	return len(parts) == 3 && parts[0] == "SSH" && strings.HasPrefix(parts[2], "OpenSSH_for_Windows")
}

// windowsSession is a Session with an OpenSSH server on Windows. The bytes go
// through SFTP, as sftpSession does it; who the account is and who may write to
// the file is asked and mended by windows.ps1.
type windowsSession struct {
	sftp    *sftpSession
	client  *ssh.Client
	o       Options
	profile string // both as SFTP names them: /C:/Users/al
	data    string
	user    string
	admin   bool
	shared  bool // the file is the administrators' one
	// unread is why sshd, by its configuration, would not read the file; "" if
	// it would.
	unread string
}

// OpenWindows asks a Windows server about the account, with one command for
// whatever its DefaultShell is, and starts its SFTP subsystem. With an empty
// Options.Target the file is .ssh\authorized_keys in the profile, and for
// members of Administrators ssh\administrators_authorized_keys in ProgramData
// where sshd_config says so, as it does when nobody has changed it. A Target
// may be written with slashes or backslashes.
//
// The paths of a State and an error are as Windows writes them. It has no
// modes and no owners by number, so a State holds no Facts and no Repairs; what
// Add did to the access list is in the Notes of its Result.
//
// An error is a *RemoteError or the context's. Without PowerShell on the server
// its Reason is NoAnswer, where a policy forbids programs in it Refused.
func OpenWindows(ctx context.Context, client *ssh.Client, o Options) (Session, error) {
	if err := refuseAccount(o); err != nil {
		return nil, err
	}
	if err := readRequest(o, nil).check(); err != nil {
		return nil, err
	}
	a, err := runPowerShell(ctx, client, o, "look")
	if err != nil {
		return nil, err
	}
	w := &windowsSession{client: client, o: o, user: a.one["user"], admin: a.one["admin"] == "True"}
	var ok, alsoOK bool
	w.profile, ok = sftpPath(a.one["profile"])
	w.data, alsoOK = sftpPath(a.one["programdata"])
	w.profile, w.data = strings.TrimSuffix(w.profile, "/"), strings.TrimSuffix(w.data, "/")
	if !ok || !alsoOK {
		return nil, &RemoteError{Stage: StageTarget, Reason: Garbled, Status: -1,
			Detail: "the server names no profile directory: " + a.one["profile"]}
	}
	base, err := w.locate(a.one["config"])
	if err != nil {
		return nil, err
	}
	session, err := OpenSFTP(ctx, client, w.o)
	if err != nil {
		return nil, asWindows(err)
	}
	w.sftp = session.(*sftpSession)
	if err := w.visible(ctx, base); err != nil {
		session.Close()
		return nil, err
	}
	return w, nil
}

// locate sets o.Target to the file, as SFTP names it, and returns the directory
// that has to be there.
func (w *windowsSession) locate(config string) (base string, err error) {
	base = w.profile
	switch target := w.o.Target; {
	case target != "":
		if w.o.Target, err = w.target(target); err != nil {
			return "", err
		}
		// A file elsewhere need not have its directory yet.
		base = w.o.Target[:min(len("/C:"), len(w.o.Target))] + "/"
	default:
		w.o.Target = w.profile + "/.ssh/authorized_keys"
		text, err := base64.StdEncoding.DecodeString(config)
		if err != nil {
			return "", &RemoteError{Stage: StageAnswer, Reason: Garbled, Detail: errGarbled.Error(), Status: -1}
		}
		file := ".ssh/authorized_keys"
		if config != "" {
			file = authorizedKeysFile(string(text), w.admin)
		} else if w.admin {
			file = "__PROGRAMDATA__/ssh/" + administratorsFile
		}
		switch {
		case w.admin && strings.HasSuffix(strings.ToLower(file), administratorsFile):
			w.o.Target = w.data + "/ssh/" + administratorsFile
			base = w.data
		case !strings.EqualFold(strings.TrimPrefix(strings.ReplaceAll(file, `\`, "/"), "%h/"), ".ssh/authorized_keys"):
			w.unread = "sshd_config has AuthorizedKeysFile " + file
		}
	}
	w.shared = strings.EqualFold(w.o.Target, w.data+"/ssh/"+administratorsFile)
	return base, nil
}

// target is a file as given with -t, as SFTP names it.
func (w *windowsSession) target(t string) (string, error) {
	t = strings.ReplaceAll(t, `\`, "/")
	if drive, ok := sftpPath(strings.TrimPrefix(t, "/")); ok {
		return drive, nil
	}
	for _, prefix := range []string{"~/", "$HOME/", "${HOME}/"} {
		t = strings.TrimPrefix(t, prefix)
	}
	if t == "" || strings.HasPrefix(t, "/") || strings.Contains(t, ":") {
		return "", &RemoteError{Stage: StageRequest, Path: w.o.Target, Reason: Invalid, Status: -1,
			Detail: "a path on Windows begins with a drive, or is relative to the profile directory"}
	}
	return w.profile + "/" + t, nil
}

// visible checks that SFTP shows the directory the command told of: with a
// ChrootDirectory it is another tree, and the keys would go nowhere.
func (w *windowsSession) visible(ctx context.Context, base string) error {
	return w.sftp.within(ctx, func() error {
		if info, err := w.sftp.client.Stat(base); err != nil || !info.IsDir() {
			return &RemoteError{Stage: StageTarget, Path: windowsPath(w.o.Target), Reason: Failed, Status: -1,
				Detail: windowsPath(base) + " cannot be seen through SFTP (ChrootDirectory, or an account that never logged in?)"}
		}
		return nil
	})
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

// finish makes a State of SFTP one of Windows. What SFTP tells of modes and
// owners there is made up (fileio_stat in fileio.c).
func (w *windowsSession) finish(st *State) {
	asWindowsState(st)
	st.Home, st.User = windowsPath(w.profile), w.user
}

func asWindowsState(st *State) {
	st.Path, st.Real, st.Home = windowsPath(st.Path), windowsPath(st.Real), windowsPath(st.Home)
	st.Facts, st.Repairs, st.OS = nil, nil, "Windows"
}

// asWindows gives the paths of an error of SFTP as Windows writes them.
func asWindows(err error) error {
	var e *RemoteError
	if errors.As(err, &e) {
		e.Path = windowsPath(e.Path)
		if e.State != nil {
			asWindowsState(e.State)
		}
	}
	return err
}

// sftpPath is a Windows path with a drive as sftp-server.exe takes it: C:\a is
// /C:/a. It tells false for any other path.
func sftpPath(p string) (string, bool) {
	if len(p) < 3 || p[1] != ':' || !strings.ContainsRune(`\/`, rune(p[2])) || strings.ContainsAny(p, "\n\x00") {
		return "", false
	}
	if c := p[0] | 0x20; c < 'a' || c > 'z' || strings.Contains(p[2:], ":") {
		return "", false
	}
	return "/" + strings.ReplaceAll(p, `\`, "/"), true
}

// windowsPath is a path of SFTP as Windows writes it, and what else it is given
// unchanged.
func windowsPath(p string) string {
	if len(p) < 3 || p[0] != '/' || p[2] != ':' {
		return p
	}
	return strings.ReplaceAll(p[1:], "/", `\`)
}

// authorizedKeysFile is the first file that an sshd_config names for the
// account, or the default. Of Match blocks only those count that are about
// everybody or about administrators; who else is in which group cannot be told.
//
// The first value counts, and one in a Match block before those outside
// (process_server_config_line_depth in servconf.c).
func authorizedKeysFile(config string, admin bool) string {
	global, matched := "", ""
	inMatch, applies := false, false
	for line := range strings.Lines(config) {
		words := strings.Fields(strings.Replace(line, "=", " ", 1))
		if len(words) < 2 || strings.HasPrefix(words[0], "#") {
			continue
		}
		value := strings.Trim(words[1], `"`)
		switch strings.ToLower(words[0]) {
		case "match":
			inMatch, applies = true, matches(words[1:], admin)
		case "authorizedkeysfile":
			if !inMatch && global == "" {
				global = value
			}
			// The group has another name in other languages; the file has not.
			forAdmins := inMatch && admin && strings.HasSuffix(strings.ToLower(value), "/"+administratorsFile)
			if (applies || forAdmins) && matched == "" {
				matched = value
			}
		}
	}
	for _, file := range []string{matched, global} {
		if file != "" {
			return file
		}
	}
	return ".ssh/authorized_keys"
}

// matches tells whether a Match line is about everybody, or about every member
// of Administrators and the account is one.
func matches(words []string, admin bool) bool {
	if len(words) == 1 {
		return strings.EqualFold(words[0], "all")
	}
	if len(words) != 2 || !strings.EqualFold(words[0], "group") || !admin {
		return false
	}
	for name := range strings.SplitSeq(strings.Trim(words[1], `"`), ",") {
		if strings.EqualFold(name[strings.LastIndexAny(name, `\/`)+1:], "administrators") {
			return true
		}
	}
	return false
}
