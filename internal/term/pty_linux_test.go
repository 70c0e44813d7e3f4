package term

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// askVar makes the test binary a small program that asks, so that a real
// process with a controlling terminal of its own can be looked at.
const askVar = "TERM_TEST_ASK"

func TestMain(m *testing.M) {
	if what := os.Getenv(askVar); what != "" {
		os.Exit(askProgram(what))
	}
	os.Exit(m.Run())
}

// terminalFD is the terminal in the small program, beside the one it opens.
const terminalFD = 3

// askProgram asks the questions named in what, one after another, and prints
// the answers.
func askProgram(what string) int {
	if what == "lateecho" {
		// As a program busy connecting: a line is typed before the question.
		for n := 0; n == 0; n, _ = unix.IoctlGetInt(terminalFD, unix.TIOCINQ) {
			time.Sleep(time.Millisecond)
		}
		what = "secret"
	}
	p := New(os.Getenv)
	for question := range strings.FieldsSeq(what) {
		var answer string
		var err error
		switch question {
		case "secret":
			var secret []byte
			secret, err = p.Secret("user@host's password: ")
			answer = string(secret)
		case "pause": // until it was stopped and continued
			continued := make(chan os.Signal, 1)
			signal.Notify(continued, syscall.SIGCONT)
			fmt.Fprintln(os.NewFile(terminalFD, "terminal"), "pausing")
			<-continued
			signal.Stop(continued)
		case "line":
			answer, err = p.Line("Are you sure (yes/no/[fingerprint])? ")
		}
		var stopped *InterruptError
		switch {
		case errors.As(err, &stopped):
			fmt.Printf("interrupted by %v\n", stopped.Signal)
			return 130
		case err != nil:
			fmt.Printf("error %v\n", err)
			return 1
		}
		fmt.Printf("%s=%q\n", question, answer)
	}
	return 0
}

// session is a process whose controlling terminal is a pty the test holds.
type session struct {
	t      *testing.T
	master *os.File
	slave  *os.File
	cmd    *exec.Cmd
	stdout bytes.Buffer
	seen   chan byte
	shown  strings.Builder
}

func openPTY(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	conn, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	var failed error
	_ = conn.Control(func(fd uintptr) {
		if failed = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); failed == nil {
			number, failed = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if failed != nil {
		t.Fatal(failed)
	}
	slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// start runs the ask program with standard input at /dev/null and standard
// output in a buffer: only the terminal is left to ask on.
func start(t *testing.T, what string, before func(*exec.Cmd)) *session {
	t.Helper()
	s := &session{t: t, seen: make(chan byte, 1<<16)}
	s.master, s.slave = openPTY(t)
	s.cmd = exec.Command(os.Args[0])
	s.cmd.Env = append(os.Environ(), askVar+"="+what, "GORACE=atexit_sleep_ms=0", "SSH_ASKPASS_REQUIRE=", "DISPLAY=", "WAYLAND_DISPLAY=")
	s.cmd.Stdout = &s.stdout
	s.cmd.ExtraFiles = []*os.File{s.slave}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	if before != nil {
		before(s.cmd)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	go func() {
		buffer := make([]byte, 256)
		for {
			n, err := s.master.Read(buffer)
			for _, c := range buffer[:n] {
				s.seen <- c
			}
			if err != nil {
				close(s.seen)
				return
			}
		}
	}()
	return s
}

// expect waits until the terminal shows text, beyond what was expected before.
func (s *session) expect(text string) {
	s.t.Helper()
	limit := time.After(20 * time.Second)
	var got strings.Builder
	for !strings.HasSuffix(got.String(), text) {
		select {
		case c, ok := <-s.seen:
			if !ok {
				s.t.Fatalf("terminal closed after %q; want %q; output %q", got.String(), text, s.stdout.String())
			}
			got.WriteByte(c)
			s.shown.WriteByte(c)
		case <-limit:
			s.t.Fatalf("terminal shows %q, want %q", got.String(), text)
		}
	}
}

func (s *session) send(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.master, text); err != nil {
		s.t.Fatal(err)
	}
}

// echo reports whether the terminal shows what is typed.
func (s *session) echo() bool {
	s.t.Helper()
	conn, err := s.slave.SyscallConn()
	if err != nil {
		s.t.Fatal(err)
	}
	var on bool
	_ = conn.Control(func(fd uintptr) {
		state, ioctlErr := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		err = ioctlErr
		on = state != nil && state.Lflag&unix.ECHO != 0
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return on
}

// wait returns the exit status and standard output, and collects the rest of
// what was shown.
func (s *session) wait() (int, string) {
	s.t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); _ = s.cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		s.t.Fatalf("still running; terminal showed %q", s.shown.String())
	}
	for quiet := false; !quiet; {
		select {
		case c := <-s.seen:
			s.shown.WriteByte(c)
		case <-time.After(100 * time.Millisecond):
			quiet = true
		}
	}
	return s.cmd.ProcessState.ExitCode(), s.stdout.String()
}

func TestSecretIsNotShown(t *testing.T) {
	s := start(t, "secret", nil)
	s.expect("user@host's password: ")
	if s.echo() {
		t.Error("echo is on while the secret is typed")
	}
	s.send("hunter2 é\n")
	code, out := s.wait()
	if code != 0 || out != "secret=\"hunter2 é\"\n" {
		t.Errorf("status %d, output %q", code, out)
	}
	if !s.echo() {
		t.Error("echo is off afterwards")
	}
	if got := s.shown.String(); got != "\ruser@host's password: \r\n" {
		t.Errorf("terminal showed %q", got)
	}
}

func TestSecretThenLine(t *testing.T) {
	s := start(t, "secret line secret", nil)
	s.expect("password: ")
	s.send("one\r")
	s.expect("fingerprint])? ")
	if !s.echo() {
		t.Error("echo is off for a question that is no secret")
	}
	s.send("yes\n")
	s.expect("yes\r\n")
	s.expect("password: ")
	s.send("\x04") // end of input
	code, out := s.wait()
	if code != 0 || out != "secret=\"one\"\nline=\"yes\"\nsecret=\"\"\n" {
		t.Errorf("status %d, output %q", code, out)
	}
}

// TestTypeAheadIsDropped: what was typed before the prompt is no answer.
func TestTypeAheadIsDropped(t *testing.T) {
	s := start(t, "lateecho", nil)
	s.send("typed too early\n")
	s.expect("password: ")
	s.send("right\n")
	if code, out := s.wait(); code != 0 || out != "secret=\"right\"\n" {
		t.Errorf("status %d, output %q", code, out)
	}
}

func TestLongAnswerIsCut(t *testing.T) {
	s := start(t, "secret line", nil)
	s.expect("password: ")
	s.send(strings.Repeat("x", 2000) + "\n")
	s.expect("])? ")
	s.send("no\n")
	want := fmt.Sprintf("secret=%q\nline=\"no\"\n", strings.Repeat("x", MaxAnswer))
	if code, out := s.wait(); code != 0 || out != want {
		t.Errorf("status %d, output of %d bytes, want %d", code, len(out), len(want))
	}
}

func TestSignalsRestoreTheTerminal(t *testing.T) {
	for _, tt := range []struct {
		name string
		act  func(s *session)
		want string
	}{
		{"Ctrl-C", func(s *session) { s.send("half\x03") }, "interrupt"},
		{"Ctrl-backslash", func(s *session) { s.send("\x1c") }, "quit"},
		{"SIGTERM", func(s *session) { _ = s.cmd.Process.Signal(syscall.SIGTERM) }, "terminated"},
		{"SIGHUP", func(s *session) { _ = s.cmd.Process.Signal(syscall.SIGHUP) }, "hangup"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, "secret", nil)
			s.expect("password: ")
			tt.act(s)
			if code, out := s.wait(); code != 130 || out != "interrupted by "+tt.want+"\n" {
				t.Errorf("status %d, output %q", code, out)
			}
			if !s.echo() {
				t.Error("echo is off afterwards")
			}
		})
	}
}

// TestIgnoredSignalStaysIgnored: under nohup a hangup is no answer.
func TestIgnoredSignalStaysIgnored(t *testing.T) {
	s := start(t, "secret", func(cmd *exec.Cmd) {
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `trap "" HUP; exec "$0"`, cmd.Path}
	})
	s.expect("password: ")
	_ = s.cmd.Process.Signal(syscall.SIGHUP)
	s.send("still here\n")
	if code, out := s.wait(); code != 0 || out != "secret=\"still here\"\n" {
		t.Errorf("status %d, output %q", code, out)
	}
}

// underJobControl runs the program from a shell with job control, which says
// "stopped" when it is, on the terminal too, reads a line, and continues it.
// Nothing can be stopped in the process group of a session leader.
func underJobControl(cmd *exec.Cmd) {
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c",
		`exec 2>&3; set -m; "$0"; echo stopped; echo stopped >&3; read -r line </dev/tty; fg >/dev/null; echo "status=$?"`, cmd.Path}
}

// TestSuspend: Ctrl-Z gives the terminal back with echo, and the question
// comes again afterwards.
func TestSuspend(t *testing.T) {
	s := start(t, "secret", underJobControl)
	s.expect("password: ")
	s.send("half\x1a")
	s.expect("stopped")
	if !s.echo() {
		t.Error("echo is off while the program is stopped")
	}
	s.send("continue\n")
	s.expect("password: ")
	if s.echo() {
		t.Error("echo is on after the program goes on")
	}
	s.send("whole\n")
	code, out := s.wait()
	if code != 0 || out != "stopped\nsecret=\"whole\"\nstatus=0\n" {
		t.Errorf("status %d, output %q, terminal %q", code, out, s.shown.String())
	}
	if !s.echo() {
		t.Error("echo is off afterwards")
	}
}

// TestSuspendAfterQuestion: Ctrl-Z still works once a question was answered.
func TestSuspendAfterQuestion(t *testing.T) {
	s := start(t, "secret pause line", underJobControl)
	s.expect("password: ")
	s.send("one\n")
	s.expect("pausing")
	s.send("\x1a")
	s.expect("stopped")
	s.send("continue\n")
	s.expect("fingerprint])? ")
	s.send("yes\n")
	code, out := s.wait()
	if code != 0 || out != "secret=\"one\"\nstopped\npause=\"\"\nline=\"yes\"\nstatus=0\n" {
		t.Errorf("status %d, output %q, terminal %q", code, out, s.shown.String())
	}
}

// TestNoControllingTerminal: with a session of its own and no terminal there
// is nobody to ask.
func TestNoControllingTerminal(t *testing.T) {
	s := start(t, "secret", func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	})
	if code, out := s.wait(); code != 1 || !strings.HasPrefix(out, "error no terminal to ask on: open /dev/tty: ") {
		t.Errorf("status %d, output %q", code, out)
	}
}

// requireProgram finds a program or skips; with SSHCOPYID_REQUIRE_ALL=1 it
// fails.
func requireProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("SSHCOPYID_REQUIRE_ALL") == "1" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

func TestUnderSshpass(t *testing.T) {
	sshpass := requireProgram(t, "sshpass")
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-p", "from file"}, {"-f", file}, {"-e"}} {
		cmd := exec.Command(sshpass, append(args, os.Args[0])...)
		cmd.Env = append(os.Environ(), askVar+"=secret", "GORACE=atexit_sleep_ms=0", "SSHPASS=from file", "DISPLAY=", "SSH_ASKPASS_REQUIRE=")
		out, err := cmd.Output()
		if err != nil || string(out) != "secret=\"from file\"\n" {
			t.Errorf("sshpass %q: output %q, error %v", args, out, err)
		}
	}
}

func TestUnderExpect(t *testing.T) {
	expect := requireProgram(t, "expect")
	script := filepath.Join(t.TempDir(), "script.exp")
	if err := os.WriteFile(script, []byte(`
set timeout 20
spawn -noecho $env(ASK)
expect {
	"*assword: " { send "from expect\r" }
	timeout { exit 2 }
}
expect {
	"yes/no" { send "yes\r" }
	timeout { exit 3 }
}
expect eof
`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(expect, script)
	cmd.Env = append(os.Environ(), askVar+"=secret line", "GORACE=atexit_sleep_ms=0", "ASK="+os.Args[0], "DISPLAY=", "SSH_ASKPASS_REQUIRE=")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "secret=\"from expect\"\r\n") || !strings.Contains(string(out), "line=\"yes\"\r\n") {
		t.Errorf("output %q, error %v", out, err)
	}
}
