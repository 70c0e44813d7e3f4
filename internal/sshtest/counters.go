package sshtest

import (
	"maps"
	"slices"
	"sync"
)

// Counters say what clients did since the start or the last reset.
type Counters struct {
	Connections int // TCP connections accepted
	Logins      int // connections that were let in
	// Queries are the public keys a client put forward, each once for a query
	// and the login that follows it.
	Queries int
	// Signatures are the logins or partial logins with a key's signature.
	Signatures int
	Passwords  int // passwords tried
	Rounds     int // keyboard-interactive rounds answered
	// Attempts counts the authentication requests by method that were settled:
	// all but the queries that were answered "yes".
	Attempts map[string]int
	Commands []string // exec requests in order, as the client sent them
	Shells   int      // shell requests
	SFTP     int      // sftp subsystems opened
}

// Counters is a snapshot.
func (s *Server) Counters() Counters {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	n := s.counts.n
	n.Attempts = maps.Clone(n.Attempts)
	n.Commands = slices.Clone(n.Commands)
	return n
}

// ResetCounters puts them back to zero.
func (s *Server) ResetCounters() {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	s.counts.n = Counters{}
}

type tally struct {
	mu     sync.Mutex
	n      Counters
	active int
}

func (t *tally) add(f func(*Counters)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n.Attempts == nil {
		t.n.Attempts = make(map[string]int)
	}
	f(&t.n)
}

func (t *tally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.active++
}

func (t *tally) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.active--
}

func (t *tally) busy() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.active > 0
}
