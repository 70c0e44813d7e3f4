package remote

import (
	"io/fs"
	"strings"
	"testing"

	"ssh-copy-id/internal/scriptrun"
	"ssh-copy-id/internal/sshtest/shells"
)

// TestScriptText: what the loader and the bootstrap line count on.
func TestScriptText(t *testing.T) {
	text := scriptrun.Framed("0123", program, true)
	for i, c := range []byte(text) {
		if c != '\n' && (c < ' ' || c > '~') && c != '\t' {
			t.Errorf("byte %#x at %d: the bootstrap counts characters", c, i)
		}
	}
	if strings.Contains(program, "\n#") || len(program) > 16<<10 {
		t.Errorf("the script is sent with comments, or has %d bytes", len(program))
	}
	line := scriptrun.Bootstrap("0123", text)
	inner, ok := strings.CutPrefix(line, "sh -c '")
	inner, ok2 := strings.CutSuffix(inner, "'")
	if !ok || !ok2 || strings.ContainsAny(inner, "'!\\\n") || strings.Contains(inner, "exec") {
		t.Errorf("not every login shell takes %s", line)
	}
}

// TestCksum: the values of the POSIX utility.
func TestCksum(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "cksum:4294967295:0",
		"123456789":               "cksum:930766865:9",
		strings.Repeat("a", 1000): "cksum:145108180:1000",
	} {
		c := newCksum()
		c.Write([]byte(text))
		if got := cksumText(c); got != want {
			t.Errorf("cksum of %d bytes: %s, want %s", len(text), got, want)
		}
	}
}

func TestParseRow(t *testing.T) {
	for row, want := range map[string]PathFact{
		"drwxr-xr-x   25 0     0          4096 Nov 21 01:23 /":                               {Path: "/", Mode: 0o755, Owner: "0", Kind: Dir},
		"-rw-r--r--+ 1 1000 1000 80 Jan  1  2020 /home/a b/.ssh/x":                           {Path: "/home/a b/.ssh/x", Mode: 0o644, Owner: "1000", Kind: File, ACL: true, size: 80},
		"lrwxrwxrwx. 1 7 7 3 Jan  1  2020 /a -> /b":                                          {Path: "/a", Mode: 0o777, Owner: "7", Kind: Link, Link: "/b"},
		"crw-rw-rwt 1 0 0 1, 3 Jan  1  2020 /dev/null":                                       {Path: "/dev/null", Mode: 0o667 | fs.ModeSticky, Owner: "0", Kind: Other},
		"-rwSr-sr-T 1 0 0 1 Jan  1  2020 /s":                                                 {Path: "/s", Mode: 0o654 | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky, Owner: "0", Kind: File, size: 1},
		"drwx------@ 12 501 20 384 Jan  1 00:00 /Users/a":                                    {Path: "/Users/a", Mode: 0o700, Owner: "501", Kind: Dir},
		"-rw-------    1 4294967294 99999 99999999999999999999 2020-01-01 00:00:00 +0000 /n": {Path: "/n", Mode: 0o600, Owner: "4294967294", Kind: File, size: 1<<63 - 1},
	} {
		if got, err := parseRow(row); err != nil || got != want {
			t.Errorf("%s\n%+v %v\nwant\n%+v", row, got, err, want)
		}
	}
	for _, row := range []string{"", "/", "total 4", "drwxr-xr-x 1 0 /", "-rw-r--r- 1 0 0 1 Jan 1 00:00 /x", "-rw-r--rr- 1 0 0 1 Jan 1 00:00 /x", "-rw-r--r-- 1 0 0 1 Jan 1 00:00 x"} {
		if got, err := parseRow(row); err == nil {
			t.Errorf("%q parsed as %+v", row, got)
		}
	}
}

// TestRequestCheck: what the format cannot carry is refused.
func TestRequestCheck(t *testing.T) {
	long := strings.Repeat("x", maxRequest)
	for name, r := range map[string]request{
		"newline in the path": {target: "a\nb"},
		"NUL in the path":     {target: "a\x00"},
		"newline in a line":   {lines: []string{"a\nb"}},
		"NUL in a line":       {lines: []string{"a\x00b"}},
		"empty line":          {lines: []string{""}},
		"empty blob":          {blobs: []string{""}},
		"blob not base64":     {blobs: []string{"AAAA BBBB"}},
		"newline in the sum":  {expect: "a\nb"},
		"too much":            {lines: []string{long}},
	} {
		if err := r.check(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := (request{target: "a b", lines: []string{"x"}, blobs: []string{"AAAA=="}}).check(); err != nil {
		t.Error(err)
	}
}

// FuzzAnswer: whatever a server says, it is understood or refused, in bounds.
func FuzzAnswer(f *testing.F) {
	const good = "noise\n\nM begin\nM home /h\nM user u\nM uid 5\nM os Linux\nM path /h/k\n" +
		"M fact drwxr-xr-x 2 0 0 4096 Jan 1 00:00 /\nM fact lrwxrwxrwx 1 5 5 1 Jan 1 00:00 /h -> x\n"
	f.Add(good + "M size 12\nM unlined\nM line 3:ssh-rsa AAAA\nM would 600 -rw-r--r-- /h/k\nM sum cksum:1:2\nM end state\n")
	f.Add(good + "M wait 4 box 17\nM created /h/k\nM mended drwxrwxr-x drwxr-xr-x /h\nM note recovered /h/k\nM end applied\n")
	f.Add(good + "M fail append write\nM detail x: No space left on device\nM end failed\n")
	f.Add("\nM damaged\n")
	f.Fuzz(func(t *testing.T, text string) {
		a := &answer{writing: func() {}}
		err := shells.Answer(text, scriptrun.Request{Line: a.line, Wait: (&lockWait{waited: -1}).line, Over: a.notSwitched, Limit: maxAnswer, Longest: maxAnswer})
		if err != nil {
			return
		}
		if (a.fail != nil) != (a.end == "failed") || len(a.state.Candidates) > MaxCandidates {
			t.Errorf("%+v", a)
		}
		if a.end == "state" && (a.state.Sum == "" || a.state.Path == "") {
			t.Errorf("a state without substance: %+v", a.state)
		}
		for _, fact := range a.state.Facts {
			if fact.Mode&^(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0 {
				t.Errorf("mode %v", fact.Mode)
			}
		}
	})
}

// FuzzScanner: a file read in pieces is the same file.
func FuzzScanner(f *testing.F) {
	f.Add("a\nssh-ed25519 AAAA\nb", 3)
	f.Add("\xff\xfea\x00\n\x00", 1)
	f.Fuzz(func(t *testing.T, text string, piece int) {
		if piece < 1 {
			return
		}
		scan := func(size int) State {
			var st State
			sc := &scanner{sum: newCksum(), state: &st, blobs: [][]byte{[]byte("AAAA")}}
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				sc.Write([]byte(rest[:n]))
				rest = rest[n:]
			}
			sc.finish()
			return st
		}
		whole, pieces := scan(len(text)+1), scan(piece)
		if whole.Sum != pieces.Sum || whole.NotText != pieces.NotText || whole.NoFinalNewline != pieces.NoFinalNewline || len(whole.Candidates) != len(pieces.Candidates) {
			t.Errorf("%+v\n%+v", whole, pieces)
		}
		if want := text != "" && !strings.HasSuffix(text, "\n"); whole.NoFinalNewline != want || whole.Size != int64(len(text)) {
			t.Errorf("%+v", whole)
		}
	})
}
