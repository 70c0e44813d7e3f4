package cli

import (
	"os"
	"path/filepath"
	"strings"
)

// programName is the name that messages begin with: argv[0], and where that has
// no slash the path it was found under, as execvp(3) joins them. The kernel
// starts a shell script by that path, so a script's messages begin with it, and
// callers look for "/usr/bin/ssh-copy-id: INFO:". On Windows, where PowerShell
// passes the whole path and cmd.exe what was typed, it is the base name.
func programName(argv0 string) string {
	if onWindows && argv0 != "" {
		return filepath.Base(argv0)
	}
	if argv0 == "" || strings.Contains(argv0, "/") {
		return argv0
	}
	path, set := os.LookupEnv("PATH")
	if !set {
		path = defaultPath
	}
	self, err := os.Executable()
	if err != nil {
		self = ""
	}
	return foundName(argv0, path, self)
}

// defaultPath is where shells look without PATH; they do not export it.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// foundName looks for a name without a slash in the directories of path. Of the
// programs of that name only this one counts, where self says which it is: exec
// -a and the like call a program by any name. Where it is not found the name
// stays as it is.
func foundName(name, path, self string) string {
	own, err := os.Stat(self)
	if self != "" && err != nil {
		return name
	}
	for _, dir := range filepath.SplitList(path) {
		file := name
		if dir != "" { // an empty entry is the current directory
			file = dir + "/" + name
		}
		info, err := os.Stat(file)
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
			continue
		}
		if self == "" || os.SameFile(info, own) {
			return file
		}
	}
	return name
}
