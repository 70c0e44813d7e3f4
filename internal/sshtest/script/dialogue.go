package script

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

const (
	dialogueProgram = "sshtest-dialogue"
	dialogueFailed  = 125 // exit status: the talk went otherwise than written
)

func cmdDialogue(ts *testscript.TestScript, neg bool, args []string) {
	if !ptySupported {
		ts.Fatalf("no terminals here: use [tty]")
	}
	err := ts.Exec(dialogueProgram, args...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == dialogueFailed:
		ts.Fatalf("the dialogue failed")
	case err != nil && !neg:
		ts.Fatalf("unexpected failure: %v", err)
	case err == nil && neg:
		ts.Fatalf("unexpected success")
	}
}

func cmdTerminal(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: terminal REGEXP")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	text := ts.ReadFile(filepath.Join(worldOf(ts).dir, "terminal"))
	if pattern.MatchString(text) == neg {
		ts.Fatalf("the terminal showed %q", text)
	}
}

// Step is one line of a dialogue.
type Step struct {
	Line int
	Verb string
	Text string
}

// Dialogue reads what to say on a terminal. A line is a verb and, after one
// space, a text; a text in double quotes is a Go string. Empty lines and lines
// that begin with # say nothing.
//
//	expect TEXT   waits until the terminal shows TEXT, after what the line
//	              before waited for
//	match REGEXP  the same with a regular expression
//	send TEXT     types TEXT and Enter
//	secret TEXT   the same; the terminal must not echo at that moment, and
//	              TEXT must appear neither there nor in the program's output
//	quiet         waits until the terminal echoes no more: Wine turns that off
//	              only when its program reads
//	key X         types control-X, as in: key c
//	hold FIFO     opens a named pipe for writing, which waits until the program
//	              reads it, and writes nothing
//	signal NAME   sends INT, TERM, HUP or KILL to the program
//
// After the last line the program must end by itself.
func Dialogue(text string) ([]Step, error) {
	var steps []Step
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		verb, text, _ := strings.Cut(line, " ")
		if strings.HasPrefix(text, `"`) {
			unquoted, err := strconv.Unquote(text)
			if err != nil {
				return nil, fmt.Errorf("line %d: %s: %v", i+1, text, err)
			}
			text = unquoted
		}
		switch verb {
		case "match":
			if _, err := regexp.Compile(text); err != nil {
				return nil, fmt.Errorf("line %d: %v", i+1, err)
			}
		case "key":
			if len(text) != 1 {
				return nil, fmt.Errorf("line %d: key wants one letter", i+1)
			}
		case "signal":
			if signals[text] == nil {
				return nil, fmt.Errorf("line %d: unknown signal %q", i+1, text)
			}
		case "expect", "send", "secret", "quiet", "hold":
		default:
			return nil, fmt.Errorf("line %d: unknown verb %q", i+1, verb)
		}
		steps = append(steps, Step{i + 1, verb, text})
	}
	return steps, nil
}

// runDialogue is the program behind the command: as a process of its own it
// has the story's environment and directory.
func runDialogue() {
	tty := flag.Bool("tty", false, "the program's standard files are the terminal too")
	timeout := flag.Duration("timeout", 20*time.Second, "for each expectation and for the program's end")
	flag.Parse()
	if flag.NArg() < 2 {
		fmt.Fprintln(os.Stderr, "usage: dialogue [-tty] [-timeout DURATION] FILE PROGRAM [ARGUMENT...]")
		os.Exit(dialogueFailed)
	}
	status, err := talk(flag.Arg(0), *tty, *timeout, flag.Args()[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "dialogue: %v\n", err)
		status = dialogueFailed
	}
	os.Exit(status)
}

// talker is a dialogue under way.
type talker struct {
	terminal *terminal
	process  *os.Process
	timeout  time.Duration
	ended    chan struct{} // the program is gone

	mu    sync.Mutex
	shown []byte // all the terminal showed
	seen  int    // what an expectation has used up
	news  chan struct{}
}

func talk(file string, tty bool, timeout time.Duration, args []string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	steps, err := Dialogue(string(text))
	if err != nil {
		return 0, fmt.Errorf("%s: %v", file, err)
	}
	var out, errOut bytes.Buffer
	cmd := exec.Command(args[0], args[1:]...)
	if !tty {
		cmd.Stdin = os.Stdin
		cmd.Stdout, cmd.Stderr = io.MultiWriter(os.Stdout, &out), io.MultiWriter(os.Stderr, &errOut)
	}
	shown, err := Talk(steps, cmd, timeout)
	if werr := os.WriteFile(filepath.Join(os.Getenv("WORK"), "terminal"), []byte(shown), 0o600); err == nil {
		err = werr
	}
	if err == nil {
		err = told(steps, map[string][]byte{"standard output": out.Bytes(), "standard error": errOut.Bytes()})
	}
	if cmd.ProcessState == nil {
		return 0, err
	}
	return exitCode(cmd.ProcessState), err
}

// Talk runs a command on a terminal of its own, takes the steps there, and
// returns what the terminal showed. Without a standard input the command has
// the terminal for all three standard files. The error is about the talk: how
// the command ended is in its ProcessState.
func Talk(steps []Step, cmd *exec.Cmd, timeout time.Duration) (shown string, err error) {
	term, err := openTerminal()
	if err != nil {
		return "", err
	}
	defer term.master.Close()
	defer term.slave.Close()
	tty := cmd.Stdin == nil
	if tty {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = term.slave, term.slave, term.slave
	}
	cmd.WaitDelay = time.Second
	term.control(cmd, tty)
	if err := startUnignored(cmd); err != nil {
		return "", err
	}
	t := &talker{terminal: term, process: cmd.Process, timeout: timeout, ended: make(chan struct{}), news: make(chan struct{}, 1)}
	drained := make(chan struct{})
	go t.watch(drained)
	go func() { cmd.Wait(); close(t.ended) }()
	err = t.run(steps)
	if err != nil {
		killSession(cmd.Process)
		<-t.ended
	}
	term.slave.Close()
	select { // a program that went to the background may keep the terminal
	case <-drained:
	case <-time.After(500 * time.Millisecond):
	}
	text := t.text()
	if err == nil {
		err = told(steps, map[string][]byte{"the terminal": text})
	}
	return string(text), err
}

// told is the error that a secret was shown somewhere.
func told(steps []Step, places map[string][]byte) error {
	for _, s := range steps {
		if s.Verb != "secret" || s.Text == "" {
			continue
		}
		for place, text := range places {
			if bytes.Contains(text, []byte(s.Text)) {
				return fmt.Errorf("line %d: the secret was shown on %s", s.Line, place)
			}
		}
	}
	return nil
}

// watch collects what the terminal shows.
func (t *talker) watch(drained chan<- struct{}) {
	defer close(drained)
	b := make([]byte, 4096)
	for {
		n, err := t.terminal.master.Read(b)
		t.mu.Lock()
		t.shown = append(t.shown, b[:n]...)
		t.mu.Unlock()
		select {
		case t.news <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// text is what the terminal showed, with plain newlines.
func (t *talker) text() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.ReplaceAll(t.shown, []byte("\r\n"), []byte("\n"))
}

func (t *talker) run(steps []Step) error {
	for _, s := range steps {
		var err error
		switch s.Verb {
		case "expect":
			err = t.expect(regexp.MustCompile(regexp.QuoteMeta(s.Text)))
		case "match":
			err = t.expect(regexp.MustCompile(s.Text))
		case "send":
			_, err = io.WriteString(t.terminal.master, s.Text+"\r")
		case "secret":
			var echo bool
			if echo, err = t.terminal.echoes(); err == nil && echo {
				err = errors.New("the terminal echoes where a secret is asked for")
			}
			if err == nil {
				_, err = io.WriteString(t.terminal.master, s.Text+"\r")
			}
		case "quiet":
			err = t.quiet()
		case "key":
			_, err = t.terminal.master.Write([]byte{s.Text[0] & 0x1f})
		case "hold":
			err = t.hold(s.Text)
		case "signal":
			err = t.process.Signal(signals[s.Text])
		}
		if err != nil {
			return fmt.Errorf("line %d: %s: %v; the terminal showed %q", s.Line, s.Verb, err, t.text())
		}
	}
	select {
	case <-t.ended:
		return nil
	case <-time.After(t.timeout):
		return fmt.Errorf("the program has not ended after %v; the terminal showed %q", t.timeout, t.text())
	}
}

// startUnignored starts a program that ends by every signal, whatever this
// process was told to ignore: nohup(1) says so of HUP, and it is inherited.
func startUnignored(cmd *exec.Cmd) error {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP, os.Interrupt, syscall.SIGTERM) // caught is not inherited
	defer signal.Stop(caught)
	return cmd.Start()
}

// hold opens a named pipe until the program has ended.
func (t *talker) hold(path string) error {
	opened := make(chan error, 1)
	go func() {
		pipe, err := os.OpenFile(path, os.O_WRONLY, 0)
		opened <- err
		if err == nil {
			<-t.ended
			pipe.Close()
		}
	}()
	select {
	case err := <-opened:
		return err
	case <-t.ended:
		return errors.New("the program ended before it read it")
	case <-time.After(t.timeout):
		return fmt.Errorf("waited %v", t.timeout)
	}
}

// quiet waits until the terminal does not echo.
func (t *talker) quiet() error {
	for deadline := time.Now().Add(t.timeout); ; time.Sleep(2 * time.Millisecond) {
		echo, err := t.terminal.echoes()
		if err != nil || !echo {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the terminal still echoes after %v", t.timeout)
		}
	}
}

// expect waits for the pattern in what no expectation has used up yet.
func (t *talker) expect(pattern *regexp.Regexp) error {
	late := time.After(t.timeout)
	for ended := false; ; {
		text := t.text()
		if m := pattern.FindIndex(text[t.seen:]); m != nil {
			t.seen += m[1]
			return nil
		}
		if ended {
			return fmt.Errorf("the program ended before it showed %q", pattern)
		}
		select {
		case <-t.news:
		case <-t.ended:
			time.Sleep(50 * time.Millisecond) // for what it said last
			ended = true
		case <-late:
			return fmt.Errorf("waited %v for %q", t.timeout, pattern)
		}
	}
}
