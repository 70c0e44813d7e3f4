//go:build linux

// Winetest runs this module's own tests as a Windows program does, under Wine:
//
//	go run ./internal/cmd/winetest [argument of go test...]
//
// It says what was run. A package whose tests end with status 0 and without a
// word has not passed: under Wine a program that could not run ends so.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"ssh-copy-id/internal/sshtest/wine"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "under Wine:", err)
		os.Exit(1)
	}
}

func run(args []string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	prefix, err := wine.Shared()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, wine.CloseShared()) }()
	dir, err := os.MkdirTemp("", "winetest")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(dir)
	if err != nil {
		return err
	}
	through, err := prefix.Through()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"./..."}
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json", "-vet=off", "-timeout=5m", "-overlay=" + overlay, "-exec=" + through}, args...)...)
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	report, err := read(out, os.Stdout)
	return errors.Join(err, cmd.Wait(), report.verdict(os.Stdout))
}

// read follows what go test says and tells of each package as it ends.
func read(out io.Reader, to io.Writer) (*report, error) {
	r := newReport()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(to, strings.TrimSpace(lines.Text())) // not from a test
			continue
		}
		r.add(e, to)
	}
	return r, lines.Err()
}
