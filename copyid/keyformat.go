package copyid

import (
	"strings"

	"ssh-copy-id/authkeys"
	"ssh-copy-id/identity"
)

// Format is how keys are written in the target file.
type Format string

const (
	// OpenSSH is a line for each key (sshd(8)).
	OpenSSH Format = ""
	// RFC4716 is the format of that RFC, between lines BEGIN and END SSH2 PUBLIC
	// KEY, for servers that read no other. The options of keys are lost, and only
	// keys in that format count as present.
	RFC4716 Format = "rfc4716"
)

// lines are what is appended for a key.
func (f Format) lines(id identity.Identity) []string {
	if f == OpenSSH {
		return []string{id.Entry.Line()}
	}
	return strings.Split(strings.TrimSuffix(string(authkeys.MarshalRFC4716(id.Entry)), "\n"), "\n")
}

// blob is what shows that a line belongs to the key: its base64, and in the
// format of RFC 4716, which folds it, the line of it that is the least like
// another key's: the second, where the first says little more than the type.
func (f Format) blob(id identity.Identity) string {
	if f == OpenSSH {
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

func (f Format) blobs(ids []identity.Identity) []string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = f.blob(id)
	}
	return list
}
