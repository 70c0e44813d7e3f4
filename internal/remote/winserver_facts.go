package remote

import (
	"context"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshdconfig"
)

// WindowsFacts is what a Windows server says of an account's keys, for a
// diagnosis. Paths are as Windows writes them.
type WindowsFacts struct {
	Account string // as sshd names it
	SID     string
	Profile string
	// Login is what the conditions of sshd_config are about, Config what it says,
	// and ConfigPath its name; "" where it could not be read, and Config holds
	// what sshd does then by all likelihood.
	Login      sshdconfig.Login
	Config     sshdconfig.Config
	ConfigPath string

	Path       string   // the target
	Reads      []string // the files that sshd reads
	ReadsPath  bool     // Path is one of them
	Exists     bool
	Coding     string // how the target is encoded where sshd cannot read that
	CodingFix  string // the command for PowerShell that makes it UTF-8; "" for none
	Access     *AccessList
	Other      string // the file that sshd reads for accounts of the other kind
	OtherHolds Holding
}

// Holding is what a file holds of some keys.
type Holding string

// What a file holds.
const (
	HoldsUnknown Holding = ""         // it could not be read
	HoldsKey     Holding = "key"      // one of the keys, and sshd does not read the file
	HoldsKeyRead Holding = "key read" // one of the keys, and sshd reads the file
	HoldsNoKey   Holding = "no key"
	HoldsNothing Holding = "missing" // there is no such file
)

// InspectWindows looks at what keeps sshd on a Windows server from reading the
// keys of an account: the access list and the encoding of the file, the other
// file that may be meant, and what sshd_config says. blobs are the keys in
// base64 that the other file is searched for. It changes nothing on the server.
func InspectWindows(ctx context.Context, client *ssh.Client, o Options, blobs []string) (*WindowsFacts, error) {
	w, err := openWindows(ctx, client, o)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	a := w.account
	read := a.keysFiles(w.config)
	facts := &WindowsFacts{
		Account: a.login, SID: a.sid, Profile: windowsPath(a.profile), Login: a.configLogin(), Config: *w.config,
		Path: windowsPath(w.o.Target), ReadsPath: holdsPath(read, w.o.Target), Other: windowsPath(w.other()),
	}
	if len(a.files) > 0 {
		facts.ConfigPath = windowsPath(a.data + "/ssh/sshd_config")
	}
	for _, file := range read {
		facts.Reads = append(facts.Reads, windowsPath(file))
	}
	if st, err := w.Read(ctx, nil); err == nil {
		facts.Exists = st.Exists
		if st.NotText {
			facts.Coding = w.coding(ctx)
		} else if st.Exists && w.hasBOM(ctx) {
			facts.Coding = "UTF-8 with a byte order mark"
		}
		facts.CodingFix = reencode(facts.Path, facts.Coding)
	} else if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if facts.Exists && w.noPowerShell == nil {
		// Without it the rest of the diagnosis still holds.
		facts.Access, _ = w.access(ctx, w.sftp.at.real, false)
	}
	facts.OtherHolds = w.lookElsewhere(ctx, blobs)
	if facts.OtherHolds == HoldsKey && holdsPath(read, "/"+strings.ReplaceAll(facts.Other, `\`, "/")) {
		facts.OtherHolds = HoldsKeyRead
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return facts, nil
}

// coding names the encoding of a file that holds NUL bytes.
func (w *windowsSession) coding(ctx context.Context) string {
	head, err := within(ctx, w.sftp, func() (string, error) { return w.sftp.tail(w.sftp.at.file, 0, 2) })
	switch {
	case err == nil && (head == "\xff\xfe" || len(head) == 2 && head[1] == 0):
		return utf16LE
	case err == nil && (head == "\xfe\xff" || len(head) == 2 && head[0] == 0):
		return utf16BE
	}
	return notText
}

// The encodings that are not UTF-8, by the names in a diagnosis.
const (
	utf16LE = "UTF-16"
	utf16BE = "UTF-16 (big endian)"
	notText = "binary"
)

// lookElsewhere returns what the other file holds of the keys.
func (w *windowsSession) lookElsewhere(ctx context.Context, blobs []string) Holding {
	opened, err := OpenSFTP(ctx, w.client, Options{Target: w.other()})
	if err != nil {
		return HoldsUnknown
	}
	defer opened.Close()
	st, err := opened.Read(ctx, blobs)
	switch {
	case err != nil:
		return HoldsUnknown
	case !st.Exists:
		return HoldsNothing
	case len(st.Candidates) > 0:
		return HoldsKey
	}
	return HoldsNoKey
}

// reencode is what turns a file into UTF-8, typed in PowerShell; "" where it is
// that, or no text. It is written in place, so that the access list stays.
func reencode(path, coding string) string {
	file := "'" + strings.ReplaceAll(path, "'", "''") + "'"
	from := ""
	switch coding {
	case utf16LE:
		from = ", [Text.Encoding]::Unicode"
	case utf16BE:
		from = ", [Text.Encoding]::BigEndianUnicode"
	case notText, "":
		return ""
	}
	return "[IO.File]::WriteAllText(" + file + ", [IO.File]::ReadAllText(" + file + from + "))"
}
