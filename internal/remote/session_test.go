//go:build unix

package remote

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ssh-copy-id/internal/sshtest/shells"
)

// TestAdd: what one change makes of each kind of account.
func TestAdd(t *testing.T) {
	const other = "ssh-rsa AAAAB3Nza other key"
	for _, tt := range []struct {
		name   string
		files  map[string]string // by path below the home; mode 600
		links  map[string]string
		dirs   []string
		target string
		change Change
		file   string // where the keys end up; default .ssh/authorized_keys
		want   string
		// Of the Result:
		created    []string
		candidates []int // not applied
		reason     Reason
	}{
		{name: "nothing there", change: install(1, 2), want: testLine(1) + "\n" + testLine(2) + "\n",
			created: []string{".ssh", ".ssh/authorized_keys"}},
		{name: "empty directory", dirs: []string{".ssh"}, change: install(1), want: testLine(1) + "\n",
			created: []string{".ssh/authorized_keys"}},
		{name: "empty file", files: map[string]string{".ssh/authorized_keys": ""}, change: install(1), want: testLine(1) + "\n"},
		{name: "other keys", files: map[string]string{".ssh/authorized_keys": "# mine\n\n" + other + "\n"}, change: install(1),
			want: "# mine\n\n" + other + "\n" + testLine(1) + "\n"},
		{name: "no final newline", files: map[string]string{".ssh/authorized_keys": other}, change: install(1, 2),
			want: other + "\n" + testLine(1) + "\n" + testLine(2) + "\n"},
		{name: "CRLF", files: map[string]string{".ssh/authorized_keys": other + "\r\n"}, change: install(1),
			want: other + "\r\n" + testLine(1) + "\n"},
		{name: "key there", files: map[string]string{".ssh/authorized_keys": other + "\n" + testLine(1)}, change: install(1, 2),
			want: other + "\n" + testLine(1), candidates: []int{2}},
		{name: "keys there in other clothes", change: install(1, 2, 3), candidates: []int{2, 3, 5},
			files: map[string]string{".ssh/authorized_keys": "\n \trestrict,command=\"a \\\"b\" " + testLine(1) + "\r\n#" + testLine(2) + "\n" + other + "\nssh-ed25519 " + testBlob(3)},
			want:  "\n \trestrict,command=\"a \\\"b\" " + testLine(1) + "\r\n#" + testLine(2) + "\n" + other + "\nssh-ed25519 " + testBlob(3)},
		{name: "key there and forced", files: map[string]string{".ssh/authorized_keys": testLine(1) + "\n"},
			change: Change{Lines: []string{testLine(1)}, Blobs: []string{testBlob(1)}, Force: true}, want: testLine(1) + "\n" + testLine(1) + "\n"},
		{name: "NUL bytes", files: map[string]string{".ssh/authorized_keys": strings.Repeat(other+"\n", 30) + "x\x00y\n" + testLine(1) + "\n"},
			change: install(1), want: strings.Repeat(other+"\n", 30) + "x\x00y\n" + testLine(1) + "\n", candidates: []int{32}},
		{name: "NUL at the end", files: map[string]string{".ssh/authorized_keys": strings.Repeat(other+"\n", 30) + "x\x00"},
			change: install(1), want: strings.Repeat(other+"\n", 30) + "x\x00\n" + testLine(1) + "\n"},
		{name: "not ASCII", files: map[string]string{".ssh/authorized_keys": other + " \xc3\xa9\xe2\x82\xac \xe9\n" + testLine(1) + " \xe9\n"},
			change: install(1), want: other + " \xc3\xa9\xe2\x82\xac \xe9\n" + testLine(1) + " \xe9\n", candidates: []int{2}},
		{name: "UTF-16", files: map[string]string{".ssh/authorized_keys": "\xff\xfes\x00s\x00h\x00\n\x00"}, change: install(1),
			want: "\xff\xfes\x00s\x00h\x00\n\x00", reason: NotText},
		{name: "Latin-1 at the beginning", files: map[string]string{".ssh/authorized_keys": "# \xff\xfe \xe9\n" + other + "\n"}, change: install(1),
			want: "# \xff\xfe \xe9\n" + other + "\n" + testLine(1) + "\n"},
		{name: "NULs at the beginning", files: map[string]string{".ssh/authorized_keys": strings.Repeat("\x00", 513) + "\n" + other}, change: install(1),
			want: strings.Repeat("\x00", 513) + "\n" + other + "\n" + testLine(1) + "\n"},
		{name: "NULs at the end", files: map[string]string{".ssh/authorized_keys": other + strings.Repeat("\x00", 4096)}, change: install(1),
			want: other + strings.Repeat("\x00", 4096) + "\n" + testLine(1) + "\n"},
		{name: "UTF-16 without a mark", files: map[string]string{".ssh/authorized_keys": "s\x00s\x00h\x00\n\x00"}, change: install(1),
			want: "s\x00s\x00h\x00\n\x00", reason: NotText},
		{name: "UTF-16 of the other order", files: map[string]string{".ssh/authorized_keys": "\xfe\xff\x04\x1a\x00s\x00h\x00\n"}, change: install(1),
			want: "\xfe\xff\x04\x1a\x00s\x00h\x00\n", reason: NotText},
		{name: "UTF-16 that begins in Russian", files: map[string]string{".ssh/authorized_keys": "\xff\xfe\x1a\x04\x1b\x04s\x00h\x00\n\x00"}, change: install(1),
			want: "\xff\xfe\x1a\x04\x1b\x04s\x00h\x00\n\x00", reason: NotText},
		{name: "UTF-16 appended to it", files: map[string]string{".ssh/authorized_keys": other + "\ns\x00s\x00h\x00\r\x00\n\x00"}, change: install(1),
			want: other + "\ns\x00s\x00h\x00\r\x00\n\x00\n" + testLine(1) + "\n"},
		{name: "target is a directory", dirs: []string{".ssh/authorized_keys"}, change: install(1), file: "-", reason: Directory},
		{name: "target ends in a slash", target: "new/", change: install(1), file: "-", reason: Directory},
		{name: "directory is a file", files: map[string]string{".ssh": "x"}, change: install(1), file: ".ssh", want: "x", reason: NotDir},
		{name: "strange lines", file: ".ssh/authorized_keys",
			change: Change{Lines: []string{"  lead and trail  ", `command="a\n\\b %s %d $(touch x) ` + "`touch y`" + ` $HOME ; '*' \" !1" ` + testLine(1),
				"-n", "\\c", "caf\xc3\xa9 \xe9\xff\tx\r", "#"}},
			want: "  lead and trail  \n" + `command="a\n\\b %s %d $(touch x) ` + "`touch y`" + ` $HOME ; '*' \" !1" ` + testLine(1) + "\n-n\n\\c\ncaf\xc3\xa9 \xe9\xff\tx\r\n#\n"},
		{name: "relative target", target: "keys/of mine", file: "keys/of mine", change: install(1), want: testLine(1) + "\n",
			created: []string{"keys", "keys/of mine"}},
		{name: "tilde target", target: "~/a/b/c", file: "a/b/c", change: install(1), want: testLine(1) + "\n",
			created: []string{"a", "a/b", "a/b/c"}},
		{name: "$HOME target", target: "$HOME/k", file: "k", change: install(1), want: testLine(1) + "\n"},
		{name: "target with a dash", target: "-rf", file: "-rf", change: install(1), want: testLine(1) + "\n"},
		{name: "target of metacharacters", target: "$(touch x)/`id`;'\"*\\n %s\\", file: "$(touch x)/`id`;'\"*\\n %s\\", change: install(1), want: testLine(1) + "\n"},
		{name: "target with blanks", target: "  a  b ", file: "  a  b ", change: install(1), want: testLine(1) + "\n"},
		{name: "target not ASCII", target: "cl\xc3\xa9s \xe9", file: "cl\xc3\xa9s \xe9", change: install(1), want: testLine(1) + "\n"},
		{name: "linked file", files: map[string]string{"dot/keys": other + "\n"}, links: map[string]string{".ssh/authorized_keys": "../dot/keys"},
			file: "dot/keys", change: install(1), want: other + "\n" + testLine(1) + "\n"},
		{name: "dangling link", dirs: []string{"dot"}, links: map[string]string{".ssh/authorized_keys": "../dot/keys"},
			file: "dot/keys", change: install(1), want: testLine(1) + "\n"},
		{name: "linked directory", dirs: []string{"dot"}, links: map[string]string{".ssh": "dot"},
			file: "dot/authorized_keys", change: install(1), want: testLine(1) + "\n"},
		{name: "many keys", change: install(sequence(400)...), want: lines(400)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, allRoads, func(t *testing.T, h *host) {
				if strings.HasSuffix(t.Name(), "/yash") && notASCII(tt.target, tt.change.Lines...) {
					t.Skip("yash cannot read bytes that are not of its locale; it says so and nothing is changed")
				}
				for _, dir := range tt.dirs {
					os.MkdirAll(h.Path(dir), 0o700)
				}
				for name, content := range tt.files {
					h.Write(name, content, 0o600)
				}
				for name, to := range tt.links {
					os.MkdirAll(filepath.Dir(h.Path(name)), 0o700)
					if err := os.Symlink(to, h.Path(name)); err != nil {
						t.Fatal(err)
					}
				}
				file := tt.file
				if file == "" {
					file = ".ssh/authorized_keys"
				}
				result, err := h.session(Options{Target: tt.target}).Edit(shells.Timeout(t), tt.change)
				h.wantClean()
				if file != "-" {
					h.want(file, tt.want)
				}
				for name, to := range tt.links {
					if got, _ := os.Readlink(h.Path(name)); got != to {
						t.Errorf("link %s is now %q", name, got)
					}
				}
				for _, trace := range []string{"x", "y"} {
					if _, err := os.Stat(h.Path(trace)); err == nil {
						t.Errorf("data was run: there is a file %s", trace)
					}
				}
				var e *RemoteError
				switch {
				case tt.reason != "":
					if !errors.As(err, &e) || e.Reason != tt.reason {
						t.Errorf("error %v, want %s", err, tt.reason)
					}
					return
				case err != nil:
					t.Fatal(err)
				}
				if result.Applied != (tt.candidates == nil) {
					t.Errorf("applied: %v", result.Applied)
				}
				var numbers []int
				for _, c := range result.State.Candidates {
					numbers = append(numbers, c.Number)
				}
				if !slices.Equal(numbers, tt.candidates) {
					t.Errorf("candidates %v, want %v", numbers, tt.candidates)
				}
				if tt.created != nil {
					var want []string
					for _, name := range tt.created {
						want = append(want, h.Path(name))
					}
					if !slices.Equal(result.Created, want) {
						t.Errorf("created %q, want %q", result.Created, want)
					}
					for _, name := range tt.created[:len(tt.created)-1] {
						h.wantMode(name, 0o700)
					}
					h.wantMode(tt.created[len(tt.created)-1], 0o600)
				}
				if result.Applied && (!result.State.Exists || result.State.Path == "" || len(result.State.Facts) == 0) {
					t.Errorf("state after the change: %+v", result.State)
				}
			})
		})
	}
}

func notASCII(first string, more ...string) bool {
	return strings.IndexFunc(first+strings.Join(more, ""), func(r rune) bool { return r > 0x7f }) >= 0
}

func sequence(n int) []int {
	var list []int
	for i := range n {
		list = append(list, i)
	}
	return list
}

// lines is a file with keys 0 to n-1.
func lines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(testLine(i) + "\n")
	}
	return b.String()
}

// TestRepair: permissions that would be, and are, mended.
func TestRepair(t *testing.T) {
	type modes struct{ home, dir, file os.FileMode }
	for _, tt := range []struct {
		name        string
		target      string // below the home
		before, now modes
	}{
		{"in order", ".ssh/authorized_keys", modes{0o755, 0o700, 0o600}, modes{0o755, 0o700, 0o600}},
		{"group may write", ".ssh/authorized_keys", modes{0o775, 0o770, 0o660}, modes{0o755, 0o700, 0o600}},
		{"all may do all", ".ssh/authorized_keys", modes{0o777, 0o777, 0o777}, modes{0o755, 0o700, 0o600}},
		{"others may read", ".ssh/authorized_keys", modes{0o755, 0o755, 0o644}, modes{0o755, 0o700, 0o600}},
		{"stricter", ".ssh/authorized_keys", modes{0o700, 0o700, 0o200 | 0o400}, modes{0o700, 0o700, 0o600}},
		{"stricter file", ".ssh/authorized_keys", modes{0o711, 0o700, 0o444}, modes{0o711, 0o700, 0o400}},
		{"shared home", ".ssh/authorized_keys", modes{0o777 | os.ModeSticky, 0o700, 0o600}, modes{0o777, 0o700, 0o600}},
		{"elsewhere", "keys/mine", modes{0o777, 0o777, 0o666}, modes{0o777, 0o777, 0o600}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, allRoads, func(t *testing.T, h *host) {
				dir := filepath.Dir(tt.target)
				h.Write(tt.target, "x\n", tt.before.file)
				os.Chmod(h.Path(dir), tt.before.dir)
				os.Chmod(h.Home, tt.before.home)
				s := h.session(Options{Target: map[bool]string{false: tt.target}[dir == ".ssh"]})
				state, err := s.Read(shells.Timeout(t), []string{testBlob(1)})
				if err != nil {
					t.Fatal(err)
				}
				if os.Getuid() == 0 || tt.before.file&0o200 != 0 {
					h.addUnrepaired(s, tt.before.home, tt.before.dir, tt.before.file, tt.target)
				}
				result := add(t, s, Change{Repair: true})
				if len(state.Repairs) != len(result.Repaired) || !slices.Equal(state.Repairs, result.Repaired) {
					t.Errorf("would mend %v, mended %v", state.Repairs, result.Repaired)
				}
				h.wantMode(".", tt.now.home)
				h.wantMode(dir, tt.now.dir)
				h.wantMode(tt.target, tt.now.file)
				if tt.before == tt.now && len(result.Repaired) > 0 {
					t.Errorf("mended %v", result.Repaired)
				}
			})
		})
	}
}

// addUnrepaired adds a key without Repair, and checks that all modes stay.
func (h *host) addUnrepaired(s Session, home, dir, file fs.FileMode, target string) {
	h.T.Helper()
	if r := add(h.T, s, install(1)); !r.Applied || len(r.Repaired) > 0 {
		h.T.Errorf("%+v", r)
	}
	h.want(target, "x\n"+testLine(1)+"\n")
	h.wantMode(".", home.Perm())
	h.wantMode(filepath.Dir(target), dir.Perm())
	h.wantMode(target, file.Perm())
}

// TestOutside: of what a link leads to outside the home only the content is
// ours.
func TestOutside(t *testing.T) {
	each(t, allRoads, func(t *testing.T, h *host) {
		outside := filepath.Join(filepath.Dir(h.Home), "outside")
		h.Write("../outside/keys", "x\n", 0o664)
		os.Chmod(outside, 0o775)
		os.Mkdir(h.Path(".ssh"), 0o755)
		if err := os.Symlink(filepath.Join(outside, "keys"), h.KeysFile()); err != nil {
			t.Fatal(err)
		}
		c := install(1)
		c.Repair = true
		r := add(t, h.session(Options{}), c)
		if want := []Repair{{h.Path(".ssh"), 0o755, 0o700}}; !slices.Equal(r.Repaired, want) {
			t.Errorf("repaired %v, want %v", r.Repaired, want)
		}
		if r.State.Real != filepath.Join(outside, "keys") {
			t.Errorf("real path %q", r.State.Real)
		}
		h.want("../outside/keys", "x\n"+testLine(1)+"\n")
		h.wantMode("../outside/keys", 0o664)
		h.wantMode("../outside", 0o775)

		// A target out there: only write permission goes.
		r = add(t, h.session(Options{Target: filepath.Join(outside, "keys")}), Change{Repair: true})
		if want := []Repair{{filepath.Join(outside, "keys"), 0o664, 0o644}}; !slices.Equal(r.Repaired, want) {
			t.Errorf("repaired %v, want %v", r.Repaired, want)
		}
		h.wantMode("../outside", 0o775)
	})
}

// TestExpect: a change planned from a state holds only while the file is in it.
func TestExpect(t *testing.T) {
	each(t, allRoads, func(t *testing.T, h *host) {
		s := h.session(Options{})
		state, err := s.Read(shells.Timeout(t), []string{testBlob(1)})
		if err != nil {
			t.Fatal(err)
		}
		if state.Exists || state.Sum != "absent" {
			t.Errorf("state of no file: %+v", state)
		}
		if _, err := os.Stat(h.Path(".ssh")); err == nil {
			t.Error("Read made something")
		}
		h.Write(".ssh/authorized_keys", "#"+testLine(1)+"\n", 0o600)
		c := install(1)
		c.Expect = state.Sum
		r := add(t, s, c)
		if r.Applied || r.State.Sum == state.Sum || len(r.State.Candidates) != 1 {
			t.Errorf("first: %+v", r)
		}
		c.Expect = r.State.Sum
		if r = add(t, s, c); !r.Applied {
			t.Errorf("second: %+v", r)
		}
		h.want(".ssh/authorized_keys", "#"+testLine(1)+"\n"+testLine(1)+"\n")
	})
}

// TestKept: the inode, and with it hard links and all it carries, stays.
func TestKept(t *testing.T) {
	each(t, allRoads, func(t *testing.T, h *host) {
		h.Write(".ssh/authorized_keys", "x", 0o600)
		os.Link(h.KeysFile(), h.Path("second"))
		add(t, h.session(Options{}), install(1))
		h.want("second", "x\n"+testLine(1)+"\n")
	})
}

// TestPipe: a named pipe is not opened, which would hang.
func TestPipe(t *testing.T) {
	each(t, allRoads, func(t *testing.T, h *host) {
		os.Mkdir(h.Path(".ssh"), 0o700)
		if err := syscall.Mkfifo(h.KeysFile(), 0o600); err != nil {
			t.Fatal(err)
		}
		s := h.session(Options{})
		_, err := s.Edit(shells.Timeout(t), install(1))
		var e *RemoteError
		if !errors.As(err, &e) || e.Reason != Irregular || e.State == nil {
			t.Errorf("error %v", err)
		}
		if _, err = s.Read(shells.Timeout(t), nil); !errors.As(err, &e) || e.Reason != Irregular {
			t.Errorf("error %v", err)
		}
	})
}

// TestFacts: what is told about the path.
func TestFacts(t *testing.T) {
	each(t, allRoads, func(t *testing.T, h *host) {
		os.Mkdir(h.Path("real"), 0o750)
		os.Symlink("real", h.Path(".ssh"))
		state, err := h.session(Options{}).Read(shells.Timeout(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range state.Facts {
			if rest, ok := strings.CutPrefix(f.Path, h.Home); ok {
				got = append(got, strings.Join([]string{rest, f.Kind, f.Link, f.Mode.String()}, " "))
				if f.Kind != Missing && !f.Mine {
					t.Errorf("%+v is not ours", f)
				}
			}
		}
		want := []string{" dir  -rwxr-xr-x", "/.ssh link real -rwxrwxrwx", "/.ssh dir  -rwxr-x---", "/.ssh/authorized_keys missing  ----------", "/real dir  -rwxr-x---"}
		if !slices.Equal(got, want) {
			t.Errorf("facts\n%q\nwant\n%q", got, want)
		}
		if state.Facts[0].Path != "/" || state.Home != h.Home || state.Real != h.Path("real/authorized_keys") {
			t.Errorf("state %+v", state)
		}
	})
}
