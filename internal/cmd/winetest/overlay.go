//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Go removes a directory that is not empty, as every test's temporary one is,
// in a way that Wine 8 does not know and answers with an error Go does not
// expect. It has another way, for older systems, and a variable that its own
// tests turn on to try that one. Here it is on from the start: in the tests'
// copy of the standard library, not in the program that is released.
const (
	wayFile = "src/internal/syscall/windows/at_windows.go"
	wayLine = "\nvar TestDeleteatFallback bool\n"
	wayOn   = "\nvar TestDeleteatFallback = true\n"
)

// writeOverlay writes the file for go's -overlay and returns its name.
func writeOverlay(dir string) (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env: %w", err)
	}
	original := filepath.Join(strings.TrimSpace(string(root)), filepath.FromSlash(wayFile))
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	changed := strings.Replace(string(source), wayLine, wayOn, 1)
	if changed == string(source) {
		return "", fmt.Errorf("%s has no line %q: see there how tests can remove their directories now", original, strings.TrimSpace(wayLine))
	}
	replacement := filepath.Join(dir, "at_windows.go")
	if err := os.WriteFile(replacement, []byte(changed), 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{original: replacement}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}
