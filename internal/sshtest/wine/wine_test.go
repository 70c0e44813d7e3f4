//go:build linux

package wine

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// parentEnv makes this test binary a process that has a prefix and is killed.
const parentEnv = "WINE_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentEnv) != "1" {
		os.Exit(m.Run())
	}
	p, err := Start()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(p.Dir())
	select {}
}

// TestPrefix: what a prefix is for, and that nothing of it is left when the
// process that made it is killed.
func TestPrefix(t *testing.T) {
	Need(t)
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	defer parent.Wait()
	defer parent.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	p, err := Attach(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("home, directory, environment, status", func(t *testing.T) { testSurroundings(t, p) })
	t.Run("input", func(t *testing.T) { testInput(t, p) })
	t.Run("time limit", func(t *testing.T) { testTimeLimit(t, p) })

	if processes(t, p.Dir()) == "" {
		t.Error("no process of the prefix is found while it is there")
	}
	parent.Process.Kill()
	vanishes(t, p.Dir())
}

// TestPrefixHalfMade: nor when it is killed before there is a prefix.
func TestPrefixHalfMade(t *testing.T) {
	Need(t)
	temporary := t.TempDir()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"=1", "TMPDIR="+temporary)
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	defer parent.Wait()
	defer parent.Process.Kill()
	var dirs []string
	for ; len(dirs) == 0; time.Sleep(20 * time.Millisecond) {
		dirs, _ = filepath.Glob(filepath.Join(temporary, "wine*"))
	}
	for processes(t, dirs[0]) == "" {
		time.Sleep(20 * time.Millisecond)
	}
	parent.Process.Kill()
	vanishes(t, dirs[0])
}

// vanishes waits for a prefix and its processes to go, however long a busy
// machine takes for that.
func vanishes(t *testing.T, dir string) {
	t.Helper()
	for _, err := os.Stat(dir); err == nil; _, err = os.Stat(dir) {
		time.Sleep(50 * time.Millisecond)
	}
	// The keeper removes the directory last.
	if left := processes(t, dir); left != "" {
		t.Errorf("left behind: %s", left)
	}
}

// shell is the command interpreter of the prefix.
func shell(p *Prefix) string { return filepath.Join(p.Dir(), "drive_c/windows/system32/cmd.exe") }

func run(t *testing.T, p *Prefix, c Command) Result {
	t.Helper()
	r, err := p.Run(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func testSurroundings(t *testing.T, p *Prefix) {
	home, dir := filepath.Join(t.TempDir(), "my home"), t.TempDir()
	r := run(t, p, Command{
		Program: shell(p), Args: []string{"/c", "echo", "%USERPROFILE%", "%CD%", "%COLOUR%", ">&2", "&", "exit", "7"},
		Home: home, Dir: dir, Env: []string{"COLOUR=blue"},
	})
	if want := Path(home) + " " + Path(dir) + " blue"; r.Status != 7 || !strings.HasPrefix(r.Stderr, want) || r.Stdout != "" {
		t.Errorf("%+v, want %s", r, want)
	}
	if r := run(t, p, Command{Program: shell(p), Args: []string{"/c", "exit", "256"}}); r.Status == 0 {
		t.Error("the status 256 is shown as 0")
	}
}

func testInput(t *testing.T, p *Prefix) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		text, _ := bufio.NewReader(c).ReadString('\n')
		fmt.Fprint(c, "heard ", text)
	}()
	relay, err := p.Guest("relay")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	if r := run(t, p, Command{Program: relay, Args: []string{"127.0.0.1", port}, Input: "hello\n"}); r.Stdout != "heard hello\n" {
		t.Errorf("%+v", r)
	}
}

// testTimeLimit: a program that hangs is ended, not only the one that started
// it. The relay listens for as long as it is spoken to.
func testTimeLimit(t *testing.T, p *Prefix) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c, err := listener.Accept()
		if err == nil {
			defer c.Close()
			// Written to until nobody is there to take it.
			for ; err == nil; time.Sleep(20 * time.Millisecond) {
				_, err = c.Write([]byte{'.'})
			}
		}
	}()
	relay, err := p.Guest("relay")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	_, err = p.Run(Command{Program: relay, Args: []string{"127.0.0.1", port}, Timeout: 2 * time.Second})
	if err == nil || !strings.Contains(err.Error(), "has not ended after 2s") {
		t.Error(err)
	}
	listener.Close()
	<-ended // once the program is gone
}

// processes are those that run in a prefix.
func processes(t *testing.T, dir string) string {
	t.Helper()
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var found strings.Builder
	for _, file := range environments {
		if env, err := os.ReadFile(file); err == nil && bytes.Contains(env, []byte("WINEPREFIX="+dir+"\x00")) {
			name, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			fmt.Fprintf(&found, "%q ", name)
		}
	}
	return found.String()
}
