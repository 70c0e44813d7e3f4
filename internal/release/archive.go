package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	exe := filepath.Join(dir, program)
	// The v is that of the module's versions: go install names them so.
	cmd := exec.Command("go", "build", "-trimpath",
		"-ldflags", "-s -w -X main.version=v"+r.version, "-o", exe, ".")
	cmd.Dir = r.root
	cmd.Env = settings(goarch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build for windows/%s: %v\n%s", goarch, err, out)
	}
	return os.ReadFile(exe)
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
