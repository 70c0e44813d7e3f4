package copyid

import (
	"strings"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
)

// keyFormat is how keys are written in the target file.
type keyFormat bool

const (
	openSSH keyFormat = false
	rfc4716 keyFormat = true
)

// lines are what is appended for a key.
func (f keyFormat) lines(id identity.Identity) []string {
	if f == openSSH {
		return []string{id.Entry.Line()}
	}
	return strings.Split(strings.TrimSuffix(string(authkeys.MarshalRFC4716(id.Entry)), "\n"), "\n")
}

// blob is what tells that a line belongs to the key: its base64, and in the
// format of RFC 4716, which folds it, the line of it that is the least like
// another key's: the second, where the first tells little more than the type.
func (f keyFormat) blob(id identity.Identity) string {
	if f == openSSH {
		return id.Entry.Blob()
	}
	lines := f.lines(id)
	body := lines[1 : len(lines)-1]
	for len(body) > 2 && strings.Contains(body[0], ":") {
		// A header ends with the line that has no backslash at its end.
		for strings.HasSuffix(body[0], `\`) && len(body) > 2 {
			body = body[1:]
		}
		body = body[1:]
	}
	if len(body) > 1 && len(body[1]) >= len(body[0])/2 {
		return body[1]
	}
	return body[0]
}

func (f keyFormat) blobs(ids []identity.Identity) []string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = f.blob(id)
	}
	return list
}
