package remote

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/internal/scriptrun"
)

const (
	// maxFile bounds the file, in bytes: SFTP can only find the keys in it by
	// reading all of it.
	maxFile = 64 << 20
	// maxLine is how much of a line is looked at, in bytes.
	maxLine = 1 << 20
)

func (s *sftpSession) Read(ctx context.Context, blobs []string) (*State, error) {
	if err := readRequest(s.o, blobs).check(); err != nil {
		return nil, err
	}
	return within(ctx, s, func() (*State, error) {
		if err := s.survey(); err != nil {
			return nil, err
		}
		state, err := s.report(blobs)
		if err != nil {
			return nil, err
		}
		state.Foreign = s.controlled()
		return state, nil
	})
}

// survey looks along the path and says where the file really is.
func (s *sftpSession) survey() error {
	at := &s.at
	list, err := s.facts(Components(at.file))
	if err != nil {
		return err
	}
	at.facts, at.real = list, at.file
	realHome, realDir := s.home, at.dir
	linked := strings.Contains(at.file+"/", "/../")
	for _, fact := range list {
		linked = linked || fact.Kind == Link
	}
	if linked {
		realHome, realDir, at.real = s.physical(s.home), s.physical(at.dir), s.physical(at.file)
		more, err := s.facts(Components(at.real))
		if err != nil {
			return err
		}
		for _, fact := range more {
			if !hasFact(at.facts, fact) && fact.Kind != Missing {
				at.facts = append(at.facts, fact)
			}
		}
	}
	inside := strings.TrimSuffix(realHome, "/") + "/"
	at.inHome = strings.HasPrefix(at.real, inside)
	at.dirInHome = strings.HasPrefix(realDir, inside)
	at.exists = false
	for _, fact := range list {
		at.exists = at.exists || fact.Path == at.file && fact.Kind != Missing && fact.Kind != Link
	}
	return s.usable()
}

func hasFact(list []PathFact, fact PathFact) bool {
	for _, have := range list {
		if have.Path == fact.Path && have.Kind == fact.Kind {
			return true
		}
	}
	return false
}

// facts looks at all paths at once. A link yields a second fact about what it
// leads to.
func (s *sftpSession) facts(paths []string) ([]PathFact, error) {
	found := make([][]PathFact, len(paths))
	errs := make([]error, len(paths))
	var all sync.WaitGroup
	for i, p := range paths {
		all.Go(func() {
			info, err := s.client.Lstat(p)
			if err != nil {
				// A directory that may not be searched hides what is in it.
				found[i] = []PathFact{{Path: p, Kind: Missing}}
				if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
					errs[i] = s.fail(StageTarget, err)
				}
				return
			}
			found[i] = []PathFact{s.fact(p, info)}
			if info.Mode()&fs.ModeSymlink != 0 {
				found[i][0].Link, _ = s.client.ReadLink(p)
				if info, err := s.client.Stat(p); err == nil {
					found[i] = append(found[i], s.fact(p, info))
				}
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		// A path below a file is no error of its own here; usable tells.
		var e *RemoteError
		if errors.As(err, &e) && e.Reason == Closed {
			return nil, e
		}
	}
	var list []PathFact
	for _, some := range found {
		list = append(list, some...)
	}
	return list, nil
}

// fact is what info tells about p.
func (s *sftpSession) fact(p string, info fs.FileInfo) PathFact {
	uid := owner(info)
	fact := PathFact{Path: p, Kind: Other, Owner: strconv.FormatUint(uint64(uid), 10), Mine: uid == s.uid, size: info.Size()}
	fact.Mode = info.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	switch {
	case info.Mode().IsRegular():
		fact.Kind = File
	case info.IsDir():
		fact.Kind = Dir
	case info.Mode()&fs.ModeSymlink != 0:
		fact.Kind = Link
	}
	switch {
	case uid == 0:
		fact.Owner = "root"
	case fact.Mine:
		fact.Owner = s.user
	}
	return fact
}

// physical resolves the links in p as far as it can.
func (s *sftpSession) physical(p string) string {
	done, rest := "/", strings.Split(strings.Trim(p, "/"), "/")
	for hops := 0; len(rest) > 0; {
		next := path.Join(done, rest[0])
		rest = rest[1:]
		link, err := s.client.ReadLink(next)
		if hops++; err != nil || hops > 100 {
			done = next
			continue
		}
		if strings.HasPrefix(link, "/") {
			done = "/"
		}
		rest = append(strings.Split(strings.Trim(link, "/"), "/"), rest...)
	}
	return done
}

// usable tells whether the target is something keys can be in.
func (s *sftpSession) usable() error {
	reason := Reason("")
	if strings.HasSuffix(s.at.file, "/") {
		reason = Directory
	}
	for _, fact := range s.at.facts {
		switch {
		case fact.Path == s.at.file && fact.Kind == Dir:
			reason = Directory
		case fact.Path == s.at.file && fact.Kind == Other:
			reason = Irregular
		case fact.Path == s.at.dir && fact.Kind == File:
			reason = NotDir
		}
	}
	if reason == "" {
		return nil
	}
	return &RemoteError{Stage: StageTarget, Path: s.at.file, Reason: reason, Status: -1, State: s.state()}
}

// state is what survey found.
func (s *sftpSession) state() *State {
	st := &State{Path: s.at.file, Home: s.home, User: s.user, Facts: s.at.facts, Exists: s.at.exists}
	if s.at.real != s.at.file {
		st.Real = s.at.real
	}
	for _, fact := range s.at.facts {
		if fact.Path == s.at.file && fact.Kind == File {
			st.Size = fact.size
		}
	}
	return st
}

// report is the whole state of the file.
func (s *sftpSession) report(blobs []string) (*State, error) {
	st := s.state()
	st.Sum = "absent"
	if st.Exists {
		if err := s.scan(st, blobs); err != nil {
			return nil, err
		}
	}
	for _, w := range s.wanted() {
		st.Repairs = append(st.Repairs, w.Repair)
	}
	return st, nil
}

// scan reads the file.
func (s *sftpSession) scan(st *State, blobs []string) error {
	f, err := s.client.Open(s.at.file)
	if err != nil {
		e := s.fail(StageTarget, err).(*RemoteError)
		if e.Reason == Denied {
			e.Reason = Unreadable
		}
		e.State = st
		return e
	}
	defer f.Close()
	sc := &scanner{sum: newCksum(), state: st}
	for _, blob := range blobs {
		sc.blobs = append(sc.blobs, []byte(blob))
	}
	if _, err := f.WriteTo(sc); err != nil {
		if errors.Is(err, scriptrun.ErrTooMuch) {
			return &RemoteError{Stage: StageTarget, Path: s.at.file, Reason: TooMuch, Status: -1}
		}
		return s.fail(StageTarget, err)
	}
	sc.finish()
	return nil
}

// scanner fills a State from the bytes of the file.
type scanner struct {
	state *State
	blobs [][]byte
	sum   *cksum
	head  []byte // how the file begins
	line  []byte
	lines int
	last  byte
}

// textHead is how much of a file tells whether it is in UTF-16, in bytes, as in
// install.sh.
const textHead = 512

func (sc *scanner) Write(p []byte) (int, error) {
	n := len(p)
	if n == 0 {
		return 0, nil
	}
	sc.head = append(sc.head, p[:min(n, textHead-len(sc.head))]...)
	sc.sum.Write(p)
	if sc.sum.length > maxFile {
		return 0, scriptrun.ErrTooMuch
	}
	sc.last = p[n-1]
	for {
		line, rest, ended := bytes.Cut(p, []byte("\n"))
		if room := maxLine - len(sc.line); room > 0 {
			sc.line = append(sc.line, line[:min(room, len(line))]...)
		}
		if !ended {
			return n, nil
		}
		sc.end()
		p = rest
	}
}

// end takes in a complete line.
func (sc *scanner) end() {
	sc.lines++
	for _, blob := range sc.blobs {
		if !bytes.Contains(sc.line, blob) {
			continue
		}
		if len(sc.state.Candidates) >= MaxCandidates {
			sc.state.Truncated = true
			break
		}
		text := strings.ReplaceAll(string(sc.line), "\x00", "\x01")
		sc.state.Candidates = append(sc.state.Candidates, Candidate{sc.lines, text})
		break
	}
	sc.line = sc.line[:0]
}

func (sc *scanner) finish() {
	if len(sc.line) > 0 {
		sc.end()
	}
	sc.state.NotText = authkeys.Parse(sc.head).UTF16()
	sc.state.Size = int64(sc.sum.length)
	sc.state.NoFinalNewline = sc.sum.length > 0 && sc.last != '\n'
	sc.state.Sum = cksumText(sc.sum)
}
