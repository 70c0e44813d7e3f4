// Package serverid reads the identification string with which an SSH server
// introduces itself (RFC 4253 section 4.2), and knows what the named release
// reads of an authorized_keys file.
package serverid

import (
	"strings"

	"ssh-copy-id/authkeys"
)

// A Software is the program a server says it is.
type Software int

// The programs. Their numbers carry no meaning and may change.
const (
	Unknown Software = iota
	OpenSSH
	Dropbear
)

// A Server is what an identification string says. The zero Server is unknown.
type Server struct {
	Software Software
	// Version is the release as written, "9.2p1" or "2022.83"; "" where the
	// string has none.
	Version string
}

// Parse reads an identification string.
func Parse(identification string) Server {
	_, software, _ := strings.Cut(strings.TrimPrefix(identification, "SSH-"), "-")
	software, _, _ = strings.Cut(software, " ") // a comment follows
	for prefix, s := range map[string]Software{"OpenSSH": OpenSSH, "dropbear": Dropbear} {
		if software == prefix {
			return Server{Software: s}
		}
		if version, ok := strings.CutPrefix(software, prefix+"_"); ok {
			// "OpenSSH_for_Windows_9.5"
			return Server{Software: s, Version: strings.TrimPrefix(version, "for_Windows_")}
		}
	}
	return Server{}
}

// Reader returns the rules by which the server reads an authorized_keys file.
// A server that is not known is taken to read it as sshd does.
func (s Server) Reader() authkeys.Reader {
	switch s.Software {
	case OpenSSH:
		return authkeys.SSHD(s.Version)
	case Dropbear:
		return authkeys.Dropbear(s.Version)
	}
	return authkeys.Reader{}
}
