package sshtest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// winCommand is an exec request.
type winCommand struct {
	Line           string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	ended          <-chan struct{} // the client is gone
}

// cmdLine is the longest line cmd.exe takes, in characters.
const cmdLine = 8191

// exec runs a command in the DefaultShell, as do_exec_windows in w32-doexec.c
// hands it over, and returns its exit status.
func (w *Windows) exec(c *winCommand) int {
	switch {
	case w.cfg.Silent:
		<-c.ended
		return 1
	case w.cfg.Endless:
		for {
			if _, err := io.WriteString(c.Stdout, strings.Repeat("without end ", 1000)); err != nil {
				return 1
			}
		}
	}
	io.WriteString(c.Stdout, w.cfg.Noise)
	switch w.cfg.Shell {
	case PowerShell:
		return w.inPowerShell(c)
	case Bash:
		return w.inBash(c)
	}
	return w.inCmd(c)
}

// inCmd is cmd.exe /c "LINE". Of its language it knows words alone.
func (w *Windows) inCmd(c *winCommand) int {
	if len(`c:\windows\system32\cmd.exe /c ""`)+len(c.Line) > cmdLine {
		io.WriteString(c.Stderr, "The command line is too long.\r\n")
		return 1
	}
	if strings.ContainsAny(c.Line, `&|<>^%"()`) {
		first, _, _ := strings.Cut(c.Line, " ")
		fmt.Fprintf(c.Stderr, "'%s' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n", first)
		return 1
	}
	args := strings.Fields(c.Line)
	status, known := w.program(c, args)
	if !known {
		fmt.Fprintf(c.Stderr, "'%s' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n", args[0])
		return 1
	}
	return status
}

// inPowerShell is powershell.exe -c LINE. A program that fails makes it end
// with 1, whatever the program's own status.
func (w *Windows) inPowerShell(c *winCommand) int {
	if strings.ContainsAny(c.Line, "&|<>`$()'\";{}@#,") {
		io.WriteString(c.Stderr, "The string is missing the terminator.\r\n    + FullyQualifiedErrorId : TerminatorExpectedAtEndOfString\r\n")
		return 1
	}
	args := strings.Fields(c.Line)
	status, known := w.program(c, args)
	if !known {
		fmt.Fprintf(c.Stderr, "%s : The term '%s' is not recognized as the name of a cmdlet, function, script file, or \r\noperable program.\r\n", args[0], args[0])
		return 1
	}
	return min(status, 1)
}

// inBash is bash -c LINE, with a real parser.
func (w *Windows) inBash(c *winCommand) int {
	run := func(ctx context.Context, args []string) error {
		status, known := w.program(c, args)
		if !known {
			fmt.Fprintf(c.Stderr, "bash: line 1: %s: command not found\n", args[0])
			status = 127
		}
		if status == 0 {
			return nil
		}
		return interp.ExitStatus(status)
	}
	runner, err := interp.New(interp.StdIO(nil, c.Stdout, c.Stderr),
		interp.ExecHandlers(func(interp.ExecHandlerFunc) interp.ExecHandlerFunc { return run }))
	if err != nil {
		return 2
	}
	program, err := syntax.NewParser().Parse(strings.NewReader(c.Line), "bash")
	if err == nil {
		err = runner.Run(context.Background(), program)
	}
	var status interp.ExitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	return 2
}

// program runs the one program there is.
func (w *Windows) program(c *winCommand, args []string) (status int, known bool) {
	name := strings.TrimSuffix(strings.ToLower(args[0]), ".exe")
	if name != "powershell" || w.cfg.NoPowerShell {
		return 0, false
	}
	script := ""
	for i := 1; i < len(args); i++ {
		switch strings.ToLower(args[i]) {
		case "-noprofile", "-noninteractive":
		case "-encodedcommand":
			if i++; i < len(args) {
				script = decodeCommand(args[i])
			}
		default:
			script = ""
		}
	}
	if script == "" {
		io.WriteString(c.Stderr, "Cannot process the command because the value specified with -EncodedCommand is not properly encoded.\r\n")
		return 1, true
	}
	// It reads its input to the end before it ends.
	io.Copy(io.Discard, c.Stdin)
	return w.script(c, script), true
}

// decodeCommand decodes base64 of UTF-16LE; "" is what is none.
func decodeCommand(text string) string {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw)%2 != 0 {
		return ""
	}
	var units []uint16
	for i := 0; i < len(raw); i += 2 {
		units = append(units, uint16(raw[i])|uint16(raw[i+1])<<8)
	}
	return string(utf16.Decode(units))
}

// clixml is how PowerShell tells an error where standard error is no console.
const clixml = "#< CLIXML\r\n" + `<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">` +
	`<S S="Error">This script contains malicious content &amp; is blocked._x000D__x000A_</S><S S="Error">+ _x007E__x007E__x000D__x000A_</S></Objs>`

var assignment = regexp.MustCompile(`^\$([A-Z])='([A-Za-z0-9+/=]*)'$`)

// script answers as the windows.ps1 of package remote does. It knows it by the
// assignments it begins with, and by what it must name.
func (w *Windows) script(c *winCommand, text string) int {
	values := map[string]string{}
	for line := range strings.Lines(text) {
		m := assignment.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			break
		}
		values[m[1]] = m[2]
	}
	marker, file := values["M"], values["P"]
	if marker == "" || !strings.Contains(text, "'"+SIDAdministrators+"'") {
		io.WriteString(c.Stderr, clixml)
		return 1
	}
	if w.cfg.Broken {
		io.WriteString(c.Stderr, clixml)
		return 1
	}
	if w.cfg.Limited {
		fmt.Fprintf(c.Stdout, "\n%s limited\r\n", marker)
		return 0
	}
	var b strings.Builder
	say := func(word, value string) { b.WriteString(word + " " + value + "\n") }
	if file == "" {
		w.look(say)
	} else {
		path, err := base64.StdEncoding.DecodeString(file)
		if err != nil {
			say("fail", "Invalid length for a Base-64 char array or string.")
		} else {
			w.guard(string(path), values["K"], values["J"], say)
		}
	}
	w.print(c.Stdout, marker, b.String())
	return 0
}

// print prints the frame around an answer.
func (w *Windows) print(out io.Writer, marker, text string) {
	data := base64.StdEncoding.EncodeToString([]byte(text))
	lines := []string{"", marker + " begin"}
	for rest := range slices.Chunk([]byte(data), 48) {
		lines = append(lines, marker+" data "+string(rest))
	}
	lines = append(lines, fmt.Sprintf("%s end %d", marker, len(data)))
	io.WriteString(out, strings.Join(lines, "\r\n")+"\r\n")
}

// look is what the script tells of the account. A filtered token has the group
// too, for denying only, and that is what whoami.exe shows.
func (w *Windows) look(say func(word, value string)) {
	say("sid", SIDAccount)
	say("user", w.cfg.Account)
	say("profile", w.Profile())
	say("programdata", w.ProgramData())
	if w.admin() {
		say("admin", "True")
	} else {
		say("admin", "False")
	}
	if w.cfg.SSHDConfig != "-" {
		say("config", base64.StdEncoding.EncodeToString([]byte(w.cfg.SSHDConfig)))
	}
}

// guard is what the script does to an access list.
func (w *Windows) guard(path, kind, how string, say func(word, value string)) {
	if _, err := os.Stat(w.Local(path)); err != nil {
		say("fail", "Could not find file '"+path+"'.")
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.acl(path)
	after, trusted := before, []string{SIDAdministrators, SIDSystem}
	writes := func(e ACE) bool { return !e.Deny && e.Rights&writeMask != 0 && !slices.Contains(trusted, e.SID) }
	switch {
	case kind == "shared":
		after = ACL{Owner: SIDAdministrators, Protected: true,
			Entries: []ACE{{SID: SIDAdministrators, Rights: FullControl}, {SID: SIDSystem, Rights: FullControl}}}
	default:
		trusted = append(trusted, SIDAccount)
		if slices.ContainsFunc(before.Entries, writes) {
			after = ACL{Owner: before.Owner, Protected: true}
			for _, e := range before.Entries {
				if e.Inherited = false; writes(e) {
					e.Rights &^= writeMask
				}
				if e.Rights&0xfffff != 0 {
					after.Entries = append(after.Entries, e)
				}
			}
		}
	}
	denied := ""
	if how == "mend" && w.cfg.FixedACL {
		denied = "Attempted to perform an unauthorized operation."
	}
	if how != "mend" || denied != "" {
		after = before
	}
	w.acls[w.Local(path)] = after
	if before.String() != after.String() {
		say("was", before.String())
		say("now", after.String())
	}
	for _, e := range after.Entries {
		if writes(e) {
			say("writer", e.SID)
		}
	}
	if !slices.Contains(trusted, after.Owner) {
		say("owner", after.Owner)
	}
	if denied != "" {
		say("error", denied)
	}
}

// String is the list as SDDL spells it, with whole SIDs.
func (a ACL) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "O:%sD:", a.Owner)
	if a.Protected {
		b.WriteString("P")
	}
	for _, e := range a.Entries {
		kind, flags := "A", ""
		if e.Deny {
			kind = "D"
		}
		if e.Inherited {
			flags = "ID"
		}
		fmt.Fprintf(&b, "(%s;%s;%#x;;;%s)", kind, flags, e.Rights, e.SID)
	}
	return b.String()
}
