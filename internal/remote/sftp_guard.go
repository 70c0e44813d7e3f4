package remote

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/pkg/sftp"
)

// guarded refuses a Target that another account controls, for a login as root,
// and a home that does not exist.
func (s *sftpSession) guarded(r request, result *Result) error {
	home := strings.TrimSuffix(s.home, "/")
	if strings.HasPrefix(s.at.dir+"/", home+"/") {
		if _, err := s.client.Stat(home + "/"); errors.Is(err, fs.ErrNotExist) {
			return &RemoteError{Stage: StageMkdir, Path: s.at.file, Reason: NoHome, Detail: s.home, Status: -1, State: s.state()}
		}
	}
	who := s.controlled()
	switch {
	case who == "":
		return nil
	case r.guard:
		return &RemoteError{Stage: StageTarget, Path: s.at.file, Reason: Foreign, Detail: who, Status: -1, State: s.state()}
	}
	result.Notes = append(result.Notes, Note{Kind: NoteForeign, Path: who})
	return nil
}

// controlled is the place by which another account controls the Target of a login
// as root; "" for none.
func (s *sftpSession) controlled() string {
	// The owners and modes of a Windows server are made up.
	if _, drive := sftpPath(strings.TrimPrefix(s.at.file, "/")); drive || s.o.Target == "" || s.user != "root" && s.uid != 0 {
		return ""
	}
	return s.foreign(s.at.file)
}

// foreign is what lets another account than root change where p leads; "" for
// nothing. It looks at every directory on the way, and follows the links by
// itself, as the function of that name in install.sh.
func (s *sftpSession) foreign(p string) string {
	at, left := "/", strings.Split(p, "/")
	for hops := 0; len(left) > 0; {
		info, err := s.client.Stat(at)
		if err != nil {
			return ""
		}
		sticky, mode := info.Mode()&fs.ModeSticky != 0, info.Mode().Perm()
		if owner(info) != 0 || !sticky && (mode&0o002 != 0 || mode&0o020 != 0 && group(info) != 0) {
			return fmt.Sprintf("%s (user id %d, mode %04o)", at, owner(info), mode)
		}
		name := left[0]
		left = left[1:]
		step := path.Join(at, name)
		switch name {
		case "", ".":
			continue
		case "..":
			at = step
			continue
		}
		info, err = s.client.Lstat(step)
		if err != nil {
			return ""
		}
		if sticky && owner(info) != 0 {
			return fmt.Sprintf("%s (user id %d)", step, owner(info))
		}
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			link, err := s.client.ReadLink(step)
			if hops++; err != nil || hops >= 40 {
				return ""
			}
			if strings.HasPrefix(link, "/") {
				at = "/"
			}
			left = append(strings.Split(link, "/"), left...)
		case info.IsDir():
			at = step
		default:
			return ""
		}
	}
	return ""
}

// group is the group id of a file, 0 if the server does not say.
func group(info fs.FileInfo) uint32 {
	if stat, ok := info.Sys().(*sftp.FileStat); ok {
		return stat.GID
	}
	return 0
}
