//go:build windows

package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/sys/windows"
)

// What Pageant and its clients have agreed on: a window with this class and
// title is sent the name of a file mapping, which holds the request and is to
// hold the answer.
const (
	pageantName = "Pageant"
	copyDataID  = 0x804e50ba // AGENT_COPYDATA_ID
	wmCopyData  = 0x4a
	mappingSize = 8192 // AGENT_MAX_MSGLEN, of request and answer
)

var (
	user32          = windows.NewLazySystemDLL("user32.dll")
	registerClass   = user32.NewProc("RegisterClassExW")
	createWindow    = user32.NewProc("CreateWindowExW")
	defWindowProc   = user32.NewProc("DefWindowProcW")
	getMessage      = user32.NewProc("GetMessageW")
	dispatchMessage = user32.NewProc("DispatchMessageW")
	openFileMapping = windows.NewLazySystemDLL("kernel32.dll").NewProc("OpenFileMappingA")
)

// windowClass is WNDCLASSEXW.
type windowClass struct {
	size, style                        uint32
	procedure                          uintptr
	classExtra, windowExtra            int32
	instance, icon, cursor, background uintptr
	menu, name                         *uint16
	smallIcon                          uintptr
}

// copyData is COPYDATASTRUCT.
type copyData struct {
	id   uintptr
	size uint32
	data uintptr
}

// openPageant opens a window that answers as Pageant's does.
func openPageant(keys agent.Agent) error {
	opened := make(chan error)
	go func() {
		runtime.LockOSThread() // a window's messages come to the thread that made it
		name, err := windows.UTF16PtrFromString(pageantName)
		if err != nil {
			opened <- err
			return
		}
		class := windowClass{procedure: windows.NewCallback(func(window, message, w uintptr, l *copyData) uintptr {
			if message == wmCopyData && l.id == copyDataID && answerMapping(keys, l.data) {
				return 1
			}
			result, _, _ := defWindowProc.Call(window, message, w, uintptr(unsafe.Pointer(l)))
			return result
		}), name: name}
		class.size = uint32(unsafe.Sizeof(class))
		if atom, _, err := registerClass.Call(uintptr(unsafe.Pointer(&class))); atom == 0 {
			opened <- os.NewSyscallError("RegisterClassEx", err)
			return
		}
		window, _, err := createWindow.Call(0, uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(name)), 0, 0, 0, 0, 0, 0, 0, 0, 0)
		if window == 0 {
			opened <- os.NewSyscallError("CreateWindowEx", err)
			return
		}
		opened <- nil
		var message [64]byte // MSG
		for {
			if got, _, _ := getMessage.Call(uintptr(unsafe.Pointer(&message)), 0, 0, 0); int32(got) <= 0 {
				return
			}
			dispatchMessage.Call(uintptr(unsafe.Pointer(&message)))
		}
	}()
	return <-opened
}

// request is one message of a client, and where the answer goes.
type request struct {
	io.Reader
	answer bytes.Buffer
}

func (r *request) Write(b []byte) (int, error) { return r.answer.Write(b) }

// answerMapping answers the request in the mapping of that name.
func answerMapping(keys agent.Agent, name uintptr) bool {
	const readWrite = windows.FILE_MAP_READ | windows.FILE_MAP_WRITE
	mapping, _, _ := openFileMapping.Call(readWrite, 0, name)
	if mapping == 0 {
		return false
	}
	defer windows.CloseHandle(windows.Handle(mapping))
	view, err := windows.MapViewOfFile(windows.Handle(mapping), readWrite, 0, 0, mappingSize)
	if err != nil {
		return false
	}
	defer windows.UnmapViewOfFile(view)
	shared := unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&view))), mappingSize)
	size := 4 + uint64(binary.BigEndian.Uint32(shared))
	if size > mappingSize {
		return false
	}
	r := &request{Reader: bytes.NewReader(bytes.Clone(shared[:size]))}
	if err := agent.ServeAgent(keys, r); err != io.EOF || r.answer.Len() > mappingSize {
		return false
	}
	copy(shared, r.answer.Bytes())
	return true
}
