package remote

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// sftpSession is a Session over SFTP.
type sftpSession struct {
	o      Options
	client *sftp.Client
	user   string
	home   string
	uid    uint32 // of the account: who owns its home
	at     target

	// abandoned: a request was given up on, and its goroutine may still run.
	abandoned bool
}

// target is where the file is and which modes on the way are ours to mend, as
// locate in install.sh finds them.
type target struct {
	file, dir         string
	mendHome, mendDir bool
	inHome, dirInHome bool
	real              string
	facts             []PathFact
	exists            bool
}

// OpenSFTP starts the server's SFTP subsystem. Options.Trace has no
// meaning here. An error is a *RemoteError with StageOpen or
// StageStart, or the context's.
//
// The rules are those of the script, and so are the lock and the notes left in
// it, so that both kinds of sessions keep clear of each other. What SFTP
// cannot tell is who the account is: the owner of the directory the session
// starts in is taken for it. That directory is the home.
func OpenSFTP(ctx context.Context, client *ssh.Client, o Options) (Session, error) {
	if err := refuseAccount(o); err != nil {
		return nil, err
	}
	if err := readRequest(o, nil).check(); err != nil {
		return nil, err
	}
	s := &sftpSession{o: o, user: client.User()}
	err := s.within(ctx, func() error {
		c, err := sftp.NewClient(client)
		if err != nil {
			return &RemoteError{Stage: StageStart, Reason: Refused, Detail: err.Error(), Status: -1}
		}
		if ctx.Err() != nil {
			c.Close()
			return ctx.Err()
		}
		s.client = c
		return s.locate()
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// within runs f, but no longer than ctx lasts. The library takes no context,
// so what is given up on ends with the connection at the latest.
func (s *sftpSession) within(ctx context.Context, f func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if s.abandoned {
		return &RemoteError{Stage: StageRequest, Reason: Closed, Status: -1}
	}
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		s.abandoned = true
		return context.Cause(ctx)
	}
}

func (s *sftpSession) Close() error {
	if s.abandoned {
		return nil
	}
	return s.client.Close()
}

// fail makes an error of what the library said.
func (s *sftpSession) fail(stage Stage, err error) error {
	e := &RemoteError{Stage: stage, Path: s.at.file, Detail: err.Error(), Status: -1}
	switch {
	case errors.Is(err, sftp.ErrSSHFxConnectionLost):
		e.Reason = Closed
	case errors.Is(err, fs.ErrPermission):
		e.Reason = Denied
	default:
		e.Reason = reasonOf(e.Detail)
		// The protocol has no word for a full disk.
		if _, ok := s.client.HasExtension("statvfs@openssh.com"); ok && e.Reason == Failed && stage != StageTarget {
			if disk, err := s.client.StatVFS(s.at.dir); err == nil && (disk.Bavail == 0 || disk.Files > 0 && disk.Favail == 0) {
				e.Reason = Full
			}
		}
	}
	return e
}

// locate finds the home and the target file.
func (s *sftpSession) locate() error {
	home, err := s.client.RealPath(".")
	if err != nil {
		return s.fail(StageStart, err)
	}
	if !strings.HasPrefix(home, "/") || strings.ContainsAny(home, "\n\x00") {
		return &RemoteError{Stage: StageStart, Reason: Garbled, Detail: "the home is not an absolute path", Status: -1}
	}
	s.home = home
	if info, err := s.client.Stat(home); err == nil {
		s.uid = owner(info)
	}
	at := &s.at
	switch t := s.o.Target; {
	case t == "":
		at.file = path.Join(home, ".ssh/authorized_keys")
		at.mendHome, at.mendDir = true, true
		if s.user == "root" {
			if _, err := s.client.Stat("/etc/openwrt_release"); err == nil {
				at.file, at.mendHome = "/etc/dropbear/authorized_keys", false
			}
		}
	case strings.HasPrefix(t, "/"):
		at.file = t
	default:
		for _, prefix := range []string{"~/", "$HOME/", "${HOME}/"} {
			t = strings.TrimPrefix(t, prefix)
		}
		at.file = strings.TrimSuffix(home, "/") + "/" + t
	}
	at.dir = at.file[:max(strings.LastIndexByte(at.file, '/'), 1)]
	if at.dir == path.Join(home, ".ssh") {
		at.mendHome, at.mendDir = true, true
	}
	return nil
}

// owner is the user id of a file, 0 if the server does not tell.
func owner(info fs.FileInfo) uint32 {
	if stat, ok := info.Sys().(*sftp.FileStat); ok {
		return stat.UID
	}
	return 0
}
