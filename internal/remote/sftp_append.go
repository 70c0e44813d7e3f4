package remote

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/pkg/sftp"
)

// append writes the text at the end of the file, and looks whether it is there.
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
// beginning of text. It reports whether something went.
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
