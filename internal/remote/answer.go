package remote

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"ssh-copy-id/internal/scriptrun"
)

// answer is what the script told in reply to one request.
type answer struct {
	state     State
	uid       string
	rows      []string
	repaired  []Repair
	created   []string
	notes     []Note
	recovered bool
	unsure    bool
	fail      *RemoteError
	end       string // state, applied or failed
	writing   func() // called when the script is about to write
}

// line takes in one line of the answer, without marker and newline. It reports
// whether it was the last.
func (a *answer) line(text string) (last bool, err error) {
	word, value, _ := strings.Cut(text, " ")
	if len(a.notes)+len(a.repaired)+len(a.created)+len(a.state.Repairs) > maxRemarks {
		return false, scriptrun.ErrTooMuch
	}
	switch word {
	case "writing":
		a.writing()
	case "home":
		a.state.Home = value
	case "user":
		a.state.User = value
	case "uid":
		a.uid = value
	case "os":
		a.state.OS = value
	case "path":
		a.state.Path = value
	case "real":
		a.state.Real = value
	case "fact":
		a.rows = append(a.rows, value)
	case "size":
		a.state.Exists = true
		a.state.Size, err = strconv.ParseInt(value, 10, 64)
		if a.state.Size < 0 {
			err = scriptrun.ErrGarbled
		}
	case "unlined":
		a.state.NoFinalNewline = true
	case "nottext":
		a.state.NotText = true
	case "foreign":
		a.state.Foreign = value
	case "sum":
		a.state.Sum = value
	case "line":
		err = a.candidate(value)
	case "would":
		err = a.would(value)
	case "mended":
		err = a.mended(value)
	case "created":
		a.created = append(a.created, value)
	case "note":
		err = a.note(value)
	case "fail":
		err = a.failed(value)
	case "unsure":
		a.unsure = true
	case "detail":
		if a.fail == nil {
			return false, scriptrun.ErrGarbled
		}
		a.fail.Detail = value
	case "end":
		return true, a.finish(value)
	default:
		err = scriptrun.ErrGarbled
	}
	return false, err
}

func (a *answer) candidate(value string) error {
	number, text, ok := strings.Cut(value, ":")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 {
		return scriptrun.ErrGarbled
	}
	if len(a.state.Candidates) >= MaxCandidates {
		a.state.Truncated = true
		return nil
	}
	a.state.Candidates = append(a.state.Candidates, Candidate{n, text})
	return nil
}

func (a *answer) note(value string) error {
	if strings.HasPrefix(value, "recovered ") {
		a.recovered = true
		return nil
	}
	note, known := scriptNote(value)
	if !known {
		return scriptrun.ErrGarbled
	}
	a.notes = append(a.notes, note)
	return nil
}

// would parses "WANT MODE PATH".
func (a *answer) would(value string) error {
	want, rest, _ := strings.Cut(value, " ")
	text, path, ok := strings.Cut(rest, " ")
	from, _, err := parseMode(text)
	if !ok || err != nil {
		return scriptrun.ErrGarbled
	}
	to, ok := mendedMode(want, from)
	if !ok {
		return scriptrun.ErrGarbled
	}
	a.state.Repairs = append(a.state.Repairs, Repair{path, from, to})
	return nil
}

// mendedMode is what a mode becomes; want is one of the script's words.
func mendedMode(want string, from fs.FileMode) (fs.FileMode, bool) {
	switch want {
	case "go-w":
		return from &^ 0o022, true
	case "700":
		return from&^0o777 | 0o700, true
	case "600":
		return from & 0o600, true
	}
	return 0, false
}

// mended parses "MODE MODE PATH". A chmod that had no effect, as on a file
// system without modes, is not a repair.
func (a *answer) mended(value string) error {
	before, rest, _ := strings.Cut(value, " ")
	after, path, ok := strings.Cut(rest, " ")
	from, _, err1 := parseMode(before)
	to, _, err2 := parseMode(after)
	if !ok || err1 != nil || err2 != nil {
		return scriptrun.ErrGarbled
	}
	if from == to {
		a.notes = append(a.notes, Note{Kind: NoteNoModes, Path: path})
		return nil
	}
	a.repaired = append(a.repaired, Repair{path, from, to})
	return nil
}

// failed parses "STAGE REASON".
func (a *answer) failed(value string) error {
	stage, reason, ok := strings.Cut(value, " ")
	if !ok || a.fail != nil {
		return scriptrun.ErrGarbled
	}
	a.fail = &RemoteError{Stage: Stage(stage), Reason: Reason(reason), Status: -1}
	return nil
}

// finish checks the answer as a whole.
func (a *answer) finish(end string) error {
	a.end = end
	facts, err := ParseFacts(a.rows, a.state.Path, a.uid, a.state.User)
	if err != nil {
		return err
	}
	a.state.Facts = facts
	switch end {
	case "state":
		if a.state.Sum == "" || a.state.Path == "" {
			return scriptrun.ErrGarbled
		}
		return nil
	case "applied":
		for _, fact := range facts {
			if fact.Path == a.state.Path && fact.Kind == File {
				a.state.Exists, a.state.Size = true, fact.size
			}
		}
		return nil
	case "failed":
		if a.fail != nil {
			a.explain()
			return nil
		}
	}
	return scriptrun.ErrGarbled
}

// explain completes the error of an answer that tells a failure.
func (a *answer) explain() {
	a.fail.Path, a.fail.State, a.fail.Unsure = a.state.Path, &a.state, a.unsure
	switch a.fail.Reason {
	case "write":
		a.fail.Reason = reasonOf(a.fail.Detail)
	case "tool":
		a.fail.Reason = Failed
	case "damaged":
		a.fail.Reason = Eaten
	case "nottext":
		a.fail.Reason = NotText
	case "foreign":
		a.fail.Reason = Foreign
	case "nohome":
		a.fail.Reason = NoHome
	case "locked":
		if r := reasonOf(a.fail.Detail); r != Failed {
			a.fail.Reason = r
		}
	}
}

// ParseFacts turns rows of ls -ldn into facts, one after the other down to
// path; components ls did not show are missing.
func ParseFacts(rows []string, path, uid, user string) ([]PathFact, error) {
	seen := map[string]bool{}
	byPath := map[string][]int{} // indexes of all
	var all []PathFact
	for _, row := range rows {
		fact, err := parseRow(row)
		if err != nil {
			return nil, err
		}
		if seen[fact.Path+" "+fact.Kind] {
			continue
		}
		seen[fact.Path+" "+fact.Kind] = true
		fact.Mine = fact.Owner == uid
		switch {
		case fact.Owner == "0":
			fact.Owner = "root"
		case fact.Mine && user != "":
			fact.Owner = user
		}
		byPath[asciiName(fact.Path)] = append(byPath[asciiName(fact.Path)], len(all))
		all = append(all, fact)
	}
	var ordered []PathFact
	listed := map[int]bool{}
	for _, component := range Components(path) {
		facts := byPath[asciiName(component)]
		for _, i := range facts {
			listed[i] = true
			all[i].Path = component
			ordered = append(ordered, all[i])
		}
		if facts == nil {
			ordered = append(ordered, PathFact{Path: component, Kind: Missing})
		}
	}
	for i, fact := range all {
		if !listed[i] {
			ordered = append(ordered, fact)
		}
	}
	return ordered, nil
}

// asciiName is a name as the ls of busybox may print it, with question marks
// for what is not ASCII. It is for comparing only.
func asciiName(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case c > 0x20 && c < 0x7f && c != '?' || c == ' ':
			b.WriteByte(c)
		case !strings.HasSuffix(b.String(), "?"):
			b.WriteByte('?')
		}
	}
	return b.String()
}

// Components returns "/" and every directory down to an absolute path, and it.
func Components(path string) []string {
	if !strings.HasPrefix(path, "/") {
		return nil
	}
	list := []string{"/"}
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			list = append(list, path[:i])
		}
	}
	if path != "/" {
		list = append(list, path)
	}
	return list
}

// parseRow parses a line of ls -ldn: mode, links, owner, group, a size or two
// device numbers, a date, and an absolute path. None of these but the last
// holds a slash in the POSIX locale.
func parseRow(row string) (PathFact, error) {
	fields := strings.Fields(row)
	slash := strings.Index(row, " /")
	if len(fields) < 5 || slash < 0 {
		return PathFact{}, fmt.Errorf("%w of ls", scriptrun.ErrGarbled)
	}
	mode, kind, err := parseMode(fields[0])
	if err != nil {
		return PathFact{}, err
	}
	fact := PathFact{Path: row[slash+1:], Mode: mode, Owner: fields[2], Kind: kind, ACL: strings.HasSuffix(fields[0], "+")}
	if kind == File {
		// A wrong number here is a wrong number in the report, nothing more.
		fact.size, _ = strconv.ParseInt(fields[4], 10, 64)
	}
	if kind == Link {
		fact.Path, fact.Link, _ = strings.Cut(fact.Path, " -> ")
	}
	return fact, nil
}

// parseMode parses the mode as ls spells it, with or without a marker for
// extended attributes behind it.
func parseMode(text string) (mode fs.FileMode, kind string, err error) {
	if len(text) < 10 || len(text) > 11 {
		return 0, "", fmt.Errorf("%w: mode of ls", scriptrun.ErrGarbled)
	}
	kind = Other
	switch text[0] {
	case 'd':
		kind = Dir
	case '-':
		kind = File
	case 'l':
		kind = Link
	}
	special := []fs.FileMode{fs.ModeSetuid, fs.ModeSetgid, fs.ModeSticky}
	for i, c := range []byte(text[1:10]) {
		bit := fs.FileMode(1) << (8 - i)
		switch {
		case c == "rwx"[i%3]:
			mode |= bit
		case i%3 == 2 && strings.IndexByte("st", c) >= 0:
			mode |= bit | special[i/3]
		case i%3 == 2 && strings.IndexByte("ST", c) >= 0:
			mode |= special[i/3]
		case c != '-':
			return 0, "", fmt.Errorf("%w: mode of ls", scriptrun.ErrGarbled)
		}
	}
	return mode, kind, nil
}

// notSwitched reports whether the answer is that of foruser.sh, which has ended
// then. It knows nothing of the target.
func (a *answer) notSwitched() bool {
	if a.fail == nil || a.fail.Stage != StageStart {
		return false
	}
	a.fail.State = nil
	return true
}
