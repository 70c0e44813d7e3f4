package identity

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh/agent"

	"ssh-copy-id/authkeys"
)

// FromAgent returns every key of an agent, in the agent's order. Certificates
// and damaged keys are skipped and reported. An
// agent without keys is no error.
//
// Whoever adds a key to an agent chooses its comment. Control characters in
// it, a newline above all, and bidirectional overrides become '?' (see
// [authkeys.NewEntry]), and so does what is not UTF-8;
// [authkeys.Entry.CommentCleaned] reports it.
func FromAgent(a agent.ExtendedAgent) (ids []Identity, skipped []Skipped, err error) {
	list, err := a.List()
	if err != nil {
		return nil, nil, fmt.Errorf("list the keys of the agent: %w", err)
	}
	for _, held := range list {
		comment := strings.ToValidUTF8(held.Comment, "\x00")
		id := Identity{Origin: Origin{Source: Agent}}
		key, err := authkeys.ParseKey(held.Blob)
		if err != nil {
			id.Entry = authkeys.NewEntry(held, comment)
			skipped = append(skipped, Skipped{Identity: id, Reason: SkipDamaged})
			continue
		}
		id.Entry = authkeys.NewEntry(key, comment)
		if id.Entry.Certificate() {
			skipped = append(skipped, Skipped{Identity: id, Reason: SkipCertificate})
			continue
		}
		ids = append(ids, id)
	}
	return ids, skipped, nil
}
