package cli

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"ssh-copy-id/copyid"
	"ssh-copy-id/identity"
)

// TestExitStatus has every outcome that the exit status tells apart.
func TestExitStatus(t *testing.T) {
	id := testKey(1, "me")
	added := copyid.KeyState{Identity: id, Outcome: copyid.Added}
	accepted := copyid.KeyState{Identity: id, Outcome: copyid.Accepted}
	inFile := copyid.KeyState{Identity: id, Outcome: copyid.Present, Line: 1}
	refused := copyid.KeyState{Identity: id, Outcome: copyid.Present, Line: 1, Refused: true}
	restricted := copyid.KeyState{Identity: id, Outcome: copyid.PresentOtherOptions, Line: 1, ExistingOptions: []string{"restrict"}, Refused: true}
	dead := copyid.KeyState{Identity: id, Outcome: copyid.Ineffective, Line: 1}
	ids := []identity.Identity{id}
	failure := errors.New("failure")
	plan := func(keys ...copyid.KeyState) outcome {
		for i := range keys {
			if keys[i].New() {
				keys[i].Outcome = copyid.Add
			}
		}
		return outcome{flags: &Flags{DryRun: true}, plan: &copyid.Plan{Keys: keys}}
	}
	report := func(f Flags, v copyid.Verification, keys ...copyid.KeyState) outcome {
		return outcome{flags: &f, report: &copyid.Report{Keys: keys, Verification: v}}
	}
	diagnosis := func(noKeyAsked bool, keys ...copyid.KeyState) outcome {
		return outcome{flags: &Flags{Diagnose: true}, diagnosis: &copyid.Diagnosis{Keys: keys, NoKeyAsked: noKeyAsked}}
	}
	verify := Flags{Verify: true}
	alarm := 128 + 14 // as a shell has it
	if onWindows {
		alarm = 1
	}
	for _, c := range []struct {
		name string
		o    outcome
		want int
	}{
		{"--help", outcome{flags: &Flags{Help: true}}, 0},
		{"-h", outcome{flags: &Flags{ShortHelp: true}}, 1},
		{"a command line with an error", outcome{err: &UsageError{}}, 1},
		{"an error", outcome{flags: &Flags{}, err: failure}, 1},
		{"an interrupt", outcome{flags: &Flags{}, err: failure, signal: os.Interrupt}, 1},
		{"an alarm before the flags were read", outcome{err: failure, signal: syscall.SIGALRM}, alarm},
		{"a signal after the end", outcome{flags: &Flags{}, signal: os.Interrupt}, 0},

		{"-n: a key to add", plan(added), 0},
		{"-n: nothing to add", plan(accepted, inFile), 0},
		{"-n: a line that the server refuses", plan(refused), 1},
		{"-n: such a line beside a key to add", plan(refused, added), 0},
		{"-n: a line without effect", plan(dead), 1},
		{"-n: such a line beside a key to add", plan(dead, added), 1},

		{"added", report(Flags{}, copyid.Verification{}, added), 0},
		{"there already", report(Flags{}, copyid.Verification{}, accepted, inFile), 0},
		{"there already, and refused", report(Flags{}, copyid.Verification{}, refused), 1},
		{"there already with options, and refused", report(Flags{}, copyid.Verification{}, restricted), 0},
		{"there already, and refused, another added", report(Flags{}, copyid.Verification{}, refused, added), 0},
		{"there already, and refused, with -t", report(Flags{Target: "f"}, copyid.Verification{}, refused), 0},
		{"a line without effect", report(Flags{}, copyid.Verification{}, dead, added), 1},
		{"a line without effect with -t", report(Flags{Target: "f"}, copyid.Verification{}, dead), 1},
		{"added and refused", report(Flags{}, copyid.Verification{Done: true, Refused: ids}, added), 0},
		{"added and not asked", report(Flags{}, copyid.Verification{Err: failure}, added), 0},

		{"--verify: accepted", report(verify, copyid.Verification{Done: true, Accepted: ids}, added), 0},
		{"--verify: refused", report(verify, copyid.Verification{Done: true, Refused: ids}, added), 1},
		{"--verify: not asked about", report(verify, copyid.Verification{Done: true, Unasked: ids}, added), 1},
		{"--verify: a login that leads nowhere", report(verify, copyid.Verification{Done: true, Nowhere: &copyid.LoginError{}}, added), 1},
		{"--verify: could not be asked", report(verify, copyid.Verification{Err: failure}, added), 1},
		{"--verify: no key is asked for", report(verify, copyid.Verification{NoKeyAsked: true}, added), 0},
		{"--verify: nothing was added", report(verify, copyid.Verification{}, accepted), 0},

		{"--diagnose: accepted", diagnosis(false, accepted), 0},
		{"--diagnose: refused", diagnosis(false, accepted, inFile), 1},
		{"--diagnose: absent", diagnosis(false, added), 1},
		{"--diagnose: no key is asked for, in the file", diagnosis(true, inFile), 0},
		{"--diagnose: no key is asked for, not in the file", diagnosis(true, inFile, added), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := exitStatus(c.o); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}
