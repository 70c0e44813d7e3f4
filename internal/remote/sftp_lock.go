package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
)

// lockStale is how long a lock without a change is taken for held.
var lockStale = 20 * time.Second

// How the lock is waited for; the script has the same numbers.
const (
	lockPatience = 60 * time.Second
	lockFirst    = 3 * time.Second // when the waiting is told, and then
	lockAgain    = 5 * time.Second
	lockPause    = 200 * time.Millisecond
)

// maxLockFile bounds what is read of the files in a lock, in bytes.
const maxLockFile = maxRequest + 1

// sftpLock is the lock directory of the script, held by us.
type sftpLock struct {
	s   *sftpSession
	dir string
}

// lockPlaces is where the lock may be: beside the file; in the home, or in
// /tmp.
func (s *sftpSession) lockPlaces() [3]string {
	return [3]string{
		s.at.file + ".ssh-copy-id.lock",
		strings.TrimSuffix(s.home, "/") + "/.ssh-copy-id.lock",
		fmt.Sprintf("/tmp/.ssh-copy-id.%d.lock", s.uid),
	}
}

// locked tells whether there is a lock.
func (s *sftpSession) locked() bool {
	for _, place := range s.lockPlaces() {
		if _, err := s.client.Lstat(place); err == nil {
			return true
		}
	}
	return false
}

// lock takes the lock: beside the file if that directory is the account's own;
// else, or where it cannot be, elsewhere.
func (s *sftpSession) lock(ctx context.Context, result *Result) (*sftpLock, error) {
	all := s.lockPlaces()
	places := all[1:]
	if info, err := s.client.Stat(s.at.dir); err == nil && owner(info) == s.uid {
		places = all[:]
	}
	var last error
	for _, place := range places {
		l := &sftpLock{s, place}
		err := l.take(ctx, result)
		if err == nil {
			return l, nil
		}
		var held *RemoteError
		if errors.As(err, &held) || ctx.Err() != nil {
			return nil, err
		}
		last = err
	}
	return nil, s.fail(StageLock, last)
}

// take makes the lock directory ours. A *RemoteError means that somebody else
// held it too long, any other error that it cannot be there.
func (l *sftpLock) take(ctx context.Context, result *Result) error {
	me := "sftp 0 " + newMarker() + "\n"
	start := time.Now()
	since, told, last, misses := start, lockFirst, "", 0
	for {
		err := l.s.client.Mkdir(l.dir)
		if err == nil {
			l.s.client.Chmod(l.dir, 0o700)
			l.put("owner", me)
			return nil
		}
		info, statErr := l.s.client.Lstat(l.dir)
		if statErr != nil {
			// It may have gone between the two looks at it, but not every time.
			if misses++; misses < 5 && errors.Is(statErr, fs.ErrNotExist) {
				continue
			}
			return err
		}
		misses = 0
		if !info.IsDir() {
			return err
		}
		if holder, _ := l.s.tail(l.dir+"/owner", 0, maxExcerpt); holder != last {
			last, since = holder, time.Now()
		}
		if owner(info) == l.s.uid && time.Since(since) >= lockStale && l.seize(me, last, result) {
			return nil
		}
		waited := time.Since(start)
		if waited >= lockPatience {
			return &RemoteError{Stage: StageLock, Path: l.s.at.file, Reason: Locked, Detail: "held by " + strings.TrimSpace(last), Status: -1}
		}
		if waited >= told && l.s.o.Waiting != nil {
			l.s.o.Waiting(Wait{int(waited.Seconds()), strings.TrimSpace(last)})
			told += lockAgain
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(lockPause):
		}
	}
}

// seize takes over a lock left behind, and undoes an append that was cut
// short.
func (l *sftpLock) seize(me, last string, result *Result) bool {
	c := l.s.client
	c.RemoveDirectory(l.dir + "/seized")
	if c.Mkdir(l.dir+"/seized") != nil {
		return false
	}
	defer c.RemoveDirectory(l.dir + "/seized")
	if holder, _ := l.s.tail(l.dir+"/owner", 0, maxExcerpt); holder != last {
		return false
	}
	l.put("owner", me)
	note, _ := l.s.tail(l.dir+"/journal", 0, maxExcerpt)
	data, err := l.s.tail(l.dir+"/data", 0, maxLockFile)
	if size, file, ok := parseJournal(note); ok && err == nil && file == l.s.at.file && l.s.rollback(size, data) {
		result.Recovered = true
	}
	c.Remove(l.dir + "/data")
	c.Remove(l.dir + "/journal")
	return true
}

// put writes a file in the lock.
func (l *sftpLock) put(name, text string) error {
	f, err := l.s.client.OpenFile(l.dir+"/"+name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(text))
	return errors.Join(err, f.Close())
}

// journal notes what is about to be appended.
func (l *sftpLock) journal(size int64, file, text string) error {
	if err := l.put("data", text); err != nil {
		return err
	}
	return l.put("journal", fmt.Sprintf("%d\n%s\nend\n", size, file))
}

// release removes the lock.
func (l *sftpLock) release() {
	var all sync.WaitGroup
	for _, name := range []string{"data", "journal", "owner"} {
		all.Go(func() { l.s.client.Remove(l.dir + "/" + name) })
	}
	all.Wait()
	l.s.client.RemoveDirectory(l.dir)
}
