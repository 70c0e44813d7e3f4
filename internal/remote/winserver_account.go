package remote

import (
	"encoding/base64"
	"slices"
	"strings"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/serverid"
	"ssh-copy-id/internal/sshdconfig"
)

// administratorsSID is the SID of that group, whatever Windows calls it.
const administratorsSID = "S-1-5-32-544"

// windowsAccount is what a Windows server says of an account and of what its
// sshd goes by.
type windowsAccount struct {
	user string // without a domain
	// login is the account as sshd names it (get_passwd in pwd.c): lower case,
	// with the domain where it is not the computer's own.
	login string
	sid   string
	// profile and data are that directory and ProgramData, as SFTP names them.
	profile, data string
	admin         bool
	groups        []windowsGroup
	// named holds the SIDs of the groups that sshd_config names, by name in
	// lower case; "" for one that Windows does not know.
	named map[string]string
	// resolves: sshd knows "administrators" in every language.
	resolves bool
	// files are sshd_config, then what it includes; none if it is unreadable.
	files []sshdconfig.File
	// connection is SSH_CONNECTION.
	connection []string
}

// windowsGroup is a group that the account is a member of; the name may be
// unknown.
type windowsGroup struct{ sid, name string }

// newWindowsAccount takes the answer of windows.ps1.
func newWindowsAccount(answer *windowsAnswer, serverVersion string) (*windowsAccount, error) {
	a := &windowsAccount{
		user: answer.one["name"][strings.LastIndexByte(answer.one["name"], '\\')+1:], sid: answer.one["sid"], admin: answer.one["admin"] == "True",
		named: map[string]string{}, resolves: serverid.Parse(serverVersion).ResolvesAdministrators(),
		connection: strings.Fields(answer.one["connection"]),
	}
	var ok, alsoOK bool
	a.profile, ok = sftpPath(answer.one["profile"])
	a.data, alsoOK = sftpPath(answer.one["programdata"])
	a.profile, a.data = strings.TrimSuffix(a.profile, "/"), strings.TrimSuffix(a.data, "/")
	if !ok || !alsoOK {
		return nil, &RemoteError{Stage: StageTarget, Reason: Garbled, Status: -1,
			Detail: "the server names no profile directory: " + answer.one["profile"]}
	}
	computer := answer.one["computer"]
	a.login = strings.ToLower(a.user)
	if domain, _, ok := strings.Cut(answer.one["name"], `\`); ok && computer != "" && !strings.EqualFold(domain, computer) {
		a.login = strings.ToLower(answer.one["name"])
	}
	for _, line := range answer.many["group"] {
		sid, name, _ := strings.Cut(line, " ")
		a.addGroup(sid, name, computer)
	}
	for _, line := range answer.many["named"] {
		sid, name, _ := strings.Cut(line, " ")
		a.named[strings.ToLower(name)] = strings.TrimPrefix(sid, "-")
	}
	files := answer.many["file"]
	for i, text := range answer.many["config"] {
		content, err := base64.StdEncoding.DecodeString(text)
		if err != nil || i >= len(files) {
			return nil, &RemoteError{Stage: StageAnswer, Reason: Garbled, Detail: scriptrun.ErrGarbled.Error(), Status: -1}
		}
		a.addConfig(files[i], string(content))
	}
	return a, nil
}

// addGroup takes a group as sshd names it: one of the computer without the
// computer's name (get_user_groups in win32_groupaccess.c).
func (a *windowsAccount) addGroup(sid, name, computer string) {
	domain, rest, ok := strings.Cut(name, `\`)
	if ok && (strings.HasPrefix(sid, "S-1-5-32-") || strings.EqualFold(domain, computer)) {
		name = rest
	}
	a.groups = append(a.groups, windowsGroup{sid, strings.ToLower(name)})
}

// addConfig takes a file of sshd's configuration, with its paths in lower case
// as SFTP names them and the names of accounts and groups in lower case.
func (a *windowsAccount) addConfig(path, text string) {
	f := sshdconfig.File{Path: a.configPath(path)}
	for line := range strings.Lines(strings.TrimPrefix(text, "\xef\xbb\xbf")) {
		line = strings.TrimRight(line, "\r\n")
		words := sshdconfig.Words(line)
		if len(words) == 0 {
			continue
		}
		switch strings.ToLower(words[0]) {
		case "match", "allowusers", "denyusers", "allowgroups", "denygroups":
			line = strings.ToLower(line)
		case "include":
			line = words[0]
			for _, word := range words[1:] {
				line += ` "` + a.configPath(word) + `"`
			}
		}
		f.Lines = append(f.Lines, line)
	}
	a.files = append(a.files, f)
}

// configPath is a path of sshd_config as SFTP names it, in lower case; a
// relative one stays relative.
func (a *windowsAccount) configPath(p string) string {
	p = strings.ReplaceAll(p, `\`, "/")
	if rest, ok := strings.CutPrefix(p, programData); ok {
		p = a.data + rest
	} else if drive, ok := sftpPath(p); ok {
		p = drive
	}
	return strings.ToLower(p)
}

// configLogin is what the conditions of sshd_config are about.
func (a *windowsAccount) configLogin() sshdconfig.Login {
	l := sshdconfig.Login{Account: a.login, MemberOf: a.member}
	if len(a.connection) == 4 {
		l.Client, l.Address, l.Port = a.connection[0], a.connection[2], a.connection[3]
	}
	return l
}

// config is what sshd's configuration says for the account.
func (a *windowsAccount) config() *sshdconfig.Config {
	if len(a.files) > 0 {
		c := sshdconfig.Evaluate(a.files, a.configLogin())
		return &c
	}
	c := &sshdconfig.Config{Options: map[string][]string{}, Unsure: true}
	if met, _ := a.member("administrators"); met {
		c.Options["authorizedkeysfile"] = []string{programData + "/ssh/" + administratorsFile}
	}
	return c
}

// member reports whether sshd would take the account for a member of the groups
// that a Match Group line names (ga_match_pattern_list in win32_groupaccess.c):
// one plain name is resolved to a SID, a list and patterns are compared with the
// names of the account's groups.
func (a *windowsAccount) member(value string) (met, known bool) {
	value = strings.ToLower(value)
	if !strings.ContainsAny(value, ",?*!") {
		sid, asked := a.named[value]
		if strings.HasPrefix(value, "s-1-") {
			sid, asked = strings.ToUpper(value), true
		}
		if sid == "" && value == "administrators" && a.resolves {
			sid, asked = administratorsSID, true
		}
		return sid != "" && a.holds(sid), asked
	}
	named := false
	value = strings.ReplaceAll(value, "/", `\`)
	for _, g := range a.groups {
		if g.name == "" || !strings.HasPrefix(g.sid, "S-1-5-21-") && !strings.HasPrefix(g.sid, "S-1-5-32-") {
			continue
		}
		named = true
		for pattern := range strings.SplitSeq(value, ",") {
			if not, excluded := strings.CutPrefix(pattern, "!"); excluded && sshdconfig.NewMatcher().Pattern(g.name, not) {
				return false, true
			}
		}
		met = met || sshdconfig.NewMatcher().List(g.name, value)
	}
	return met, named
}

func (a *windowsAccount) holds(sid string) bool {
	return sid == administratorsSID && a.admin || slices.ContainsFunc(a.groups, func(g windowsGroup) bool { return g.sid == sid })
}

func (a *windowsAccount) ownFile() string    { return a.profile + "/.ssh/authorized_keys" }
func (a *windowsAccount) sharedFile() string { return a.data + "/ssh/" + administratorsFile }

// keysFiles are the files that sshd reads for the account, as SFTP names them
// (expand_authorized_keys in auth.c).
func (a *windowsAccount) keysFiles(config *sshdconfig.Config) []string {
	value := ".ssh/authorized_keys .ssh/authorized_keys2" // servconf.c
	if values := config.Options["authorizedkeysfile"]; len(values) > 0 {
		value = values[0]
	}
	var files []string
	for _, name := range strings.Fields(value) {
		if strings.EqualFold(name, "none") {
			continue
		}
		name = strings.NewReplacer("%%", "%", "%h", a.profile, "%u", a.login, "%U", a.sid).Replace(name)
		name = strings.ReplaceAll(name, `\`, "/")
		if rest, ok := strings.CutPrefix(name, programData); ok {
			name = a.data + rest
		} else if drive, ok := sftpPath(name); ok {
			name = drive
		} else if !strings.HasPrefix(name, "/") {
			name = a.profile + "/" + name
		}
		files = append(files, name)
	}
	return files
}

// holdsPath reports whether path is one of files, in whatever case.
func holdsPath(files []string, path string) bool {
	return slices.ContainsFunc(files, func(file string) bool { return strings.EqualFold(file, path) })
}
