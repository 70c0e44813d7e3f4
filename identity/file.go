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
	return publicKeys(text, Origin{Source: File, Path: path, UTF16: wide})
}

// publicKeys reads the text of a public key file; how it begins tells the
// format.
func publicKeys(text []byte, origin Origin) ([]Identity, error) {
	origin.PrivateKey = privateKeyBeside(origin.Path)
	var ids []Identity
	var err error
	switch start := bytes.TrimLeft(text, blanks); {
	case bytes.HasPrefix(start, []byte("---- BEGIN ")):
		ids, err = rfc4716Keys(text, origin)
	case bytes.HasPrefix(start, []byte(pemBegin)):
		ids, err = pemKeys(text, origin)
	default:
		ids, err = lineKeys(text, origin)
	}
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, &FileError{Path: origin.Path, Err: ErrNoKeys}
	}
	return ids, nil
}

// lineKeys reads keys that stand on a line each.
func lineKeys(text []byte, origin Origin) ([]Identity, error) {
	var ids []Identity
	for line := range authkeys.Parse(text).Lines() {
		origin.Line = line.Number
		if err := unfit(line); err != nil {
			return nil, &FileError{Path: origin.Path, Line: line.Number, Err: err}
		}
		if line.Entry != nil {
			ids = append(ids, Identity{Entry: *line.Entry, Origin: origin})
		}
	}
	return ids, nil
}

// rfc4716Keys reads keys in the format of RFC 4716.
func rfc4716Keys(text []byte, origin Origin) ([]Identity, error) {
	origin.Format = FormatRFC4716
	entries, err := authkeys.ParseRFC4716(text)
	var failed *authkeys.RFC4716Error
	switch {
	case errors.As(err, &failed) && failed.Reason == authkeys.RFC4716PrivateKey:
		return nil, &FileError{Path: origin.Path, Line: failed.Line, Err: ErrPrivateKey}
	case errors.As(err, &failed):
		cause := &authkeys.RFC4716Error{Reason: failed.Reason, Err: failed.Err} // the line is told once
		return nil, &FileError{Path: origin.Path, Line: failed.Line, Err: cause}
	}
	begins := rfc4716Begins(text)
	var ids []Identity
	for i, entry := range entries {
		if i < len(begins) {
			origin.Line = begins[i]
		}
		if entry.Certificate() {
			return nil, &FileError{Path: origin.Path, Line: origin.Line, Err: ErrCertificate}
		}
		ids = append(ids, Identity{Entry: entry, Origin: origin})
	}
	return ids, nil
}

// rfc4716Begins are the lines at which the keys of a file begin, counted from 1.
func rfc4716Begins(text []byte) []int {
	var begins []int
	unix := strings.ReplaceAll(strings.ReplaceAll(string(text), "\r\n", "\n"), "\r", "\n")
	for i, line := range strings.Split(unix, "\n") {
		if strings.HasPrefix(line, "---- BEGIN SSH2 PUBLIC KEY ----") {
			begins = append(begins, i+1)
		}
	}
	return begins
}

// unfit tells why a line may not stand in a public key file; nil where it may.
func unfit(line authkeys.Line) error {
	var failed *authkeys.ParseError
	switch {
	case errors.As(line.Err, &failed) && failed.Reason == authkeys.PrivateKey:
		return ErrPrivateKey
	case strings.ContainsRune(strings.TrimRight(line.Text, "\r"), '\r'):
		return ErrCarriageReturn
	case strings.ContainsRune(line.Text, 0):
		// sshd reads such a line up to there; a key file has none.
		return &authkeys.ParseError{Reason: authkeys.NotText}
	case line.Err != nil:
		return line.Err
	case line.Entry != nil && line.Entry.Certificate():
		return ErrCertificate
	}
	return nil
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
