//go:build windows

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"unsafe"

	"golang.org/x/sys/windows"
)

// launch runs a program as Windows would start it for somebody: Wine takes
// USERPROFILE from its registry, whatever the environment says. What the
// console did before the program it must do after it.
func launch(args []string) error {
	f := flag.NewFlagSet("launch", flag.ExitOnError)
	home := f.String("home", "", "the program's USERPROFILE")
	null := f.Bool("null", false, "standard input is NUL, whatever it is here")
	out := f.String("out", "", "a file for standard output")
	if err := f.Parse(args); err != nil {
		return err
	}
	cmd := exec.Command(f.Arg(0), f.Args()[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = os.Environ()
	if *home != "" {
		cmd.Env = append(cmd.Env, "USERPROFILE="+*home)
	}
	if *null {
		cmd.Stdin = nil
	}
	if *out != "" {
		file, err := os.Create(*out)
		if err != nil {
			return err
		}
		defer file.Close()
		cmd.Stdout = file
	}
	// Ctrl-C is for the program; it reaches all that share its console.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	before, console := consoleMode()
	status, err := runInJob(cmd)
	if err != nil {
		return err
	}
	if after, _ := consoleMode(); console && after != before {
		return fmt.Errorf("the console had mode %#x, has %#x", before, after)
	}
	os.Exit(status)
	return nil
}

// runInJob runs a program that ends when this one is killed. The status is one
// that fits into what Unix shows of it.
func runInJob(cmd *exec.Cmd) (int, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, os.NewSyscallError("CreateJobObject", err)
	}
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	if _, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits))); err != nil {
		return 0, os.NewSyscallError("SetInformationJobObject", err)
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(cmd.Process.Pid))
	if err == nil {
		err = windows.AssignProcessToJobObject(job, process)
		windows.CloseHandle(process)
	}
	exit := (*exec.ExitError)(nil)
	if werr := cmd.Wait(); werr != nil && !errors.As(werr, &exit) {
		return 0, werr
	}
	if err != nil && cmd.ProcessState.ExitCode() == 0 {
		err = nil // it had ended before
	}
	return min(int(uint32(cmd.ProcessState.ExitCode())), failed-1), err
}

// consoleMode is how the console treats input, if there is one.
func consoleMode() (mode uint32, ok bool) {
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return 0, false
	}
	defer in.Close()
	err = windows.GetConsoleMode(windows.Handle(in.Fd()), &mode)
	return mode, err == nil
}
