package identity

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"ssh-copy-id/authkeys"
)

// maxFile bounds a key file, in bytes: some thousands of keys. It is also where
// ssh stops reading a private key (MAX_KEY_FILE_SIZE in authfile.c).
const maxFile = 1 << 20

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
// a comment after it, both kept as written; blank lines and lines that begin
// with # are passed over. A UTF-8 byte order mark, CRLF, blanks around a line
// and a missing last newline do not matter. A key that stands in the file twice
// is returned twice.
//
// Anything else in a line is a *[FileError] that names it; so is a file that
// cannot be read, is larger than 1 MiB, is in UTF-16 or holds no key.
func ReadFile(path string) ([]Identity, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	if authkeys.Parse(data).UTF16() {
		return nil, &FileError{Path: path, Err: ErrUTF16}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	origin := Origin{Source: File, Path: path, PrivateKey: privateKeyBeside(path)}
	var ids []Identity
	for line := range authkeys.Parse(data).Lines() {
		origin.Line = line.Number
		if err := unfit(line); err != nil {
			return nil, &FileError{Path: path, Line: line.Number, Err: err}
		}
		if line.Entry != nil {
			ids = append(ids, Identity{Entry: *line.Entry, Origin: origin})
		}
	}
	if len(ids) == 0 {
		return nil, &FileError{Path: path, Err: ErrNoKeys}
	}
	return ids, nil
}

// unfit tells why a line may not stand in a public key file; nil where it may.
func unfit(line authkeys.Line) error {
	var failed *authkeys.ParseError
	switch {
	case errors.As(line.Err, &failed) && failed.Reason == authkeys.PrivateKey:
		return ErrPrivateKey
	case strings.ContainsRune(strings.TrimRight(line.Text, "\r"), '\r'):
		return ErrCarriageReturn
	case line.Err != nil:
		return line.Err
	case line.Entry != nil && line.Entry.Certificate():
		return ErrCertificate
	}
	return nil
}

// privateKeyBeside is the private key file that goes with a public key file; ""
// where there is none.
func privateKeyBeside(pub string) string {
	private := PrivatePath(pub)
	if info, err := os.Stat(private); private == pub || err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return private
}

// readBounded reads a key file.
func readBounded(path string) ([]byte, error) {
	data, _, err := readWithInfo(path)
	return data, err
}

// readWithInfo reads a key file and tells about that very file.
func readWithInfo(path string) ([]byte, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, &FileError{Path: path, Err: bare(err)}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, &FileError{Path: path, Err: bare(err)}
	}
	if info.IsDir() {
		return nil, nil, &FileError{Path: path, Err: ErrDirectory}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, nil, &FileError{Path: path, Err: bare(err)}
	case len(data) > maxFile:
		return nil, nil, &FileError{Path: path, Err: ErrTooLarge}
	}
	return data, info, nil
}

// bare is a file system error without the path a FileError names anyway.
func bare(err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}
