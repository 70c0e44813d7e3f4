package cli

import (
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"ssh-copy-id/identity"
	"ssh-copy-id/internal/device"
	"ssh-copy-id/internal/term"
)

// textOutput writes what a user or a script reads, in English and where the stock
// script or ssh has words in theirs. Each message is one write, so that lines of
// concurrent work do not mix.
//
// Its methods are those of output and of this file; whatever else is in the
// files text_*.go makes text of values and nothing else.
type textOutput struct {
	name     string // what the command was called by: see programName
	mu       sync.Mutex
	out, err io.Writer
	failed   error // of the first write to out that failed
}

var _ output = (*textOutput)(nil)

// print writes to standard output.
func (p *textOutput) print(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := fmt.Fprintf(p.out, format, args...); err != nil && p.failed == nil {
		p.failed = err
	}
}

// printErr writes to standard error.
func (p *textOutput) printErr(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.err, format, args...)
}

// level is how a message begins, after the program's name.
type level string

const (
	info    level = "INFO"
	warning level = "WARNING"
	plain   level = "" // as ssh itself would print it
)

// message is one line of standard error.
type message struct {
	level level
	text  string
}

func infof(format string, args ...any) message { return message{info, fmt.Sprintf(format, args...)} }

func warningf(format string, args ...any) message {
	return message{warning, fmt.Sprintf(format, args...)}
}

func (p *textOutput) say(messages ...message) {
	for _, m := range messages {
		if m.level == plain {
			p.Notice(m.text)
			continue
		}
		p.printErr("%s: %s: %s\n", p.name, m.level, m.text)
	}
}

func (p *textOutput) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}

func (p *textOutput) Usage() { p.printErr("%s", usageText(p.name)) }

func (p *textOutput) Text(text string) { p.print("%s", text) }

func (p *textOutput) Platforms(platforms []device.Platform) {
	for _, platform := range platforms {
		p.print("%-18s %s\n", platform.Name, platform.Title)
	}
}

func (p *textOutput) Source(name string, skipped []identity.Skipped) {
	p.say(infof("Source of key(s) to be installed: %s", name))
	for _, s := range skipped {
		p.Remark(keySkipped{s})
	}
}

func (p *textOutput) Remark(r remark) { p.say(r.words()) }

func (p *textOutput) Notice(text string) {
	p.printErr("%s\n", term.EscapeLines(strings.TrimRight(text, "\r\n")))
}

func (p *textOutput) Debug(level int, text string) {
	p.printErr("debug%d: %s\n", level, term.Excerpt(text))
}

func (p *textOutput) Trace(line string) { p.printErr("%s\n", term.Escape(line)) }

// describe names a key as ssh-keygen -l does: bits, fingerprint, comment, type.
func describe(id identity.Identity) string {
	bits, kind, fingerprint := identity.Describe(id.Entry.Key)
	comment := id.Entry.Comment
	if comment == "" {
		comment = "no comment"
	}
	if bits == 0 { // of a type that is not understood here
		return fmt.Sprintf("%s %s (%s)", fingerprint, term.Escape(comment), term.Escape(kind))
	}
	return fmt.Sprintf("%d %s %s (%s)", bits, fingerprint, term.Escape(comment), kind)
}

// orDefault names the target file before its path is known.
func orDefault(path string) string {
	if path == "" {
		return "the authorized_keys file"
	}
	return term.Escape(path)
}

// unixMode is a mode in the bits of chmod(1), set-id and sticky bits included.
func unixMode(mode fs.FileMode) uint32 {
	bits := uint32(mode.Perm())
	for bit, value := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&bit != 0 {
			bits |= value
		}
	}
	return bits
}

func optionText(options []string) string { return term.Escape(strings.Join(options, ",")) }

func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
