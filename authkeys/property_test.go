package authkeys

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// checkFile holds for every file: the bytes are kept, the lines are the file,
// each entry is found by its key, adding twice adds once, and removing what
// was added leaves the file as it was but for a mended newline.
func checkFile(t *testing.T, data []byte, add Entry) {
	file := Parse(bytes.Clone(data))
	var text []string
	for l := range file.Lines() {
		text = append(text, l.Text)
		if l.Entry == nil {
			continue
		}
		if l.Err != nil {
			t.Errorf("line %d is understood and has the error %v", l.Number, l.Err)
		}
		if again, err := ParseEntry(l.Entry.Line()); err != nil || again.Blob() != l.Entry.Blob() {
			t.Errorf("line %d: its Line is read as %v, %v", l.Number, again, err)
		}
		canonical := blob(l.Entry.Key) == l.Entry.Blob()
		if found := slices.Contains(numbers(file.Find(l.Entry.Key)), l.Number); canonical && !found {
			t.Errorf("line %d is not found by its key", l.Number)
		}
	}
	if joined := strings.Join(text, "\n"); joined != strings.TrimSuffix(string(data), "\n") {
		t.Errorf("the lines are %q, the file %q", joined, data)
	}
	if !bytes.Equal(file.Bytes(), data) {
		t.Errorf("Bytes is %q, want %q", file.Bytes(), data)
	}
	before := len(file.Find(add.Key))
	added := file.Append(add)
	once := bytes.Clone(file.Bytes())
	if again := file.Append(add); len(again) != 0 || !bytes.Equal(file.Bytes(), once) {
		t.Errorf("the second Append added %v", again)
	}
	if !bytes.HasPrefix(once, data) {
		t.Errorf("Append changed what was there: %q", once)
	}
	if len(added) == 0 {
		return
	}
	if before != 0 {
		t.Errorf("added, though it was there on %d lines", before)
	}
	file.Remove(add.Key)
	mended := string(data)
	if mended != "" && !strings.HasSuffix(mended, "\n") {
		mended += "\n"
	}
	if string(file.Bytes()) != mended {
		t.Errorf("removed again: %q, want %q", file.Bytes(), mended)
	}
}

// Files put together at random from pieces of real ones.
func TestFileProperties(t *testing.T) {
	pieces := []string{"\n", "\n", "\r\n", " ", "\t", "#", "\ufeff", "\x00", "\"", "\\\"", ",", "restrict", `from="a,b"`, "\xff", "\v"}
	for _, test := range lineTests(t) {
		pieces = append(pieces, test.line, test.line+"\n")
	}
	add := entry(t, "ecdsa384")
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 0))
		var data []byte
		for range random.IntN(12) {
			data = append(data, pieces[random.IntN(len(pieces))]...)
		}
		checkFile(t, data, add)
		if t.Failed() {
			t.Fatalf("seed %d: %q", seed, data)
		}
	}
}

func FuzzFile(f *testing.F) {
	add := entry(f, "ecdsa384")
	for _, test := range lineTests(f) {
		f.Add([]byte(test.line + "\n"))
		f.Add([]byte("# x\r\n" + test.line))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkFile(t, data, add) })
}

func FuzzParseEntry(f *testing.F) {
	for _, test := range lineTests(f) {
		f.Add(test.line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		e, err := ParseEntry(line)
		if err != nil {
			return
		}
		if strings.ContainsAny(e.Line(), "\n\x00") || !strings.Contains(line, e.Line()) {
			t.Errorf("Line %q is not of the line", e.Line())
		}
		made := NewEntry(e.Key, e.Comment, e.Options...)
		again, err := ParseEntry(made.Line())
		if err != nil || !bytes.Equal(again.Key.Marshal(), e.Key.Marshal()) {
			t.Errorf("made again: %v, %v", again, err)
		}
	})
}
