package sshconfig

import (
	"bytes"
	"runtime"
	"strings"

	"ssh-copy-id/internal/textfile"
)

// onWindows decides where OpenSSH for Windows reads a configuration otherwise
// than OpenSSH does elsewhere, and where it should.
const onWindows = runtime.GOOS == "windows"

// separators part the names of a path.
var separators = map[bool]string{false: "/", true: `/\`}[onWindows]

// localPath is a path of the configuration as this system knows it.
func localPath(path string, getenv func(string) string) string {
	if !onWindows {
		return path
	}
	return windowsPath(path, programData(getenv))
}

// programData is where Windows keeps what belongs to no account.
func programData(getenv func(string) string) string {
	if dir := getenv("ProgramData"); dir != "" {
		return dir
	}
	return `C:\ProgramData`
}

// windowsPath understands the paths that OpenSSH for Windows does beside the
// system's own (resolved_path_utf16 and realpath in win32compat/misc.c):
// __PROGRAMDATA__ at the start, /c:/dir, /cygdrive/c/dir and /dev/null. /c/dir is
// what Git Bash and its ssh write for the same, often into a file that both use.
func windowsPath(path, programData string) string {
	const mark = "__PROGRAMDATA__"
	switch {
	case len(path) >= len(mark) && strings.EqualFold(path[:len(mark)], mark):
		return programData + path[len(mark):]
	case path == "/dev/null":
		return "NUL"
	}
	rest, rooted := strings.CutPrefix(path, "/cygdrive/")
	if !rooted {
		rest, rooted = strings.CutPrefix(path, "/")
	}
	if !rooted || rest == "" || !isLetter(rest[0]) {
		return path
	}
	drive, dir := rest[:1], strings.TrimPrefix(rest[1:], ":")
	switch {
	case dir == "":
		return drive + ":/"
	case dir[0] == '/' || dir[0] == '\\':
		return drive + ":" + dir
	}
	return path
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// isUNC tells whether an argument begins with the two backslashes of a path to
// another machine or a pipe (\\server\share, \\.\pipe\name). ssh takes the
// first for one that quotes the second, and then finds no such file: Windows
// means what is written. Doubled ones (\\\\server) are left to mean what they
// mean to ssh.
func isUNC(s string) bool {
	return len(s) > 2 && s[0] == '\\' && s[1] == '\\' && s[2] != '\\' && s[2] != ' ' && s[2] != '\t'
}

// slashed writes a path with slashes, as glob wants it: there a backslash is no
// separator.
func slashed(path string) string {
	if !onWindows {
		return path
	}
	return strings.ReplaceAll(path, `\`, "/")
}

const convertedNotice = "is in UTF-16 or begins with a byte order mark, with which ssh does not read it; save it as plain UTF-8"

// plainText undoes what Notepad and PowerShell do to a text file. ssh refuses
// such a file with an error that does not tell why.
func plainText(data []byte) (text []byte, converted bool) {
	if text, converted = textfile.UTF8(data); converted {
		return text, true
	}
	return bytes.CutPrefix(data, []byte("\xef\xbb\xbf"))
}
