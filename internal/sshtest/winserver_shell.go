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

// program runs one of the two programs there are.
func (w *Windows) program(c *winCommand, args []string) (status int, known bool) {
	name := strings.TrimSuffix(strings.ToLower(args[0]), ".exe")
	if name == "whoami" && strings.Join(args[1:], " ") == "/groups /fo csv /nh" {
		for sid, group := range w.groups() {
			fmt.Fprintf(c.Stdout, "\"%s\",\"Alias\",\"%s\",\"Mandatory group\"\r\n", group, sid)
		}
		return 0, true
	}
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
	if values["K"] == "" {
		w.look(file, say)
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

// groups are the account's, by SID.
func (w *Windows) groups() map[string]string {
	groups := map[string]string{SIDUsers: `BUILTIN\Users`}
	if w.admin() {
		groups[SIDAdministrators] = `BUILTIN\` + w.cfg.Administrators
	}
	for name, sid := range w.cfg.Groups {
		groups[sid] = name
	}
	return groups
}

// sidOf resolves a name as LookupAccountName does; "-" for one that is unknown.
func (w *Windows) sidOf(name string) string {
	plain := func(name string) string { return strings.ToLower(name[strings.LastIndexAny(name, `\/`)+1:]) }
	known := map[string]string{plain(w.cfg.Administrators): SIDAdministrators, "users": SIDUsers}
	for _, groups := range []map[string]string{w.cfg.Groups, w.cfg.NotMember} {
		for group, sid := range groups {
			known[plain(group)] = sid
		}
	}
	if sid := known[plain(name)]; sid != "" {
		return sid
	}
	return "-"
}

var groupName = regexp.MustCompile(`(?i)groups?[\s=]+(?:"([^"]*)"|(\S+))`)

// look is what the script says of the account. A filtered token has the group
// too, for denying only, and that is what whoami.exe shows.
func (w *Windows) look(target string, say func(word, value string)) {
	say("sid", SIDAccount)
	say("name", `PC\`+w.cfg.Account)
	say("computer", "PC")
	say("connection", "127.0.0.1 50000 127.0.0.1 22")
	say("profile", w.Profile())
	say("programdata", w.ProgramData())
	if text, err := base64.StdEncoding.DecodeString(target); err == nil && target != "" {
		known := map[string]string{"USERPROFILE": w.Profile(), "PROGRAMDATA": w.ProgramData(), "HOMEDRIVE": "C:", "HOMEPATH": w.Profile()[2:]}
		say("target", regexp.MustCompile(`%(\w+)%`).ReplaceAllStringFunc(string(text), func(name string) string {
			if value, ok := known[strings.ToUpper(strings.Trim(name, "%"))]; ok {
				return value
			}
			return name
		}))
	}
	if w.admin() {
		say("admin", "True")
	} else {
		say("admin", "False")
	}
	if w.cfg.SSHDConfig == "-" {
		return
	}
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	all := w.cfg.SSHDConfig
	say("file", w.ProgramData()+`\ssh\sshd_config`)
	say("config", encode(w.cfg.SSHDConfig))
	for name, text := range w.cfg.Included {
		say("file", w.ProgramData()+`\ssh\`+name)
		say("config", encode(text))
		all += "\n" + text
	}
	for _, m := range groupName.FindAllStringSubmatch(all, -1) {
		say("named", w.sidOf(m[1]+m[2])+" "+m[1]+m[2])
	}
	for sid, name := range w.groups() {
		say("group", sid+" "+name)
	}
}

// name is what an access list calls a SID.
func (w *Windows) name(sid string) string {
	known := map[string]string{SIDAccount: `PC\` + w.cfg.Account, SIDAdministrators: `BUILTIN\` + w.cfg.Administrators,
		SIDSystem: `NT AUTHORITY\SYSTEM`, SIDEveryone: "Everyone", SIDUsers: `BUILTIN\Users`, "S-1-5-11": `NT AUTHORITY\Authenticated Users`}
	if name := known[sid]; name != "" {
		return name
	}
	return sid
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
		say("changed", "")
		for _, e := range before.Entries {
			if kind == "shared" && (e.Deny || e.Rights != FullControl || !slices.Contains(trusted, e.SID)) || kind != "shared" && writes(e) {
				say("had", w.name(e.SID))
			}
		}
		if before.Owner != after.Owner {
			say("from", w.name(before.Owner))
		}
	}
	for _, e := range after.Entries {
		if writes(e) {
			say("writer", e.SID+" "+w.name(e.SID))
		}
	}
	if !slices.Contains(trusted, after.Owner) {
		say("owner", after.Owner+" "+w.name(after.Owner))
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
