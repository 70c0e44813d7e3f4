package identity

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ssh-copy-id/authkeys"
)

// maxFile bounds a key file, in bytes: some thousands of keys.
const maxFile = 1 << 20

// FileError tells what is wrong with a key file, and never what it holds.
type FileError struct {
	Path string
	// Line is the line it is about, counted from 1; 0 for the whole file.
	Line int
	Err  error
}

func (e *FileError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s: line %d: %v", e.Path, e.Line, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.Path, e.Err)
}

// Unwrap gives the cause: an *authkeys.ParseError, a file system error, or one
// of the errors of this package.
func (e *FileError) Unwrap() error { return e.Err }

// What can be wrong with a whole file.
var (
	ErrNoKeys      = errors.New("no public key in this file")
	ErrDirectory   = errors.New("is a directory, not a public key file")
	ErrUTF16       = errors.New("is written in UTF-16; save it as UTF-8")
	ErrTooLarge    = errors.New("too large for a public key file")
	ErrPrivateKey  = errors.New("is a private key, not a public one; it was not sent anywhere")
	ErrCertificate = errors.New("is a certificate; install the key it was made for")
	// ErrNoDefault: no ~/.ssh/id*.pub.
	ErrNoDefault = errors.New("no default identity")
)

// PubPath is the public key file of an identity: name, with .pub added unless
// it ends so.
func PubPath(name string) string {
	if strings.HasSuffix(name, ".pub") {
		return name
	}
	return name + ".pub"
}

// PrivatePath is the file beside a public key file that holds the private key.
func PrivatePath(pub string) string { return strings.TrimSuffix(pub, ".pub") }

// ReadFile reads a public key file: one key a line, with options before it and
// a comment after it; blank lines and lines that begin with # are passed over.
// A BOM, CRLF and a missing last newline do not matter. Anything else on a
// line is a *FileError that names it.
func ReadFile(path string) ([]Identity, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	origin := Origin{Source: File, Path: path}
	if info, err := os.Stat(PrivatePath(path)); err == nil && info.Mode().IsRegular() && PrivatePath(path) != path {
		origin.PrivateKey = PrivatePath(path)
	}
	var ids []Identity
	for line := range authkeys.Parse(data).Lines() {
		origin.Line = line.Number
		switch {
		case line.Err != nil:
			return nil, &FileError{Path: path, Line: line.Number, Err: plainer(line.Err)}
		case line.Entry == nil:
			continue
		case line.Entry.Certificate():
			return nil, &FileError{Path: path, Line: line.Number, Err: ErrCertificate}
		case strings.ContainsFunc(line.Entry.Line(), isControl):
			return nil, &FileError{Path: path, Line: line.Number, Err: errors.New("control characters beside the key")}
		}
		ids = append(ids, Identity{Entry: *line.Entry, Origin: origin})
	}
	if len(ids) == 0 {
		return nil, &FileError{Path: path, Err: ErrNoKeys}
	}
	return ids, nil
}

// isControl: characters that would end a line on the server early. Others, a
// terminal escape in a comment say, are the author's.
func isControl(r rune) bool { return r == '\r' || r == 0 }

// plainer says what to do about the mistake that matters most.
func plainer(err error) error {
	var parse *authkeys.ParseError
	if errors.As(err, &parse) && parse.Reason == authkeys.PrivateKey {
		return ErrPrivateKey
	}
	return err
}

// readBounded reads a key file.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &FileError{Path: path, Err: bare(err)}
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, &FileError{Path: path, Err: ErrDirectory}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, &FileError{Path: path, Err: bare(err)}
	case len(data) > maxFile:
		return nil, &FileError{Path: path, Err: ErrTooLarge}
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return nil, &FileError{Path: path, Err: ErrUTF16}
	}
	return data, nil
}

// bare is a file system error without the path a FileError names anyway.
func bare(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// Newest is the newest id*.pub of a directory, as `ls -t` sorts: by the time
// of the entry itself, also of a link, and by name among equals. Certificates
// (*-cert.pub) and directories are passed over. ErrNoDefault where none is
// left.
func Newest(sshDir string) (string, error) {
	paths, err := filepath.Glob(filepath.Join(escapeGlob(sshDir), "id*.pub"))
	if err != nil {
		return "", ErrNoDefault
	}
	slices.Sort(paths)
	newest, found := "", fs.FileInfo(nil)
	for _, path := range paths {
		if strings.HasSuffix(path, "-cert.pub") || isDirectory(path) {
			continue
		}
		info, err := os.Lstat(path)
		if err == nil && (found == nil || info.ModTime().After(found.ModTime())) {
			newest, found = path, info
		}
	}
	if found == nil {
		return "", ErrNoDefault
	}
	return newest, nil
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// escapeGlob keeps a directory's own name from being a pattern.
func escapeGlob(dir string) string {
	if os.PathSeparator == '\\' {
		return dir // Match knows no escape there, and the names none of its characters but [
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}
