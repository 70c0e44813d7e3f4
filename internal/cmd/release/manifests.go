package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"text/template"
	"unicode"
)

// The templates are filled in with manifestData. No checkver and autoupdate
// for Scoop: every release brings its own manifest.
//
//go:embed manifests
var manifestFiles embed.FS

// origin is where a release will be found, and who publishes it.
type origin struct {
	URL       string // of the folder of the zips
	Homepage  string
	Publisher string
}

// readOrigin reads the environment, and complains before anything is built.
func readOrigin(getenv func(string) string) (*origin, error) {
	const prefix = "SSHCOPYID_RELEASE_"
	var missing []string
	get := func(name string) string {
		value := getenv(prefix + name)
		if value == "" {
			missing = append(missing, prefix+name)
		}
		return value
	}
	o := &origin{URL: get("URL"), Homepage: get("HOMEPAGE"), Publisher: get("PUBLISHER")}
	if missing != nil {
		return nil, fmt.Errorf("the manifests need %s: -h tells what they are, and -zips leaves the manifests out", strings.Join(missing, ", "))
	}
	for _, a := range []struct{ name, value string }{{"URL", o.URL}, {"HOMEPAGE", o.Homepage}} {
		if err := checkAddress(a.value); err != nil {
			return nil, fmt.Errorf("%s%s: %v", prefix, a.name, err)
		}
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	if n := len(o.identity()); n < 2 || n > 32 {
		return nil, fmt.Errorf("%sPUBLISHER: winget wants 2 to 32 letters and digits, not %d", prefix, n)
	}
	return o, nil
}

// checkAddress refuses what Scoop and winget would: Scoop puts words in the
// place of $ in an address.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	if u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(address, "$ \"'<>") {
		return fmt.Errorf("%q is not a plain https address", address)
	}
	return nil
}

// identity is the publisher in a PackageIdentifier, which may hold no blanks
// and has a meaning for dots.
func (o *origin) identity() string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return c
		}
		return -1
	}, o.Publisher)
}

// manifestData is what the templates see.
type manifestData struct {
	*origin
	ID      string // winget's PackageIdentifier
	Version string
	Date    string
	Program string
	Zips    []zipFile
}

// manifests fills in the templates. winget wants the name of a file to begin
// with the PackageIdentifier, and nothing else in the folder.
func (r *release) manifests(zips []zipFile) error {
	data := manifestData{
		origin:  r.origin,
		ID:      r.origin.identity() + ".ssh-copy-id",
		Version: r.version,
		Date:    r.date.Format("2006-01-02"),
		Program: program,
		Zips:    zips,
	}
	all, err := template.New("").Funcs(template.FuncMap{"quote": quote}).ParseFS(manifestFiles, "manifests/*")
	if err != nil {
		return err
	}
	for _, m := range []struct{ template, file string }{
		{"scoop.json", "scoop/ssh-copy-id.json"},
		{"winget.yaml", "winget/" + data.ID + ".yaml"},
		{"winget.installer.yaml", "winget/" + data.ID + ".installer.yaml"},
		{"winget.locale.yaml", "winget/" + data.ID + ".locale.en-US.yaml"},
	} {
		var text bytes.Buffer
		if err := all.ExecuteTemplate(&text, m.template, data); err != nil {
			return err
		}
		if err := r.write(m.file, text.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// quote makes a string of JSON, which is one of YAML too.
func quote(s string) (string, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(s)
	return strings.TrimSuffix(text.String(), "\n"), err
}
