package realsshd

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed namespace.sh
var namespaceScript string

// firstUID is the uid and gid of the first account: above those Debian gives
// to people and services, below the ones systemd hands out.
const firstUID = 61001

// startTime bounds the wait for a server to listen. A loaded machine takes
// seconds.
const startTime = 30 * time.Second

// errAddressInUse says that another process took the port between our choice
// and the server's bind.
var errAddressInUse = errors.New("address in use")

// Available says why [Start] cannot run a server here; nil if it can.
func Available(server string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: it takes root", ErrUnsupported)
	}
	kind, err := kindOf(Config{Server: server})
	if err != nil {
		return fmt.Errorf("%w: %v", ErrUnsupported, err)
	}
	for _, name := range kind.programs {
		if _, err := find(name); err != nil {
			return fmt.Errorf("%w: %v", ErrUnsupported, err)
		}
	}
	probe := exec.Command("/bin/sh", "-c", "mount --make-rprivate / && mount -t proc proc /proc && mount -t tmpfs realsshd /mnt")
	probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID}
	if out, err := probe.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: private namespaces: %v %s", ErrUnsupported, err, bytes.TrimSpace(out))
	}
	return nil
}

// Start runs a server and returns when it accepts connections. The caller
// closes it.
func Start(cfg Config) (*Server, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("%w: it takes root", ErrUnsupported)
	}
	kind, err := kindOf(cfg)
	if err != nil {
		return nil, err
	}
	stage, err := os.MkdirTemp("", "realsshd")
	if err != nil {
		return nil, err
	}
	// The namespace keeps copies of all it needs.
	defer os.RemoveAll(stage)
	if err := writeAccounts(stage, cfg); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(stage, "setup.sh"), []byte(cfg.Setup+"\n"), 0o600); err != nil {
		return nil, err
	}
	dir := filepath.Join(stage, "server")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	hostKeys, err := kind.prepare(dir)
	if err != nil {
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		s := &Server{server: kind.name, homes: cfg.Homes, HostKeys: hostKeys, log: new(logBuffer)}
		err := kind.run(s, stage)
		if err == nil {
			return s, nil
		}
		if !errors.Is(err, errAddressInUse) || attempt == 3 {
			return nil, err
		}
	}
}

// run starts the server of this kind on a free loopback port.
func (k *kind) run(s *Server, stage string) error {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.Addr = listener.Addr().String()
	s.Port = listener.Addr().(*net.TCPAddr).Port
	if !k.inetd {
		// Neither sshd nor dropbear takes a listening socket over.
		listener.Close()
	}
	ended, err := k.enter(s, stage)
	if err == nil {
		err = s.awaitLog(k.ready, ended)
	}
	if err != nil {
		listener.Close()
		if s.stop != nil {
			s.Close()
		}
		if strings.Contains(s.Log(), "Address already in use") {
			err = errAddressInUse
		}
		return fmt.Errorf("%s: %w\n%s", k.name, err, s.Log())
	}
	if k.inetd {
		stopProcess := s.stop
		s.stop = func() error {
			listener.Close()
			return stopProcess()
		}
		go k.serve(s, listener)
	}
	return nil
}

// enter runs namespace.sh in new namespaces. The channel it returns is closed
// when the process has ended.
func (k *kind) enter(s *Server, stage string) (<-chan struct{}, error) {
	args := append([]string{"-c", namespaceScript, "realsshd"}, k.argv(s.Port)...)
	cmd := exec.Command("/bin/sh", args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "REALSSHD_STAGE=" + stage, "REALSSHD_HOMES=" + s.homes}
	cmd.Stdout, cmd.Stderr = s.log, s.log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Setsid:     true,
		// With process 1 the kernel ends all others of its namespace.
		Pdeathsig: syscall.SIGKILL,
	}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		// Pdeathsig watches the thread that forked, not the process: that
		// thread must live as long as the server.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // killed is how it is meant to end
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	s.pid = cmd.Process.Pid
	s.stop = func() error {
		err := cmd.Process.Kill()
		if errors.Is(err, os.ErrProcessDone) {
			err = fmt.Errorf("the server had ended by itself:\n%s", s.Log())
		}
		<-ended
		return err
	}
	return ended, nil
}

// awaitLog waits until the server says it is ready.
func (s *Server) awaitLog(ready string, ended <-chan struct{}) error {
	deadline := time.After(startTime)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if strings.Contains(s.Log(), ready) {
			return nil
		}
		select {
		case <-ended:
			return errors.New("ended at once")
		case <-deadline:
			return fmt.Errorf("not ready after %v", startTime)
		case <-tick.C:
		}
	}
}

// Path is a file of the server's world (an absolute path as it is inside) as
// the caller can open it while the server runs.
func (s *Server) Path(inside string) string {
	return "/proc/" + strconv.Itoa(s.pid) + "/root" + inside
}
