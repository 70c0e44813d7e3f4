package term

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// findAskpass returns the system's askpass program, "" if there is none.
func findAskpass() string {
	for _, place := range askpassPlaces {
		if info, err := os.Stat(place); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return place
		}
	}
	return ""
}

// runAskpass is ssh_askpass of readpass.c: the prompt is the only argument, the
// hint goes into SSH_ASKPASS_PROMPT, the answer is the first line of standard
// output, and an exit status other than 0 means that there is no answer.
func runAskpass(program, prompt, hint string) ([]byte, error) {
	if runtime.GOOS == "windows" && isBatchFile(program) {
		prompt = batchArgument(prompt)
	}
	cmd := exec.Command(program, prompt)
	cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
	cmd.Env = os.Environ()
	if hint != "" {
		cmd.Env = append(cmd.Env, "SSH_ASKPASS_PROMPT="+hint)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, &AskpassError{program, err}
	}
	if err := cmd.Start(); err != nil {
		return nil, &AskpassError{program, startCause(err)}
	}
	answer := make([]byte, MaxAnswer)
	n, readErr := io.ReadFull(out, answer)
	if readErr == nil {
		// More than an answer can hold: closing the pipe stops a program that
		// would write for ever, as it does in OpenSSH.
		out.Close()
	}
	answer = answer[:n]
	if err := cmd.Wait(); err != nil {
		clear(answer)
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			return nil, ErrDeclined
		}
		return nil, &AskpassError{program, err}
	}
	if end := bytes.IndexAny(answer, "\r\n"); end >= 0 {
		clear(answer[end:])
		answer = answer[:end]
	}
	return answer, nil
}

// startCause is why a program could not be started, without its name.
func startCause(err error) error {
	var path *fs.PathError
	var lookup *exec.Error
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &lookup):
		return lookup.Err
	}
	return err
}

// isBatchFile reports whether Windows hands program to cmd.exe, which reads
// its arguments again and would run commands a server put into a prompt.
func isBatchFile(program string) bool {
	ext := strings.ToLower(filepath.Ext(strings.TrimRight(program, ". ")))
	return ext == ".bat" || ext == ".cmd"
}

// batchArgument replaces what cmd.exe does not take literally inside an
// argument. There is no quoting that a batch file undoes safely.
func batchArgument(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ':
			return ' '
		case strings.ContainsRune("\"%!^&|<>", r):
			return '_'
		}
		return r
	}, s)
}
