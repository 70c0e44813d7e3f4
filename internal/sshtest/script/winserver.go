package script

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"ssh-copy-id/internal/sshtest"
)

// cmdWindows starts a made-up Windows server: winserver NAME [key=value...].
// Its drive C: is the directory c; the account is al with the password secret.
func cmdWindows(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "winserver")
	if len(args) == 0 {
		ts.Fatalf("usage: winserver NAME [key=value...]")
	}
	w, name := worldOf(ts), args[0]
	if w.hosts[name] != nil {
		ts.Fatalf("there is a server %q", name)
	}
	cfg := sshtest.WindowsConfig{Account: "al", Password: "secret", Dir: filepath.Join(w.dir, "c")}
	for _, word := range args[1:] {
		key, value, _ := strings.Cut(word, "=")
		if err := setWindows(ts, &cfg, key, value); err != nil {
			ts.Fatalf("%s: %v", word, err)
		}
	}
	ts.Check(os.MkdirAll(cfg.Dir, 0o755))
	s, err := sshtest.StartWindows(cfg)
	ts.Check(err)
	w.hosts[name] = &host{windows: s, user: "al"}
	ts.Check(w.writeConfig(name, "al", s.Port(), nil))
	ts.Check(w.writeKnown(s.KnownHosts()))
}

func setWindows(ts *testscript.TestScript, c *sshtest.WindowsConfig, key, value string) (err error) {
	switch key {
	case "admin":
		c.Admin, err = yes(value)
	case "version":
		c.Version = value
	case "administrators":
		c.Administrators = value
	case "config":
		c.SSHDConfig = ts.ReadFile(value)
	case "powershell":
		var there bool
		there, err = yes(value)
		c.NoPowerShell = !there
	case "fixed-acl":
		c.FixedACL, err = yes(value)
	case "shell":
		c.Shell = value
	default:
		return fmt.Errorf("unknown key")
	}
	return err
}

// cmdACL makes a file on the made-up Windows server one that Everyone may
// change: winacl NAME open PATH, or one that belongs to a stranger: winacl NAME
// strange PATH.
func cmdACL(ts *testscript.TestScript, neg bool, args []string) {
	noNegation(ts, neg, "winacl")
	if len(args) != 3 || worldOf(ts).hosts[args[0]] == nil {
		ts.Fatalf("usage: winacl NAME open|strange PATH")
	}
	acl := sshtest.ACL{Owner: sshtest.SIDAccount, Entries: []sshtest.ACE{{SID: sshtest.SIDSystem, Rights: sshtest.FullControl}}}
	switch args[1] {
	case "open":
		acl.Entries = append(acl.Entries, sshtest.ACE{SID: sshtest.SIDEveryone, Rights: sshtest.Modify, Inherited: true})
	case "strange":
		acl.Owner = "S-1-5-21-1-2-3-1999"
	}
	worldOf(ts).hosts[args[0]].windows.SetACL(args[2], acl)
}
