package cli

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// unquotedEnv is getenv without the quotes around the values of SSH_AUTH_SOCK and
// SSH_ASKPASS that cmd.exe keeps of `set SSH_AUTH_SOCK="..."`, and so do readers
// of .env files. A value that names a file as it is stays. What is wrong with
// SSH_ASKPASS is said once, when it is first wanted.
func unquotedEnv(getenv func(string) string, remark func(remark)) func(string) string {
	var once sync.Once
	return func(name string) string {
		value := getenv(name)
		if name != "SSH_AUTH_SOCK" && name != "SSH_ASKPASS" {
			return value
		}
		bare := unquoted(value)
		if _, err := os.Lstat(value); err == nil {
			bare = value
		}
		if name == "SSH_ASKPASS" && value != "" {
			once.Do(func() { checkAskpass(value, bare, remark) })
		}
		return bare
	}
}

// checkAskpass remarks on a value of SSH_ASKPASS that has quotes around it, bare
// being the one without, or that names no program.
func checkAskpass(value, bare string, remark func(remark)) {
	_, err := exec.LookPath(bare)
	var lookup *exec.Error
	switch {
	case errors.As(err, &lookup):
		remark(askpassUnusable{value, lookup.Err})
	case bare != value:
		remark(askpassQuoted{bare})
	}
}

// unquoted is a text without the quotes around it; the same where it has none.
func unquoted(text string) string {
	n := len(text)
	if n > 2 && text[0] == text[n-1] && strings.ContainsRune(`"'`, rune(text[0])) {
		return text[1 : n-1]
	}
	return text
}
