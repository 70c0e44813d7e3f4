package hostkey

import (
	"os"

	"golang.org/x/sys/windows"
)

// lock keeps other copies of this program from appending until the file is
// closed. Windows appends to a file of a share, or one of Wine's, in two steps:
// it looks for the end and writes there. The byte that is locked lies far
// beyond the end, as nobody else can read what is locked there.
func lock(f *os.File) error {
	far := windows.Overlapped{OffsetHigh: 1 << 30}
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &far)
}
