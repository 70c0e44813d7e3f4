package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/internal/term"
)

// commentError is returned for a public key file whose comment could steer the
// terminal of whoever looks at the authorized_keys file, or read as something
// else than it is.
type commentError struct {
	path string
	line int
}

func (e *commentError) Error() string {
	return fmt.Sprintf("%s: line %d: the comment holds control characters or bidirectional overrides; give the key another one with --comment", e.path, e.line)
}

// mistakenFile reports what kind of file of ~/.ssh a file is that was given as a
// key: "known_hosts", "authorized_keys" or "ssh_config"; "" for none of them. The
// name tells, else the first line.
func mistakenFile(path string) string {
	base := strings.ToLower(filepath.Base(path))
	for _, kind := range []string{"known_hosts", "authorized_keys", "ssh_config"} {
		if strings.Contains(base, kind) {
			return kind
		}
	}
	if base == "config" {
		return "ssh_config"
	}
	line := firstEntry(path)
	words := strings.Fields(line)
	switch {
	case len(words) < 2:
		return ""
	case strings.HasPrefix(line, "|1|"), words[0] == "@cert-authority", words[0] == "@revoked":
		return "known_hosts"
	case configWord.MatchString(words[0]):
		return "ssh_config"
	}
	entry, err := authkeys.ParseEntry(line)
	if err == nil && authkeys.CheckOptions(entry.Options) != nil && hostNames.MatchString(words[0]) {
		return "known_hosts"
	}
	return ""
}

var (
	configWord = regexp.MustCompile(`(?i)^(host|match|include|hostname|user|port|identityfile|identitiesonly|identityagent|proxyjump|proxycommand|stricthostkeychecking|userknownhostsfile|addkeystoagent)$`)
	// hostNames are names and addresses as a known_hosts file has them, which
	// options with values are not.
	hostNames = regexp.MustCompile(`^[][A-Za-z0-9.:,*?!_-]+$`)
)

// firstEntry is the first line of a file that is neither blank nor a comment; ""
// where there is none.
func firstEntry(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, 1<<16))
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
			return line
		}
	}
	return ""
}

// mistakenSentence says what a file is that was given as a key; "" where it may
// be one.
func mistakenSentence(path string) string {
	what := ""
	switch mistakenFile(path) {
	case "known_hosts":
		what = "is a known_hosts file: it holds the keys of servers, and none of yours"
	case "ssh_config":
		what = "is an ssh_config file, which -F takes, and holds no key"
	default:
		return ""
	}
	return fmt.Sprintf("'%s' %s; -i wants the file of a key, such as ~/.ssh/id_ed25519", term.Escape(path), what)
}

// missingHint is a line of its own about a key file that is not there: what is
// there instead, or what about its name may not be meant.
func missingHint(pub string) string {
	base := strings.TrimSuffix(pub, ".pub")
	for _, other := range []string{pub + ".txt", base + ".txt", base + ".pem"} {
		if regular(other) {
			return fmt.Sprintf("\n\t(there is a file '%s': give that name with -i)", term.Escape(other))
		}
	}
	hint := ""
	switch {
	case percentName.MatchString(base):
		hint = percentName.FindString(base) + " was not replaced by its value: cmd.exe does that, PowerShell wants $env:NAME, other shells $NAME"
	case strings.Contains(strings.ToLower(base), "$env:"):
		hint = "$env: was not replaced by its value: PowerShell does that, outside of single quotes; cmd.exe wants %NAME%, other shells $NAME"
	case dollarName.MatchString(base):
		hint = dollarName.FindString(base) + " was not replaced by its value: a shell does that, outside of single quotes"
	case strings.ContainsAny(base, `"'`):
		hint = "the quotes are part of the name here: leave them out"
	case strings.HasPrefix(base, "~"):
		hint = "~ was not replaced by the home directory: a shell does that, outside of quotes"
	case strings.TrimSpace(base) != base:
		hint = "the name begins or ends with a blank or a line end: leave that out"
	default:
		return ""
	}
	return "\n\t(" + term.Escape(hint) + ")"
}

var (
	percentName = regexp.MustCompile(`%[A-Za-z_][A-Za-z0-9_()]*%`)
	dollarName  = regexp.MustCompile(`\$(\{[A-Za-z_][A-Za-z0-9_]*\}|[A-Za-z_][A-Za-z0-9_]*)`)
)
