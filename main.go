// Command ssh-copy-id installs public keys in the authorized_keys of an
// account on a remote host. It stands in for the shell script of that name
// that comes with OpenSSH, and needs no ssh, sh or sed beside it.
//
//	ssh-copy-id [options] [user@]host
//
// `ssh-copy-id --help` lists the options; the manual is man/ssh-copy-id.1.
package main

import (
	"os"
	"runtime/debug"

	"ssh-copy-id/internal/cli"
)

// version can be set at link time: -ldflags "-X main.version=v1.2.3".
var version string

func main() { os.Exit(run()) }

func run() int {
	return cli.Run(os.Args, buildVersion(), cli.Streams{Out: os.Stdout, Err: os.Stderr})
}

// buildVersion is the version the binary was built as: what the linker was
// told, else the module's version, else the commit.
func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown version)"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "commit " + s.Value
		}
	}
	return "(built from source)"
}
