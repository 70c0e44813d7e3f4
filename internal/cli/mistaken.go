package cli

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
)

// fileKind is a kind of file of ~/.ssh that is no key.
type fileKind string

const (
	knownHostsFile     fileKind = "known_hosts"
	authorizedKeysFile fileKind = "authorized_keys"
	configFile         fileKind = "ssh_config"
)

// mistaken is the error for a file that was given as a key, with what the file is
// where it holds the keys of others or none.
func mistaken(err error) error {
	var file *identity.FileError
	if !errors.As(err, &file) || errors.Is(file.Err, identity.ErrPrivateKey) {
		return err
	}
	switch kind := mistakenFile(file.Path); kind {
	case knownHostsFile, configFile:
		return &mistakenError{path: file.Path, kind: kind, err: err}
	}
	return err
}

// mistakenFile returns what kind of file a file is that was given as a key, by its
// name or else its first line; "" for none of the kinds.
func mistakenFile(path string) fileKind {
	base := strings.ToLower(filepath.Base(path))
	for _, kind := range []fileKind{knownHostsFile, authorizedKeysFile, configFile} {
		if strings.Contains(base, string(kind)) {
			return kind
		}
	}
	if base == "config" {
		return configFile
	}
	line := firstEntry(path)
	words := strings.Fields(line)
	switch {
	case len(words) < 2:
		return ""
	case strings.HasPrefix(line, "|1|"), words[0] == "@cert-authority", words[0] == "@revoked":
		return knownHostsFile
	case configWord.MatchString(words[0]):
		return configFile
	}
	entry, err := authkeys.ParseEntry(line)
	if err == nil && authkeys.CheckOptions(entry.Options) != nil && hostNames.MatchString(words[0]) {
		return knownHostsFile
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
