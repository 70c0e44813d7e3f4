package diagnose

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshdconfig"
)

// Bounds of an answer of diagnose.sh: more than the script's own let through,
// and little enough that no answer takes long to think about.
const (
	maxDiagnosis     = 1 << 20 // bytes
	maxDiagnosisLine = 64 << 10
	maxDiagnosisText = 8 << 10 // of a path; PATH_MAX is 4096 on most systems
	maxPathNotes     = 5000    // of each kind
	maxConfFiles     = 64
)

// answer is what diagnose.sh has said so far.
type answer struct {
	d    Diagnosis
	rows []string // of ls
	chage,
	shadow []string
	password string // a line of passwd -S
	conf     []sshdconfig.File
	fail     *scriptrun.Error
	end      string
}

// line takes in one line of the answer, without the marker. It reports whether
// it was the last.
func (a *answer) line(text string) (last bool, err error) {
	d := &a.d
	word, value, _ := strings.Cut(text, " ")
	if field := a.text(word); field != nil {
		if len(value) > maxDiagnosisText {
			return false, scriptrun.ErrTooMuch
		}
		*field = value
		return false, nil
	}
	if max(len(a.rows), len(d.Labels), len(d.Attributes), len(d.ACLs)) > maxPathNotes || len(a.conf) > maxConfFiles {
		return false, scriptrun.ErrTooMuch
	}
	switch word {
	case "groups":
		d.Groups = strings.Fields(value)
	case "fact":
		a.rows = append(a.rows, value)
	case "note":
		d.Notes = append(d.Notes, value)
	case "label", "attr":
		return false, a.pathNote(word, value)
	case "aclof", "acl":
		return false, a.acl(word, value)
	case "readable":
		d.Readable, err = parseTri(value)
	case "shellruns":
		d.ShellRuns, err = parseTri(value)
	case "shelllisted":
		d.ShellListed, err = parseTri(value)
	case "crypt":
		kind, state, ok := strings.Cut(value, " ")
		if !ok || state != "open" && state != "closed" {
			return false, scriptrun.ErrGarbled
		}
		d.Encrypted = append(d.Encrypted, Encryption{kind, state == "open"})
	case "date":
		d.Today, err = time.Parse(time.DateOnly, value)
		if value == "" {
			err = nil // no date(1)
		}
	case "shadow":
		return false, a.setShadow(value)
	case "chage":
		a.chage = append(a.chage, value)
	case "fail", "detail":
		return false, a.failure(word, value)
	case "end":
		a.end = value
		return true, nil
	default:
		return false, a.server(word, value)
	}
	return false, err
}

// text is where the value of a word goes as it is; nil for other words.
func (a *answer) text(word string) *string {
	switch word {
	case "account":
		return &a.d.Account
	case "uid":
		return &a.d.UID
	case "home":
		return &a.d.Home
	case "pwhome":
		return &a.d.AccountHome
	case "realhome":
		return &a.d.RealHome
	case "os":
		return &a.d.OS
	case "path":
		return &a.d.Path
	case "real":
		return &a.d.Real
	case "selinux":
		return &a.d.SELinux
	case "shell":
		return &a.d.Shell
	case "passwd":
		return &a.password
	case "listener":
		return &a.d.Server.Listener
	case "user": // the same as account
		return new(string)
	}
	return nil
}

// server parses the words about sshd.
func (a *answer) server(word, value string) error {
	s := &a.d.Server
	switch word {
	case "client":
		words := strings.Split(value, " ")
		if len(words) != 3 {
			return scriptrun.ErrGarbled
		}
		s.Client, s.Address, s.Port = words[0], words[1], words[2]
	case "sshderr":
		s.Problems = append(s.Problems, value)
	case "sshd":
		_, path, ok := strings.Cut(value, " ")
		if !ok || s.Source != "" {
			return scriptrun.ErrGarbled
		}
		s.Source, s.Options = FromSSHD, map[string][]string{}
		if path != "default" {
			s.Path = path
		}
	case "opt":
		if s.Source != FromSSHD {
			return scriptrun.ErrGarbled
		}
		keyword, rest, _ := strings.Cut(value, " ")
		keyword = strings.ToLower(keyword)
		s.Options[keyword] = append(s.Options[keyword], strings.TrimSpace(rest))
	case "conf":
		a.conf = append(a.conf, sshdconfig.File{Path: value})
	case "cl":
		if len(a.conf) == 0 {
			return scriptrun.ErrGarbled
		}
		file := &a.conf[len(a.conf)-1]
		file.Lines = append(file.Lines, value)
	default:
		return scriptrun.ErrGarbled
	}
	return nil
}

func (a *answer) pathNote(word, value string) error {
	text, path, ok := strings.Cut(value, " ")
	if !ok || !strings.HasPrefix(path, "/") {
		return scriptrun.ErrGarbled
	}
	if word == "label" {
		a.d.Labels = append(a.d.Labels, PathNote{path, text})
	} else {
		a.d.Attributes = append(a.d.Attributes, PathNote{path, text})
	}
	return nil
}

func (a *answer) acl(word, value string) error {
	if word == "aclof" {
		a.d.ACLs = append(a.d.ACLs, PathACL{Path: value})
		return nil
	}
	if len(a.d.ACLs) == 0 {
		return scriptrun.ErrGarbled
	}
	list := &a.d.ACLs[len(a.d.ACLs)-1]
	list.Entries = append(list.Entries, value)
	return nil
}

// setShadow parses "KIND:CHANGED:MAX:EXPIRES" of shadow(5), days since 1970.
// A user may have several lines: the first counts.
func (a *answer) setShadow(value string) error {
	fields := strings.Split(value, ":")
	if len(fields) != 4 {
		return scriptrun.ErrGarbled
	}
	if a.shadow == nil {
		a.shadow = fields
	}
	return nil
}

func (a *answer) failure(word, value string) error {
	if word == "detail" {
		if a.fail == nil {
			return scriptrun.ErrGarbled
		}
		a.fail.Detail = value
		return nil
	}
	stage, reason, ok := strings.Cut(value, " ")
	if !ok || a.fail != nil {
		return scriptrun.ErrGarbled
	}
	a.fail = &scriptrun.Error{Stage: scriptrun.Stage(stage), Reason: scriptrun.Reason(reason), Status: -1}
	return nil
}

// finish checks the answer as a whole.
func (a *answer) finish() (*Diagnosis, error) {
	d := &a.d
	garbled := &scriptrun.Error{Stage: scriptrun.StageAnswer, Reason: scriptrun.Garbled, Detail: scriptrun.ErrGarbled.Error(), Status: -1}
	switch {
	case a.end == "failed" && a.fail != nil:
		return nil, a.fail
	case a.end == "damaged":
		return nil, &scriptrun.Error{Stage: scriptrun.StageRequest, Reason: scriptrun.Eaten, Status: -1}
	case a.end != "diagnosis" || a.fail != nil || !strings.HasPrefix(d.Path, "/"):
		return nil, garbled
	}
	facts, err := remote.ParseFacts(a.rows, d.Path, d.UID, d.Account)
	if err != nil {
		return nil, garbled
	}
	d.Facts = facts
	if a.shadow != nil {
		a.readShadow()
	} else {
		a.readPasswd()
	}
	if d.Server.Source == "" && len(a.conf) > 0 {
		s := &d.Server
		s.Source, s.Path = FromFiles, a.conf[0].Path
		s.Config = sshdconfig.Evaluate(a.conf, sshdconfig.Login{Account: d.Account, Groups: d.Groups, Client: s.Client, Address: s.Address, Port: s.Port})
	}
	// An option on the command line wins over the file that sshd -T reads.
	if strings.Contains(d.Server.Listener, " -o") {
		d.Server.Unsure = true
	}
	return d, nil
}

// days is a date in shadow(5); ok is false for an empty or senseless field.
func days(text string) (date time.Time, ok bool) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 3_000_000 {
		return time.Time{}, false
	}
	return time.Unix(int64(n)*86400, 0).UTC(), true
}

func (a *answer) readShadow() {
	d := &a.d
	d.Password = a.shadow[0]
	// 0 would be 1970-01-01, and means never to some tools.
	if date, ok := days(a.shadow[3]); ok && a.shadow[3] != "0" {
		d.Expires = date
	}
	d.MustChange = a.shadow[1] == "0"
	changed, ok := days(a.shadow[1])
	most, err := strconv.Atoi(a.shadow[2])
	if ok && err == nil && most >= 0 && most < 99999 && !d.Today.IsZero() {
		d.MustChange = d.MustChange || d.Today.After(changed.AddDate(0, 0, most))
	}
}

// readPasswd reads what passwd -S and chage -l print, which an account may run
// for itself on most Linux systems.
func (a *answer) readPasswd() {
	d := &a.d
	if words := strings.Fields(a.password); len(words) > 1 && words[0] == d.Account {
		d.PasswordStatus = words[1]
	}
	for _, line := range a.chage {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		date, ok := chageDate(value)
		switch strings.TrimSpace(key) {
		case "Account expires":
			if ok {
				d.Expires = date
			}
		case "Password expires":
			d.MustChange = value == "password must be changed" || ok && !d.Today.IsZero() && d.Today.After(date)
		}
	}
}

// chageDate parses a date of chage -l in the C locale, old and new.
func chageDate(text string) (time.Time, bool) {
	for _, layout := range []string{"Jan 2, 2006", time.DateOnly} {
		if date, err := time.Parse(layout, text); err == nil {
			return date, true
		}
	}
	return time.Time{}, false
}

func parseTri(text string) (Tri, error) {
	switch text {
	case "yes":
		return Yes, nil
	case "no":
		return No, nil
	}
	return Unknown, scriptrun.ErrGarbled
}

// noteOf is what notes has about path.
func noteOf(notes []PathNote, path string) string {
	i := slices.IndexFunc(notes, func(n PathNote) bool { return n.Path == path })
	if i < 0 {
		return ""
	}
	return notes[i].Text
}
