package sshconfig

import "strings"

// cmdLine is the command line that has cmd.exe run a command as it stands: with
// /s it takes off the first and the last quote and nothing else, and /d keeps
// the commands of the registry's AutoRun away, whose output a ProxyCommand's
// other side would see.
func cmdLine(command string) string { return `cmd.exe /d /s /c "` + command + `"` }

// quoteProgram puts the program of a command in quotes where cmd.exe would not
// find it otherwise. ssh for Windows hands a ProxyCommand to CreateProcess,
// which takes C:\Program Files\x.exe without quotes too: it tries the words one
// after another until they make the name of a file, with .exe or without. A
// path with slashes is another one cmd.exe wants quotes around. What is
// quoted, no path, or found nowhere stays as it is.
func quoteProgram(command string, isFile func(path string) bool) string {
	if !strings.ContainsAny(command, `/\`) || strings.HasPrefix(command, `"`) {
		return command
	}
	for end := 0; end < len(command); {
		next := strings.IndexByte(command[end:], ' ')
		if next < 0 {
			end = len(command)
		} else {
			end += next
		}
		program := command[:end]
		if strings.ContainsAny(program, "\"|&<>^%") {
			return command
		}
		if strings.ContainsAny(program, `/\`) && (isFile(program) || isFile(program+".exe")) {
			if !strings.ContainsAny(program, "/ ,;=()'") {
				return command
			}
			return `"` + strings.ReplaceAll(program, "/", `\`) + `"` + command[end:]
		}
		end++
	}
	return command
}
