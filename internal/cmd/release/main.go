// Command release makes a release for Windows: for each architecture a zip
// with the program, the licences and the manual; their checksums; and the
// manifests of Scoop and winget that lead to the zips.
//
// The same tree, Go and mandoc give the same bytes. Times are those of
// SOURCE_DATE_EPOCH or else of the commit, and what this machine is set to
// build by default (GOFLAGS, GOAMD64) does not count.
//
// Run it as scripts/release.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const usage = `usage: scripts/release [-zips] VERSION [OUTDIR]

Makes the zips for Windows, their SHA256SUMS and the manifests of Scoop and
winget. VERSION is like 1.2.3 or v1.2.3. OUTDIR, seen from the top of the tree,
is dist/VERSION if it is not given.

The manifests need to know what the tree does not:

  SSHCOPYID_RELEASE_URL        the address of the folder the zips will be in
  SSHCOPYID_RELEASE_HOMEPAGE   the address of the project
  SSHCOPYID_RELEASE_PUBLISHER  who publishes it: winget's Publisher, and, without
                               what is neither letter nor digit, the first half
                               of its PackageIdentifier

With -zips there are no manifests, and nothing of this is needed.
SOURCE_DATE_EPOCH takes the place of the commit's date.
`

// release is a release in the making.
type release struct {
	root    string     // of the source tree
	out     string     // the folder everything goes to
	version string     // without v
	date    time.Time  // of everything in the zips
	origin  *origin    // nil: no manifests
	build   buildsFunc // build, or a stand-in
	stdout  io.Writer  // is told what has been written
}

// buildsFunc makes the program for Windows on goarch.
type buildsFunc func(r *release, goarch string) ([]byte, error)

func main() {
	r, err := parse(os.Args[1:], os.Getenv, ".")
	if err == nil {
		err = r.make()
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(usage)
	case err != nil:
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// versions are those of Go's modules without +build, which Scoop and winget take
// as well once the v is off.
var versions = regexp.MustCompile(`^v?((0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z]+(\.[0-9A-Za-z]+)*)?)$`)

// parse reads the command line and the environment; root is the top of the tree.
func parse(args []string, getenv func(string) string, root string) (*release, error) {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.Usage = func() {}
	flags.SetOutput(io.Discard) // main says it
	zips := flags.Bool("zips", false, "")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() < 1 || flags.NArg() > 2 {
		return nil, errors.New("a VERSION is needed, and then an OUTDIR at most; -h tells more")
	}
	match := versions.FindStringSubmatch(flags.Arg(0))
	if match == nil {
		return nil, fmt.Errorf("%q is no version: it must be like 1.2.3, v1.2.3 or 1.2.3-rc.1", flags.Arg(0))
	}
	r := &release{root: root, out: flags.Arg(1), version: match[1], build: build, stdout: os.Stdout}
	if r.out == "" {
		r.out = filepath.Join(root, "dist", r.version)
	}
	var err error
	if !*zips {
		if r.origin, err = readOrigin(getenv); err != nil {
			return nil, err
		}
	}
	if r.date, err = date(getenv("SOURCE_DATE_EPOCH"), root); err != nil {
		return nil, err
	}
	return r, nil
}

// date is what the epoch says, or when the commit was made.
func date(epoch, root string) (time.Time, error) {
	if epoch == "" {
		out, err := exec.Command("git", "-C", root, "log", "-1", "--format=%ct").Output()
		if err != nil {
			return time.Time{}, fmt.Errorf("git tells no date of the commit (%v): set SOURCE_DATE_EPOCH", err)
		}
		epoch = strings.TrimSpace(string(out))
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	when := time.Unix(seconds, 0).UTC()
	if err != nil || when.Year() < 1980 || when.Year() > 2107 {
		return time.Time{}, fmt.Errorf("the date %q is not the seconds since 1970 of a year that a zip can hold: 1980 to 2107", epoch)
	}
	return when, nil
}

// make writes everything. What can fail quickly comes first.
func (r *release) make() error {
	documents, err := r.documents()
	if err != nil {
		return err
	}
	var zips []zipFile
	for _, arch := range architectures {
		exe, err := r.build(r, arch.goarch)
		if err != nil {
			return err
		}
		data, err := archive(append([]file{{program, exe}}, documents...), r.date)
		if err != nil {
			return err
		}
		zips = append(zips, newZipFile(r.version, arch, data))
	}
	var sums strings.Builder
	for _, z := range zips {
		if err := r.write(z.Name, z.data); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", z.SHA256, z.Name)
	}
	if err := r.write("SHA256SUMS", []byte(sums.String())); err != nil {
		return err
	}
	if r.origin == nil {
		return nil
	}
	return r.manifests(zips)
}

// write puts a file into the folder of the release, and says so.
func (r *release) write(name string, data []byte) error {
	path := filepath.Join(r.out, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return err
	}
	_, err := fmt.Fprintln(r.stdout, path)
	return err
}
