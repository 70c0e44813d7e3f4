package copyid

import (
	"strings"
	"time"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/serverid"
)

// readBy takes note of which server reads the file, from its identification
// string: the lines are composed for it. Options that it does not know are an
// UnreadableError.
func (t *task) readBy(serverVersion string) error {
	t.reader = serverid.Parse(serverVersion).Reader()
	for i := range t.keys {
		k := &t.keys[i]
		k.Reader = t.reader
		if t.c.o.Format != OpenSSH {
			continue // has no options, and no reader but its own
		}
		k.Identity.Entry = t.reader.Compose(k.Identity.Entry)
		if failed := t.reader.Lacks(k.Identity.Entry.Options); failed != nil {
			return &UnreadableError{Code: CodeUnreadableLine, Identity: k.Identity, Reader: t.reader, Option: failed}
		}
	}
	return nil
}

// readable returns an UnreadableError for a key to be added on a line that is
// too long for the server.
func (t *task) readable() error {
	for _, id := range t.pending() {
		if n, most := len(id.Entry.Line()), t.reader.MaxLine(); t.c.o.Format == OpenSSH && most > 0 && n > most {
			return &UnreadableError{Code: CodeUnreadableLine, Identity: id, Reader: t.reader, Length: n}
		}
	}
	return nil
}

// take decides about a key by the lines that contain its blob.
func (k *KeyState) take(candidates []remote.Candidate, format Format) {
	if format == OpenSSH {
		k.decide(candidates, k.judge(candidates, time.Now()))
		return
	}
	for _, candidate := range candidates {
		if strings.TrimSpace(candidate.Text) == format.blob(k.Identity) {
			k.Outcome, k.Line = Present, candidate.Number
			return
		}
	}
}

// judge notes which of the lines that hold the key the server would use, and
// why it does not use the others. The line numbers of the result are those of
// the file.
func (k *KeyState) judge(candidates []remote.Candidate, now time.Time) authkeys.State {
	seen, beyond := candidates, []authkeys.Finding(nil)
	if most := k.Reader.MaxLines(); most > 0 {
		seen = nil
		for _, candidate := range candidates {
			if candidate.Number <= most {
				seen = append(seen, candidate)
			} else if holds(candidate, k.Identity) {
				beyond = append(beyond, authkeys.Finding{Kind: authkeys.FoundBeyond, Line: candidate.Number, Limit: most})
			}
		}
	}
	var text strings.Builder
	for _, candidate := range seen {
		text.WriteString(fileText(candidate) + "\n")
	}
	state := authkeys.Parse([]byte(text.String())).StateFor(k.Reader, k.Identity.Entry.Key, now)
	number := func(line *int) {
		if *line > 0 {
			*line = seen[*line-1].Number
		}
	}
	number(&state.Line)
	for i := range state.Findings {
		number(&state.Findings[i].Line)
		number(&state.Findings[i].By)
	}
	for i := range state.Live {
		number(&state.Live[i].Line)
	}
	state.Findings = append(state.Findings, beyond...)
	k.EffectiveLine, k.Findings = state.Line, state.Findings
	return state
}

// fileText is a line as it is in the file: remote.Candidate has U+0001 for NUL.
func fileText(candidate remote.Candidate) string {
	return strings.ReplaceAll(candidate.Text, "\x01", "\x00")
}

// holds reports whether a line is an entry of the key for some server.
func holds(candidate remote.Candidate, id identity.Identity) bool {
	return len(authkeys.Parse([]byte(fileText(candidate))).Find(id.Entry.Key)) > 0
}

// decide looks for the key among the lines that contain its blob. Only a line
// that lets the key in counts. One with exactly the wanted options is the key
// itself; otherwise the first counts, because it is the first that the server
// uses. A line that does not let the key in keeps no other from counting,
// unless the other would be the same.
func (k *KeyState) decide(candidates []remote.Candidate, state authkeys.State) {
	for _, live := range state.Live {
		same := authkeys.SameOptions(live.Options, k.Identity.Entry.Options)
		if k.Outcome == Add || same && k.Outcome == PresentOtherOptions {
			k.Line, k.ExistingOptions = live.Line, live.Options
			k.Outcome = PresentOtherOptions
			if same {
				k.Outcome = Present
			}
		}
	}
	if k.Outcome != Add {
		return
	}
	kind := map[int]authkeys.FindingKind{}
	for _, f := range k.Findings {
		kind[f.Line] = f.Kind
	}
	for _, candidate := range candidates {
		found := kind[candidate.Number]
		written := strings.TrimRight(candidate.Text, " \t\r") == strings.TrimRight(k.Identity.Entry.Line(), " \t\r")
		if found == 0 || !written && !found.OfKey() {
			continue
		}
		k.Outcome, k.Line = Ineffective, candidate.Number
		if found == authkeys.FoundCertAuthority {
			// That is what was asked for: the line accepts certificates.
			k.Outcome, k.ExistingOptions, k.Findings = Present, k.Identity.Entry.Options, nil
		}
		return
	}
}

// Dead are the findings about lines that hold the key and let nobody in, where
// no other line of the file lets it in.
func (k *KeyState) Dead() []authkeys.Finding {
	var dead []authkeys.Finding
	for _, f := range k.Findings {
		if f.Kind.Dead() && (k.New() || k.Outcome == Ineffective) {
			dead = append(dead, f)
		}
	}
	return dead
}

// lineCauses are the lines of the file that hold refused keys and let nobody in.
func (t *task) lineCauses(keys []KeyState) []Cause {
	var causes []Cause
	for i := range keys {
		for _, f := range keys[i].Dead() {
			causes = append(causes, Cause{Kind: CauseLine, Path: t.path, Key: authkeys.NewEntry(keys[i].Identity.Entry.Key, ""), Finding: f, Reader: t.reader})
		}
	}
	return causes
}
