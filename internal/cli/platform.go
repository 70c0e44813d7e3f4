package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	"ssh-copy-id/internal/account"
	"strings"
)

// What this file decides differs between Windows and other systems, where a
// shell has done it already.

const onWindows = runtime.GOOS == "windows"

// terminalAdvice is what helps where there is no terminal to ask on.
func terminalAdvice() string { return adviceFor(onWindows, os.Getenv) }

// adviceFor knows that the terminal of Git Bash, MSYS2 and Cygwin (mintty) is a
// pipe to a Windows program, and its console one that nobody sees, unless it was
// set up to give it a real one (winpty, or MSYS=enable_pcon).
func adviceFor(windows bool, getenv func(string) string) string {
	if windows && (getenv("MSYSTEM") != "" || getenv("TERM_PROGRAM") == "mintty") {
		return "the window of Git Bash or Cygwin is none for a Windows program: put winpty before the command, " +
			"or run it in cmd, PowerShell or Windows Terminal, or set SSH_ASKPASS"
	}
	return "run this in one, or set SSH_ASKPASS"
}

// expandHome replaces ~/ and ~\ at the start of a file name of the command line,
// as a shell of Unix has done before and as cmd.exe does not. A name that cannot
// be expanded stays.
func expandHome(path string) string {
	home, err := account.Home()
	if !onWindows || err != nil {
		return path
	}
	return inHome(path, home)
}

func inHome(path, home string) string {
	if path == "~" {
		return home
	}
	if rest, ok := strings.CutPrefix(path, "~"); ok && strings.ContainsAny(rest[:1], `/\`) {
		return filepath.Join(home, rest[1:])
	}
	return path
}

// quote puts a word of the final hint in quotes, on Unix always, as the stock
// script does. cmd.exe knows no single quotes, so that on Windows only what
// needs quotes gets them, double ones, which PowerShell and bash read alike as
// long as no quote and no $ stands inside.
func quote(word string) string {
	if onWindows {
		return quoteForWindows(word)
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func quoteForWindows(word string) string {
	if plainForWindows.MatchString(word) {
		return word
	}
	word = strings.ReplaceAll(word, `"`, `\"`)
	end := len(word) - len(strings.TrimRight(word, `\`)) // they would quote the last quote
	return `"` + word + strings.Repeat(`\`, end) + `"`
}

// plainForWindows has no backslash, which bash would take away.
var plainForWindows = regexp.MustCompile(`^[a-zA-Z0-9/._+@:=~\[\]-]+$`)

// rewritten recognises a remote path that was none when it was typed: Git Bash and
// MSYS2 turn an argument that begins with a slash into the path of a file of
// theirs before a Windows program sees it.
func rewritten(windows bool, getenv func(string) string, path string) bool {
	converts := getenv("MSYSTEM") != "" && getenv("MSYS_NO_PATHCONV") == "" && getenv("MSYS2_ARG_CONV_EXCL") == ""
	return windows && converts && msysPath.MatchString(path)
}

// msysPath is such a path: they write it with slashes.
var msysPath = regexp.MustCompile(`^[A-Za-z]:/`)

// shellWord quotes a word only where a shell would not take it as it is.
func shellWord(word string) string {
	if onWindows {
		return quote(filepath.ToSlash(word)) // every shell of Windows takes slashes
	}
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+@:,%=~", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return quote(word)
}
