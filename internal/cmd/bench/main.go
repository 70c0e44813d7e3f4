// Command bench measures ssh-copy-id beside the script it stands in for and
// beside one plain `ssh host true`, in the same run, and prints a Markdown
// table. All three get the same key, the same client configuration and the
// same password, through SSH_ASKPASS; their runs alternate, so that a busy
// machine is busy for all of them.
//
// As root on Linux the server is the machine's own sshd with a throw-away
// account (package realsshd), else the one of package sshtest. The distant
// host is the same server behind a proxy that holds every byte back for 25 ms.
//
// Run it as scripts/bench.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// settings are the command's flags.
type settings struct {
	stock  string // the script to compare with
	binary string // ours; empty: built here
	near   int    // rounds on loopback
	far    int    // rounds behind the proxy
	lines  int    // of the long authorized_keys
	agent  int    // keys in the agent
	strict bool
}

func main() {
	var set settings
	flag.StringVar(&set.stock, "stock", "", "the ssh-copy-id `script` to compare with (default: the one on the PATH)")
	flag.StringVar(&set.binary, "binary", "", "the `program` to measure (default: built from this tree, stripped)")
	flag.IntVar(&set.near, "near", 15, "`rounds` on loopback")
	flag.IntVar(&set.far, "far", 7, "`rounds` at a 50 ms round trip")
	flag.IntVar(&set.lines, "lines", 100_000, "`lines` of the long authorized_keys")
	flag.IntVar(&set.agent, "agent", 20, "`keys` in the agent")
	flag.BoolVar(&set.strict, "strict", false, "exit 1 if a number misses its goal")
	flag.Parse()
	if flag.NArg() > 0 || set.near < 1 || set.far < 1 || set.lines < 1 || set.agent < 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	missed, err := run(ctx, set)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	case missed > 0 && set.strict:
		os.Exit(1)
	}
}

// run measures everything and prints the table. It returns the number of
// goals that were missed.
func run(ctx context.Context, set settings) (int, error) {
	dir, err := os.MkdirTemp("", "ssh-copy-id-bench")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if set.binary == "" {
		if set.binary, err = build(ctx, dir); err != nil {
			return 0, err
		}
	} else if set.binary, err = filepath.Abs(set.binary); err != nil {
		return 0, err
	}
	if set.stock == "" {
		if path, err := exec.LookPath("ssh-copy-id"); err == nil {
			set.stock = path
		}
	}
	w, err := newWorld(dir, set)
	if err != nil {
		return 0, err
	}
	defer w.close()
	var t table
	for _, step := range []func(context.Context, *world, *table) error{
		connections, loopback, distant, hops, manyKeys, longFile, manyHosts, longConfig, startAndSize,
	} {
		if err := step(ctx, w, &t); err != nil {
			return 0, err
		}
	}
	fmt.Printf("Medians of alternating runs (%d on loopback, %d at 50 ms) on %s/%s with %d CPUs, %s, against %s.\n\n",
		set.near, set.far, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), sshVersion(ctx), w.server.kind())
	t.print(os.Stdout)
	return t.missed, nil
}

// build makes the binary as a release is made.
func build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "bin", "ssh-copy-id")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "ssh-copy-id")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %v\n%s", err, out)
	}
	return binary, nil
}

// sshVersion is what the installed client calls itself, such as
// "OpenSSH_9.2p1".
func sshVersion(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "ssh", "-V").CombinedOutput()
	if err != nil {
		return "no ssh"
	}
	version, _, _ := strings.Cut(strings.TrimSpace(string(out)), ",")
	version, _, _ = strings.Cut(version, " ")
	return version
}
