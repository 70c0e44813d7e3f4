//go:build !windows

package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// environment is what the manifests and the dates are made of in the tests.
var environment = map[string]string{
	"SSHCOPYID_RELEASE_URL":       "https://download.test/ssh-copy-id/v1.2.3/",
	"SSHCOPYID_RELEASE_HOMEPAGE":  "https://home.test/ssh-copy-id",
	"SSHCOPYID_RELEASE_PUBLISHER": `Jane "Q." Doe`,
	"SOURCE_DATE_EPOCH":           "1800000000",
}

const (
	amd64 = "ssh-copy-id_1.2.3_windows_amd64.zip"
	arm64 = "ssh-copy-id_1.2.3_windows_arm64.zip"
)

// standIn takes the place of a build, which takes half a minute.
func standIn(r *release, goarch string) ([]byte, error) {
	return []byte("MZ " + r.version + " " + goarch), nil
}

// makeRelease makes v1.2.3 with the options before it, and returns the files by
// their names.
func makeRelease(t *testing.T, options ...string) map[string][]byte {
	t.Helper()
	needMandoc(t)
	out := t.TempDir()
	r, err := parse(append(options, "v1.2.3", out), getenv(nil), "../../..")
	if err != nil {
		t.Fatal(err)
	}
	r.build, r.stdout = standIn, io.Discard
	if err := r.make(); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	err = filepath.WalkDir(out, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(out, path)
		files[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// getenv is the environment with some of it changed.
func getenv(changes map[string]string) func(string) string {
	return func(name string) string {
		if value, changed := changes[name]; changed {
			return value
		}
		return environment[name]
	}
}

func needMandoc(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("mandoc"); err == nil {
		return
	} else if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
		t.Fatal(err)
	}
	t.Skip("mandoc is not installed here")
}

func names(files map[string][]byte) []string {
	var all []string
	for name := range files {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func TestFiles(t *testing.T) {
	zips := []string{"SHA256SUMS", amd64, arm64}
	if got := names(makeRelease(t, "-zips")); !slices.Equal(got, zips) {
		t.Errorf("with -zips: %q", got)
	}
	files := makeRelease(t)
	want := append(zips,
		"scoop/ssh-copy-id.json",
		"winget/JaneQDoe.ssh-copy-id.installer.yaml",
		"winget/JaneQDoe.ssh-copy-id.locale.en-US.yaml",
		"winget/JaneQDoe.ssh-copy-id.yaml")
	slices.Sort(want)
	if got := names(files); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	sums := fmt.Sprintf("%x  %s\n%x  %s\n", sha256.Sum256(files[amd64]), amd64, sha256.Sum256(files[arm64]), arm64)
	if got := string(files["SHA256SUMS"]); got != sums {
		t.Errorf("SHA256SUMS:\n%swant:\n%s", got, sums)
	}
}

func TestSameBytesAgain(t *testing.T) {
	one, two := makeRelease(t), makeRelease(t)
	for name := range one {
		if !bytes.Equal(one[name], two[name]) {
			t.Errorf("%s differs from one time to the next", name)
		}
	}
}

func TestZips(t *testing.T) {
	files := makeRelease(t, "-zips")
	for name, exe := range map[string]string{amd64: "MZ 1.2.3 amd64", arm64: "MZ 1.2.3 arm64"} {
		held := unzip(t, files[name])
		want := []string{"LICENSE.txt", "install.ps1", "ssh-copy-id.1.html", "ssh-copy-id.1.txt", "ssh-copy-id.exe"}
		if got := names(held); !slices.Equal(got, want) {
			t.Errorf("%s holds %q", name, got)
		}
		if got := string(held["ssh-copy-id.exe"]); got != exe {
			t.Errorf("%s: the program is %q", name, got)
		}
	}
	held := unzip(t, files[amd64])
	for name, words := range map[string][]string{
		"LICENSE.txt":        {"MIT License", "the ssh-copy-id authors", "Go, which is part", "golang.org/x/crypto, which is part"},
		"ssh-copy-id.1.txt":  {"SYNOPSIS", "-i [identity_file]", "ssh-copy-id 1.2.3 "},
		"ssh-copy-id.1.html": {"<!DOCTYPE html>", "SYNOPSIS", "max-width", `href="#IDENTITIES"`, "ssh-copy-id 1.2.3<", "</html>"},
	} {
		for _, word := range words {
			if !bytes.Contains(held[name], []byte(word)) {
				t.Errorf("%s does not hold %q", name, word)
			}
		}
	}
	for _, name := range []string{"LICENSE.txt", "ssh-copy-id.1.txt"} {
		if bytes.Count(held[name], []byte("\n")) != bytes.Count(held[name], []byte("\r\n")) {
			t.Errorf("%s: a line does not end in CR LF", name)
		}
	}
	if odd := regexp.MustCompile(`[^\r\n -~]`).Find(held["ssh-copy-id.1.txt"]); odd != nil {
		t.Errorf("the manual holds %q", odd)
	}
	if other := regexp.MustCompile(`<link|<script|src=|href="[^#]`).Find(held["ssh-copy-id.1.html"]); other != nil {
		t.Errorf("the page needs something beside it: %s", other)
	}
}

// unzip checks the times as well.
func unzip(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range r.File {
		if !f.Modified.Equal(time.Unix(1800000000, 0)) {
			t.Errorf("%s is of %v", f.Name, f.Modified)
		}
		if executable := f.Mode()&0o111 != 0; executable != (f.Name == program) {
			t.Errorf("%s has mode %v", f.Name, f.Mode())
		}
		body, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(body); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestPlain(t *testing.T) {
	if got := string(plain([]byte("\ba\bab _\bc +\bo"))); got != "ab c o" {
		t.Errorf("%q", got)
	}
}

func TestVersions(t *testing.T) {
	for given, want := range map[string]string{
		"1.2.3": "1.2.3", "v1.2.3": "1.2.3", "v0.10.0-rc.1": "0.10.0-rc.1",
		"": "", "1.2": "", "vv1.2.3": "", "1.2.3.4": "", "01.2.3": "", "1.2.3-": "", "1.2.3+a": "", "1.2.3 ": "", "1.2.3\n": "", "../1.2.3": "",
	} {
		r, err := parse([]string{"-zips", given}, getenv(nil), "../../..")
		switch {
		case want == "" && err == nil:
			t.Errorf("%q is taken for a version", given)
		case want != "" && (err != nil || r.version != want):
			t.Errorf("%q: %v", given, err)
		case want != "" && filepath.ToSlash(r.out) != "../../../dist/"+want:
			t.Errorf("%q goes to %s", given, r.out)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, test := range []struct {
		args, variable, value string
		want                  string
	}{
		{"", "", "", "a VERSION is needed"},
		{"1.2.3 out more", "", "", "an OUTDIR at most"},
		{"-quick 1.2.3", "", "", "-quick"},
		{"1.2", "", "", `"1.2" is no version`},
		{"1.2.3", "SSHCOPYID_RELEASE_URL", "", "the manifests need SSHCOPYID_RELEASE_URL:"},
		{"1.2.3", "SSHCOPYID_RELEASE_HOMEPAGE", "", "need SSHCOPYID_RELEASE_HOMEPAGE:"},
		{"1.2.3", "SSHCOPYID_RELEASE_PUBLISHER", "", "need SSHCOPYID_RELEASE_PUBLISHER:"},
		{"1.2.3", "SSHCOPYID_RELEASE_URL", "http://download.test/", "not a plain https address"},
		{"1.2.3", "SSHCOPYID_RELEASE_URL", "https://download.test/$version", "not a plain https address"},
		{"1.2.3", "SSHCOPYID_RELEASE_HOMEPAGE", "home.test", "RELEASE_HOMEPAGE: "},
		{"1.2.3", "SSHCOPYID_RELEASE_PUBLISHER", "(?)", "2 to 32 letters and digits, not 0"},
		{"-zips 1.2.3", "SOURCE_DATE_EPOCH", "yesterday", `"yesterday"`},
		{"-zips 1.2.3", "SOURCE_DATE_EPOCH", "0", "1980 to 2107"},
	} {
		_, err := parse(strings.Fields(test.args), getenv(map[string]string{test.variable: test.value}), "../../..")
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q, %s=%q: %v", test.args, test.variable, test.value, err)
		}
	}
}

func TestDateOfTheCommit(t *testing.T) {
	empty := t.TempDir()
	t.Setenv("GIT_CEILING_DIRECTORIES", filepath.Dir(empty))
	if _, err := date("", empty); err == nil || !strings.Contains(err.Error(), "set SOURCE_DATE_EPOCH") {
		t.Errorf("without a commit: %v", err)
	}
}

func TestWithoutMandoc(t *testing.T) {
	needMandoc(t)
	r, err := parse([]string{"-zips", "1.2.3", t.TempDir()}, getenv(nil), "../../..")
	if err != nil {
		t.Fatal(err)
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", onlyIn(t, goTool))
	r.build = func(*release, string) ([]byte, error) { return nil, errors.New("built in vain") }
	if err := r.make(); err == nil || !strings.Contains(err.Error(), "mandoc is not installed") {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(r.out); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// onlyIn is a folder that holds nothing but the program.
func onlyIn(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(program, filepath.Join(dir, filepath.Base(program))); err != nil {
		t.Skip(err)
	}
	return dir
}

func TestBuildTells(t *testing.T) {
	if _, err := link(t.TempDir(), "1.2.3", "arm64", os.DevNull); err == nil ||
		!strings.Contains(err.Error(), "go build for windows/arm64") || !strings.Contains(err.Error(), "go.mod") {
		t.Errorf("%v", err)
	}
}

func TestResourcesTell(t *testing.T) {
	if _, err := build(&release{root: t.TempDir(), version: "1.2.3"}, "arm64"); err == nil ||
		!strings.Contains(err.Error(), "resources for windows/arm64") {
		t.Errorf("%v", err)
	}
}

// Windows PowerShell 5.1 takes a script without a byte order mark for one in
// the code page of the machine.
func TestInstallScriptIsASCII(t *testing.T) {
	script, err := os.ReadFile("../../../scripts/install.ps1")
	if err != nil {
		t.Fatal(err)
	}
	if odd := regexp.MustCompile(`[^\r\n -~]`).Find(script); odd != nil {
		t.Errorf("install.ps1 holds %q", odd)
	}
}
