//go:build unix

package remote

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/internal/sshtest"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/serverid"
	"ssh-copy-id/internal/sshtest/shells"
)

// dsaKey is a key of a NetScreen: in base64, and as an entry.
type dsaKey struct {
	blob, line string
}

func newDSAKey(t testing.TB) dsaKey {
	t.Helper()
	wire, err := sshtest.GenerateDSAKey()
	if err != nil {
		t.Fatal(err)
	}
	blob := base64.StdEncoding.EncodeToString(wire)
	return dsaKey{blob, "ssh-dss " + blob + " al@box\x1b[31m; $(reboot)"}
}

// netScreenDevice starts a device and logs in to it.
func netScreenDevice(t *testing.T, cfg sshtest.NetScreenConfig) (*sshtest.NetScreen, *ssh.Client) {
	t.Helper()
	cfg.Account, cfg.Password, cfg.Dir = "netscreen", "secret", t.TempDir()
	device, err := sshtest.StartNetScreen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	client, err := ssh.Dial("tcp", device.Addr(), &ssh.ClientConfig{User: "netscreen",
		Auth: []ssh.AuthMethod{ssh.Password("secret")}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		device.Close()
	})
	if serverid.Parse(string(client.ServerVersion())).Software != serverid.ScreenOS {
		t.Errorf("version %q", client.ServerVersion())
	}
	return device, client
}

func netScreenSession(t *testing.T, client *ssh.Client, o Options) Session {
	t.Helper()
	s, err := OpenNetScreen(shells.Timeout(t), client, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestNetScreen: keys are set and saved, each once.
func TestNetScreen(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  sshtest.NetScreenConfig
	}{
		{"prompts", sshtest.NetScreenConfig{}},
		{"no prompts", sshtest.NetScreenConfig{NoPrompt: true}},
		{"echo", sshtest.NetScreenConfig{Echo: true}},
		{"banner with words of an error", sshtest.NetScreenConfig{Greeting: "Invalid use is an error.\r\nLast login failed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			one, two := newDSAKey(t), newDSAKey(t)
			device, client := netScreenDevice(t, tt.cfg)
			s := netScreenSession(t, client, Options{})
			state, err := s.Read(shells.Timeout(t), []string{one.blob})
			if err != nil || state.Exists || len(state.Candidates) > 0 || state.OS != "ScreenOS" {
				t.Errorf("%+v, %v", state, err)
			}
			if n := device.Counters(); n.Shells+len(n.Commands) > 0 {
				t.Errorf("Read asked the device: %+v", n)
			}
			again := "ssh-dss " + one.blob[:300] + "\r" + one.blob[300:]
			r := add(t, s, Change{Lines: []string{one.line, two.line, again}, Blobs: []string{one.blob, two.blob}, Expect: "any"})
			if !r.Applied || r.State.OS != "ScreenOS" || len(r.Notes) > 0 {
				t.Errorf("%+v", r)
			}
			want := []string{"set ssh pka-dsa key " + one.blob, "set ssh pka-dsa key " + two.blob, "save", "exit"}
			if got := device.Lines(); !slices.Equal(got, want) {
				t.Errorf("typed %q", got)
			}
			if !slices.Equal(device.Saved(), []string{one.blob, two.blob}) {
				t.Errorf("saved %q", device.Saved())
			}
			// A session is good for more than one change, and for one of nothing.
			three := newDSAKey(t)
			add(t, s, Change{Lines: []string{three.line}})
			if len(device.Keys()) != 3 {
				t.Errorf("keys %q", device.Keys())
			}
			add(t, s, Change{Repair: true})
			if n := device.Counters(); n.Shells != 2 || len(n.Commands) > 0 {
				t.Errorf("sessions: %+v", n)
			}
		})
	}
}

// TestNetScreenRefusedKeys: what the device would not take, or would take for
// more than it is, is not sent.
func TestNetScreenRefusedKeys(t *testing.T) {
	good := newDSAKey(t)
	other := authkeys.NewEntry(shells.Signer(t).PublicKey(), "c")
	for _, tt := range []struct {
		name   string
		lines  []string
		types  []int // indexes of keys of other types
		reason Reason
	}{
		{"another type", []string{other.Line()}, []int{0}, Invalid},
		{"among others", []string{good.line, other.Line(), good.line, "restrict " + other.Line()}, []int{1, 3}, Invalid},
		{"options", []string{`from="10.0.0.1" ` + good.line}, nil, Invalid},
		{"no key", []string{"ssh-dss AAAA"}, nil, Invalid},
		{"damaged key", []string{"ssh-dss " + good.blob[:200]}, nil, Invalid},
		{"commands", []string{"ssh-dss " + good.blob + "\nreset"}, nil, Invalid},
		{"RFC 4716", []string{"---- BEGIN SSH2 PUBLIC KEY ----", good.blob}, nil, Invalid},
		{"too much", []string{good.line + strings.Repeat("x", maxRequest)}, nil, TooMuch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			device, client := netScreenDevice(t, sshtest.NetScreenConfig{})
			_, err := netScreenSession(t, client, Options{}).Edit(shells.Timeout(t), Change{Lines: tt.lines})
			var e *RemoteError
			if !errors.As(err, &e) || e.Reason != tt.reason || e.Stage != StageRequest || e.Unsure {
				t.Errorf("error %#v", err)
			}
			var refused *KeyTypeError
			if errors.As(err, &refused) != (tt.types != nil) {
				t.Errorf("error %#v", err)
			}
			if refused != nil {
				var types []int
				for _, k := range refused.Keys {
					types = append(types, k.Line)
					if k.Type != "ssh-ed25519" || k.Fingerprint != ssh.FingerprintSHA256(other.Key) || !strings.Contains(err.Error(), k.Fingerprint) {
						t.Errorf("%+v in %v", k, err)
					}
				}
				if !slices.Equal(types, tt.types) || !slices.Equal(refused.Takes, []string{"ssh-dss"}) {
					t.Errorf("%+v", refused)
				}
			}
			if n := device.Counters(); n.Shells+len(n.Commands) > 0 || len(device.Keys()) > 0 {
				t.Errorf("something was sent: %+v", n)
			}
		})
	}
}

// TestNetScreenErrors: what the device says against a command is the error.
func TestNetScreenErrors(t *testing.T) {
	const set, save = "  ^-----unknown keyword pka-dsa", "Command not completed: flash is read-only"
	for _, tt := range []struct {
		name   string
		cfg    sshtest.NetScreenConfig
		reason Reason
		detail string
		status int
		keys   int // the device took
	}{
		{"set", sshtest.NetScreenConfig{SetError: set}, Failed, "^-----unknown keyword pka-dsa", 1, 0},
		{"set, no prompts", sshtest.NetScreenConfig{SetError: set, NoPrompt: true, Status: 0}, Failed, "^-----unknown keyword pka-dsa", 1, 0},
		{"set, echo", sshtest.NetScreenConfig{SetError: "Invalid DSA key\r\nremark", Echo: true}, Failed, "Invalid DSA key", 1, 0},
		{"save", sshtest.NetScreenConfig{SaveError: save}, Failed, save, 1, 1},
		{"both", sshtest.NetScreenConfig{SetError: "Failed.", SaveError: "(error 7)"}, Failed, "Failed.\n(error 7)", 1, 0},
		{"long", sshtest.NetScreenConfig{SetError: "invalid " + strings.Repeat("x", 9000)}, Failed, "invalid " + strings.Repeat("x", scriptrun.MaxExcerpt-8), 1, 0},
		{"another status", sshtest.NetScreenConfig{Status: 255}, NoAnswer, "Save System Configuration ...\nDone", 255, 1},
		{"flood", sshtest.NetScreenConfig{Endless: true}, TooMuch, "", -1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			device, client := netScreenDevice(t, tt.cfg)
			_, err := netScreenSession(t, client, Options{}).Edit(shells.Timeout(t), Change{Lines: []string{newDSAKey(t).line}})
			var e *RemoteError
			if !errors.As(err, &e) || e.Reason != tt.reason || e.Detail != tt.detail || e.Status != tt.status || !e.Unsure {
				t.Errorf("error %#v", err)
			}
			if len(device.Keys()) != tt.keys {
				t.Errorf("keys %q", device.Keys())
			}
		})
	}
}

// TestNetScreenSilent: a device that says nothing is not waited for without
// end, and the context ends the waiting before that.
func TestNetScreenSilent(t *testing.T) {
	patience := netScreenPatience
	t.Cleanup(func() { netScreenPatience = patience })
	_, client := netScreenDevice(t, sshtest.NetScreenConfig{Silent: true})
	s := netScreenSession(t, client, Options{})
	change := Change{Lines: []string{newDSAKey(t).line}}

	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := s.Edit(ctx, change); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for name, f := range map[string]func() error{
		"Open": func() error { _, err := OpenNetScreen(ctx, client, Options{}); return err },
		"Read": func() error { _, err := s.Read(ctx, nil); return err },
		"Add":  func() error { _, err := s.Edit(ctx, change); return err },
	} {
		if err := f(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s of a cancelled context: %v", name, err)
		}
	}
	netScreenPatience = 100 * time.Millisecond
	var e *RemoteError
	if _, err := s.Edit(shells.Timeout(t), change); !errors.As(err, &e) || e.Reason != NoAnswer || e.Stage != StageAnswer || !e.Unsure {
		t.Errorf("silent: %#v", err)
	}
}

// TestNetScreenChannel: one shell and nothing else is asked for, no terminal
// above all; and servers that behave unlike any device.
func TestNetScreenChannel(t *testing.T) {
	status := func(n byte) []byte { return []byte{0, 0, 0, n} }
	for _, tt := range []struct {
		name   string
		serve  func(ch ssh.Channel, r *ssh.Request)
		reason Reason // empty: it works
		detail string
		unsure bool
	}{
		{"status 0", func(ch ssh.Channel, r *ssh.Request) {
			r.Reply(true, nil)
			io.ReadAll(ch) // to the end of the input
			ch.SendRequest("exit-status", false, status(0))
			ch.Close()
		}, "", "", false},
		{"status before the end of the output", func(ch ssh.Channel, r *ssh.Request) {
			r.Reply(true, nil)
			ch.SendRequest("exit-status", false, status(1))
			io.WriteString(ch, "ns-> ")
			ch.CloseWrite()
			io.ReadAll(ch) // the client closes
		}, "", "", false},
		{"errors on standard error", func(ch ssh.Channel, r *ssh.Request) {
			r.Reply(true, nil)
			io.WriteString(ch.Stderr(), "unknown keyword set\n")
			ch.SendRequest("exit-status", false, status(1))
			ch.Close()
		}, Failed, "unknown keyword set", true},
		{"no status", func(ch ssh.Channel, r *ssh.Request) {
			r.Reply(true, nil)
			io.WriteString(ch, "ns-> ")
			ch.Close()
		}, Closed, "", true},
		{"no shell", func(_ ssh.Channel, r *ssh.Request) { r.Reply(false, nil) }, Refused, "", false},
		{"closed at once", func(ch ssh.Channel, _ *ssh.Request) { ch.Close() }, Closed, "EOF", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mu sync.Mutex
			var asked []string
			client := shells.Sessions(t, func(ch ssh.Channel, requests <-chan *ssh.Request) {
				for r := range requests {
					mu.Lock()
					asked = append(asked, r.Type)
					mu.Unlock()
					tt.serve(ch, r)
				}
			})
			_, err := netScreenSession(t, client, Options{}).Edit(shells.Timeout(t), Change{Lines: []string{newDSAKey(t).line}})
			var e *RemoteError
			switch {
			case tt.reason == "" && err != nil:
				t.Error(err)
			case tt.reason != "" && (!errors.As(err, &e) || e.Reason != tt.reason || e.Detail != tt.detail || e.Unsure != tt.unsure):
				t.Errorf("error %#v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(asked, []string{"shell"}) {
				t.Errorf("asked for %q", asked)
			}
		})
	}
	var e *RemoteError
	_, err := netScreenSession(t, shells.Sessions(t, nil), Options{}).Edit(shells.Timeout(t), Change{Lines: []string{newDSAKey(t).line}})
	if !errors.As(err, &e) || e.Stage != StageOpen || e.Unsure {
		t.Errorf("no channel: %#v", err)
	}
}

// TestNetScreenOptions: -t is not an error and is told of; -x shows the device's
// words.
func TestNetScreenOptions(t *testing.T) {
	var trace bytes.Buffer
	_, client := netScreenDevice(t, sshtest.NetScreenConfig{})
	r := add(t, netScreenSession(t, client, Options{Target: "keys", Trace: true, Stderr: &trace}), Change{Lines: []string{newDSAKey(t).line}})
	if len(r.Notes) != 1 || r.Notes[0].Kind != NoteNoFile {
		t.Errorf("notes %q", r.Notes)
	}
	var e *RemoteError
	if _, err := OpenNetScreen(shells.Timeout(t), client, Options{Account: "al"}); !errors.As(err, &e) || e.Reason != CannotSwitch {
		t.Errorf("another account: %v", err)
	}
	if !strings.Contains(trace.String(), "Save System Configuration") {
		t.Errorf("trace %q", trace.String())
	}
}

// TestComplaints: which lines are errors.
func TestComplaints(t *testing.T) {
	for line, want := range map[string]bool{
		"^---unknown keyword x": true, "Error: 7": true, "(invalid)": true, "BAD KEY": true, "can't do it": true,
		"Command not completed.": true, "key too long": true, "the save failed": true, "Permission denied": true,
		"Done": false, "Save System Configuration ...": false, "AAAAerror/bad+FAIL=": false, "failover is on": false,
		"terror": false, "Badge": false, "": false, "unknown": false,
	} {
		if got := complaint.MatchString(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

// TestAnswersOfPrompts: a device that prints nothing but prompts costs no more
// than one that prints text.
func TestAnswersOfPrompts(t *testing.T) {
	said := strings.Repeat("a->", maxRequest) + "error"
	if got := answers(said, nil); !slices.Equal(got, []string{"error"}) {
		t.Errorf("%d lines", len(got))
	}
}

// FuzzAnswers: whatever a device says, the lines of it are lines, without keys
// and prompts, and not more than there was.
func FuzzAnswers(f *testing.F) {
	for _, said := range []string{"", "ns-> ", "invalid\r\nns-> ns(M)-> Done\r\n", "a->b->c", "x-> AAAA\r\nerror", "\x00\xff->\r\r"} {
		f.Add(said)
	}
	f.Fuzz(func(t *testing.T, said string) {
		total := 0
		for _, line := range answers(said, []string{"AAAA"}) {
			if line == "" || strings.ContainsAny(line, "\r\n") || strings.Contains(line, "AAAA") {
				t.Errorf("line %q of %q", line, said)
			}
			if rest, ok := cutPrompt(line); ok {
				t.Errorf("a prompt before %q", rest)
			}
			total += len(line)
		}
		if total > len(said) {
			t.Errorf("%d bytes of %d", total, len(said))
		}
	})
}
