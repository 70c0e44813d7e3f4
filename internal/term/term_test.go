package term

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"
)

// fakeTerminal answers with input and records what is done to it.
type fakeTerminal struct {
	io.Reader
	log []string
}

func (f *fakeTerminal) Read(p []byte) (int, error) { return f.Reader.Read(p) }
func (f *fakeTerminal) Write(p []byte) (int, error) {
	f.log = append(f.log, "write "+string(p))
	return len(p), nil
}
func (f *fakeTerminal) Close() error { f.log = append(f.log, "close"); return nil }
func (f *fakeTerminal) Prepare(echo bool) error {
	f.log = append(f.log, map[bool]string{true: "echo", false: "no echo"}[echo])
	return nil
}
func (f *fakeTerminal) Restore() error { f.log = append(f.log, "restore"); return nil }
func (f *fakeTerminal) Abandon()       { f.log = append(f.log, "abandon") }
func (f *fakeTerminal) Background() bool {
	return false
}

// TestWhoIsAsked is read_passphrase's table: environment and terminal against
// who gets the question.
func TestWhoIsAsked(t *testing.T) {
	for _, tt := range []struct {
		env  string
		tty  bool
		want string
	}{
		{"", true, "terminal"},
		{"", false, "nobody"},
		{"SSH_ASKPASS=ap", false, "nobody"},
		{"SSH_ASKPASS=ap DISPLAY=:0", true, "terminal"},
		{"SSH_ASKPASS=ap DISPLAY=:0", false, "ap"},
		{"SSH_ASKPASS=ap DISPLAY=", false, "nobody"},
		{"SSH_ASKPASS=ap WAYLAND_DISPLAY=wayland-0", false, "ap"},
		{"DISPLAY=:0", false, "system askpass"},
		{"SSH_ASKPASS=ap SSH_ASKPASS_REQUIRE=force", true, "ap"},
		{"SSH_ASKPASS=ap SSH_ASKPASS_REQUIRE=FORCE", false, "ap"},
		{"SSH_ASKPASS=ap SSH_ASKPASS_REQUIRE=prefer", true, "terminal"},
		{"SSH_ASKPASS=ap SSH_ASKPASS_REQUIRE=prefer", false, "nobody"},
		{"SSH_ASKPASS=ap SSH_ASKPASS_REQUIRE=prefer DISPLAY=:0", true, "ap"},
		{"SSH_ASKPASS=ap SSH_ASKPASS_REQUIRE=never DISPLAY=:0", true, "terminal"},
		{"SSH_ASKPASS=ap SSH_ASKPASS_REQUIRE=never DISPLAY=:0", false, "nobody"},
		{"SSH_ASKPASS=ap SSH_ASKPASS_REQUIRE=always DISPLAY=:0", true, "terminal"},
	} {
		t.Run(tt.env+map[bool]string{true: " with terminal", false: " without"}[tt.tty], func(t *testing.T) {
			p := testPrompter(tt.env)
			p.open = func() (terminal, error) {
				if !tt.tty {
					return nil, fs.ErrNotExist
				}
				return &fakeTerminal{Reader: strings.NewReader("terminal\n")}, nil
			}
			got, err := p.Line("who? ")
			if errors.Is(err, ErrNoTerminal) {
				got, err = "nobody", nil
			}
			if err != nil || got != tt.want {
				t.Errorf("answer %q, error %v; want %q", got, err, tt.want)
			}
		})
	}
}

// testPrompter has an environment written as words, and an askpass that
// answers with its own name.
func testPrompter(env string) *Prompter {
	p := New(testEnvironment(env))
	p.display = false
	p.find = func() string { return "system askpass" }
	p.run = func(program, prompt, hint string) ([]byte, error) { return []byte(program), nil }
	p.open = func() (terminal, error) { return nil, fs.ErrNotExist }
	return p
}

// testEnvironment is one of words NAME=VALUE.
func testEnvironment(env string) func(string) string {
	vars := map[string]string{}
	for word := range strings.FieldsSeq(env) {
		name, value, _ := strings.Cut(word, "=")
		vars[name] = value
	}
	return func(name string) string { return vars[name] }
}

func TestNoTerminalTellsWhy(t *testing.T) {
	for env, want := range map[string]string{
		"":                          "SSH_ASKPASS needs DISPLAY",
		"SSH_ASKPASS_REQUIRE=never": "SSH_ASKPASS_REQUIRE is never",
		"DISPLAY=:0":                "SSH_ASKPASS is not set",
		"SSH_ASKPASS_REQUIRE=force": "SSH_ASKPASS is not set",
	} {
		p := testPrompter(env)
		p.find = func() string { return "" }
		_, err := p.Secret("? ")
		var none *NoTerminalError
		if !errors.As(err, &none) || !errors.Is(err, ErrNoTerminal) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one that holds %q", env, err, want)
		}
	}
}

// TestDisplayAlways: where there is no such thing as DISPLAY, SSH_ASKPASS
// alone is enough when no console is there (mintty).
func TestDisplayAlways(t *testing.T) {
	p := testPrompter("SSH_ASKPASS=ap")
	p.display = true
	if got, err := p.Line("? "); err != nil || got != "ap" {
		t.Errorf("answer %q, error %v; want askpass to be used", got, err)
	}
}

func TestConversationOrder(t *testing.T) {
	tty := &fakeTerminal{Reader: strings.NewReader("hunter2\nnext line\n")}
	p := testPrompter("")
	p.open = func() (terminal, error) { return tty, nil }
	got, err := p.Secret("x\x1b[2Jpassword: ")
	if err != nil || string(got) != "hunter2" {
		t.Fatalf("answer %q, error %v", got, err)
	}
	want := "write \r|no echo|write x\\033[2Jpassword: |write \n|restore|close"
	if log := strings.Join(tty.log, "|"); log != want {
		t.Errorf("steps %q\nwant  %q", log, want)
	}
	if rest, _ := io.ReadAll(tty.Reader); string(rest) != "next line\n" {
		t.Errorf("left on the terminal: %q, want the whole next line", rest)
	}
}

func TestReadLine(t *testing.T) {
	long := strings.Repeat("x", MaxAnswer)
	for _, tt := range []struct {
		in       string
		endsAtCR bool
		want     string
	}{
		{"secret\n", true, "secret"},
		{"secret\r", true, "secret"},
		{" blanks kept \t\n", true, " blanks kept \t"},
		{"\n", true, ""},
		{"", true, ""},
		{"cut short", true, "cut short"},
		{"secret\r\n", false, "secret"},
		{"\r\n", false, ""},
		{"a\rb\r\n", false, "a\rb"},
		{long + "\n", true, long},
		{long + "yz\n", true, long},
	} {
		got, _, err := readLine(strings.NewReader(tt.in), tt.endsAtCR)
		if err != nil || string(got) != tt.want {
			t.Errorf("readLine(%.20q, %v) = %.20q (%d bytes), %v; want %.20q", tt.in, tt.endsAtCR, got, len(got), err, tt.want)
		}
	}
	broken := errors.New("broken")
	if got, _, err := readLine(io.MultiReader(strings.NewReader("half"), errReader{broken}), true); err != broken || got != nil {
		t.Errorf("readLine of a broken terminal = %q, %v", got, err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// TestHungUpTerminal: a terminal that is gone ends every question at once.
func TestHungUpTerminal(t *testing.T) {
	tty := &fakeTerminal{Reader: errReader{errors.New("input/output error")}}
	p := testPrompter("")
	p.open = func() (terminal, error) { return tty, nil }
	done := make(chan error, 1)
	go func() { _, err := p.Secret("? "); done <- err }()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "input/output") {
			t.Errorf("error %v, want the terminal's", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still waiting")
	}
	if log := strings.Join(tty.log, "|"); !strings.HasSuffix(log, "restore|close") {
		t.Errorf("steps %q, want the terminal restored and closed", log)
	}
}

func TestConfirm(t *testing.T) {
	for _, tt := range []struct {
		env    string
		answer string
		err    error
		want   bool
	}{
		{"DISPLAY=:0", "", nil, true},
		{"DISPLAY=:0", "YES", nil, true},
		{"DISPLAY=:0", "no", nil, false},
		{"DISPLAY=:0", "", ErrDeclined, false},
		{"", "yes", nil, false},
		{"DISPLAY=:0 SSH_ASKPASS_REQUIRE=never", "yes", nil, false},
		{"SSH_ASKPASS_REQUIRE=force", "yes", nil, true},
	} {
		p := testPrompter(tt.env)
		p.run = func(program, prompt, hint string) ([]byte, error) {
			if hint != "confirm" {
				t.Errorf("hint %q, want confirm", hint)
			}
			return []byte(tt.answer), tt.err
		}
		if got, err := p.Confirm("add the key?"); got != tt.want || err != nil {
			t.Errorf("env %q, answer %q %v: %v, %v; want %v", tt.env, tt.answer, tt.err, got, err, tt.want)
		}
	}
}

func TestBatchArgument(t *testing.T) {
	for program, want := range map[string]bool{
		`C:\x\ask.bat`: true, `C:\x\ask.CMD`: true, `ask.bat. `: true, `C:\bat\ask.exe`: false, "ask": false,
	} {
		if got := isBatchFile(program); got != want {
			t.Errorf("isBatchFile(%q) = %v", program, got)
		}
	}
	if got := batchArgument("(a@b) \"&calc|%PATH%!x!^<>\nok? "); got != "(a@b) __calc__PATH__x____ ok? " {
		t.Errorf("batchArgument = %q", got)
	}
}

func TestQuestionMode(t *testing.T) {
	const before = 0x80 | enableEchoInput | enableVTInput
	if got := questionMode(before, false); got != 0x80|enableProcessedInput|enableLineInput {
		t.Errorf("hidden: %#x", got)
	}
	if got := questionMode(before, true); got != 0x80|enableProcessedInput|enableLineInput|enableEchoInput {
		t.Errorf("shown: %#x", got)
	}
}
