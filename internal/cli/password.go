package cli

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"unicode/utf8"

	"ssh-copy-id/internal/term"
	"ssh-copy-id/internal/textfile"
)

// maxPassword bounds what is read for a password, in bytes; a terminal takes no
// more either (term.MaxAnswer).
const maxPassword = 1023

// passwordFlags are the flags given that say where the password is.
func (f *Flags) passwordFlags() []string {
	var given []string
	for _, flag := range []struct{ name, value string }{
		{"--password-file", f.PasswordFile}, {"--password-fd", f.PasswordFD}, {"--password-env", f.PasswordEnv},
	} {
		if flag.value != "" {
			given = append(given, flag.name)
		}
	}
	return given
}

// password reads the password that the flags point to; nil where they point to
// none. It is read before anything else is done, so that what is wrong with it
// is said while nothing has happened yet.
func (r *run) password() ([]byte, error) {
	f := r.flags
	switch {
	case f.PasswordFile == "-":
		return firstLineOf("--password-file -", os.Stdin)
	case f.PasswordFile != "":
		return r.passwordFromFile(expandHome(f.PasswordFile))
	case f.PasswordFD != "":
		return passwordFromFD(f.PasswordFD)
	case f.PasswordEnv != "":
		return passwordFromEnv(f.PasswordEnv)
	}
	return nil, nil
}

func (r *run) passwordFromFile(path string) ([]byte, error) {
	flag := "--password-file " + path
	file, err := os.Open(path)
	if err != nil {
		return nil, &passwordError{flag, err}
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, &passwordError{flag, err}
	case info.IsDir():
		return nil, &passwordError{flag, errDirectory}
	case readableByOthers(info):
		r.out.Remark(passwordExposed{path, info.Mode()})
	}
	return firstLineOf(flag, file)
}

func passwordFromFD(number string) ([]byte, error) {
	flag := "--password-fd " + number
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return nil, &passwordError{flag, err}
	}
	if n == 1 || n == 2 {
		return nil, &passwordError{flag, errIsOutput}
	}
	file, err := inheritedFile(int(n))
	if err != nil {
		return nil, &passwordError{flag, err}
	}
	defer file.Close()
	return firstLineOf(flag, file)
}

// passwordFromEnv takes the variable out of the environment, which a
// ProxyCommand or an askpass program would inherit.
func passwordFromEnv(name string) ([]byte, error) {
	value := os.Getenv(name)
	if value == "" {
		return nil, &passwordError{"--password-env " + name, errNotSet}
	}
	os.Unsetenv(name)
	return firstLine("--password-env "+name, bytes.NewReader([]byte(value)))
}

// firstLineOf reads a file that is no terminal: that would show what is typed.
func firstLineOf(flag string, file *os.File) ([]byte, error) {
	if term.IsTerminal(file) {
		return nil, &passwordError{flag, errIsTerminal}
	}
	if isStdin(file) {
		defer dropStdin()
	}
	return firstLine(flag, file)
}

// isStdin reports whether a file is what standard input leads to, under
// whatever name it was opened.
func isStdin(file *os.File) bool {
	info, err := file.Stat()
	if err != nil {
		return file == os.Stdin
	}
	stdin, err := os.Stdin.Stat()
	return err == nil && os.SameFile(info, stdin)
}

// dropStdin keeps the programs that are run later from standard input, where the
// password was: they could go back to its start and read it.
func dropStdin() {
	os.Stdin.Close()
	if null, err := os.Open(os.DevNull); err == nil {
		os.Stdin = null
	}
}

// firstLine reads one line, without its line end. It may be in UTF-16 with a byte
// order mark, as PowerShell's > writes it.
func firstLine(flag string, from io.Reader) ([]byte, error) {
	line, err := readLine(from)
	if err != nil {
		return nil, &passwordError{flag, err}
	}
	line, wide := textfile.UTF8(line)
	if wide && bytes.ContainsRune(line, utf8.RuneError) {
		return nil, &passwordError{flag, errHalfUTF16}
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))           // a file from Windows
	line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")) // and its byte order mark
	switch {
	case bytes.IndexByte(line, 0) >= 0:
		return nil, &passwordError{flag, errBinary}
	case len(line) > maxPassword:
		return nil, &passwordError{flag, errLongPassword}
	case len(line) == 0:
		return nil, &passwordError{flag, errEmptyPassword}
	}
	return line, nil
}

// readLine reads up to and with the end of a line, byte by byte so that whatever
// follows on standard input stays there, and no more than shows that the line
// is too long.
func readLine(from io.Reader) ([]byte, error) {
	const most = 2*maxPassword + 8 // in UTF-16: the mark, the characters, their end
	line := make([]byte, 0, most)
	var b [1]byte
	for len(line) < most && !endsLine(line) {
		switch n, err := from.Read(b[:]); {
		case n == 1:
			line = append(line, b[0])
		case err == io.EOF:
			return line, nil
		case err != nil:
			clear(line)
			return nil, err
		}
	}
	return line, nil
}

// endsLine reports whether the last character is a newline; in UTF-16 a character
// has two bytes, one of which may look like one.
func endsLine(line []byte) bool {
	n := len(line)
	if !textfile.IsUTF16(line) {
		return n > 0 && line[n-1] == '\n'
	}
	return n > 2 && n%2 == 0 && (line[0] == 0xff && line[n-2] == '\n' && line[n-1] == 0 || line[0] == 0xfe && line[n-2] == 0 && line[n-1] == '\n')
}
