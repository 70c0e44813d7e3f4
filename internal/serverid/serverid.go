// Package serverid reads the identification string with which an SSH server
// introduces itself (RFC 4253 section 4.2), and knows what is known of the named
// program: whether its word on keys holds, what it reads of an authorized_keys
// file, and where it keeps keys. Appliances whose keys are typed in by hand are
// known to package device.
package serverid

import (
	"strconv"
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
	TinySSH
	ScreenOS // of NetScreen firewalls, which keep keys in their configuration
)

// A Server is what an identification string says. The zero Server is unknown.
type Server struct {
	Software Software
	// Version is the release as written, "9.2p1" or "2022.83"; "" where the
	// string has none.
	Version string
	// Windows reports whether it is Microsoft's port of OpenSSH. An OpenSSH of
	// Cygwin or MSYS2 is not: there a POSIX shell answers.
	Windows bool
	// WordHolds reports whether the server looks at authorized_keys before it
	// says that it would accept a key (SSH_MSG_USERAUTH_PK_OK).
	WordHolds bool
	// AcceptsEveryQuery reports whether the server says so of every key, so that
	// only a login counts.
	AcceptsEveryQuery bool
	// PrivateGroups reports whether a group may write to the file and its
	// directories that has no other member than the account.
	PrivateGroups bool
}

// A row is what is known of a program.
type row struct {
	software string // how its name begins, without "SSH-2.0-"
	is       Server
	// word is how the whole string begins where WordHolds or AcceptsEveryQuery is
	// known; "" where neither is.
	word string
}

// rows are the programs; the first that matches counts.
var rows = []row{
	{"OpenSSH_for_Windows", Server{Software: OpenSSH, Windows: true, WordHolds: true}, "SSH-2.0-OpenSSH_"},
	{"OpenSSH", Server{Software: OpenSSH, WordHolds: true}, "SSH-2.0-OpenSSH_"},   // user_key_allowed in auth2-pubkey.c
	{"dropbear", Server{Software: Dropbear, WordHolds: true}, "SSH-2.0-dropbear"}, // svr-authpubkey.c
	// For the types of keys that it knows.
	{"tinyssh", Server{Software: TinySSH, AcceptsEveryQuery: true}, "SSH-2.0-tinyssh"},
	{"NetScreen", Server{Software: ScreenOS}, ""}, // a NetScaler is something else altogether
}

// Parse reads an identification string.
func Parse(identification string) Server {
	_, text, _ := strings.Cut(strings.TrimPrefix(identification, "SSH-"), "-")
	software, _, _ := strings.Cut(text, " ") // a comment follows
	for _, r := range rows {
		rest, ok := strings.CutPrefix(software, r.software)
		if !ok || !r.ends(rest) {
			continue
		}
		s := r.is
		s.Version = strings.TrimPrefix(rest, "_")
		if r.word == "" || !strings.HasPrefix(identification, r.word) {
			s.WordHolds, s.AcceptsEveryQuery = false, false
		}
		// user-group-modes.patch of Debian.
		s.PrivateGroups = strings.Contains(identification, "Debian") || strings.Contains(identification, "Ubuntu")
		return s
	}
	return Server{}
}

// ends reports whether the name of the program is over before rest. The makers of
// firewalls and of TinySSH put anything after it.
func (r *row) ends(rest string) bool {
	return rest == "" || rest[0] == '_' || r.is.Software == ScreenOS || r.is.Software == TinySSH
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

// ResolvesAdministrators reports whether sshd on Windows takes the name
// "administrators" for the SID of that group where Windows calls it otherwise:
// since openssh-portable #488 of PowerShell (lookup_sid in misc.c), first
// released in 8.6. A version that cannot be read is taken for a newer one.
func (s Server) ResolvesAdministrators() bool {
	major, minor, _ := strings.Cut(s.Version, ".")
	m, err := strconv.Atoi(major)
	if err != nil {
		return true
	}
	if end := strings.IndexFunc(minor, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		minor = minor[:end]
	}
	n, _ := strconv.Atoi(minor)
	return m > 8 || m == 8 && n >= 6
}
