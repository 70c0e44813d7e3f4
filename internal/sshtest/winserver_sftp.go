package sshtest

import (
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// winRoot answers SFTP requests as sftp-server.exe does: paths are /C:/…, names
// ignore case, and modes and owners are made up.
type winRoot struct {
	sftpRoot
	w *Windows
}

func (w *Windows) serveSFTP(channel ssh.Channel) {
	root := &winRoot{w: w}
	start := "/" + strings.ReplaceAll(w.Profile(), `\`, "/")
	root.home = w.cfg.Dir
	if w.cfg.Chroot != "" {
		start, root.home = "/", w.Local(w.cfg.Chroot)
	}
	handlers := sftp.Handlers{FileGet: root, FilePut: root, FileCmd: root, FileList: root}
	server := sftp.NewRequestServer(channel, handlers, sftp.WithStartDirectory(start))
	defer server.Close()
	server.Serve()
}

// request is a request with the path as sftpRoot takes it.
func (r *winRoot) request(req *sftp.Request) (*sftp.Request, error) {
	name, err := r.name(req.Filepath)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(req.Context()) // a copy: the caller keeps its own
	req.Filepath = name
	return req, nil
}

func (r *winRoot) name(p string) (string, error) {
	if p == "/" {
		return r.home, nil
	}
	drive, rest, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	if !strings.EqualFold(drive, "C:") || r.w.cfg.Chroot != "" || strings.ContainsAny(rest, `:*?"<>|`) {
		return "", fs.ErrNotExist
	}
	return r.w.Local(`C:\` + rest), nil
}

func (r *winRoot) Fileread(req *sftp.Request) (io.ReaderAt, error) {
	req, err := r.request(req)
	if err != nil {
		return nil, err
	}
	return r.sftpRoot.Fileread(req)
}

func (r *winRoot) OpenFile(req *sftp.Request) (sftp.WriterAtReaderAt, error) {
	req, err := r.request(req)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(req.Filepath, "authorized_keys") && r.w.busy() {
		return nil, sftp.ErrSSHFxFailure
	}
	_, statErr := os.Stat(req.Filepath)
	f, err := r.sftpRoot.OpenFile(req)
	if err == nil && statErr != nil && r.w.cfg.NewFile != nil {
		r.w.mu.Lock()
		r.w.acls[req.Filepath] = *r.w.cfg.NewFile
		r.w.mu.Unlock()
	}
	return f, err
}

// busy counts down the failures of Busy.
func (w *Windows) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cfg.Busy > 0 {
		w.cfg.Busy--
		return true
	}
	return w.cfg.Busy < 0
}

func (r *winRoot) Filewrite(req *sftp.Request) (io.WriterAt, error) { return r.OpenFile(req) }

// Filecmd knows no links and no modes.
func (r *winRoot) Filecmd(req *sftp.Request) error {
	req, err := r.request(req)
	if err != nil {
		return err
	}
	switch {
	case req.Method == "Symlink" || req.Method == "Link" || req.Method == "Rename":
		return sftp.ErrSSHFxOpUnsupported
	case req.Method == "Setstat" && !req.AttrFlags().Size:
		return nil
	}
	return r.sftpRoot.Filecmd(req)
}

func (r *winRoot) Filelist(req *sftp.Request) (sftp.ListerAt, error) {
	return r.list(req, r.sftpRoot.Filelist)
}

func (r *winRoot) Lstat(req *sftp.Request) (sftp.ListerAt, error) {
	return r.list(req, r.sftpRoot.Lstat)
}

func (r *winRoot) list(req *sftp.Request, next func(*sftp.Request) (sftp.ListerAt, error)) (sftp.ListerAt, error) {
	// Administrators alone may look into it (wmain_sshd.c).
	if req.Method == "List" && strings.HasSuffix(strings.ToLower(req.Filepath), "/programdata/ssh/logs") && !r.w.admin() {
		return nil, fs.ErrPermission
	}
	req, err := r.request(req)
	if err != nil {
		return nil, err
	}
	lister, err := next(req)
	if list, ok := lister.(fileList); ok && err == nil {
		for i := range list {
			list[i] = winInfo{list[i]}
		}
	}
	return lister, err
}

func (r *winRoot) Readlink(p string) (string, error) { return "", sftp.ErrSSHFxFailure }

func (r *winRoot) RealPath(p string) (string, error) {
	if !path.IsAbs(p) {
		start := "/" + strings.ReplaceAll(r.w.Profile(), `\`, "/")
		if r.w.cfg.Chroot != "" {
			start = "/"
		}
		p = path.Join(start, p)
	}
	return path.Clean(p), nil
}

func (r *winRoot) PosixRename(*sftp.Request) error { return sftp.ErrSSHFxOpUnsupported }

// winInfo is what fileio_stat in fileio.c makes of a file: all may read and
// write, and it belongs to user 0.
type winInfo struct{ fs.FileInfo }

func (i winInfo) Mode() fs.FileMode {
	if i.IsDir() {
		return fs.ModeDir | 0o777
	}
	return i.FileInfo.Mode().Type() | 0o666
}

func (i winInfo) Sys() any { return nil }
