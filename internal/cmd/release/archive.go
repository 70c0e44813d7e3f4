package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// program is the name of the program in the zips; the manifests name it too.
const program = "ssh-copy-id.exe"

// architecture is one processor, in the words of Go, Scoop and winget.
type architecture struct{ goarch, scoop, winget string }

var architectures = []architecture{
	{"amd64", "64bit", "x64"},
	{"arm64", "arm64", "arm64"},
}

// settings is the environment of a build for Windows. What this machine could
// have set by itself is set here.
func settings(goarch string) []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOOS=windows", "GOARCH="+goarch,
		"GOFLAGS=-buildvcs=false", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0")
}

// build is the program as a release has it.
func build(r *release, goarch string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "ssh-copy-id-release")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	object := filepath.Join(dir, "resources.syso")
	if err := resources(r.root, r.version, goarch, object); err != nil {
		return nil, err
	}
	return link(r.root, r.version, goarch, object)
}

// link builds the program of a tree, with the resources of an object file.
func link(root, version, goarch, object string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "ssh-copy-id-build")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	tree := filepath.Join(dir, "tree")
	if err := beside(root, tree, object, "rsrc_windows_"+goarch+".syso"); err != nil {
		return nil, err
	}
	exe := filepath.Join(dir, program)
	// The v is that of the module's versions: go install names them so.
	cmd := exec.Command("go", "build", "-trimpath",
		"-ldflags", "-s -w -X main.version=v"+version, "-o", exe, ".")
	cmd.Dir = tree
	cmd.Env = append(settings(goarch), "PWD="+tree)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build for windows/%s: %v\n%s", goarch, err, out)
	}
	return os.ReadFile(exe)
}

// beside makes a folder that holds what root holds, by links, and a file more.
// go build links every .syso of the package's own folder, and nothing is to be
// left in that one.
func beside(root, folder, file, name string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.Symlink(filepath.Join(root, entry.Name()), filepath.Join(folder, entry.Name())); err != nil {
			return err
		}
	}
	return os.Symlink(file, filepath.Join(folder, name))
}

// resources writes the version, the icon and the manifest that Windows looks for
// in a program, as an object file.
func resources(root, version, goarch, object string) error {
	cmd := exec.Command("go", "run", ".", goarch, version, object)
	cmd.Dir = filepath.Join(root, "internal", "cmd", "release", "resources")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH,
		"GOFLAGS=-buildvcs=false", "GOEXPERIMENT=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("resources for windows/%s: %v\n%s", goarch, err, out)
	}
	return nil
}

// file is a file in a zip.
type file struct {
	name string
	data []byte
}

// archive is a zip of the files, side by side, all of the same time.
func archive(files []file, date time.Time) ([]byte, error) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: date}
		mode := os.FileMode(0o644)
		if f.name == program {
			mode = 0o755
		}
		header.SetMode(mode)
		entry, err := w.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := entry.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// zipFile is a finished zip, as SHA256SUMS and the manifests see it.
type zipFile struct {
	Name   string
	SHA256 string
	Scoop  string // the architecture
	Winget string // the architecture
	data   []byte
}

func newZipFile(version string, arch architecture, data []byte) zipFile {
	return zipFile{
		Name:   fmt.Sprintf("ssh-copy-id_%s_windows_%s.zip", version, arch.goarch),
		SHA256: fmt.Sprintf("%x", sha256.Sum256(data)),
		Scoop:  arch.scoop,
		Winget: arch.winget,
		data:   data,
	}
}
