package identity

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
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
	files, err := defaults(sshDir)
	if err != nil {
		return "", err
	}
	for _, file := range files {
		if !file.dir {
			return file.path, nil
		}
	}
	return "", ErrNoDefault
}

// Defaults are all the files that [Newest] chooses from, the newest first, and
// directories of such a name among them: a caller that cannot use one goes on to
// the next. The errors are those of [Newest].
func Defaults(sshDir string) ([]string, error) {
	files, err := defaults(sshDir)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, file := range files {
		paths = append(paths, file.path)
	}
	return paths, nil
}

// defaultFile is an id*.pub.
type defaultFile struct {
	path    string
	changed time.Time
	dir     bool
}

func defaults(sshDir string) ([]defaultFile, error) {
	entries, err := os.ReadDir(sshDir) // in the order of names
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrNoDefault
	case err != nil:
		return nil, &FileError{Path: sshDir, Err: bare(err)}
	}
	var files []defaultFile
	for _, entry := range entries {
		if !defaultName(entry.Name(), foldCase) {
			continue
		}
		path := filepath.Join(sshDir, entry.Name())
		if info, err := entry.Info(); err == nil {
			files = append(files, defaultFile{path, info.ModTime(), leadsToDir(path, info)})
		}
	}
	if len(files) == 0 {
		return nil, ErrNoDefault
	}
	slices.SortStableFunc(files, func(a, b defaultFile) int { return b.changed.Compare(a.changed) })
	return files, nil
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
