package term

import (
	"errors"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

const (
	// displayAlways: a window can always be opened; mintty, whose console
	// nobody sees, depends on it.
	displayAlways = true
	// interruptGrace is how long Ctrl-C may lag behind the read it ended, on a
	// busy machine; emptyGrace the same where the read gave an empty line, as
	// Wine's console does.
	interruptGrace = 3 * time.Second
	emptyGrace     = 200 * time.Millisecond
	// endsAtCR: the console ends a line with CR LF. Both must be read, or the
	// newline would answer the next question.
	endsAtCR = false
)

// askpassPlaces: OpenSSH for Windows brings no askpass program, and the root of
// a drive, where a path of Unix would lead, may belong to anybody.
var askpassPlaces []string

// console is CONIN$ and CONOUT$. The os package reads and writes both as
// UTF-16 and shows us UTF-8.
type console struct {
	in, out *os.File

	mu     sync.Mutex
	before uint32
	known  bool
	hidden bool
}

func openTerminal() (terminal, error) {
	window, _, _ := getConsoleWindow.Call()
	if !consoleSeen([3]stream{streamOf(os.Stdin), streamOf(os.Stdout), streamOf(os.Stderr)}, window != 0, os.Getenv) {
		return nil, errUnseen
	}
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	out, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		in.Close()
		return nil, err
	}
	return &console{in: in, out: out}, nil
}

var (
	errUnseen        = errors.New("nobody sees the console of this program")
	getConsoleWindow = windows.NewLazySystemDLL("kernel32.dll").NewProc("GetConsoleWindow")
)

// streamOf tells what a standard stream is.
func streamOf(f *os.File) stream {
	handle := windows.Handle(f.Fd())
	var mode uint32
	switch kind, _ := windows.GetFileType(handle); {
	case windows.GetConsoleMode(handle, &mode) == nil:
		return onConsole
	case kind == windows.FILE_TYPE_PIPE && ptyPipe.MatchString(pipeName(handle)):
		return onPty
	}
	return otherStream
}

// pipeName is the name of a pipe within the system's file system for pipes.
func pipeName(pipe windows.Handle) string {
	var info struct { // FILE_NAME_INFO
		bytes uint32
		name  [windows.MAX_PATH]uint16
	}
	err := windows.GetFileInformationByHandleEx(pipe, windows.FileNameInfo, (*byte)(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err != nil || info.bytes/2 > uint32(len(info.name)) {
		return ""
	}
	return windows.UTF16ToString(info.name[:info.bytes/2])
}

// isTerminal counts the terminal of mintty too, which shows what is typed.
func isTerminal(f *os.File) bool { return streamOf(f) != otherStream }

func (c *console) Read(p []byte) (int, error)  { return c.in.Read(p) }
func (c *console) Write(p []byte) (int, error) { return c.out.Write(p) }

// Close does not wait for CONIN$: os.File.Close lasts until a pending read is
// done, and after a signal nobody may type that line.
func (c *console) Close() error {
	go c.in.Close()
	return c.out.Close()
}

// Background: there is no job control.
func (c *console) Background() bool { return false }

// Abandon is Restore: nothing in it waits.
func (c *console) Abandon() { _ = c.Restore() }

func (c *console) Prepare(echo bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	handle := windows.Handle(c.in.Fd())
	if !c.known {
		if err := windows.GetConsoleMode(handle, &c.before); err != nil {
			return os.NewSyscallError("GetConsoleMode", err)
		}
		c.known = true
	}
	if err := windows.SetConsoleMode(handle, questionMode(c.before, echo)); err != nil {
		return os.NewSyscallError("SetConsoleMode", err)
	}
	c.hidden = !echo
	return os.NewSyscallError("FlushConsoleInputBuffer", windows.FlushConsoleInputBuffer(handle))
}

func (c *console) Restore() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.known {
		return nil
	}
	handle := windows.Handle(c.in.Fd())
	if c.hidden {
		_ = windows.FlushConsoleInputBuffer(handle)
	}
	return os.NewSyscallError("SetConsoleMode", windows.SetConsoleMode(handle, c.before))
}

// watchSuspend: consoles know no suspending.
func watchSuspend() (suspended <-chan struct{}, release func()) { return nil, func() {} }

func watchContinued() (continued <-chan os.Signal, release func()) { return nil, func() {} }

func stopSelf(<-chan os.Signal) bool { return false }

func stopGroup(<-chan os.Signal) bool { return false }
