package sshclient

import (
	"os"
	"os/exec"
	"unsafe"

	"golang.org/x/sys/windows"

	"ssh-copy-id/internal/sshconfig"
)

// proxyShell runs a ProxyCommand through cmd.exe, whatever shell the user has.
func proxyShell(_, command string) *exec.Cmd { return sshconfig.ShellCommand("", command) }

// killWithParent returns how to end a ProxyCommand. Windows has no signal that asks, and
// what is killed leaves its children behind: here the program that carries the
// connection, as a child of cmd.exe. A job holds them all, also when this process ends
// without a word. A child that cmd.exe started before the job had it is the
// exception, and ends with its input.
func killWithParent(process *os.Process) (hangUp func()) {
	job, err := jobOf(process)
	if err != nil {
		return func() { process.Kill() }
	}
	return func() {
		_ = windows.TerminateJobObject(job, 1)
		_ = windows.CloseHandle(job)
	}
}

// jobOf puts a process into a job of its own.
func jobOf(process *os.Process) (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, err
	}
	var limits windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err == nil {
		err = assign(job, process)
	}
	if err != nil {
		_ = windows.CloseHandle(job)
		return 0, err
	}
	return job, nil
}

func assign(job windows.Handle, process *os.Process) error {
	const access = windows.PROCESS_SET_QUOTA | windows.PROCESS_TERMINATE // AssignProcessToJobObject wants both
	handle, err := windows.OpenProcess(access, false, uint32(process.Pid))
	if err != nil {
		return err
	}
	defer windows.CloseHandle(handle)
	return windows.AssignProcessToJobObject(job, handle)
}
