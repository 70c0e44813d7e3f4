package diagnose

import (
	"context"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/serverid"
)

// The SIDs of groups, whatever Windows calls them.
const (
	administratorsSID = "S-1-5-32-544"
	systemSID         = "S-1-5-18"
)

// diagnoseWindows is Diagnose for a Windows server. blobs are the keys in base64
// that the other file is searched for.
func diagnoseWindows(ctx context.Context, client *ssh.Client, o remote.Options, blobs []string) (*Diagnosis, error) {
	w, err := remote.InspectWindows(ctx, client, o, blobs)
	if err != nil {
		return nil, err
	}
	d := &Diagnosis{
		Account: w.Account, UID: w.SID, OS: "Windows", Path: w.Path, Home: w.Profile,
		Server:  Server{Config: w.Config, Path: w.ConfigPath, Client: w.Login.Client, Address: w.Login.Address, Port: w.Login.Port},
		Program: serverid.Parse(string(client.ServerVersion())), windows: w,
	}
	if w.ConfigPath != "" {
		d.Server.Source = FromFiles
	}
	return d, nil
}

// windows looks at what sshd on Windows minds.
func (f *finder) windows() {
	w := f.d.windows
	path := f.d.Path
	if !w.ReadsPath {
		value := ".ssh/authorized_keys"
		if values := f.d.Server.Options["authorizedkeysfile"]; len(values) > 0 {
			value = values[0]
		}
		f.add(Cause{Kind: CauseOtherFile, Path: path, Option: "authorizedkeysfile", Value: value, Files: w.Reads, Unsure: f.d.Server.Unsure})
	}
	if !w.Exists {
		f.add(Cause{Kind: CauseMissing, Path: path})
	}
	if w.Coding != "" {
		f.add(Cause{Kind: CauseEncoding, Path: path, Value: w.Coding, Fix: w.CodingFix,
			Unsure: strings.HasPrefix(w.Coding, "UTF-8")}) // of which the first line alone is lost
	}
	if w.Access != nil && f.option("strictmodes") != "no" {
		if len(w.Access.Writers) > 0 {
			f.add(Cause{Kind: CauseWriter, Path: w.Access.Path, Value: strings.Join(w.Access.Names(), ", "), Fix: icacls(w)})
		}
		if w.Access.Owner != nil {
			f.add(Cause{Kind: CauseOwner, Path: w.Access.Path, Owner: w.Access.Owner.Name, Value: "Windows", Fix: setOwner(w)})
		}
	}
	if w.OtherHolds != remote.HoldsUnknown {
		f.add(Cause{Kind: CauseElsewhere, Path: path, Files: []string{w.Other}, Value: string(w.OtherHolds), Informational: true})
	}
}

// icacls is the command that takes the file from everybody whom sshd does not
// want to be able to write to it. It works in cmd.exe and PowerShell, and in
// every language, because SIDs mean the groups that it grants.
func icacls(w *remote.WindowsFacts) string {
	command := `icacls "` + w.Access.Path + `" /inheritance:r`
	grants := []string{administratorsSID, systemSID}
	if !w.Access.Shared {
		grants = append(grants, w.SID)
	}
	for _, writer := range w.Access.Writers {
		command += ` /remove:g "*` + writer.SID + `"`
	}
	for _, sid := range grants {
		command += ` /grant "*` + sid + `:F"`
	}
	return command
}

// setOwner is the command that gives the file the owner that sshd wants.
func setOwner(w *remote.WindowsFacts) string {
	sid := w.SID
	if w.Access.Shared {
		sid = administratorsSID
	}
	return `icacls "` + w.Access.Path + `" /setowner "*` + sid + `"`
}
