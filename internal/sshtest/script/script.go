// Package script is what the stories in testdata/script are told with: the
// commands that testscript does not have. A story runs in a directory of its
// own, $WORK, which is the current one. HOME is $WORK/home, there is no agent
// and no askpass program, and the client reads $WORK/ssh_config only if it is
// given as -F ssh_config.
//
// Servers:
//
//	sshd NAME [key=value...]
//	        starts a server and adds "Host NAME" to ssh_config and its host keys
//	        to known_hosts. Keys for an account, those after user= belonging to
//	        that user (the first may be left out: it is alice):
//	          user= password= shell= (a path, or gosh) home= ($WORK/remote/USER)
//	          mode= (of the home, 0755) env=NAME=VALUE forced=COMMAND
//	          sftp-only=yes no-exec=yes no-sftp=yes chroot=yes
//	          prompt=TEXT or echo-prompt=TEXT, then answer=TEXT (keyboard-
//	          interactive; several make several prompts), instruction=TEXT
//	        For the server:
//	          methods='publickey,password keyboard-interactive'
//	                    (as AuthenticationMethods; without: publickey password)
//	          max-tries=N (6) banner=TEXT version=SSH-2.0-... strict-modes=no
//	          host-keys=ed25519,ecdsa,rsa authorized-keys=PATH (%h, %u)
//	          promise-every-key=yes
//	          pubkey-algorithms=A,B ciphers=A,B macs=A,B kex=A,B forwarding=yes
//	        For the client's files:
//	          known=yes|no|hashed|other (other: known with another key)
//	          config='Option value' (more lines for the Host block)
//	sshd NAME fault=KIND [config=...]
//	        a port that is no SSH server: see sshtest.Faults
//	proxy NAME HOST [delay=50ms] [cut-to-server=N] [cut-to-client=N]
//	        [cut-connection=N] [stall=yes] [config=...]
//	        another Host NAME: the server HOST through a bad network
//	sshd-stop NAME
//	idle [NAME]
//	        waits until no connection is open and no command runs
//
// What clients did, since the start or the last reset; N may be <=N or >=N,
// and NAME may be left out where there is one server:
//
//	connections, logins, queries, signatures, asked, tries, commands, shells,
//	subsystems [NAME] N
//	        asked: passwords and answers given; tries: refused and accepted
//	        authentication requests without "none"
//	[!] ran [NAME] REGEXP
//	        a command that matches was run
//	reset [NAME]
//
// The client's side:
//
//	genkey [-t TYPE] [-N PASSPHRASE] [-C COMMENT] FILE
//	        FILE and FILE.pub; types ed25519, ecdsa, ecdsa-384, ecdsa-521, rsa;
//	        dsa, ed25519-sk and ecdsa-sk make only FILE.pub
//	gencert [-n PRINCIPALS] CA FILE
//	        FILE-cert.pub, signed by the private key CA
//	ssh-agent [-N PASSPHRASE] [FILE...]
//	        starts an agent with these keys and sets SSH_AUTH_SOCK
//	ssh-agent -dead
//	        SSH_AUTH_SOCK names a socket without an agent
//	agent-signed N
//	askpass FILE
//	        SSH_ASKPASS is a program that answers with the next line of FILE,
//	        and puts the prompts into FILE.asked
//	[!] dialogue [-tty] [-timeout DURATION] FILE PROGRAM [ARGUMENT...]
//	        runs a program on a terminal and talks to it there as FILE says: see
//	        [Dialogue]. What the terminal showed is in the file terminal.
//	[!] terminal REGEXP
//	        matches what the terminal showed
//	[!] perm MODE FILE
//	        the permission bits are MODE (not looked at on Windows)
//	write FILE PART...
//	        puts the parts into a file, one behind the other, with mode 0600: @NAME
//	        is what another file holds, without its last newline, everything else
//	        is text, in which \n, \t and \xNN mean what they mean in Go
//	utf16 little|big FROM FILE
//	        writes a text as Notepad's "Unicode" does, or with the bytes the other
//	        way round
//	need PROGRAM...
//	        skips the story where a program is missing, or fails it with
//	        SSHCOPYID_REQUIRE_ALL=1
//
// Conditions: [tty] (dialogue works here), [oracle] (the program under test is
// the stock script, by SSHCOPYID_ORACLE=/usr/bin/ssh-copy-id), [root], [mode]
// (permission bits mean something here).
package script

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"ssh-copy-id/internal/sshtest"
)

const (
	oracleEnv  = "SSHCOPYID_ORACLE"      // the script to run in place of our program
	requireEnv = "SSHCOPYID_REQUIRE_ALL" // "1": a missing program is a failure
)

// UseOracle runs the stories with the stock script, as the environment variable
// SSHCOPYID_ORACLE does. It must come before testscript.Run.
func UseOracle(file string) error { return os.Setenv(oracleEnv, file) }

// Params runs the stories of a directory. With update, cmp rewrites what a
// story expects. A story that would be skipped for want of a terminal or of
// permission bits, which no program can be installed for, is left out.
func Params(dir string, update bool) testscript.Params {
	return testscript.Params{
		Files: stories(dir), UpdateScripts: update,
		RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: setup, Condition: condition, Cmds: commands(),
	}
}

// stories are those of a directory that can be told here.
func stories(dir string) []string {
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		panic(err) // the directory is written down in a test
	}
	return slices.DeleteFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && (!ptySupported && bytes.Contains(text, []byte("\n[!tty] skip ")) ||
			runtime.GOOS == "windows" && bytes.Contains(text, []byte("\n[!mode] skip ")) ||
			runtime.GOOS == "windows" && bytes.Contains(text, []byte("\n[windows] skip ")))
	})
}

// Programs are the programs stories can exec, for testscript.Main: ours, which
// main runs, and those that the commands need.
func Programs(main func()) map[string]func() {
	return map[string]func(){
		"ssh-copy-id": func() {
			if oracle := os.Getenv(oracleEnv); oracle != "" {
				runOracle(oracle)
			}
			main()
		},
		dialogueProgram: runDialogue,
		askpassProgram:  runAskpass,
	}
}

// world is what a story has started.
type world struct {
	t     testscript.T
	dir   string // $WORK
	hosts map[string]*host
	homes map[string]bool // taken by an account
	agent *sshtest.Agent
}

// host is one Host block of ssh_config.
type host struct {
	server  *sshtest.Server // nil: a fault, or Windows
	fault   *sshtest.Fault
	windows *sshtest.Windows
	user    string
	known   string
}

func (h *host) close() {
	if h.windows != nil {
		h.windows.Close()
	} else if h.server != nil {
		h.server.Close()
	} else {
		h.fault.Close()
	}
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	if err := os.MkdirAll(filepath.Join(home, ".ssh"), 0o700); err != nil {
		return err
	}
	if err := os.Chmod(filepath.Join(home, ".ssh"), 0o700); err != nil {
		return err
	}
	if oracle := os.Getenv(oracleEnv); oracle != "" {
		env.Setenv(oracleEnv, oracle)
		short, err := shortHome(env, home)
		if err != nil {
			return err
		}
		home = short
	}
	// A program built with -race waits a second at its end, for reports of other
	// threads; a story runs several.
	env.Setenv("GORACE", "atexit_sleep_ms=0")
	env.Setenv("HOME", home)
	if runtime.GOOS == "windows" {
		env.Setenv("USERPROFILE", home)
	}
	w := &world{t: env.T(), dir: env.WorkDir, hosts: make(map[string]*host), homes: make(map[string]bool)}
	env.Values[worldKey{}] = w
	env.Defer(func() {
		for _, h := range w.hosts {
			h.close()
		}
		if w.agent != nil {
			w.agent.Close()
		}
	})
	return nil
}

func condition(name string) (bool, error) {
	switch name {
	case "tty":
		return ptySupported, nil
	case "oracle":
		return os.Getenv(oracleEnv) != "", nil
	case "root":
		return os.Geteuid() == 0, nil
	case "mode":
		return runtime.GOOS != "windows", nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

type command = func(ts *testscript.TestScript, neg bool, args []string)

func commands() map[string]command {
	m := map[string]command{
		"winserver": cmdWindows, "winacl": cmdACL,
		"sshd": cmdSSHD, "sshd-stop": cmdStop, "proxy": cmdProxy, "idle": cmdIdle, "reset": cmdReset, "ran": cmdRan,
		"genkey": cmdGenkey, "gencert": cmdGencert, "ssh-agent": cmdAgent, "agent-signed": cmdSigned, "askpass": cmdAskpass,
		"dialogue": cmdDialogue, "terminal": cmdTerminal, "perm": cmdPerm, "need": cmdNeed, "utf16": cmdUTF16, "write": cmdWrite,
	}
	for name, count := range counts {
		m[name] = func(ts *testscript.TestScript, neg bool, args []string) { cmdCount(ts, neg, name, count, args) }
	}
	return m
}

var counts = map[string]func(sshtest.Counters) int{
	"connections": func(n sshtest.Counters) int { return n.Connections },
	"logins":      func(n sshtest.Counters) int { return n.Logins },
	"queries":     func(n sshtest.Counters) int { return n.Queries },
	"signatures":  func(n sshtest.Counters) int { return n.Signatures },
	"asked":       func(n sshtest.Counters) int { return n.Passwords + n.Rounds },
	"commands":    func(n sshtest.Counters) int { return len(n.Commands) },
	"shells":      func(n sshtest.Counters) int { return n.Shells },
	"subsystems":  func(n sshtest.Counters) int { return n.SFTP },
	"tries": func(n sshtest.Counters) int {
		sum := 0
		for method, k := range n.Attempts {
			if method != "none" {
				sum += k
			}
		}
		return sum
	},
}

func cmdCount(ts *testscript.TestScript, neg bool, what string, count func(sshtest.Counters) int, args []string) {
	noNegation(ts, neg, what)
	if len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: %s [NAME] N", what)
	}
	h := worldOf(ts).find(ts, args[:len(args)-1])
	var got int
	switch {
	case h.server != nil:
		settle(h.server)
		got = count(h.server.Counters())
	case what == "connections":
		got = h.fault.Connections()
	}
	compare(ts, what, got, args[len(args)-1])
}

// settle waits for the server to notice that a client has gone; a client that
// is still there is none of its business.
func settle(s *sshtest.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	s.Wait(ctx)
}

func compare(ts *testscript.TestScript, what string, got int, want string) {
	number := strings.TrimPrefix(strings.TrimPrefix(want, "<="), ">=")
	n, err := strconv.Atoi(number)
	ts.Check(err)
	switch {
	case strings.HasPrefix(want, "<=") && got <= n, strings.HasPrefix(want, ">=") && got >= n, got == n:
		return
	}
	ts.Fatalf("%s: %d, want %s", what, got, want)
}

// find is the host of an optional NAME.
func (w *world) find(ts *testscript.TestScript, name []string) *host {
	if len(name) == 1 {
		h := w.hosts[name[0]]
		if h == nil {
			ts.Fatalf("no server %q", name[0])
		}
		return h
	}
	if len(w.hosts) != 1 {
		ts.Fatalf("say which of %d servers", len(w.hosts))
	}
	for _, h := range w.hosts {
		return h
	}
	panic("unreachable")
}

func cmdIdle(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "idle")
	h := worldOf(ts).find(ts, args)
	if h.server == nil {
		ts.Fatalf("not a server")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ts.Check(h.server.Wait(ctx))
}

func cmdReset(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "reset")
	if h := worldOf(ts).find(ts, args); h.server != nil {
		settle(h.server)
		h.server.ResetCounters()
	}
}

func cmdRan(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: ran [NAME] REGEXP")
	}
	h := worldOf(ts).find(ts, args[:len(args)-1])
	pattern, err := regexp.Compile(args[len(args)-1])
	ts.Check(err)
	if h.server == nil {
		ts.Fatalf("not a server")
	}
	settle(h.server)
	lines := h.server.Counters().Commands
	found := false
	for _, line := range lines {
		found = found || pattern.MatchString(line)
	}
	if found == neg {
		ts.Fatalf("ran %s: commands were %q", args[len(args)-1], lines)
	}
}

func cmdPerm(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: perm MODE FILE")
	}
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if runtime.GOOS == "windows" {
		return
	}
	if got := uint64(info.Mode().Perm()); (got == want) == neg {
		ts.Fatalf("%s has mode %04o", args[1], got)
	}
}

func cmdNeed(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "need")
	for _, program := range args {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv(requireEnv) == "1" {
			ts.Fatalf("%s is not installed, and %s is set", program, requireEnv)
		}
		worldOf(ts).t.Skip(program + " is not installed")
	}
}

func noNegation(ts *testscript.TestScript, neg bool, name string) {
	if neg {
		ts.Fatalf("unsupported: ! %s", name)
	}
}
