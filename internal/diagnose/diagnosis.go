package diagnose

import (
	"time"

	"ssh-copy-id/internal/remote"
	"ssh-copy-id/internal/serverid"
	"ssh-copy-id/internal/sshdconfig"
)

// Tri is an answer to a question that may have none.
type Tri int

// The answers.
const (
	Unknown Tri = iota
	No
	Yes
)

// PathNote is something the server says about one path, as it came.
type PathNote struct {
	Path string
	Text string
}

// PathACL is the access control list of one path. Entries are as getfacl
// prints them, or ls -le on macOS, without the comments, but for an
// "#effective:" after an entry.
type PathACL struct {
	Path    string
	Entries []string
}

// Encryption is a home that may be unreadable for sshd until the account has
// logged in with its password.
type Encryption struct {
	Kind string // ecryptfs or fscrypt
	Open bool   // it was readable at the time of the diagnosis
}

// The sources of a Server.
const (
	FromSSHD  = "sshd"  // sshd -T or -G: what it does
	FromFiles = "files" // sshd_config: what it probably does
)

// Server is what is known of sshd's options for the account.
type Server struct {
	// Config are the options. With FromSSHD all that diagnose.sh asks about are
	// there; Unsure also says that sshd was started with options on its command
	// line, or is none of OpenSSH.
	sshdconfig.Config
	// Source is FromSSHD, FromFiles, or empty where nothing is known.
	Source string
	Path   string // the configuration file; empty if sshd has its usual one
	// Problems are what sshd said when it was asked and did not answer.
	Problems []string
	// Listener is the command line of the sshd that was connected to.
	Listener string
	// Client, Address and Port are the client's address, and the server's
	// that it connected to.
	Client, Address, Port string
}

// servedBy takes into account what program the server is: the sshd found on
// its disk need not be the one that answered.
func (s *Server) servedBy(software serverid.Software) {
	switch software {
	case serverid.OpenSSH:
	case serverid.Dropbear, serverid.TinySSH:
		s.Source, s.Path, s.Options = "", "", nil
	default:
		s.Unsure = true
	}
}

// Diagnosis is what a server says about an account, its authorized_keys and
// its sshd. All text is as the server sent it, not escaped. What the server
// does not say is empty or Unknown.
type Diagnosis struct {
	Account string // as the server knows it
	UID     string
	Groups  []string
	Home    string // of the session
	// AccountHome is that of the password file, which sshd goes by; RealHome
	// is Home with every link resolved.
	AccountHome, RealHome string
	OS                    string // uname -s
	Path, Real            string // as in State
	Facts                 []remote.PathFact
	Labels                []PathNote // SELinux contexts
	ACLs                  []PathACL
	Attributes            []PathNote // flags of lsattr, or of ls -o on the BSDs
	SELinux               string     // what getenforce says, or 1 or 0
	Readable              Tri        // the account may read the file
	Encrypted             []Encryption

	Shell       string
	ShellRuns   Tri // it exists and may be executed
	ShellListed Tri // it is in /etc/shells
	// Password is the kind of the account's entry in the shadow file: locked,
	// none, empty or set. PasswordStatus is the second word of passwd -S, for
	// accounts that may not read the shadow file.
	Password, PasswordStatus string
	// Expires is the first day the account cannot be used; zero for never or
	// unknown. MustChange: the password has to be changed at the next login.
	Expires    time.Time
	MustChange bool
	Today      time.Time // the server's date

	Server  Server
	Program serverid.Server // that the server says it is
	Notes   []string        // in the server's words, as in Result

	// windows is what a Windows server says instead of modes and owners.
	windows *remote.WindowsFacts
}
