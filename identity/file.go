package identity

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

// maxFile bounds a key file, in bytes: some thousands of keys. It is also where
// ssh stops reading a private key (MAX_KEY_FILE_SIZE in authfile.c).
const maxFile = 1 << 20

// ReadFile reads a public key file in one of these formats.
//
//   - [FormatOpenSSH]: one key a line, with options before it and a comment
//     after it, both kept as written; blank lines and lines that begin with #
//     are passed over. CRLF and blanks around a line do not matter.
//   - [FormatRFC4716]: one key or several; of the headers the comment is kept.
//   - [FormatPEM]: one key or several, which have no comments.
//
// A byte order mark and a missing last newline do not matter. A file in UTF-16,
// as Windows' own tools write it, is read as if it were in UTF-8; [Origin] tells.
// A key that stands in the file twice is returned twice.
//
// Anything else in a line is a *[FileError] that names it; so is a file that
// cannot be read, is larger than 1 MiB or holds no key. A private key in the
// place of a public one is [ErrPrivateKey], whatever it shows of its public
// half: [ReadPublicHalf] is for the private key file itself.
func ReadFile(path string) ([]Identity, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	text, wide, err := plainText(data)
	if err != nil {
		return nil, &FileError{Path: path, Err: err}
	}
	return readKeys(text, Origin{Source: File, Path: path, UTF16: wide}, false)
}

// LooksLikeKey reports whether a path names a regular file of at most 1 MiB that
// holds "ssh" somewhere, in upper or lower case, as OpenSSH's ssh-copy-id tests
// it, or begins as a key file does.
func LooksLikeKey(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	data, err := readBounded(path)
	if err != nil {
		return false
	}
	defer clear(data)
	text, _, err := plainText(data)
	if err != nil {
		return false
	}
	defer clear(text)
	lower := bytes.ToLower(text)
	defer clear(lower)
	return bytes.Contains(lower, []byte("ssh")) || notationOf(text, true).format != FormatOpenSSH
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
