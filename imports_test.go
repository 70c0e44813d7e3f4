//go:build unix

package main

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mayImport is which of this module's packages each of them may import; tests
// do not count. Imports run one way, from the command down to the file format.
//
// internal/cli works on hosts through copyid alone. What it shows are values and
// errors of public packages, so that another program, or another output, has the
// same facts; it has no word to say to a connection (sshclient), a host key
// (hostkey), a remote file (remote) or a configuration (sshconfig). The internal
// packages that it has are about this machine: the terminal, the agent, files of
// the user, and what is known of appliances and servers by name.
var mayImport = map[string][]string{
	"":                    {"internal/cli"},
	"internal/cli":        {"authkeys", "copyid", "identity", "internal/account", "internal/agentconn", "internal/device", "internal/owneronly", "internal/serverid", "internal/term", "internal/textfile"},
	"copyid":              {"authkeys", "identity", "internal/account", "internal/device", "internal/diagnose", "internal/hostkey", "internal/keyring", "internal/remote", "internal/serverid", "internal/sshclient", "internal/sshconfig", "internal/sshkey"},
	"identity":            {"authkeys", "internal/sshkey", "internal/textfile"},
	"authkeys":            {"internal/sshkey"},
	"internal/account":    {},
	"internal/keyring":    {"identity", "internal/sshclient", "internal/sshconfig", "internal/sshkey"},
	"internal/sshclient":  {"internal/hostkey", "internal/serverid", "internal/sshconfig", "internal/sshkey"},
	"internal/hostkey":    {"internal/owneronly", "internal/sshkey", "internal/textfile"},
	"internal/owneronly":  {},
	"internal/device":     {"authkeys", "internal/sshkey"},
	"internal/sshconfig":  {"internal/textfile"},
	"internal/diagnose":   {"authkeys", "internal/remote", "internal/scriptrun", "internal/serverid", "internal/sshdconfig", "internal/sshkey"},
	"internal/remote":     {"authkeys", "internal/scriptrun", "internal/serverid", "internal/sshdconfig"},
	"internal/scriptrun":  {},
	"internal/sshdconfig": {},
	"internal/agentconn":  {},
	"internal/serverid":   {"authkeys"},
	"internal/sshkey":     {},
	"internal/term":       {},
	"internal/textfile":   {},

	"internal/cmd/release": {},
}

// notProduct matches the packages for tests and the other programs. They import
// what they like; nothing of the product may import them.
var notProduct = regexp.MustCompile(`^internal/(cmd|e2e|sshtest)(/|$)`)

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		name := strings.TrimPrefix(strings.TrimPrefix(words[0], "ssh-copy-id"), "/")
		allowed, known := mayImport[name]
		if !known && notProduct.MatchString(name) {
			continue
		}
		if !known {
			t.Errorf("%s has no rule here", name)
		}
		seen++
		for _, imported := range words[1:] {
			if rest, own := strings.CutPrefix(imported, "ssh-copy-id/"); own && !slices.Contains(allowed, rest) {
				t.Errorf("%s may not import %s", name, rest)
			}
		}
	}
	if seen != len(mayImport) {
		t.Errorf("%d packages, %d rules", seen, len(mayImport))
	}
}
