package remote

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/scriptrun"
)

//go:embed windows.ps1
var windowsScript string

// Limits of a command on Windows and of its answer.
const (
	// maxCommandLine is what cmd.exe takes, in characters; its own name and
	// /c are a part of it.
	maxCommandLine = 8100
	// maxFrame bounds the answer of windows.ps1, in bytes of base64.
	maxFrame = 1 << 20
)

// windowsPatience is how long an answer of windows.ps1 may take. PowerShell
// alone needs many seconds to start on a machine that is busy or asleep.
var windowsPatience = 30 * time.Second

// section is a part of windows.ps1 without comments and indentation.
func section(name string) string {
	_, rest, _ := strings.Cut(windowsScript, "#== "+name+"\n")
	text, _, _ := strings.Cut(rest, "#== ")
	return scriptrun.Strip(text)
}

// powerShell is the command line that runs a section of windows.ps1. The
// parameters are words without quotes; what might hold others is base64.
func powerShell(marker, name string, parameters ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "$M='%s'\n", marker)
	for _, p := range parameters {
		word, value, _ := strings.Cut(p, "=")
		fmt.Fprintf(&b, "$%s='%s'\n", word, value)
	}
	b.WriteString(section("head") + section(name) + section("tail"))
	var raw []byte
	for _, unit := range utf16.Encode([]rune(b.String())) {
		raw = append(raw, byte(unit), byte(unit>>8))
	}
	return "powershell.exe -NoProfile -NonInteractive -EncodedCommand " + base64.StdEncoding.EncodeToString(raw)
}

// windowsAnswer is what windows.ps1 told.
type windowsAnswer struct {
	one  map[string]string // the last value of a word
	many map[string][]string
}

// runPowerShell runs a section of windows.ps1 on a channel of its own.
func runPowerShell(ctx context.Context, client *ssh.Client, o Options, name string, parameters ...string) (*windowsAnswer, error) {
	marker := scriptrun.NewMarker()
	command := powerShell(marker, name, parameters...)
	if len(command) > maxCommandLine {
		return nil, &RemoteError{Stage: StageRequest, Path: o.Target, Reason: Invalid, Detail: "the path is too long", Status: -1}
	}
	ch, err := openChannel(ctx, client, o)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, windowsPatience)
	defer cancel()
	type outcome struct {
		a   *windowsAnswer
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		// PowerShell would wait for the end of its input.
		p := ch.Start(o.Run(), command, "", nil)
		p.CloseIn()
		f := &frame{marker: marker, out: bufio.NewReader(p.Out)}
		text, err := f.read()
		if err != nil {
			err = f.broken(p, err)
		}
		p.Kill()
		a, parseErr := parseWindows(text)
		if err == nil {
			err = parseErr
		}
		done <- outcome{a, err}
	}()
	notice := time.NewTicker(scriptrun.CurrentLimits().Notice)
	defer notice.Stop()
	for began := time.Now(); limited.Err() == nil; {
		select {
		case got := <-done:
			return got.a, got.err
		case <-notice.C:
			if o.Awaiting != nil {
				o.Awaiting(AwaitAnswer, time.Since(began).Round(time.Second))
			}
			continue
		case <-limited.Done():
		}
	}
	// The goroutine ends with the connection at the latest.
	go ch.Close()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, &RemoteError{Stage: StageAnswer, Reason: NoAnswer, Status: -1,
		Detail: fmt.Sprintf("powershell.exe did not answer within %v", windowsPatience)}
}

// frame reads the answer of windows.ps1 among whatever else is printed: the
// AutoRun of cmd.exe, a message of the day, a profile.
type frame struct {
	marker string
	out    *bufio.Reader
	noise  scriptrun.Excerpt
	began  bool
}

var errLimited = errors.New("a policy keeps PowerShell from running programs")

// read returns the decoded text.
func (f *frame) read() ([]byte, error) {
	var text []byte
	noise := 0
	for {
		line, err := f.line()
		if err != nil {
			return nil, err
		}
		said, ours := bytes.CutPrefix(bytes.TrimRight(line, "\r\n"), []byte(f.marker+" "))
		if !ours {
			if noise += len(line); noise > scriptrun.MaxNoise {
				return nil, scriptrun.ErrTooMuch
			}
			f.noise.Write(line)
			continue
		}
		word, value, _ := bytes.Cut(said, []byte(" "))
		switch string(word) {
		case "limited":
			return nil, errLimited
		case "begin":
			f.began = true
		case "data":
			if text = append(text, value...); len(text) > maxFrame {
				return nil, scriptrun.ErrTooMuch
			}
		case "end":
			if n, err := strconv.Atoi(string(value)); !f.began || err != nil || n != len(text) {
				return nil, scriptrun.ErrGarbled
			}
			decoded, err := base64.StdEncoding.DecodeString(string(text))
			if err != nil {
				return nil, scriptrun.ErrGarbled
			}
			return decoded, nil
		default:
			return nil, scriptrun.ErrGarbled
		}
	}
}

// line reads a line. One that is too long for the frame comes in parts, which
// are noise then.
func (f *frame) line() ([]byte, error) {
	line, err := f.out.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return line, nil
	}
	if err != nil {
		f.noise.Write(line)
	}
	return line, err
}

// broken tells why there was no answer.
func (f *frame) broken(p *scriptrun.Process, err error) error {
	e := &RemoteError{Stage: StageAnswer, Status: -1, Detail: err.Error()}
	switch {
	case errors.Is(err, scriptrun.ErrTooMuch):
		e.Reason = TooMuch
		return e
	case errors.Is(err, errLimited):
		e.Stage, e.Reason = StageStart, Refused
		return e
	case errors.Is(err, scriptrun.ErrGarbled), !errors.Is(err, io.EOF):
		e.Reason = Garbled
		return e
	}
	p.Wait()
	e.Status = p.ExitStatus()
	said := strings.TrimSpace(plainErrors(p.Errs.String()) + "\n" + f.noise.String())
	e.Detail = said
	switch {
	case p.Refused:
		e.Stage, e.Reason = StageOpen, Refused
	case e.Status < 0:
		e.Reason = Closed
	case f.began:
		e.Reason = Garbled
	default:
		e.Stage, e.Reason = StageStart, NoAnswer
		if missingPowerShell(said, e.Status) {
			e.Reason = NoPowerShell
		}
	}
	return e
}

// What PowerShell writes to a standard error that is no console: its errors in
// XML, a line each, with _x000A_ for a character that XML cannot hold.
var (
	clixmlError  = regexp.MustCompile(`<S S="Error">([^<]*)`)
	clixmlEscape = regexp.MustCompile(`_x([0-9A-Fa-f]{4})_`)
)

// plainErrors is what PowerShell wrote to standard error, as text.
func plainErrors(said string) string {
	before, rest, found := strings.Cut(said, "#< CLIXML")
	if !found {
		return said
	}
	for _, m := range clixmlError.FindAllStringSubmatch(rest, -1) {
		before += clixmlEscape.ReplaceAllStringFunc(html.UnescapeString(m[1]), func(hex string) string {
			unit, _ := strconv.ParseUint(hex[2:6], 16, 16)
			return string(rune(unit))
		})
	}
	return strings.TrimSpace(before)
}

// missingPowerShell tells whether a shell said that it does not know the
// program. The sentence is in the server's language, but it names the program;
// 9009 and 127 are what cmd.exe and POSIX shells end with.
func missingPowerShell(said string, status int) bool {
	return status == 9009 || status == 127 || status != 0 && strings.Contains(strings.ToLower(said), "powershell.exe")
}

// parseWindows splits the answer into its words.
func parseWindows(text []byte) (*windowsAnswer, error) {
	a := &windowsAnswer{one: map[string]string{}, many: map[string][]string{}}
	for line := range strings.Lines(string(text)) {
		word, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		if !ok || strings.ContainsRune(value, 0) {
			return nil, &RemoteError{Stage: StageAnswer, Reason: Garbled, Detail: scriptrun.ErrGarbled.Error(), Status: -1}
		}
		a.one[word] = value
		a.many[word] = append(a.many[word], value)
	}
	if why, failed := a.one["fail"]; failed {
		return nil, &RemoteError{Stage: StageAnswer, Reason: Failed, Detail: why, Status: -1}
	}
	return a, nil
}
