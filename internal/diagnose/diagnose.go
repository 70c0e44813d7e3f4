// Package diagnose finds out why a server refuses a key that the account's
// authorized_keys file holds. It changes nothing on the server.
//
// [Diagnose] runs diagnose.sh, which asks the server about the account, the way
// to the file and sshd's configuration, and [Diagnosis.Causes] judges what it
// says, as sshd would. A Windows server is asked by package remote, and judged
// here. Where nothing can be asked, as with SFTP alone, what is known of the file
// is judged by the same rules. [Causes] chooses among the three.
package diagnose

import (
	"context"
	_ "embed"
	"strings"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/serverid"
)

//go:embed diagnose.sh
var diagnoseScript string

// program is the script, stripped.
var program = remote.SurveyProgram + scriptrun.Strip(diagnoseScript)

// Diagnose looks for whatever may make the server's sshd refuse a key that is in
// the file of o. It changes nothing there. One command is run, which takes four
// round trips. What a bad server sends is bounded, and so is the time it may
// take. Errors are *[scriptrun.Error], or the context's.
//
// With o.Account the diagnosis is about that account; what root alone may read
// is then known only where the login is root's.
func Diagnose(ctx context.Context, client *ssh.Client, o remote.Options) (*Diagnosis, error) {
	if err := check(o); err != nil {
		return nil, err
	}
	run := o.Run()
	run.Account = "" // diagnose.sh looks at it as the login
	script, err := scriptrun.Open(ctx, client, program, run)
	if err != nil {
		return nil, err
	}
	d, err := ask(ctx, script, o)
	if err == nil {
		d.Program = serverid.Parse(string(client.ServerVersion()))
		d.Server.servedBy(d.Program.Software)
	}
	return d, err
}

// ask makes the one request, and closes the script.
func ask(ctx context.Context, script *scriptrun.Script, o remote.Options) (*Diagnosis, error) {
	defer script.Close()
	a := &answer{}
	err := script.Ask(ctx, scriptrun.Request{
		Text: func(marker string) string {
			return "\n" + marker + " diagnose\n" + o.Account + "\n" + o.Target + "\n" + marker + " end\n"
		},
		Line: a.line, Limit: maxDiagnosis, Longest: maxDiagnosisLine,
	})
	if err != nil {
		return nil, err
	}
	return a.finish()
}

// check refuses what the request cannot carry.
func check(o remote.Options) error {
	if strings.ContainsAny(o.Account, "\n\x00:/") || strings.HasPrefix(o.Account, "-") {
		return &scriptrun.Error{Stage: scriptrun.StageRequest, Reason: scriptrun.Invalid, Detail: "not an account name", Status: -1}
	}
	if strings.ContainsAny(o.Target, "\n\x00") {
		return &scriptrun.Error{Stage: scriptrun.StageRequest, Reason: scriptrun.Invalid, Detail: "newline or NUL in the path", Status: -1}
	}
	return nil
}
