package remote

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"ssh-copy-id/internal/serverid"
)

// withoutPowerShell reports whether windows.ps1 was never run, because there is
// no powershell.exe or no command may be run at all.
func withoutPowerShell(err error) bool {
	var e *RemoteError
	return errors.As(err, &e) && (e.Reason == NoPowerShell || e.Stage == StageOpen && e.Reason == Refused ||
		e.Reason == NoAnswer && servesSFTPOnly(e.Detail))
}

// whoamiPatience is how long whoami.exe may take.
var whoamiPatience = 20 * time.Second

// groupLine is a line of "whoami /groups /fo csv /nh": name, kind, SID.
var groupLine = regexp.MustCompile(`^"([^"]*)","[^"]*","(S-1-[0-9-]+)"`)

// withoutPowerShell opens a session where only SFTP works. Nobody can look at
// access lists then, so that the administrators' file is out of reach: what is
// wrong with its access list locks all of them out.
func (w *windowsSession) withoutPowerShell(ctx context.Context, cause error) (*windowsSession, error) {
	w.noPowerShell = cause
	a := &windowsAccount{
		user: w.client.User(), named: map[string]string{}, resolves: serverid.Parse(string(w.client.ServerVersion())).ResolvesAdministrators(),
	}
	a.user = a.user[strings.LastIndexByte(a.user, '\\')+1:]
	a.login = strings.ToLower(w.client.User())
	w.account = a
	known := w.whoami(ctx)
	opened, err := OpenSFTP(ctx, w.client, Options{})
	if err != nil {
		return nil, cause
	}
	session := opened.(*sftpSession)
	_, err = within(ctx, session, func() (struct{}, error) {
		a.profile = strings.TrimSuffix(session.home, "/")
		if len(a.profile) < 4 || a.profile[2] != ':' {
			return struct{}{}, &RemoteError{Stage: StageTarget, Reason: Failed, Status: -1,
				Detail: "SFTP does not show the profile directory (ChrootDirectory?)"}
		}
		a.data = a.profile[:3] + "/ProgramData"
		if !known {
			// Administrators alone may look into it (wmain_sshd.c).
			_, err := session.client.ReadDir(a.data + "/ssh/logs")
			a.admin = !errors.Is(err, fs.ErrPermission)
		}
		if f, err := session.client.Open(a.data + "/ssh/sshd_config"); err == nil {
			text, _ := io.ReadAll(io.LimitReader(f, 1<<16))
			f.Close()
			a.addConfig(windowsPath(a.data+"/ssh/sshd_config"), string(text))
		}
		return struct{}{}, nil
	})
	session.Close()
	if err != nil {
		return nil, err
	}
	w.o.Target = strings.NewReplacer("%USERPROFILE%", windowsPath(a.profile), "%userprofile%", windowsPath(a.profile)).Replace(w.o.Target)
	config := a.config()
	if w.o.Target == "" && a.admin && !holdsPath(a.keysFiles(config), a.ownFile()) || strings.EqualFold(w.o.Target, windowsPath(a.sharedFile())) {
		return nil, &RemoteError{Stage: StageStart, Path: windowsPath(a.sharedFile()), Reason: NoPowerShell, Status: -1, Detail: detailOf(cause)}
	}
	return w, w.open(ctx)
}

func detailOf(err error) string {
	var e *RemoteError
	if errors.As(err, &e) {
		return e.Detail
	}
	return ""
}

// whoami asks for the groups of the account, in words that every shell takes,
// and reports whether there was an answer.
func (w *windowsSession) whoami(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, whoamiPatience)
	defer cancel()
	ch, err := openChannel(ctx, w.client, w.o)
	if err != nil {
		return false
	}
	type group struct{ name, sid string }
	answer := make(chan []group, 1)
	go func() {
		defer ch.Close()
		p := ch.Start(w.o.Run(), "whoami.exe /groups /fo csv /nh", "", nil)
		p.CloseIn()
		var groups []group
		lines := bufio.NewScanner(io.LimitReader(p.Out, maxFrame))
		for lines.Scan() {
			if m := groupLine.FindStringSubmatch(strings.TrimSpace(lines.Text())); m != nil {
				groups = append(groups, group{m[1], m[2]})
			}
		}
		p.Kill()
		answer <- groups
	}()
	select {
	case <-ctx.Done():
		go ch.Close()
		return false
	case groups := <-answer:
		for _, g := range groups {
			w.account.admin = w.account.admin || g.sid == administratorsSID
			w.account.addGroup(g.sid, g.name, "")
			_, plain, _ := strings.Cut(strings.ToLower(g.name), `\`)
			w.account.named[strings.ToLower(g.name)], w.account.named[plain] = g.sid, g.sid
		}
		return len(groups) > 0
	}
}
