package wine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// runTime bounds a program that has no limit of its own.
const runTime = 60 * time.Second

// guestPackage is the programs of the Windows side.
const guestPackage = "ssh-copy-id/internal/cmd/wineguest"

// Build makes an .exe of a package of this module, once; it vanishes with the
// prefix.
func (p *Prefix) Build(name, pkg string) (string, error) {
	p.building.Lock()
	defer p.building.Unlock()
	if p.built == "" {
		// One directory for each process that shares the prefix.
		dir, err := os.MkdirTemp(p.dir, "built")
		if err != nil {
			return "", err
		}
		p.built = dir
	}
	file := filepath.Join(p.built, name+".exe")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	cmd := exec.Command("go", "build", "-o", file, pkg)
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	// It would make the directory again that the keeper removes. What sends the
	// signal is the end of the thread that started it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %v\n%s", pkg, err, out)
	}
	return file, nil
}

// Guest is the program of internal/cmd/wineguest that has this name, as a file.
func (p *Prefix) Guest(name string) (string, error) {
	launch, err := p.Build("launch", guestPackage)
	if err != nil || name == "launch" {
		return launch, err
	}
	file := filepath.Join(filepath.Dir(launch), name+".exe")
	if err := os.Link(launch, file); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return file, nil
}

// Command is what starts a program through wineguest's launch, with options of that.
func (p *Prefix) Command(c Command, options ...string) (*exec.Cmd, error) {
	wine, err := find("wine64")
	if err != nil {
		return nil, err
	}
	launch, err := p.Guest("launch")
	if err != nil {
		return nil, err
	}
	args := append([]string{launch}, options...)
	if c.Home != "" {
		args = append(args, "-home", Path(c.Home))
	}
	args = append(append(args, "--", Path(c.Program)), c.Args...)
	cmd := exec.Command(wine, args...)
	cmd.Env = append(p.Env(), c.Env...)
	cmd.Dir = c.Dir
	return cmd, nil
}

// Through is what go test needs as -exec to run Windows programs in the prefix,
// with nothing of the caller's environment.
func (p *Prefix) Through() (string, error) {
	wine, err := find("wine64")
	if err != nil {
		return "", err
	}
	return "/usr/bin/env -i " + strings.Join(p.Env(), " ") + " SSHCOPYID_REQUIRE_ALL=1 " + wine, nil
}

// Run runs a program without a console and waits for its end. An error means
// that it could not be run or did not end in time.
func (p *Prefix) Run(c Command) (Result, error) {
	cmd, err := p.Command(c)
	if err != nil {
		return Result{}, err
	}
	if c.Timeout == 0 {
		c.Timeout = runTime
	}
	if c.Input != "" {
		cmd.Stdin = strings.NewReader(c.Input)
	}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	// A program that the killed one left behind may hold the pipes.
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Start(); err != nil {
		return Result{}, err
	}
	late := time.AfterFunc(c.Timeout, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	err = cmd.Wait()
	r := Result{Status: cmd.ProcessState.ExitCode(), Stdout: out.String(), Stderr: stderr.String()}
	exit := (*exec.ExitError)(nil)
	switch {
	case !late.Stop():
		return r, fmt.Errorf("%s has not ended after %v; it said\n%s%s", c.Program, c.Timeout, r.Stdout, r.Stderr)
	case err != nil && !errors.As(err, &exit):
		return r, err
	}
	return r, nil
}
