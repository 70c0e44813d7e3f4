//go:build unix

package term

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// suspension hands Ctrl-Z to the question that is being asked. It lasts as long
// as the process: once os/signal has caught SIGTSTP it cannot give the signal
// its default action back (runtime.sigdisable keeps the handler, which then
// does nothing), so Ctrl-Z between questions needs the same care.
var suspension struct {
	once sync.Once
	mu   sync.Mutex
	to   chan struct{} // nil while no question is asked
}

// watchSuspend reports every SIGTSTP until release is called.
func watchSuspend() (suspended <-chan struct{}, release func()) {
	suspension.once.Do(func() {
		if signal.Ignored(syscall.SIGTSTP) {
			return
		}
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTSTP)
		go forwardSuspends(signals)
	})
	to := make(chan struct{}, 1)
	suspension.mu.Lock()
	suspension.to = to
	suspension.mu.Unlock()
	return to, func() {
		suspension.mu.Lock()
		suspension.to = nil
		suspension.mu.Unlock()
	}
}

func forwardSuspends(signals <-chan os.Signal) {
	for range signals {
		suspension.mu.Lock()
		to := suspension.to
		suspension.mu.Unlock()
		if to == nil {
			stopSelf()
			continue
		}
		select {
		case to <- struct{}{}:
		default: // the question knows already
		}
	}
}

// stopSelf stops the process and returns once it goes on. SIGTTIN stands in for
// SIGTSTP, as it has kept its default action: like SIGTSTP, and unlike SIGSTOP,
// it does nothing in an orphaned process group, where nobody would continue us.
// The signal may reach another thread a moment after kill has returned, which
// is what the sleep is for.
func stopSelf() {
	_ = unix.Kill(unix.Getpid(), syscall.SIGTTIN)
	time.Sleep(100 * time.Millisecond)
}
