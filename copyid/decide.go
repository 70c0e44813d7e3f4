package copyid

import (
	"strings"
	"time"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/internal/remote"
)

// take decides about a key by the lines that contain its blob.
func (k *KeyPlan) take(candidates []remote.Candidate, format keyFormat) {
	if format == openSSH {
		k.decide(candidates)
		k.judge(candidates, time.Now())
		return
	}
	for _, candidate := range candidates {
		if strings.TrimSpace(candidate.Text) == format.blob(k.Identity) {
			k.Decision, k.Line = InFile, candidate.Number
			return
		}
	}
}

// judge notes which of the lines that hold the key sshd would use.
func (k *KeyPlan) judge(candidates []remote.Candidate, now time.Time) {
	var text strings.Builder
	for _, candidate := range candidates {
		text.WriteString(candidate.Text + "\n")
	}
	number := func(line int) int {
		if line < 1 || line > len(candidates) {
			return 0
		}
		return candidates[line-1].Number
	}
	state := authkeys.Parse([]byte(text.String())).State(k.Identity.Entry.Key, now)
	k.Works, k.Findings = number(state.Line), state.Findings
	for i := range k.Findings {
		k.Findings[i].Line, k.Findings[i].By = number(k.Findings[i].Line), number(k.Findings[i].By)
	}
}

// decide looks for the key among the lines that contain its blob. A line that
// holds it with exactly the wanted options is the key itself; otherwise the
// first line that holds it counts, because it is the first that sshd uses.
func (k *KeyPlan) decide(candidates []remote.Candidate) {
	for _, candidate := range candidates {
		entry, err := authkeys.ParseEntry(candidate.Text)
		if err != nil || entry.Blob() != k.Identity.Entry.Blob() {
			continue
		}
		same := sameOptions(entry.Options, k.Identity.Entry.Options)
		if k.Decision == Install || same && k.Decision == InFileOtherwise {
			k.Line, k.Standing = candidate.Number, entry.Options
			k.Decision = InFileOtherwise
			if same {
				k.Decision = InFile
			}
		}
	}
}

// sameOptions compares option lists as sets: their order means nothing.
func sameOptions(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	count := map[string]int{}
	for _, option := range a {
		count[option]++
	}
	for _, option := range b {
		if count[option]--; count[option] < 0 {
			return false
		}
	}
	return true
}
