package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// licences is the licence of the program and, after it, those of Go and of the
// modules that are linked into it: they ask to go where the binary goes.
func (r *release) licences() ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(r.root, "LICENSE"))
	if err != nil {
		return nil, err
	}
	sources, err := r.sources()
	if err != nil {
		return nil, err
	}
	for _, source := range sources {
		var files []string
		for _, pattern := range []string{"LICENSE*", "NOTICE*"} {
			found, err := filepath.Glob(filepath.Join(source.dir, pattern))
			if err != nil {
				return nil, err
			}
			files = append(files, found...)
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("no licence of %s in %s", source.name, source.dir)
		}
		text = fmt.Appendf(text, "\n%s\n%s, which is part of this program:\n\n", strings.Repeat("-", 72), source.name)
		for i, file := range files {
			words, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			if i > 0 {
				text = append(text, '\n')
			}
			text = append(append(text, bytes.TrimSpace(words)...), '\n')
		}
	}
	return text, nil
}

// source is code that the program is linked from, and where it lies.
type source struct{ name, dir string }

// sources are Go itself and the modules, in the order of their names. They are
// the same for every architecture.
func (r *release) sources() ([]source, error) {
	root, err := r.goCommand("env", "GOROOT")
	if err != nil {
		return nil, err
	}
	const format = "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Dir}}{{end}}{{end}}"
	modules, err := r.goCommand("list", "-deps", "-f", format, ".")
	if err != nil {
		return nil, err
	}
	sources := []source{{"Go", root}}
	lines := strings.Split(modules, "\n")
	slices.Sort(lines)
	for _, line := range slices.Compact(lines) {
		if name, dir, found := strings.Cut(line, "\t"); found {
			sources = append(sources, source{name, dir})
		}
	}
	return sources, nil
}

// goCommand is what go says at the top of the tree, seen as a build for
// Windows.
func (r *release) goCommand(args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = r.root
	cmd.Env = settings(architectures[0].goarch)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%v\n%s", err, exit.Stderr)
		}
		return "", fmt.Errorf("go %s: %v", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}
