package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"

	"ssh-copy-id/internal/scriptrun"
)

// lockStale is how long a lock without a change is taken for held.
var lockStale = 20 * time.Second

// How the lock is waited for; the script has the same numbers.
const (
	holderPatience = 30 * time.Second  // with one holder
	lockPatience   = 300 * time.Second // with all of them
	lockFirst      = 3 * time.Second   // when the waiting is told, and then
	lockAgain      = 5 * time.Second
	lockPause      = 200 * time.Millisecond
)

// lockFree is what a lock holds as its owner that is free and could not be
// removed, as in a directory that entries can be added to and not taken from
// (chattr +a).
const lockFree = "free\n"

// maxLockFile bounds what is read of the files in a lock, in bytes.
const maxLockFile = maxRequest + 1

// sftpLock is the lock directory of the script, held by us.
type sftpLock struct {
	s     *sftpSession
	dir   string
	stuck string // the owner, after an x, when seized was last in the way
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
// else, or where it cannot be, elsewhere. It returns nil where there is no place
// for a lock: the account may be able to write to the file all the same.
func (s *sftpSession) lock(ctx context.Context, result *Result) (*sftpLock, error) {
	all := s.lockPlaces()
	places := all[1:]
	if info, err := s.client.Stat(s.at.dir); err == nil && owner(info) == s.uid {
		places = all[:]
	}
	for _, place := range places {
		l := &sftpLock{s: s, dir: place}
		err := l.take(ctx, result)
		if err == nil {
			return l, nil
		}
		var held *RemoteError
		if errors.As(err, &held) || ctx.Err() != nil || errors.Is(err, sftp.ErrSSHFxConnectionLost) {
			return nil, err
		}
	}
	return nil, nil
}

// take makes the lock directory ours. A *RemoteError means that somebody else
// held it too long, any other error that it cannot be there.
func (l *sftpLock) take(ctx context.Context, result *Result) error {
	me := "sftp 0 " + scriptrun.NewMarker() + "\n"
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
		mine := owner(info) == l.s.uid
		// What another account has put into /tmp is no lock of ours.
		if !info.IsDir() || !mine && l.dir == l.s.lockPlaces()[2] {
			return err
		}
		if holder := l.read("owner", scriptrun.MaxExcerpt); mine && holder != last {
			last, since = holder, time.Now()
		}
		stale := time.Since(since) >= lockStale
		if mine && (last == lockFree || stale) && l.seize(me, last, stale, result) {
			return nil
		}
		waited := time.Since(start)
		if time.Since(since) >= holderPatience || waited >= lockPatience {
			return &RemoteError{Stage: StageLock, Path: l.s.at.file, Reason: Locked, Detail: heldBy(last), Status: -1}
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
		l.s.watch.Load().Extend(lockPause)
	}
}

// heldBy names who holds a lock, without the marker at the end.
func heldBy(owner string) string {
	owner = strings.TrimSpace(owner)
	if i := strings.LastIndexByte(owner, ' '); i > 0 {
		owner = owner[:i]
	}
	if owner == "" {
		return ""
	}
	return "held by " + owner
}

// seize takes over a lock left behind, and undoes an append that was cut
// short.
func (l *sftpLock) seize(me, last string, stale bool, result *Result) bool {
	c := l.s.client
	if c.Mkdir(l.dir+"/seized") != nil {
		// Whoever takes it over needs milliseconds: one that is there twice in a
		// row was left by a run that died.
		if stale {
			if l.stuck == "x"+last {
				c.RemoveDirectory(l.dir + "/seized")
			}
			l.stuck = "x" + last
		}
		return false
	}
	defer c.RemoveDirectory(l.dir + "/seized")
	if l.read("owner", scriptrun.MaxExcerpt) != last {
		return false
	}
	l.put("owner", me)
	note, data := l.read("journal", scriptrun.MaxExcerpt), l.read("data", maxLockFile)
	if size, file, ok := parseJournal(note); ok && file == l.s.at.file && l.s.rollback(size, data) {
		result.Recovered = true
	} else if size, ok := l.short(); ok && (l.s.rollback(size, l.s.text) || l.s.rollback(size, "\n"+l.s.text)) {
		result.Recovered = true
	}
	c.Remove(l.dir + "/data")
	c.Remove(l.dir + "/journal")
	return true
}

// read returns what a file in the lock holds; "" unless it is a regular file of
// the account, which nobody else can have put there.
func (l *sftpLock) read(name string, limit int) string {
	info, err := l.s.client.Lstat(l.dir + "/" + name)
	if err != nil || !info.Mode().IsRegular() || owner(info) != l.s.uid {
		return ""
	}
	text, err := l.s.tail(l.dir+"/"+name, 0, limit)
	if err != nil {
		return ""
	}
	return text
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

// journal notes what is about to be appended. On a full disk there may be room
// for one more link and for the text in the last block of the file: then the
// link has the size of the file, and whoever finds it knows the text only if it
// wants to append the same.
func (l *sftpLock) journal(size int64, file, text string) error {
	err := l.put("data", text)
	if err == nil {
		err = l.put("journal", fmt.Sprintf("%d\n%s\nend\n", size, file))
	}
	if err == nil || len(text) > maxWrite || l.dir != l.s.lockPlaces()[0] {
		return err
	}
	l.s.client.Remove(l.dir + "/data")
	l.s.client.Remove(l.dir + "/journal")
	if l.s.client.Symlink(strconv.FormatInt(size, 10), l.dir+"/journal") != nil {
		return err
	}
	return nil
}

// short reads a journal that is a link.
func (l *sftpLock) short() (size int64, ok bool) {
	to, err := l.s.client.ReadLink(l.dir + "/journal")
	if err != nil {
		return 0, false
	}
	size, err = strconv.ParseInt(to, 10, 64)
	return size, err == nil && size >= 0
}

// release removes the lock, or leaves it free. Without a lock it does nothing.
func (l *sftpLock) release() {
	if l == nil {
		return
	}
	var all sync.WaitGroup
	for _, name := range []string{"data", "journal", "owner"} {
		all.Go(func() { l.s.client.Remove(l.dir + "/" + name) })
	}
	all.Wait()
	// One that is gone is not ours any more, even if another has been made by now.
	if err := l.s.client.RemoveDirectory(l.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.put("owner", lockFree)
	}
}
