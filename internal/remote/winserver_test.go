//go:build unix

package remote

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"ssh-copy-id/internal/sshtest"

	"ssh-copy-id/internal/serverid"
	"ssh-copy-id/internal/sshtest/shells"
)

const (
	windowsOwn    = `C:\Users\al\.ssh\authorized_keys`
	windowsShared = `C:\ProgramData\ssh\administrators_authorized_keys`
	sharedACL     = "O:S-1-5-32-544D:P(A;;0x1f01ff;;;S-1-5-32-544)(A;;0x1f01ff;;;S-1-5-18)"
)

// windowsHost is a made-up Windows server and a connection to it.
type windowsHost struct {
	*sshtest.Windows
	t      *testing.T
	client *ssh.Client
}

func newWindows(t *testing.T, cfg sshtest.WindowsConfig) *windowsHost {
	t.Helper()
	cfg.Account, cfg.Password, cfg.Dir = "al", "secret", t.TempDir()
	server, err := sshtest.StartWindows(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	client, err := ssh.Dial("tcp", server.Addr(), &ssh.ClientConfig{
		User: "al", Auth: []ssh.AuthMethod{ssh.Password("secret")}, HostKeyCallback: ssh.FixedHostKey(server.HostKey()),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	if version := string(client.ServerVersion()); !serverid.Parse(version).Windows {
		t.Errorf("%s is not taken for Windows", version)
	}
	return &windowsHost{server, t, client}
}

func (h *windowsHost) open(o Options) Session {
	h.t.Helper()
	s, err := OpenWindows(shells.Timeout(h.t), h.client, o)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { s.Close() })
	return s
}

func (h *windowsHost) write(path, content string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(h.Local(path)), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(h.Local(path), []byte(content), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// want checks the content of a file; "-" means that it is not there. Nothing
// else may be left in its directory.
func (h *windowsHost) want(path, content string) {
	h.t.Helper()
	got, err := os.ReadFile(h.Local(path))
	if content == "-" {
		if err == nil {
			h.t.Errorf("there is a file %s: %q", path, got)
		}
		return
	}
	if string(got) != content {
		h.t.Errorf("%s holds %q, want %q, error %v", path, got, content, err)
	}
	entries, _ := os.ReadDir(filepath.Dir(h.Local(path)))
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return e.Name() == "sshd_config" || e.Name() == "logs" })
	if len(entries) != 1 {
		h.t.Errorf("beside %s there are %v", path, entries)
	}
}

func noted(r *Result, text string) bool {
	kind, about, _ := strings.Cut(text, ": ")
	return slices.ContainsFunc(r.Notes, func(note Note) bool {
		return note.Kind == NoteKind(kind) && strings.Contains(note.String(), about)
	})
}

// TestWindowsAdd: where the keys of each kind of account end up, for every
// DefaultShell.
func TestWindowsAdd(t *testing.T) {
	const other = "ssh-rsa AAAAB3Nza other key"
	for _, tt := range []struct {
		name   string
		cfg    sshtest.WindowsConfig
		before string // of the file; "-" for none
		target string
		change Change
		file   string
		want   string // default: before and the key
		reason Reason
		// candidates are the lines that speak against the change.
		candidates []int
		note       string
	}{
		{name: "nothing there", before: "-", want: testLine(1) + "\n"},
		{name: "empty", before: ""},
		{name: "other keys", before: other + "\n"},
		{name: "no final newline", before: other, want: other + "\n" + testLine(1) + "\n"},
		{name: "CRLF", before: other + "\r\n"},
		{name: "key there", before: testLine(1) + "\r\n", want: testLine(1) + "\r\n", candidates: []int{1}},
		{name: "UTF-16", before: "\xff\xfes\x00s\x00h\x00", want: "\xff\xfes\x00s\x00h\x00", reason: NotText},
		{name: "UTF-16 without a mark", before: "s\x00s\x00h\x00", want: "s\x00s\x00h\x00", reason: NotText},
		{name: "UTF-8 with a mark", before: "\xef\xbb\xbf" + other + "\n", note: "byte order mark"},
		{name: "many keys", before: "-", change: install(sequence(300)...), want: lines(300)},
		{name: "administrator", cfg: sshtest.WindowsConfig{Admin: true}, before: "-", file: windowsShared,
			want: testLine(1) + "\n"},
		{name: "administrator with keys", cfg: sshtest.WindowsConfig{Admin: true}, before: other, file: windowsShared,
			want: other + "\n" + testLine(1) + "\n"},
		{name: "administrator with a filtered token", cfg: sshtest.WindowsConfig{Filtered: true}, before: other + "\n", file: windowsShared},
		{name: "administrator, sshd_config unreadable", cfg: sshtest.WindowsConfig{Admin: true, SSHDConfig: "-"}, before: "-",
			file: windowsShared, want: testLine(1) + "\n"},
		{name: "administrator, Match commented out", before: other + "\n",
			cfg: sshtest.WindowsConfig{Admin: true, SSHDConfig: strings.NewReplacer("Match", "#Match", "       Auth", "#      Auth").Replace(sshtest.WindowsSSHDConfig)}},
		{name: "another AuthorizedKeysFile", cfg: sshtest.WindowsConfig{SSHDConfig: "AuthorizedKeysFile C:/keys/%u\r\n"}, before: other + "\n",
			note: `other file: C:\keys\al`},
		{name: "target relative", target: `keys\of mine`, before: "-", file: `C:\Users\al\keys\of mine`, want: testLine(1) + "\n"},
		{name: "target below the home", target: "~/.ssh/more", before: other + "\n", file: `C:\Users\al\.ssh\more`},
		{name: "target with a drive", target: `c:\ProgramData\SSH\keys $x`, before: other + "\n", file: `C:\ProgramData\ssh\keys $x`},
		{name: "target is the shared file", cfg: sshtest.WindowsConfig{Admin: true}, target: "/C:/programdata/SSH/Administrators_authorized_keys",
			before: other + "\n", file: windowsShared},
		{name: "target without a drive", target: `\keys`, before: "-", reason: Invalid},
		{name: "target of another kind", target: `a:b`, before: "-", reason: Invalid},
		{name: "target is a directory", target: `.ssh\`, before: other + "\n", reason: Directory, want: other + "\n"},
	} {
		for _, shell := range []string{sshtest.Cmd, sshtest.PowerShell, sshtest.Bash} {
			t.Run(tt.name+"/"+shell, func(t *testing.T) {
				tt.cfg.Shell = shell
				h := newWindows(t, tt.cfg)
				file := tt.file
				if file == "" {
					file = windowsOwn
				}
				if tt.before != "-" {
					h.write(file, tt.before)
				}
				change := tt.change
				if change.Lines == nil {
					change = install(1)
				}
				change.Repair = true
				var result *Result
				announced := ""
				o := Options{Target: tt.target, Shared: func(path string) {
					announced = path
					if now, _ := os.ReadFile(h.Local(path)); string(now) != strings.TrimPrefix(tt.before, "-") {
						t.Errorf("announced after the write")
					}
				}}
				s, err := OpenWindows(shells.Timeout(t), h.client, o)
				if err == nil {
					defer s.Close()
					result, err = s.Edit(shells.Timeout(t), change)
				}
				want := tt.want
				if want == "" && tt.reason == "" {
					want = tt.before + testLine(1) + "\n"
				}
				if want != "" {
					h.want(file, want)
				}
				var e *RemoteError
				if tt.reason != "" {
					if !errors.As(err, &e) || e.Reason != tt.reason || e.Unsure {
						t.Errorf("error %v, want %s", err, tt.reason)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				var numbers []int
				for _, c := range result.State.Candidates {
					numbers = append(numbers, c.Number)
				}
				if result.Applied != (tt.candidates == nil) || !slices.Equal(numbers, tt.candidates) {
					t.Errorf("applied %v, candidates %v", result.Applied, numbers)
				}
				st := result.State
				if !strings.EqualFold(st.Path, file) || st.OS != "Windows" || st.Home != `C:\Users\al` || st.User != "al" || st.Facts != nil {
					t.Errorf("state %+v", st)
				}
				if shared := file == windowsShared; result.Shared != shared || strings.EqualFold(announced, file) != shared {
					t.Errorf("%s: shared %v, announced %q", st.Path, result.Shared, announced)
				}
				if tt.note != "" && !noted(result, tt.note) {
					t.Errorf("no note of %q in %q", tt.note, result.Notes)
				}
				if result.Applied && tt.before == "-" && !slices.Contains(result.Created, file) {
					t.Errorf("created %q", result.Created)
				}
			})
		}
	}
}

// TestWindowsRead tells the same as Add acts on, and changes nothing.
func TestWindowsRead(t *testing.T) {
	h := newWindows(t, sshtest.WindowsConfig{})
	s := h.open(Options{})
	st, err := s.Read(shells.Timeout(t), []string{testBlob(1)})
	if err != nil || st.Exists || st.Path != windowsOwn || st.Sum != "absent" {
		t.Fatalf("%+v, %v", st, err)
	}
	h.want(windowsOwn, "-")
	h.write(windowsOwn, "# mine\r\n"+testLine(1)+"\r\n"+testLine(2))
	st, err = s.Read(shells.Timeout(t), []string{testBlob(1)})
	if err != nil || !st.Exists || !st.NoFinalNewline || st.NotText || len(st.Candidates) != 1 || st.Candidates[0].Number != 2 {
		t.Fatalf("%+v, %v", st, err)
	}
	// Somebody else writes between the two: what was planned is not done.
	h.write(windowsOwn, "# theirs\n")
	change := install(3)
	change.Expect = st.Sum
	r := add(t, s, change)
	if r.Applied {
		t.Error("applied to a file that is not the one that was read")
	}
	h.want(windowsOwn, "# theirs\n")
	change.Expect = r.State.Sum
	if r = add(t, s, change); !r.Applied {
		t.Error("not applied to the file that was read again")
	}
	h.want(windowsOwn, "# theirs\n"+testLine(3)+"\n")
	if got := len(h.Commands()); got != 2 {
		t.Errorf("%d commands, want one to look and one to guard", got)
	}
}

// TestWindowsACL: which access lists a change leaves behind.
func TestWindowsACL(t *testing.T) {
	full := func(sid string) sshtest.ACE { return sshtest.ACE{SID: sid, Rights: sshtest.FullControl} }
	const me, adm, system = sshtest.SIDAccount, sshtest.SIDAdministrators, sshtest.SIDSystem
	tight := sshtest.ACL{Owner: me, Protected: true, Entries: []sshtest.ACE{full(adm), full(system), full(me)}}
	open := sshtest.ACL{Owner: me, Entries: append(slices.Clone(tight.Entries),
		sshtest.ACE{SID: sshtest.SIDEveryone, Rights: sshtest.Modify, Inherited: true}, sshtest.ACE{SID: sshtest.SIDUsers, Rights: sshtest.ReadOnly})}
	mended := sshtest.ACL{Owner: me, Protected: true, Entries: append(slices.Clone(tight.Entries),
		sshtest.ACE{SID: sshtest.SIDEveryone, Rights: sshtest.ReadOnly}, sshtest.ACE{SID: sshtest.SIDUsers, Rights: sshtest.ReadOnly})}
	alien := sshtest.ACL{Owner: "S-1-5-21-1-2-3-1999", Entries: tight.Entries}
	for _, tt := range []struct {
		name     string
		cfg      sshtest.WindowsConfig
		before   *sshtest.ACL // of a file that is there; nil: there is none
		noRepair bool
		want     string
		note     string
		ignored  bool // sshd does not read the file in the end
	}{
		{name: "own file, tight", before: &tight, want: tight.String()},
		{name: "own file, open", before: &open, want: mended.String(), note: "access list changed: Everyone"},
		{name: "own file, open, left alone", before: &open, noRepair: true, want: open.String(), note: "writers: Everyone", ignored: true},
		{name: "own file, of another", before: &alien, want: alien.String(), note: "owner: S-1-5-21-1-2-3-1999", ignored: true},
		{name: "own file, open, not ours to change", cfg: sshtest.WindowsConfig{FixedACL: true}, before: &open, want: open.String(),
			note: "access list unchanged: unauthorized operation", ignored: true},
		{name: "new file", want: "O:" + me + "D:(A;ID;0x1f01ff;;;S-1-5-18)(A;ID;0x1f01ff;;;S-1-5-32-544)(A;ID;0x1f01ff;;;" + me + ")"},
		{name: "new file of an old server", cfg: sshtest.WindowsConfig{NewFile: &open}, noRepair: true, want: mended.String(), note: "access list changed"},
		{name: "shared file, new", cfg: sshtest.WindowsConfig{Admin: true}, noRepair: true, want: sharedACL, note: "shared file taken over"},
		{name: "shared file, open", cfg: sshtest.WindowsConfig{Admin: true}, before: &open, want: sharedACL, note: "shared file taken over"},
		{name: "shared file, of one administrator", cfg: sshtest.WindowsConfig{Admin: true}, before: &tight, want: sharedACL, note: `shared file taken over: PC\al`},
		{name: "shared file, of another", cfg: sshtest.WindowsConfig{Admin: true}, before: &alien, want: sharedACL, note: "shared file taken over: S-1-5-21-1-2-3-1999"},
		{name: "shared file, left alone", cfg: sshtest.WindowsConfig{Admin: true}, before: &tight, noRepair: true, want: tight.String(),
			note: `writers: PC\al`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newWindows(t, tt.cfg)
			file := h.KeysFile()
			if tt.before != nil {
				h.write(file, "# mine\n")
				h.SetACL(file, *tt.before)
			}
			change := install(1)
			change.Repair = !tt.noRepair
			r := add(t, h.open(Options{}), change)
			if !r.Applied {
				t.Fatal("not applied")
			}
			if got := h.ACL(file).String(); got != tt.want {
				t.Errorf("access list\n%s, want\n%s", got, tt.want)
			}
			if tt.note != "" && !noted(r, tt.note) || tt.note == "" && len(r.Notes) > 0 {
				t.Errorf("notes %q, want %q", r.Notes, tt.note)
			}
			if err := h.Ignored(file); (err != nil) != tt.ignored {
				t.Errorf("sshd ignores the file: %v", err)
			}
			// A second run finds nothing more to do.
			again := add(t, h.open(Options{}), Change{Repair: !tt.noRepair})
			if noted(again, "access list changed") || noted(again, "shared file taken over") {
				t.Errorf("the second run: %q", again.Notes)
			}
		})
	}
}

// TestWindowsLogin: what was installed lets its owner in.
func TestWindowsLogin(t *testing.T) {
	for name, cfg := range map[string]sshtest.WindowsConfig{
		"user": {}, "administrator": {Admin: true},
		"old server": {NewFile: &sshtest.ACL{Owner: sshtest.SIDAccount, Entries: []sshtest.ACE{{SID: sshtest.SIDEveryone, Rights: sshtest.Modify}}}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newWindows(t, cfg)
			signer := shells.Signer(t)
			line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
			login := func() error {
				client, err := ssh.Dial("tcp", h.Addr(), &ssh.ClientConfig{
					User: "al", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyCallback: ssh.FixedHostKey(h.HostKey()),
				})
				if err == nil {
					client.Close()
				}
				return err
			}
			if login() == nil {
				t.Fatal("the key logs in before it is installed")
			}
			add(t, h.open(Options{}), Change{Lines: []string{line}, Blobs: []string{strings.Fields(line)[1]}})
			if err := login(); err != nil {
				t.Errorf("%v; access list %v", err, h.ACL(h.KeysFile()))
			}
		})
	}
}

// TestWindowsConcurrent: many installs at once lose nothing.
func TestWindowsConcurrent(t *testing.T) {
	h := newWindows(t, sshtest.WindowsConfig{Admin: true})
	together(8, func(i int) {
		s, err := OpenWindows(shells.Timeout(t), h.client, Options{})
		if err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		if _, err := s.Edit(shells.Timeout(t), install(i)); err != nil {
			t.Error(err)
		}
	})
	got, _ := os.ReadFile(h.Local(windowsShared))
	for i := range 8 {
		if strings.Count(string(got), testLine(i)+"\n") != 1 {
			t.Errorf("key %d is not there once:\n%s", i, got)
		}
	}
	if acl := h.ACL(windowsShared).String(); acl != sharedACL {
		t.Errorf("access list %s", acl)
	}
}
