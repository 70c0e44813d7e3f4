package remote

import (
	"context"
	"strings"

	"golang.org/x/crypto/ssh"
)

// windowsFacts is what DiagnoseWindows finds out.
type windowsFacts struct {
	account *windowsAccount
	file    string   // the target, as SFTP names it
	read    []string // what sshd reads, as SFTP names it
	exists  bool
	// coding is how the target is encoded where sshd cannot read that.
	coding string
	access *accessList // nil where it is not known
	// other is the file beside the target, as Windows writes it; otherHas is
	// one of the values of FindElsewhere, "" where it could not be read.
	other, otherHas string
}

// DiagnoseWindows is [Diagnose] for a Windows server: it looks at the access
// list and the encoding of the file, at the other file that may be meant, and at
// what sshd_config says for the account. blobs are the keys in base64 that the
// other file is searched for. It changes nothing on the server.
func DiagnoseWindows(ctx context.Context, client *ssh.Client, o Options, blobs []string) (*Diagnosis, error) {
	w, err := openWindows(ctx, client, o)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	a := w.account
	facts := &windowsFacts{account: a, file: w.o.Target, read: a.keysFiles(w.config), other: windowsPath(w.other())}
	d := &Diagnosis{
		Account: a.login, UID: a.sid, OS: "Windows", Path: windowsPath(w.o.Target), Home: windowsPath(a.profile),
		Server: *w.config, Version: string(client.ServerVersion()), windows: facts,
	}
	if st, err := w.Read(ctx, nil); err == nil {
		facts.exists = st.Exists
		if st.NotText {
			facts.coding = w.coding(ctx)
		} else if st.Exists && w.hasBOM(ctx) {
			facts.coding = "UTF-8 with a byte order mark"
		}
	} else if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if facts.exists && w.noPowerShell == nil {
		// Without it the rest of the diagnosis still holds.
		facts.access, _ = w.access(ctx, w.sftp.at.real, false)
	}
	facts.otherHas = w.lookElsewhere(ctx, blobs)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return d, nil
}

// coding names the encoding of a file that holds NUL bytes.
func (w *windowsSession) coding(ctx context.Context) string {
	head, err := within(ctx, w.sftp, func() (string, error) { return w.sftp.tail(w.sftp.at.file, 0, 2) })
	switch {
	case err == nil && (head == "\xff\xfe" || len(head) == 2 && head[1] == 0):
		return "UTF-16"
	case err == nil && (head == "\xfe\xff" || len(head) == 2 && head[0] == 0):
		return "UTF-16 (big endian)"
	}
	return "binary"
}

// lookElsewhere says whether the other file holds one of the keys.
func (w *windowsSession) lookElsewhere(ctx context.Context, blobs []string) string {
	opened, err := OpenSFTP(ctx, w.client, Options{Target: w.other()})
	if err != nil {
		return ""
	}
	defer opened.Close()
	st, err := opened.Read(ctx, blobs)
	switch {
	case err != nil:
		return ""
	case !st.Exists:
		return "missing"
	case len(st.Candidates) > 0:
		return "key"
	}
	return "no key"
}

// windows looks at what sshd on Windows minds.
func (f *finder) windows() {
	w := f.d.windows
	path := f.d.Path
	if !holdsPath(w.read, w.file) {
		var files []string
		for _, file := range w.read {
			files = append(files, windowsPath(file))
		}
		value := ".ssh/authorized_keys"
		if values := f.d.Server.Options["authorizedkeysfile"]; len(values) > 0 {
			value = values[0]
		}
		f.add(Finding{Kind: FindOtherFile, Path: path, Option: "authorizedkeysfile", Value: value, Files: files, Unsure: f.d.Server.Unsure})
	}
	if !w.exists {
		f.add(Finding{Kind: FindMissing, Path: path})
	}
	if w.coding != "" {
		f.add(Finding{Kind: FindEncoding, Path: path, Value: w.coding, Mend: reencode(path, w.coding),
			Unsure: strings.HasPrefix(w.coding, "UTF-8")}) // of which the first line alone is lost
	}
	if w.access != nil && f.option("strictmodes") != "no" {
		if len(w.access.writers) > 0 {
			f.add(Finding{Kind: FindWriter, Path: w.access.path, Value: w.access.names(), Mend: w.icacls()})
		}
		if w.access.owner != nil {
			f.add(Finding{Kind: FindOwner, Path: w.access.path, Owner: w.access.owner.name, Value: "Windows", Mend: w.setOwner()})
		}
	}
	if w.otherHas == "key" && holdsPath(w.read, "/"+strings.ReplaceAll(w.other, `\`, "/")) {
		w.otherHas = "key read"
	}
	if w.otherHas != "" {
		f.add(Finding{Kind: FindElsewhere, Path: path, Files: []string{w.other}, Value: w.otherHas, Note: true})
	}
}

// reencode is what turns a file into UTF-8, typed in PowerShell. It is written
// in place, so that the access list stays.
func reencode(path, coding string) string {
	file := "'" + strings.ReplaceAll(path, "'", "''") + "'"
	from := ""
	switch coding {
	case "UTF-16":
		from = ", [Text.Encoding]::Unicode"
	case "UTF-16 (big endian)":
		from = ", [Text.Encoding]::BigEndianUnicode"
	case "binary":
		return ""
	}
	return "[IO.File]::WriteAllText(" + file + ", [IO.File]::ReadAllText(" + file + from + "))"
}

// icacls is the command that takes the file from everybody whom sshd does not
// want to be able to write to it. It works in cmd.exe and PowerShell, and in
// every language, because SIDs mean the groups that it grants.
func (w *windowsFacts) icacls() string {
	command := `icacls "` + w.access.path + `" /inheritance:r`
	grants := []string{administratorsSID, "S-1-5-18"}
	if !w.access.shared {
		grants = append(grants, w.account.sid)
	}
	for _, writer := range w.access.writers {
		command += ` /remove:g "*` + writer.sid + `"`
	}
	for _, sid := range grants {
		command += ` /grant "*` + sid + `:F"`
	}
	return command
}

// setOwner is the command that gives the file the owner that sshd wants.
func (w *windowsFacts) setOwner() string {
	sid := w.account.sid
	if w.access.shared {
		sid = administratorsSID
	}
	return `icacls "` + w.access.path + `" /setowner "*` + sid + `"`
}
