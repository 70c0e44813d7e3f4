package device

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"ssh-copy-id/authkeys"
)

func FuzzRecognise(f *testing.F) {
	for _, line := range []string{"SSH-2.0-ROSSSH", "SSH-1.99-Cisco-1.25\r\n", "SSH-2.0-NetScreen", "SSH-2.0-OpenSSH_9.2p1", ""} {
		f.Add(line)
	}
	known := []string{"ROSSSH", "Cisco-1.25", "NetScreen"}
	f.Fuzz(func(t *testing.T, line string) {
		p, ok := Recognise(line)
		if again, found := ByName(p.Name); ok != found || ok && again.Title != p.Title {
			t.Errorf("Recognise(%q) is %q, %v", line, p.Name, ok)
		}
		bare := strings.TrimRight(line, "\r\n")
		want := slices.ContainsFunc(known, func(software string) bool {
			return bare == "SSH-2.0-"+software || bare == "SSH-1.99-"+software
		})
		if ok && !want || !ok && want && bare == line {
			t.Errorf("Recognise(%q) is %q, %v", line, p.Name, ok)
		}
	})
}

// FuzzCommands: whatever the user name, the comment and the option, what is to
// be typed are the same lines as for other ones, with these in their place.
func FuzzCommands(f *testing.F) {
	keys := testEntries(f)
	f.Add("alice", "alice@desk", "")
	f.Add("a b\n", "a\nb", "from=\"a b\"")
	f.Add("root", `" ; reboot`, "restrict")
	f.Add("-x", "'$(reboot)'", "command=\"a'b\"")
	f.Add("operator", "\u202e", "a b c")
	f.Fuzz(func(t *testing.T, user, comment, option string) {
		entries, plain := slices.Clone(keys), slices.Clone(keys)
		for i := range keys {
			entries[i] = authkeys.Entry{Key: keys[i].Key, Comment: comment}
			plain[i] = authkeys.Entry{Key: keys[i].Key}
		}
		if option != "" {
			entries[0].Options = []string{option}
		}
		for _, p := range Platforms() {
			c, err := p.Commands(user, entries)
			var refused *UserError
			if err != nil {
				if !errors.As(err, &refused) || len(c.Lines) > 0 || !printable(err.Error()) {
					t.Errorf("%s: %q: %v, %+v", p.Name, user, err, c)
				}
				continue
			}
			for _, line := range c.Lines {
				if !printable(line) || line == "" {
					t.Errorf("%s: %q, %q: line %q", p.Name, user, comment, line)
				}
			}
			if option != "" || user == "root" || user == "operator" {
				continue
			}
			const other = "Placeholder"
			model, err := p.Commands(other, plain)
			if err != nil {
				t.Fatal(err)
			}
			if len(model.Lines) != len(c.Lines) {
				t.Fatalf("%s: %q, %q: lines %q, want as many as in %q", p.Name, user, comment, c.Lines, model.Lines)
			}
			for i, line := range c.Lines {
				want := strings.ReplaceAll(model.Lines[i], other, user)
				if line != want && line != withComment(want, comment) {
					t.Errorf("%s: %q, %q: line %q, want %q", p.Name, user, comment, line, want)
				}
			}
		}
	})
}

// withComment puts a comment behind the key of a line, inside its quotes; it
// is the line itself where the comment could leave them.
func withComment(line, comment string) string {
	if strings.ContainsAny(comment, "\"'\\$`;?\n\r") {
		return line
	}
	end := strings.LastIndexAny(line, `"'`)
	if end < 0 {
		return line
	}
	return line[:end] + " " + comment + line[end:]
}
