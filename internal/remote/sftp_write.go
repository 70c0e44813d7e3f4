package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/pkg/sftp"
)

func (s *sftpSession) Add(ctx context.Context, change Change) (*Result, error) {
	r := addRequest(s.o, change)
	if err := r.check(); err != nil {
		return nil, err
	}
	for _, line := range r.lines {
		// A newline before it, and one after it.
		if len(line)+2 > maxWrite {
			return nil, &RemoteError{Stage: StageRequest, Path: s.o.Target, Reason: Invalid, Status: -1,
				Detail: fmt.Sprintf("a line of %d bytes: SFTP writes %d at once", len(line), maxWrite)}
		}
	}
	return within(ctx, s, func() (*Result, error) { return s.add(ctx, r) })
}

func (s *sftpSession) add(ctx context.Context, r request) (*Result, error) {
	s.writing.Store(false)
	result := &Result{}
	if err := s.survey(); err != nil {
		return nil, err
	}
	// What somebody has in hand, or left half done, is looked at under the lock.
	if len(r.lines) == 0 || !s.locked() {
		if st, ok, err := s.agrees(r); err != nil || !ok {
			return contradiction(st, err)
		}
	}
	if len(r.lines) > 0 {
		if err := s.guarded(r, result); err != nil {
			return nil, err
		}
		if err := s.prepare(result); err != nil {
			return nil, err
		}
	}
	if r.repair {
		s.mend(result, false)
	}
	if len(r.lines) > 0 {
		s.text = strings.Join(r.lines, "\n") + "\n"
		l, err := s.lock(ctx, result)
		if err != nil {
			return nil, err
		}
		defer l.release()
		if err := s.survey(); err != nil {
			return nil, err
		}
		st, ok, err := s.agrees(r)
		if err != nil || !ok {
			return contradiction(st, err)
		}
		s.o.writing()
		if err := s.append(l, st, s.text); err != nil {
			return nil, err
		}
		if !st.Exists {
			result.Created = append(result.Created, s.at.file)
		}
		if err := s.survey(); err != nil {
			return nil, afterwards(err)
		}
	}
	if r.repair {
		s.mend(result, true)
	}
	if err := s.survey(); err != nil && len(r.lines) > 0 {
		return nil, afterwards(err)
	} else if err != nil {
		return nil, err
	}
	result.Applied, result.State = true, *s.state()
	return result, nil
}

// afterwards marks an error that came when the lines had been written.
func afterwards(err error) error {
	var e *RemoteError
	if errors.As(err, &e) {
		e.Unsure = true
	}
	return err
}

// contradiction is the Result of a change whose precondition does not hold.
func contradiction(st *State, err error) (*Result, error) {
	if err != nil {
		return nil, err
	}
	return &Result{State: *st}, nil
}

// agrees tells whether the file is as the request demands.
func (s *sftpSession) agrees(r request) (*State, bool, error) {
	st, err := s.report(r.blobs)
	if err != nil {
		return nil, false, err
	}
	if st.NotText {
		return nil, false, &RemoteError{Stage: StageTarget, Path: s.at.file, Reason: NotText, Status: -1, State: st}
	}
	switch r.expect {
	case "any":
		return st, true, nil
	case "none":
		return st, len(st.Candidates) == 0, nil
	}
	return st, st.Sum == r.expect, nil
}

// guarded refuses a Target that another account controls, for a login as root,
// and a home that does not exist.
func (s *sftpSession) guarded(r request, result *Result) error {
	home := strings.TrimSuffix(s.home, "/")
	if strings.HasPrefix(s.at.dir+"/", home+"/") {
		if _, err := s.client.Stat(home + "/"); errors.Is(err, fs.ErrNotExist) {
			return &RemoteError{Stage: StageMkdir, Path: s.at.file, Reason: NoHome, Detail: s.home, Status: -1, State: s.state()}
		}
	}
	who := s.controlled()
	switch {
	case who == "":
		return nil
	case r.guard:
		return &RemoteError{Stage: StageTarget, Path: s.at.file, Reason: Foreign, Detail: who, Status: -1, State: s.state()}
	}
	result.Notes = append(result.Notes, Note{Kind: NoteForeign, Path: who})
	return nil
}

// controlled is the place by which another account controls the Target of a login
// as root; "" for none.
func (s *sftpSession) controlled() string {
	// The owners and modes of a Windows server are made up.
	if _, drive := sftpPath(strings.TrimPrefix(s.at.file, "/")); drive || s.o.Target == "" || s.user != "root" && s.uid != 0 {
		return ""
	}
	return s.foreign(s.at.file)
}

// foreign is what lets another account than root change where p leads; "" for
// nothing. It looks at every directory on the way, and follows the links by
// itself, as the function of that name in install.sh.
func (s *sftpSession) foreign(p string) string {
	at, left := "/", strings.Split(p, "/")
	for hops := 0; len(left) > 0; {
		info, err := s.client.Stat(at)
		if err != nil {
			return ""
		}
		sticky, mode := info.Mode()&fs.ModeSticky != 0, info.Mode().Perm()
		if owner(info) != 0 || !sticky && (mode&0o002 != 0 || mode&0o020 != 0 && group(info) != 0) {
			return fmt.Sprintf("%s (user id %d, mode %04o)", at, owner(info), mode)
		}
		name := left[0]
		left = left[1:]
		step := path.Join(at, name)
		switch name {
		case "", ".":
			continue
		case "..":
			at = step
			continue
		}
		info, err = s.client.Lstat(step)
		if err != nil {
			return ""
		}
		if sticky && owner(info) != 0 {
			return fmt.Sprintf("%s (user id %d)", step, owner(info))
		}
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			link, err := s.client.ReadLink(step)
			if hops++; err != nil || hops >= 40 {
				return ""
			}
			if strings.HasPrefix(link, "/") {
				at = "/"
			}
			left = append(strings.Split(link, "/"), left...)
		case info.IsDir():
			at = step
		default:
			return ""
		}
	}
	return ""
}

// group is the group id of a file, 0 if the server does not tell.
func group(info fs.FileInfo) uint32 {
	if stat, ok := info.Sys().(*sftp.FileStat); ok {
		return stat.GID
	}
	return 0
}

// prepare makes the directories that are missing.
func (s *sftpSession) prepare(result *Result) error {
	for _, dir := range Components(s.at.dir) {
		if _, err := s.client.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if s.halted.Load() {
			return s.fail(StageMkdir, sftp.ErrSSHFxConnectionLost)
		}
		err := s.client.Mkdir(dir)
		if err == nil {
			err = s.client.Chmod(dir, 0o700)
		} else if info, statErr := s.client.Stat(dir); statErr == nil && info.IsDir() {
			continue // somebody else was faster
		}
		if err != nil {
			return s.fail(StageMkdir, err)
		}
		result.Created = append(result.Created, dir)
	}
	return nil
}

// wanted are the repairs there are to make: of home and directory, and last
// the file.
type wantedRepair struct {
	Repair
	file bool
}

func (s *sftpSession) wanted() []wantedRepair {
	at := &s.at
	var list []wantedRepair
	want := func(p, how string, file bool) {
		for _, fact := range at.facts {
			mine := fact.Path == p && fact.Mine && (fact.Kind == Dir || fact.Kind == File)
			if to, ok := mendedMode(how, fact.Mode); mine && ok && to != fact.Mode && !kept(how, fact.Mode) {
				list = append(list, wantedRepair{Repair{p, fact.Mode, to}, file})
			}
		}
	}
	if at.mendHome {
		want(s.home, "go-w", false)
	}
	if at.mendDir && (at.dirInHome || !at.mendHome) {
		want(at.dir, "700", false)
	}
	switch {
	case at.inHome || at.dir == "/etc/dropbear":
		want(at.file, "600", true)
	case at.real == at.file:
		want(at.file, "go-w", true)
	}
	return list
}

// kept tells of modes that stay as they are: a home with the sticky bit that
// others may write to is a shared directory.
func kept(how string, mode fs.FileMode) bool {
	return how == "go-w" && mode&fs.ModeSticky != 0
}

// mend repairs the file, or all but the file.
func (s *sftpSession) mend(result *Result, file bool) {
	for _, w := range s.wanted() {
		if w.file != file {
			continue
		}
		if err := s.client.Chmod(w.Path, w.To); err != nil {
			result.Notes = append(result.Notes, Note{Kind: NoteChmod, Detail: fmt.Sprintf("chmod %s: %v", w.Path, err)})
			continue
		}
		result.Repaired = append(result.Repaired, w.Repair)
	}
}

// append writes the text behind the file, and looks whether it is there.
func (s *sftpSession) append(l *sftpLock, st *State, text string) error {
	if st.NoFinalNewline {
		text = "\n" + text
	}
	if l != nil {
		if err := l.journal(st.Size, s.at.file, text); err != nil {
			return s.fail(StageLock, err)
		}
	}
	s.writing.Store(true)
	f, err := s.openAppend(st.Exists)
	if err != nil {
		s.writing.Store(false)
		return s.fail(StageAppend, err)
	}
	err = s.writeLines(f, text, st.Size)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	written, readErr := s.tail(s.at.file, st.Size, len(text))
	if readErr == nil && written == text {
		return nil
	}
	if err == nil {
		err = errors.Join(readErr, errors.New("what was written cannot be read back"))
	}
	failure := s.fail(StageAppend, err)
	if readErr != nil {
		// What is there now cannot be seen, so nothing can be taken back either:
		// the journal stays, for the next run.
		return afterwards(failure)
	}
	s.rollback(st.Size, text)
	s.writing.Store(false)
	if info, err := s.client.Stat(s.at.file); err == nil && info.Size() == 0 && !st.Exists {
		s.client.Remove(s.at.real)
	}
	return failure
}

// maxWrite is what every server takes in one packet, in bytes (filexfer draft
// 02, section 3).
const maxWrite = 32 << 10

// writeLines writes text from offset on in packets that end where a line does:
// a connection that is cut between two of them leaves no part of a line.
//
// A server that knows SSH_FXF_APPEND ignores the offset; one that does not
// finds the end of the file in it.
func (s *sftpSession) writeLines(f *sftp.File, text string, offset int64) error {
	for text != "" {
		if s.halted.Load() {
			return sftp.ErrSSHFxConnectionLost
		}
		packet := text[:min(maxWrite, len(text))]
		packet = packet[:strings.LastIndexByte(packet, '\n')+1]
		n, err := f.WriteAt([]byte(packet), offset)
		if err != nil {
			return err
		}
		text, offset = text[n:], offset+int64(n)
	}
	return nil
}

// openAppend opens the target for appending, and makes it if need be.
func (s *sftpSession) openAppend(exists bool) (*sftp.File, error) {
	flags := os.O_WRONLY | os.O_CREATE
	f, err := s.client.OpenFile(s.at.file, flags|os.O_APPEND)
	var status *sftp.StatusError
	if errors.As(err, &status) && status.FxCode() == sftp.ErrSSHFxOpUnsupported {
		f, err = s.client.OpenFile(s.at.file, flags)
	}
	if err == nil && !exists {
		f.Chmod(0o600) // keys may go in all the same where that fails
	}
	return f, err
}

// tail reads up to limit bytes of a file from an offset.
func (s *sftpSession) tail(name string, from int64, limit int) (string, error) {
	f, err := s.client.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, from, int64(limit)))
	return string(text), err
}

// rollback takes an unfinished append back, if all that follows size is a
// beginning of text. It tells whether something went.
func (s *sftpSession) rollback(size int64, text string) bool {
	rest, err := s.tail(s.at.file, size, len(text)+1)
	if err != nil || rest == "" || rest == text || !strings.HasPrefix(text, rest) {
		return false
	}
	return s.client.Truncate(s.at.file, size) == nil
}

// parseJournal reads what an append left in the lock: the size of the file
// before, the file, and "end".
func parseJournal(text string) (size int64, file string, ok bool) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[2] != "end" || lines[3] != "" {
		return 0, "", false
	}
	size, err := strconv.ParseInt(lines[0], 10, 64)
	return size, lines[1], err == nil && size >= 0
}
