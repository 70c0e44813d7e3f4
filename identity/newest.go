package identity

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Newest is the public key file that was changed last among the id*.pub of a
// directory, as `ls -t` orders them: by modification time, a symbolic link by
// its own; of several with the same time the first by name. Certificates
// (*-cert.pub) and directories do not count. A link that leads nowhere does, as
// in the stock script: it was meant, and reading it tells what is wrong. On
// Windows the case of the names does not matter.
//
// Where there is no such file, or no directory, the error is [ErrNoDefault]; where
// the directory cannot be read it is a *[FileError].
func Newest(sshDir string) (string, error) {
	entries, err := os.ReadDir(sshDir) // in the order of names
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", ErrNoDefault
	case err != nil:
		return "", &FileError{Path: sshDir, Err: bare(err)}
	}
	var newest fs.FileInfo
	for _, entry := range entries {
		name := entry.Name()
		if !defaultName(name, foldCase) {
			continue
		}
		info, err := entry.Info()
		if err != nil || leadsToDir(filepath.Join(sshDir, name), info) {
			continue
		}
		if newest == nil || info.ModTime().After(newest.ModTime()) {
			newest = info
		}
	}
	if newest == nil {
		return "", ErrNoDefault
	}
	return filepath.Join(sshDir, newest.Name()), nil
}

// defaultName tells the names of id*.pub but for *-cert.pub, with fold in any
// case.
func defaultName(name string, fold bool) bool {
	if fold {
		name = strings.ToLower(name)
	}
	return strings.HasPrefix(name, "id") && strings.HasSuffix(name, ".pub") && !strings.HasSuffix(name, "-cert.pub")
}

func leadsToDir(path string, info fs.FileInfo) bool {
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Stat(path)
		return err == nil && target.IsDir()
	}
	return info.IsDir()
}
