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
			continued, release := watchContinued()
			stopSelf(continued)
			release()
			continue
		}
		select {
		case to <- struct{}{}:
		default: // the question knows already
		}
	}
}

// watchContinued reports that the process goes on after a stop.
func watchContinued() (continued <-chan os.Signal, release func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGCONT)
	return signals, func() { signal.Stop(signals) }
}

// stopSelf stops the process and returns once it goes on. SIGTTIN stands in for
// SIGTSTP, as it has kept its default action: like SIGTSTP, and unlike SIGSTOP,
// it does nothing in an orphaned process group, where nobody would continue us;
// then, and where the signal is ignored, stopSelf returns false.
func stopSelf(continued <-chan os.Signal) bool { return stop(unix.Getpid(), continued) }

// stopGroup stops the whole process group, as the terminal does to one that
// reads from it in the background: a shell looks only at the program that it
// has started itself.
func stopGroup(continued <-chan os.Signal) bool { return stop(0, continued) }

func stop(whom int, continued <-chan os.Signal) bool {
	select {
	case <-continued: // of an earlier stop
	default:
	}
	_ = unix.Kill(whom, syscall.SIGTTIN)
	select {
	case <-continued:
		return true
	case <-time.After(stopTime):
	}
	// The clock runs while a process is stopped.
	select {
	case <-continued:
		return true
	case <-time.After(stopTime):
		return false
	}
}

// stopTime is how long a signal that stops the process may be under way.
const stopTime = 300 * time.Millisecond
