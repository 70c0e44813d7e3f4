// Command resources writes what Windows shows of the program: its version, its
// icon, and a manifest that says which Windows it knows. It writes an object file
// in the format that go build links into a program for Windows:
//
//	resources ARCHITECTURE VERSION FILE.syso
//
// It is a module of its own, so that what it needs is no dependency of the
// program. The same version gives the same bytes.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/tc-hib/winres"
	"github.com/tc-hib/winres/version"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "resources:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: resources ARCHITECTURE VERSION FILE.syso")
	}
	resources, err := resourcesOf(args[1])
	if err != nil {
		return err
	}
	var object bytes.Buffer
	if err := resources.WriteObject(&object, winres.Arch(args[0])); err != nil {
		return err
	}
	return os.WriteFile(args[2], object.Bytes(), 0o644)
}

// resourcesOf are the resources of a release.
func resourcesOf(release string) (*winres.ResourceSet, error) {
	icon, err := winres.NewIconFromImages(pictures())
	if err != nil {
		return nil, err
	}
	set := &winres.ResourceSet{}
	if err := set.SetIcon(winres.ID(1), icon); err != nil {
		return nil, err
	}
	info, err := versionInfo(release)
	if err != nil {
		return nil, err
	}
	set.SetVersionInfo(info)
	set.SetManifest(winres.AppManifest{
		ExecutionLevel: winres.AsInvoker, // no rights but the user's
		Compatibility:  winres.Win10AndAbove,
		LongPathAware:  true,
	})
	return set, nil
}

// versionInfo is what Explorer shows under Details. The numbers are those before
// a hyphen: Windows knows no others.
func versionInfo(release string) (version.Info, error) {
	info := version.Info{Type: version.App}
	for _, text := range [][2]string{
		{version.ProductName, "ssh-copy-id"},
		{version.FileDescription, "ssh-copy-id: installs public keys in the authorized_keys of a remote account"},
		{version.CompanyName, "the ssh-copy-id authors"},
		{version.LegalCopyright, "Copyright (c) the ssh-copy-id authors, MIT License"},
		{version.InternalName, "ssh-copy-id"},
		{version.OriginalFilename, "ssh-copy-id.exe"},
	} {
		if err := info.Set(version.LangDefault, text[0], text[1]); err != nil {
			return version.Info{}, err
		}
	}
	info.SetFileVersion(release)
	info.SetProductVersion(release)
	info.Flags.Prerelease = strings.Contains(release, "-")
	return info, nil
}
