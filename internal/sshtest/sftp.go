package sshtest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// serveSFTP is the sftp subsystem of an account.
func serveSFTP(channel ssh.Channel, a *Account) int {
	root := &sftpRoot{home: a.Home, chroot: a.Chroot}
	start := "/"
	if !a.Chroot {
		start = serverPath(a.Home)
	}
	handlers := sftp.Handlers{FileGet: root, FilePut: root, FileCmd: root, FileList: root}
	server := sftp.NewRequestServer(channel, handlers, sftp.WithStartDirectory(start))
	defer server.Close()
	if err := server.Serve(); err != nil && !errors.Is(err, io.EOF) {
		return 1
	}
	return 0
}

// sftpRoot answers SFTP requests as OpenSSH's sftp-server does, which
// sftp.Server does not: what is opened for appending is appended to, whatever
// offset the client names (process_write in sftp-server.c). Without a chroot
// every file can be looked at, but only those below the home be changed: a
// test's mistake must not reach the machine.
type sftpRoot struct {
	home   string
	chroot bool
}

// serverPath is the name of a local file in SFTP: /C:/… on Windows.
func serverPath(local string) string {
	p := filepath.ToSlash(local)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	return p
}

// local is the file an SFTP path means.
func (r *sftpRoot) local(p string) string {
	if r.chroot {
		return filepath.Join(r.home, filepath.FromSlash(path.Clean("/"+p)))
	}
	if runtime.GOOS == "windows" {
		p = strings.TrimPrefix(p, "/")
	}
	return filepath.FromSlash(path.Clean(p))
}

// writable is local for a file that is to be changed: symlinks in its
// directory are followed, and must stay in the home.
func (r *sftpRoot) writable(p string) (string, error) {
	local := r.local(p)
	dir, err := filepath.EvalSymlinks(filepath.Dir(local))
	if err != nil {
		return "", err
	}
	home, err := filepath.EvalSymlinks(r.home)
	if err != nil {
		return "", err
	}
	real := filepath.Join(dir, filepath.Base(local))
	if rel, err := filepath.Rel(home, real); err != nil || !filepath.IsLocal(rel) {
		return "", fs.ErrPermission
	}
	return real, nil
}

func (r *sftpRoot) Fileread(req *sftp.Request) (io.ReaderAt, error) {
	return os.Open(r.local(req.Filepath))
}

func (r *sftpRoot) Filewrite(req *sftp.Request) (io.WriterAt, error) {
	return r.OpenFile(req)
}

func (r *sftpRoot) OpenFile(req *sftp.Request) (sftp.WriterAtReaderAt, error) {
	name, err := r.writable(req.Filepath)
	if err != nil {
		return nil, err
	}
	flags, how := req.Pflags(), os.O_WRONLY
	if flags.Read {
		how = os.O_RDWR
	}
	if flags.Append {
		how |= os.O_APPEND
	}
	if flags.Creat {
		how |= os.O_CREATE
	}
	if flags.Trunc {
		how |= os.O_TRUNC
	}
	if flags.Excl {
		how |= os.O_EXCL
	}
	f, err := os.OpenFile(name, how, 0o666)
	if err != nil {
		return nil, err
	}
	if flags.Append {
		return appender{f}, nil
	}
	return f, nil
}

type appender struct{ *os.File }

func (a appender) WriteAt(b []byte, _ int64) (int, error) { return a.Write(b) }

func (r *sftpRoot) Filecmd(req *sftp.Request) error {
	target := req.Filepath
	if req.Method == "Symlink" || req.Method == "Link" {
		target = req.Target
	}
	name, err := r.writable(target)
	if err != nil {
		return err
	}
	switch req.Method {
	case "Setstat":
		return r.setstat(name, req)
	case "Mkdir":
		return os.Mkdir(name, 0o777)
	case "Rmdir", "Remove":
		info, err := os.Lstat(name)
		if err == nil && info.IsDir() != (req.Method == "Rmdir") {
			return errors.New("failure")
		}
		return os.Remove(name)
	case "Rename": // version 3 renames onto nothing that exists
		to, err := r.writable(req.Target)
		if err != nil {
			return err
		}
		if _, err := os.Lstat(to); err == nil {
			return errors.New("failure")
		}
		return os.Rename(name, to)
	case "Symlink":
		return os.Symlink(r.local(req.Filepath), name)
	case "Link":
		return os.Link(r.local(req.Filepath), name)
	}
	return sftp.ErrSSHFxOpUnsupported
}

// PosixRename is posix-rename@openssh.com, which replaces its target.
func (r *sftpRoot) PosixRename(req *sftp.Request) error {
	from, err := r.writable(req.Filepath)
	if err != nil {
		return err
	}
	to, err := r.writable(req.Target)
	if err != nil {
		return err
	}
	return os.Rename(from, to)
}

func (r *sftpRoot) setstat(name string, req *sftp.Request) error {
	flags, attrs := req.AttrFlags(), req.Attributes()
	if flags.Size {
		if err := os.Truncate(name, int64(attrs.Size)); err != nil {
			return err
		}
	}
	if flags.Permissions {
		if err := os.Chmod(name, attrs.FileMode().Perm()); err != nil {
			return err
		}
	}
	if flags.Acmodtime {
		return os.Chtimes(name, attrs.AccessTime(), attrs.ModTime())
	}
	return nil
}

func (r *sftpRoot) Filelist(req *sftp.Request) (sftp.ListerAt, error) {
	name := r.local(req.Filepath)
	if req.Method == "List" {
		entries, err := os.ReadDir(name)
		if err != nil {
			return nil, err
		}
		var list fileList
		for _, e := range entries {
			if info, err := e.Info(); err == nil {
				list = append(list, info)
			}
		}
		return list, nil
	}
	info, err := os.Stat(name)
	return fileList{info}, err
}

func (r *sftpRoot) Lstat(req *sftp.Request) (sftp.ListerAt, error) {
	info, err := os.Lstat(r.local(req.Filepath))
	return fileList{info}, err
}

func (r *sftpRoot) Readlink(p string) (string, error) { return os.Readlink(r.local(p)) }

// RealPath resolves symlinks; a missing file has the name it would get, as
// sftp_realpath gives it.
func (r *sftpRoot) RealPath(p string) (string, error) {
	if r.chroot {
		return path.Clean("/" + p), nil
	}
	if !path.IsAbs(p) {
		p = path.Join(serverPath(r.home), p)
	}
	local := r.local(p)
	if real, err := filepath.EvalSymlinks(local); err == nil {
		return serverPath(real), nil
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(local))
	if err != nil {
		return "", err
	}
	return serverPath(filepath.Join(dir, filepath.Base(local))), nil
}

type fileList []fs.FileInfo

func (l fileList) ListAt(to []fs.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(to, l[offset:])
	if n < len(to) {
		return n, io.EOF
	}
	return n, nil
}
