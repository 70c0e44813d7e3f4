package hostkey

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/textfile"
)

const (
	// maxFile bounds one known_hosts file: some 500,000 lines of RSA keys.
	maxFile = 256 << 20
	// maxLine bounds one line; the largest keys need about 6 kB of it.
	maxLine = 256 << 10
	// maxWarnings bounds what is reported of one file.
	maxWarnings = 5
)

type marker int

const (
	markNone marker = iota
	markCA
	markRevoked
)

// entry is one line that names the host.
type entry struct {
	marker marker
	key    ssh.PublicKey
	file   string
	line   int
	// command: not from a file; nothing is written for such a host
	command bool
}

// textLine is one line taken apart, with the key still in base64.
type textLine struct {
	number  int
	marker  marker
	names   []byte
	keyType []byte
	blob    []byte
}

// load collects the lines for name from all files.
func (v *Verifier) load(name string) ([]entry, error) {
	var found []entry
	for _, file := range v.files() {
		var some []entry
		err := v.scanFile(file, func(l textLine) error {
			e, ok, err := l.forName(name)
			if ok {
				e.file = file
				some = append(some, e)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

func (v *Verifier) files() []string {
	return append(append([]string(nil), v.policy.UserFiles...), v.policy.GlobalFiles...)
}

// command collects the lines for name that KnownHostsCommand supplies.
func (v *Verifier) command(invocation, name string, key ssh.PublicKey) ([]entry, error) {
	if v.policy.KnownHostsCommand == nil {
		return nil, nil
	}
	lines, err := v.policy.KnownHostsCommand(invocation, name, key)
	if err != nil {
		return nil, fmt.Errorf("KnownHostsCommand failed: %w", err)
	}
	source := "KnownHostsCommand-" + invocation
	var found []entry
	err = v.scan(source, strings.NewReader(strings.Join(lines, "\n")), func(l textLine) error {
		e, ok, err := l.forName(name)
		if ok {
			e.file, e.command = source, true
			found = append(found, e)
		}
		return err
	})
	return found, err
}

// forName decodes the key if the line names the host. A line that does not is
// looked at closely enough to see whether it is damaged.
func (l textLine) forName(name string) (entry, bool, error) {
	ok, err := matchNames(name, l.names)
	if err != nil {
		return entry{}, false, err
	}
	if !ok && l.marker == markNone {
		return entry{}, false, l.checkBlob()
	}
	if !keyTypes[string(l.keyType)] && l.checkBlob() == nil {
		// A key of this type can never be shown to us.
		return entry{}, false, nil
	}
	key, err := l.key()
	if err != nil {
		return entry{}, false, err
	}
	return entry{marker: l.marker, key: key, line: l.number}, ok, nil
}

var (
	errBase64   = errors.New("key is not base64")
	errMismatch = errors.New("key is not of the type named before it")
	errKey      = errors.New("key is damaged or of an unknown type")
)

func (l textLine) key() (ssh.PublicKey, error) {
	blob, err := base64.StdEncoding.DecodeString(string(l.blob))
	if err != nil {
		return nil, errBase64
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		return nil, errKey
	}
	if key.Type() != string(l.keyType) {
		return nil, errMismatch
	}
	return key, nil
}

// checkBlob is the part of key that is cheap: 100,000 keys need not be decoded
// to find the lines of one host.
func (l textLine) checkBlob() error {
	var small [1024]byte
	buf := small[:]
	if n := base64.StdEncoding.DecodedLen(len(l.blob)); n > len(buf) {
		buf = make([]byte, n)
	}
	n, err := base64.StdEncoding.Decode(buf, l.blob)
	if err != nil {
		return errBase64
	}
	if n < 4 || uint64(binary.BigEndian.Uint32(buf)) > uint64(n-4) {
		return errKey
	}
	if string(buf[4:4+binary.BigEndian.Uint32(buf)]) != string(l.keyType) {
		return errMismatch
	}
	return nil
}

// scanFile calls each for every entry of a file. A missing file is an empty one;
// one that cannot be read is reported and taken as empty, as in ssh.
func (v *Verifier) scanFile(file string, each func(textLine) error) error {
	f, err := os.Open(file)
	if err != nil {
		switch _, hidden := os.Lstat(file); {
		case errors.Is(err, fs.ErrNotExist):
		case errors.Is(hidden, fs.ErrPermission): // the same for each file in it
			v.warn(filepath.Dir(file), 0, reasonOf(err))
		default:
			v.warn(file, 0, reasonOf(err))
		}
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		v.warn(file, 0, "is a directory")
		return nil
	}
	return v.scan(file, f, each)
}

// scan calls each for every entry of r. An error of each means that the line is
// malformed: it is reported, or returned if the line is a revocation.
func (v *Verifier) scan(file string, r io.Reader, each func(textLine) error) error {
	limited := &io.LimitedReader{R: r, N: maxFile + 1}
	in := bufio.NewReaderSize(limited, maxLine)
	if start, _ := in.Peek(2); textfile.IsUTF16(start) {
		v.warn(file, 0, "is in UTF-16, which ssh does not read; save it as plain UTF-8")
		in = bufio.NewReaderSize(textfile.NewReader(in), maxLine)
	}
	bad := 0
	for number := 1; ; number++ {
		line, err := in.ReadSlice('\n')
		tooLong := errors.Is(err, bufio.ErrBufferFull)
		revocation := bytes.HasPrefix(trimLine(line, number), []byte("@revoked"))
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = in.ReadSlice('\n')
		}
		if limited.N <= 0 {
			return &FileError{File: file, Reason: fmt.Sprintf("larger than %d MiB", maxFile>>20)}
		}
		if err != nil && err != io.EOF {
			// What was not read may hold a revocation.
			return &FileError{File: file, Reason: reasonOf(err)}
		}
		lineErr := errors.New("line is too long")
		if !tooLong {
			lineErr = parseLine(line, number, each)
		}
		if lineErr != nil {
			if revocation {
				return &FileError{File: file, Line: number, Reason: "malformed @revoked line: " + lineErr.Error()}
			}
			if bad++; bad <= maxWarnings {
				v.warn(file, number, "malformed line skipped: "+lineErr.Error())
			}
		}
		if err == io.EOF {
			break
		}
	}
	if bad > maxWarnings {
		v.warn(file, 0, fmt.Sprintf("%d more malformed lines skipped", bad-maxWarnings))
	}
	return nil
}

// trimLine removes what surrounds an entry: outer blanks, the end of the line,
// and the byte order mark some editors begin a file with.
func trimLine(line []byte, number int) []byte {
	if number == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return bytes.Trim(line, " \t\r\n")
}

// parseLine takes a line apart and hands it on, unless it is blank or a comment.
// The line is only valid during the call.
func parseLine(line []byte, number int, each func(textLine) error) error {
	line = trimLine(line, number)
	if len(line) == 0 || line[0] == '#' {
		return nil
	}
	l := textLine{number: number}
	if line[0] == '@' {
		var word []byte
		word, line = cutField(line)
		switch string(word) {
		case "@cert-authority":
			l.marker = markCA
		case "@revoked":
			l.marker = markRevoked
		default:
			return errors.New("unknown marker")
		}
		if len(line) > 0 && line[0] == '@' {
			return errors.New("more than one marker")
		}
	}
	l.names, line = cutField(line)
	l.keyType, line = cutField(line)
	l.blob, _ = cutField(line)
	if len(l.blob) == 0 || l.keyType[0] == '#' {
		return errors.New("no key")
	}
	if l.marker == markNone && isNumber(l.keyType) {
		// bits, exponent and modulus of a protocol 1 key: of no use, but not damaged
		return nil
	}
	return each(l)
}

func cutField(line []byte) (field, rest []byte) {
	i := bytes.IndexAny(line, " \t")
	if i < 0 {
		return line, nil
	}
	return line[:i], bytes.TrimLeft(line[i:], " \t")
}

func isNumber(field []byte) bool {
	for _, c := range field {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// warn reports something of a file once, however often it is read.
func (v *Verifier) warn(file string, line int, text string) {
	where := file
	if line > 0 {
		where = fmt.Sprintf("%s:%d", file, line)
	}
	text = where + ": " + text
	if !v.warned[text] {
		v.warned[text] = true
		v.notice(text)
	}
}

// reasonOf is an error of the file system without the path it repeats.
func reasonOf(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
