package remote

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

//go:embed diagnose.sh
var diagnoseScript string

// diagnoseProgram is diagnose.sh behind the functions it shares with install.sh.
var diagnoseProgram = func() string {
	shared, _, _ := strings.Cut(program, "\ndigest() {")
	return shared + "\n" + strip(diagnoseScript)
}()

// Tri is an answer to a question that may have none.
type Tri int

// The answers.
const (
	Unknown Tri = iota
	No
	Yes
)

// PathNote is something the server tells about one path, as it came.
type PathNote struct {
	Path string
	Text string
}

// PathACL is the access control list of one path. Entries are as getfacl
// prints them, or ls -le on macOS, without the comments, but for an
// "#effective:" behind an entry.
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

// The sources of a ServerConfig.
const (
	FromSSHD  = "sshd"  // sshd -T or -G: what it does
	FromFiles = "files" // sshd_config as it stands there: what it probably does
)

// ServerConfig is what is known of sshd's options for the account.
type ServerConfig struct {
	// Source is FromSSHD, FromFiles, or empty where nothing is known.
	Source string
	Path   string // the configuration file; empty if sshd has its usual one
	// Options are the values by keyword in lower case. A keyword that sshd
	// prints several times has several. With FromFiles only those that are
	// written down are there.
	Options map[string][]string
	// Unsure: a Match condition or an Include could not be followed, or sshd
	// was started with options on its command line.
	Unsure bool
	// Problems are what sshd said when it was asked and did not answer.
	Problems []string
	// Listener is the command line of the sshd that was connected to.
	Listener string
	// Client, Address and Port are the client's address, and the server's
	// that it connected to.
	Client, Address, Port string
}

// Diagnosis is what a server tells about an account, its authorized_keys and
// its sshd. All text is as the server sent it, not escaped. What the server
// does not tell is empty or Unknown.
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
	Facts                 []PathFact
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

	Server  ServerConfig
	Version string   // the server's, as in its banner
	Notes   []string // in the server's words, as in Result

	// windows is what a Windows server says instead of modes and owners.
	windows *windowsFacts
	// memberOf, if not nil, answers for Groups what a pattern list says of them.
	memberOf func(list string) (met, known bool)
}

// Diagnose looks for whatever may make the server's sshd refuse a key that
// stands in the file of o. It changes nothing there. One command is run, which
// takes four round trips. What a bad server sends is bounded, and so is the
// time it may take. Errors are *RemoteError, or the context's.
//
// With o.Account the diagnosis is about that account; what root alone may read
// is then known only where the login is root's.
func Diagnose(ctx context.Context, client *ssh.Client, o Options) (*Diagnosis, error) {
	if err := checkDiagnose(o); err != nil {
		return nil, err
	}
	ch, err := openChannel(ctx, client, o)
	if err != nil {
		return nil, err
	}
	// A server may take the channel and nothing more.
	defer func() { go ch.Close() }()
	w := o.watch(AwaitCommand)
	defer w.stop()
	d, err := diagnose(ctx, o, w, func(_ context.Context, command, text string) (*process, error) {
		return ch.start(o, command, text, w), nil
	})
	if err == nil {
		d.Version = string(client.ServerVersion())
		d.Server.servedBy(d.Version)
	}
	return d, err
}

// servedBy takes into account what program the server is: the sshd found on
// its disk need not be the one that answered.
func (s *ServerConfig) servedBy(version string) {
	version = strings.ToLower(version)
	switch {
	case strings.Contains(version, "openssh"):
	case strings.Contains(version, "dropbear"), strings.Contains(version, "tinyssh"):
		s.Source, s.Path, s.Options = "", "", nil
	default:
		s.Unsure = true
	}
}

// checkDiagnose refuses what the request cannot carry.
func checkDiagnose(o Options) error {
	if strings.ContainsAny(o.Account, "\n\x00:/") || strings.HasPrefix(o.Account, "-") {
		return &RemoteError{Stage: StageRequest, Reason: Invalid, Detail: "not an account name", Status: -1}
	}
	return readRequest(o, nil).check()
}

// diagnoseText is the script as it is sent, framed as bootstrap wants it.
func diagnoseText(marker string, trace bool) string {
	text := "M=" + marker + "\n"
	if trace {
		text += "set -x\n"
	}
	return text + diagnoseProgram + "# " + marker
}

// diagnose runs the script with start and reads its answer, until w expires.
func diagnose(ctx context.Context, o Options, w *watch, start starter) (*Diagnosis, error) {
	s := &shell{o: o, marker: newMarker(), watch: w}
	text := diagnoseText(s.marker, o.Trace)
	request := "\n" + s.marker + " diagnose\n" + o.Account + "\n" + o.Target + "\n" + s.marker + " end\n"
	return await(ctx, w, func() (*Diagnosis, error) {
		p, err := start(ctx, bootstrap(s.marker, text), text+request)
		if err != nil {
			return nil, err
		}
		s.p, s.out = p, bufio.NewReader(p.out)
		defer context.AfterFunc(ctx, p.kill)()
		defer p.kill()
		// A script that never started waits for input that was swallowed.
		defer time.AfterFunc(limits().notice, func() {
			s.ended.Store(true)
			p.closeIn()
		}).Stop()
		d, err := s.diagnosis()
		if err != nil {
			if e := (*RemoteError)(nil); !errors.As(err, &e) {
				err = s.broken(readRequest(o, nil), err)
			}
			return nil, err
		}
		p.closeIn()
		if o.Trace {
			p.wait()
		}
		return d, nil
	})
}

// diagnosis reads an answer of diagnose.sh.
func (s *shell) diagnosis() (*Diagnosis, error) {
	a := &diagnoseAnswer{}
	if err := s.each(maxDiagnosis, maxDiagnosisLine, a.line); err != nil {
		return nil, err
	}
	return a.finish()
}
