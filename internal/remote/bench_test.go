//go:build unix

package remote

import (
	"os"
	"strings"
	"testing"

	"ssh-copy-id/internal/sshtest/shells"
)

// bigFile is an authorized_keys file of 100,000 lines, some 8 MB.
func bigFile() string {
	var b strings.Builder
	for i := range 100_000 {
		b.WriteString(testLine(1000 + i))
		b.WriteByte('\n')
	}
	return b.String()
}

// TestBigFile: a file of 100,000 lines is changed as any other. How long that
// takes BenchmarkAdd measures.
func TestBigFile(t *testing.T) {
	text := bigFile()
	each(t, append([]shells.Shell{{Name: "sftp", SFTP: true}}, shells.Fast...), func(t *testing.T, h *host) {
		h.Write(".ssh/authorized_keys", text, 0o600)
		add(t, h.session(Options{}), install(1, 2, 3))
		h.want(".ssh/authorized_keys", text+testLine(1)+"\n"+testLine(2)+"\n"+testLine(3)+"\n")
		r := add(t, h.session(Options{}), install(1, 100_999))
		if r.Applied || len(r.State.Candidates) != 2 || r.State.Candidates[0].Number != 100_000 {
			t.Errorf("%v", r.State.Candidates)
		}
	})
}

// TestManyCandidates: there is an end to what is listed.
func TestManyCandidates(t *testing.T) {
	each(t, append([]shells.Shell{{Name: "sftp", SFTP: true}}, shells.Fast...), func(t *testing.T, h *host) {
		h.Write(".ssh/authorized_keys", strings.Repeat(testLine(1)+"\n", MaxCandidates+5), 0o600)
		state, err := h.session(Options{}).Read(shells.Timeout(t), []string{testBlob(1)})
		if err != nil || len(state.Candidates) != MaxCandidates || !state.Truncated {
			t.Errorf("%v, %d candidates", err, len(state.Candidates))
		}
	})
}

// BenchmarkAdd is an install of one key, without SSH around it.
func BenchmarkAdd(b *testing.B) {
	for _, file := range []struct{ name, text string }{{"empty", ""}, {"100k", bigFile()}} {
		for _, sh := range append([]shells.Shell{{Name: "bash"}}, shells.Fast...) {
			b.Run(sh.Name+"/"+file.name, func(b *testing.B) {
				h := newHost(b, sh)
				for b.Loop() {
					b.StopTimer()
					h.Write(".ssh/authorized_keys", file.text, 0o600)
					b.StartTimer()
					s := h.session(Options{})
					add(b, s, install(1))
					s.Close()
				}
				os.Remove(h.KeysFile())
			})
		}
	}
}
