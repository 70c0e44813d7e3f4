//go:build !windows

package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// version, homepage and license are what Scoop's schema requires; it knows no
// keys but its own.
func TestScoopManifest(t *testing.T) {
	files := makeRelease(t)
	var got map[string]any
	if err := json.Unmarshal(files["scoop/ssh-copy-id.json"], &got); err != nil {
		t.Fatal(err)
	}
	download := func(zip string) map[string]any {
		return map[string]any{
			"url":  "https://download.test/ssh-copy-id/v1.2.3/" + zip,
			"hash": fmt.Sprintf("%x", sha256.Sum256(files[zip])),
		}
	}
	want := map[string]any{
		"version":      "1.2.3",
		"description":  "Installs your public keys in the authorized_keys of a remote account, without ssh or a shell.",
		"homepage":     "https://home.test/ssh-copy-id",
		"license":      "MIT",
		"architecture": map[string]any{"64bit": download(amd64), "arm64": download(arm64)},
		"bin":          program,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
}

// The keys are those that the schemas of version 1.12.0 require, and what a
// portable program in a zip needs beside them. The list of the installers is
// compared as a whole.
func TestWingetManifests(t *testing.T) {
	files := makeRelease(t)
	for name, want := range map[string]map[string]string{
		"": {
			"DefaultLocale": "en-US",
			"ManifestType":  "version",
		},
		".installer": {
			"InstallerType":        "zip",
			"NestedInstallerType":  "portable",
			"NestedInstallerFiles": "", "- RelativeFilePath": program, "  PortableCommandAlias": "ssh-copy-id",
			"ReleaseDate":  "2027-01-15",
			"Installers":   "",
			"ManifestType": "installer",
		},
		".locale.en-US": {
			"PackageLocale":    "en-US",
			"Publisher":        `"Jane \"Q.\" Doe"`,
			"PackageName":      "ssh-copy-id",
			"PackageUrl":       `"https://home.test/ssh-copy-id"`,
			"License":          "MIT",
			"ShortDescription": "Installs your public keys in the authorized_keys of a remote account, without ssh or a shell.",
			"ManifestType":     "defaultLocale",
		},
	} {
		manifest := string(files["winget/JaneQDoe.ssh-copy-id"+name+".yaml"])
		want["PackageIdentifier"] = "JaneQDoe.ssh-copy-id"
		want["PackageVersion"] = "1.2.3"
		want["ManifestVersion"] = "1.12.0"
		lines := strings.Split(manifest, "\n")
		for key, value := range want {
			if !slices.Contains(lines, strings.TrimRight(key+": "+value, " ")) {
				t.Errorf("%q: no %s: %s in\n%s", name, key, value, manifest)
			}
		}
		// The public repository refuses a manifest that does not begin so.
		schema := fmt.Sprintf("# yaml-language-server: $schema=https://aka.ms/winget-manifest.%s.1.12.0.schema.json", want["ManifestType"])
		if lines[0] != schema {
			t.Errorf("%q begins with %s", name, lines[0])
		}
	}
}

func TestWingetInstallers(t *testing.T) {
	files := makeRelease(t)
	_, got, _ := strings.Cut(string(files["winget/JaneQDoe.ssh-copy-id.installer.yaml"]), "Installers:\n")
	var want strings.Builder
	for _, pair := range [][2]string{{"x64", amd64}, {"arm64", arm64}} {
		fmt.Fprintf(&want, "- Architecture: %s\n", pair[0])
		fmt.Fprintf(&want, "  InstallerUrl: \"https://download.test/ssh-copy-id/v1.2.3/%s\"\n", pair[1])
		fmt.Fprintf(&want, "  InstallerSha256: \"%x\"\n", sha256.Sum256(files[pair[1]]))
	}
	want.WriteString("ManifestType: installer\nManifestVersion: 1.12.0\n")
	if got != want.String() {
		t.Errorf("the installers:\n%swant:\n%s", got, &want)
	}
}
