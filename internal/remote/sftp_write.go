package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pkg/sftp"
)

func (s *sftpSession) Edit(ctx context.Context, change Change) (*Result, error) {
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
