package authkeys

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/crypto/ssh"
)

// entry is the entry of testdata/NAME.pub.
func entry(t testing.TB, name string) Entry {
	t.Helper()
	line, _ := pub(t, name)
	e, err := ParseEntry(line)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// keys are short names for lines in the tests of this file.
func keys(t testing.TB) *strings.Replacer {
	var pairs []string
	for short, name := range map[string]string{"<A>": "ed25519", "<B>": "ecdsa256", "<C>": "rsa"} {
		_, key := pub(t, name)
		pairs = append(pairs, short, key)
	}
	return strings.NewReplacer(pairs...)
}

func numbers(lines []Line) []int {
	var n []int
	for _, l := range lines {
		n = append(n, l.Number)
	}
	return n
}

func TestLines(t *testing.T) {
	_, a := pub(t, "ed25519")
	file := Parse([]byte("# mine\r\n\n" + a + " alice\r\n" + a + a + "\nrestrict " + a))
	want := []struct {
		text   string
		entry  bool
		reason Reason
	}{
		{text: "# mine\r"},
		{text: ""},
		{text: a + " alice\r", entry: true},
		{text: a + a, reason: GluedKeys},
		{text: "restrict " + a, entry: true},
	}
	number := 0
	for l := range file.Lines() {
		w := want[number]
		number++
		if l.Number != number || l.Text != w.text || (l.Entry != nil) != w.entry {
			t.Errorf("got %+v, want line %d %+v", l, number, w)
		}
		if failed, ok := l.Err.(*ParseError); ok != (w.reason != 0) || ok && failed.Reason != w.reason {
			t.Errorf("line %d: error %v, want %v", number, l.Err, w.reason)
		}
	}
	if number != len(want) {
		t.Errorf("%d lines, want %d", number, len(want))
	}
	for l := range file.Lines() {
		if l.Number != 1 {
			t.Fatal("the loop goes on after its end")
		}
		break
	}
}

func TestFind(t *testing.T) {
	tests := []struct {
		name, file string
		want       []int
	}{
		{"empty file", "", nil},
		{"other keys", "<B>\n<C>\n", nil},
		{"the key", "<B>\n<A>\n<C>\n", []int{2}},
		{"whatever the comment", "<A> alice\n<A> bob\n", []int{1, 2}},
		{"whatever the options", "restrict,command=\"ls -l\" <A>\n", []int{1}},
		{"leading blanks", "\n \t <A>\n", []int{2}},
		{"carriage return", "<B>\r\n<A>\r\n", []int{2}},
		{"no last newline", "<B>\n<A>", []int{2}},
		{"in a comment line it is none", "# <A>\n", nil},
		{"in an option it is none", "command=\"<A>\" <B>\n", nil},
		{"in the comment of another key it is none", "<B> <A>\n", nil},
		{"behind a byte order mark sshd does not see it", "\ufeff<A>\n<A>\n", []int{2}},
		{"glued to another key sshd does not see it", "<A><B>\n", nil},
		{"glued by the comment sshd sees the first", "<A> alice<B>\n", []int{1}},
		{"a line of a megabyte", "environment=\"X=" + strings.Repeat("x", 1<<20) + "\" <A>\n<A>\n", []int{1, 2}},
		{"lines that are no entries", "\x00\n<A\n\xff\n<A>\n", []int{4}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := keys(t).Replace(test.file)
			found := Parse([]byte(text)).Find(entry(t, "ed25519").Key)
			if !slices.Equal(numbers(found), test.want) {
				t.Errorf("lines %v, want %v", numbers(found), test.want)
			}
			for _, l := range found {
				if want := strings.Split(text, "\n")[l.Number-1]; l.Entry == nil || l.Text != want {
					t.Errorf("line %d is %.80q, want %.80q", l.Number, l.Text, want)
				}
			}
		})
	}
	t.Run("blanks inside the base64", func(t *testing.T) {
		_, a := pub(t, "ed25519")
		for _, blank := range inside {
			file := Parse([]byte(a[:40] + string(blank) + a[40:] + "\n"))
			if found := file.Find(entry(t, "ed25519").Key); len(found) != 1 {
				t.Errorf("%q: %d lines", blank, len(found))
			}
		}
	})
	if found := Parse([]byte("x\n")).Find(nil); found != nil {
		t.Errorf("without a key: %v", found)
	}
}

func TestAppend(t *testing.T) {
	alice, bob := entry(t, "ed25519"), entry(t, "ecdsa256")
	tests := []struct {
		name, file string
		add        []Entry
		want       string
		added      int
	}{
		{"to an empty file", "", []Entry{alice}, "<A> alice@laptop\n", 1},
		{"at the end", "<B>\n", []Entry{alice}, "<B>\n<A> alice@laptop\n", 1},
		{"in order", "", []Entry{bob, alice}, "<B> ec256\n<A> alice@laptop\n", 2},
		{"mends a missing newline", "<B>", []Entry{alice}, "<B>\n<A> alice@laptop\n", 1},
		{"mends it once", "# x", []Entry{alice, bob}, "# x\n<A> alice@laptop\n<B> ec256\n", 2},
		{"a key that is there", "<A> other\n", []Entry{alice}, "<A> other\n", 0},
		{"a key that is there, without a newline", "<A> other", []Entry{alice}, "<A> other", 0},
		{"a key that is there, restricted", "restrict <A>\n", []Entry{alice}, "restrict <A>\n", 0},
		{"only what is missing", "<A>\n", []Entry{alice, bob}, "<A>\n<B> ec256\n", 1},
		{"twice the same", "", []Entry{alice, alice}, "<A> alice@laptop\n", 1},
		{"twice the same, other comment", "", []Entry{alice, NewEntry(alice.Key, "again")}, "<A> alice@laptop\n", 1},
		{"a file with CRLF keeps it", "<B>\r\n", []Entry{alice}, "<B>\r\n<A> alice@laptop\n", 1},
		{"an entry that breaks its line", "", []Entry{NewEntry(alice.Key, "", "command=ls -l")}, "", 0},
		{"no key", "", []Entry{{}}, "", 0},
		{"nothing", "<B>", nil, "<B>", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			names := keys(t)
			file := Parse([]byte(names.Replace(test.file)))
			added := file.Append(test.add...)
			if want := names.Replace(test.want); string(file.Bytes()) != want {
				t.Errorf("file %q\nwant %q", file.Bytes(), want)
			}
			if len(added) != test.added {
				t.Errorf("%d added, want %d", len(added), test.added)
			}
		})
	}
}

// What a caller hands in stays as it is, even where there is room behind it.
func TestInputIsKept(t *testing.T) {
	_, a := pub(t, "ed25519")
	room := append(make([]byte, 0, 4096), a+"\n"+"untouched"...)
	input := room[:len(a)+1]
	file := Parse(input)
	file.Append(entry(t, "rsa"))
	file.Remove(entry(t, "ed25519").Key)
	if want := a + "\nuntouched"; string(room) != want {
		t.Errorf("the input became %q", room)
	}
}

func TestRemove(t *testing.T) {
	tests := []struct {
		name, file, want string
		removed          []int
	}{
		{"not there", "<B>\n# x", "<B>\n# x", nil},
		{"the only line", "<A>\n", "", []int{1}},
		{"whole lines", "<B>\nrestrict <A> x\r\n\n<C>\n", "<B>\n\n<C>\n", []int{2}},
		{"every line of the key", "<A>\n<B>\n<A>\n<A>", "<B>\n", []int{1, 3, 4}},
		{"the last line, without newline", "<B>\n<A>", "<B>\n", []int{2}},
		{"what is not understood stays", "\xef\xbb\xbf<A>\n<A><B>\n# <A>\n", "\xef\xbb\xbf<A>\n<A><B>\n# <A>\n", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			names := keys(t)
			file := Parse([]byte(names.Replace(test.file)))
			removed := file.Remove(entry(t, "ed25519").Key)
			if want := names.Replace(test.want); string(file.Bytes()) != want {
				t.Errorf("file %q\nwant %q", file.Bytes(), want)
			}
			if !slices.Equal(numbers(removed), test.removed) {
				t.Errorf("removed %v, want %v", numbers(removed), test.removed)
			}
		})
	}
}

func TestUTF16IsLeftAlone(t *testing.T) {
	_, a := pub(t, "ed25519")
	for _, mark := range []bool{true, false} {
		for _, bigEndian := range []bool{true, false} {
			text := a + " alice\r\n"
			if mark {
				text = "\ufeff" + text
			}
			var data []byte
			for _, unit := range utf16.Encode([]rune(text)) {
				if bigEndian {
					data = append(data, byte(unit>>8), byte(unit))
				} else {
					data = append(data, byte(unit), byte(unit>>8))
				}
			}
			file := Parse(bytes.Clone(data))
			added := file.Append(entry(t, "rsa"))
			removed := file.Remove(entry(t, "ed25519").Key)
			if !file.UTF16() || added != nil || removed != nil || !bytes.Equal(file.Bytes(), data) {
				t.Errorf("mark %v, big endian %v: UTF16 %v, added %v, removed %v, kept %v",
					mark, bigEndian, file.UTF16(), added, removed, bytes.Equal(file.Bytes(), data))
			}
			for l := range file.Lines() {
				if l.Entry != nil || l.Err == nil {
					t.Errorf("line %d is understood", l.Number)
				}
			}
		}
	}
	for _, text := range []string{
		"", "\ufeff" + a, a, "\x00\x00\x00\x00", "a\x00b", "# \xff\xfe\n" + a, "\xff\xfe is Latin-1\n" + a, "\xff\xfe",
		a + strings.Repeat("\x00", 600), "\x00" + a, "\xfe\xff " + a + "\x00\x00", a + "\na\x00b\x00\n\x00",
	} {
		if Parse([]byte(text)).UTF16() {
			t.Errorf("%.10q is taken for UTF-16", text)
		}
	}
}

// crowd is a file of so many keys, all different, with the key of the tests in
// the last line.
func crowd(t testing.TB, lines int) []byte {
	_, a := pub(t, "ed25519")
	key := strings.Fields(a)[1]
	var file bytes.Buffer
	for i := range lines - 1 {
		fmt.Fprintf(&file, "ssh-ed25519 %s%08d%s user%d@example.org\n", key[:40], i, key[48:], i)
	}
	file.WriteString(a + " alice\n")
	return file.Bytes()
}

// A hundred thousand lines take no more memory than their bytes.
func TestManyLinesAreLean(t *testing.T) {
	data := crowd(t, 100_000)
	wanted := entry(t, "ed25519")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	file := Parse(data)
	found := file.Find(wanted.Key)
	runtime.ReadMemStats(&after)
	if !slices.Equal(numbers(found), []int{100_000}) {
		t.Fatalf("found %v", numbers(found))
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes were allocated", used)
	}
}

func BenchmarkFind100000Lines(b *testing.B) {
	data, wanted := crowd(b, 100_000), entry(b, "ed25519").Key
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if len(Parse(data).Find(wanted)) != 1 {
			b.Fatal("not found")
		}
	}
}

func BenchmarkLines100000(b *testing.B) {
	file := Parse(crowd(b, 100_000))
	for b.Loop() {
		for l := range file.Lines() {
			if l.Err != nil {
				b.Fatal(l.Err)
			}
		}
	}
}

var sinkKey ssh.PublicKey

func BenchmarkParseEntry(b *testing.B) {
	line, _ := pub(b, "ed25519")
	for b.Loop() {
		e, err := ParseEntry(line)
		if err != nil {
			b.Fatal(err)
		}
		sinkKey = e.Key
	}
}
