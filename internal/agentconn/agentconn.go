// Package agentconn opens a connection to an ssh agent and keeps it within
// bounds: a dead or broken agent costs time and memory up to a limit, no more.
//
// # Which agent
//
// IdentityAgent of ssh_config(5) decides, else SSH_AUTH_SOCK. On Unix the
// value is the path of a socket. On Windows it is a named pipe, an AF_UNIX
// socket, or a file by which Cygwin, MSYS (Git Bash) and gpg-agent imitate
// one; without a value the pipe of Windows' own OpenSSH agent is tried, then
// Pageant by its named pipe (PuTTY 0.75 and later), then by window message.
// An agent that was named is the only one tried: to install the keys of another
// would be a surprise. A pipe that was not named must belong to the user or to
// the system.
//
// # Limits
//
// A connection and every answer must come within 10 seconds, a signature
// within 90 seconds, as it may wait for a confirmation or a touch. An answer
// may hold 256 KiB and 2048 keys, as in OpenSSH's authfd.c. After a breach the
// connection is closed and every further request fails at once.
package agentconn

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/ssh/agent"
)

// ErrNoAgent says that no agent is configured: IdentityAgent is "none", or
// neither it nor SSH_AUTH_SOCK names one (and, on Windows, none of the usual
// places has one).
var ErrNoAgent = errors.New("no agent")

// Attempt is one place that was tried in vain.
type Attempt struct {
	Endpoint string // path of a socket or pipe, or "Pageant"
	Err      error
}

// OpenError says that no agent could be reached, and what was tried. It
// matches [ErrNoAgent] if no agent was named and none stands in the usual
// places.
type OpenError struct {
	Attempts []Attempt
	Named    bool // the place comes from IdentityAgent or SSH_AUTH_SOCK
}

func (e *OpenError) Error() string {
	tried := make([]string, len(e.Attempts))
	for i, a := range e.Attempts {
		tried[i] = fmt.Sprintf("%s: %v", a.Endpoint, a.Err)
	}
	return "cannot reach an agent: " + strings.Join(tried, "; ")
}

// Is reports whether target is [ErrNoAgent] and no agent was named.
func (e *OpenError) Is(target error) bool { return target == ErrNoAgent && !e.Named }

// Unwrap returns the reasons of all attempts.
func (e *OpenError) Unwrap() []error {
	reasons := make([]error, len(e.Attempts))
	for i, a := range e.Attempts {
		reasons[i] = a.Err
	}
	return reasons
}

// Conn is an open agent. Requests are answered one after another; it may be
// used by several goroutines.
type Conn struct {
	agent.ExtendedAgent
	Endpoint string    // which agent this is, for people
	Attempts []Attempt // the places tried before without success
	// Pageant says that this is PuTTY's agent and that nothing names it: ssh.exe
	// does not look for it.
	Pageant bool
	// Waiting, if not nil, is called when a signature with key takes long: the
	// agent asks its owner. It is called from another goroutine.
	Waiting func(key *agent.Key)
	// Failed, if not nil, is called when the agent has made no signature.
	Failed func(*SignError)

	announce time.Duration // until Waiting is called
	broken   func() error  // why the connection is of no use any more
	close    func() error
}

// Close ends the connection; requests that wait fail.
func (c *Conn) Close() error { return c.close() }

// Open opens the agent that identityAgent names: "" for SSH_AUTH_SOCK or the
// usual places, "none", "SSH_AUTH_SOCK", "$NAME" for another environment
// variable, or a path in which ~ and tokens are expanded already. The
// io.Closer is always a [*Conn] that tells which agent it is.
//
// Errors: [ErrNoAgent], or an [*OpenError].
func Open(identityAgent string, getenv func(string) string) (agent.ExtendedAgent, io.Closer, error) {
	o := opener{
		goos:   runtime.GOOS,
		getenv: getenv,
		dial:   net.DialTimeout,
		system: systemAgents{},
		quick:  quickWait,
		sign:   signWait,
	}
	conn, err := o.open(identityAgent)
	if err != nil {
		return nil, nil, err
	}
	return conn, conn, nil
}

// windowsAgents are the ways to an agent that only Windows has.
type windowsAgents interface {
	// DialPipe opens a named pipe.
	DialPipe(path string, timeout time.Duration) (net.Conn, error)
	// CheckOwner tells why a pipe is not to be trusted: it belongs neither to
	// this user nor to the system.
	CheckOwner(pipe net.Conn) error
	// PageantRunning reports whether Pageant has its window open.
	PageantRunning() bool
	// PageantPipe returns the path of Pageant's named pipe for this user.
	PageantPipe() (string, error)
	// PageantWindow returns an agent that speaks by window message.
	PageantWindow() (agent.ExtendedAgent, error)
}

// opener is Open with everything outside made replaceable.
type opener struct {
	goos        string
	getenv      func(string) string
	dial        func(network, address string, timeout time.Duration) (net.Conn, error)
	system      windowsAgents
	quick, sign time.Duration
}

// openSSHPipe is where the ssh-agent service of Windows listens.
const openSSHPipe = `\\.\pipe\openssh-ssh-agent`

func (o *opener) open(identityAgent string) (*Conn, error) {
	address, err := o.named(identityAgent)
	if err != nil {
		return nil, err
	}
	if address != "" {
		conn, err := o.connect(address)
		if err != nil {
			return nil, &OpenError{Attempts: []Attempt{{address, err}}, Named: true}
		}
		return o.conn(address, conn, nil), nil
	}
	if identityAgent != "" || o.goos != "windows" {
		return nil, ErrNoAgent
	}
	return o.usual()
}

// named returns the place IdentityAgent or SSH_AUTH_SOCK names, "" for none.
// The forms are those ssh.c understands.
func (o *opener) named(identityAgent string) (string, error) {
	switch {
	case strings.EqualFold(identityAgent, "none"):
		return "", ErrNoAgent
	case identityAgent == "", identityAgent == "SSH_AUTH_SOCK":
		return o.getenv("SSH_AUTH_SOCK"), nil
	case strings.HasPrefix(identityAgent, "$"):
		name := identityAgent[1:]
		if !validEnvName(name) {
			err := errors.New("not the name of an environment variable")
			return "", &OpenError{Attempts: []Attempt{{identityAgent, err}}, Named: true}
		}
		return o.getenv(name), nil
	}
	return identityAgent, nil
}

// validEnvName is valid_env_name of OpenSSH's misc.c.
func validEnvName(name string) bool {
	for _, r := range name {
		if r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return name != ""
}

// connect opens what an address stands for on this system.
func (o *opener) connect(address string) (net.Conn, error) {
	if o.goos != "windows" {
		return o.dial("unix", address, o.quick)
	}
	if pipe, ok := pipePath(address); ok {
		return o.system.DialPipe(pipe, o.quick)
	}
	file, err := readSocketFile(address)
	switch {
	case err == nil:
		return o.dialSocketFile(file)
	case errors.Is(err, os.ErrNotExist) && strings.HasPrefix(address, "/"):
		return nil, fmt.Errorf("%w (a path of Cygwin must be given as cygpath -w shows it)", err)
	case errors.Is(err, os.ErrNotExist), errors.Is(err, errBadSocketFile):
		return nil, err
	}
	return o.dial("unix", address, o.quick)
}

// usual tries the places where Windows keeps an agent.
func (o *opener) usual() (*Conn, error) {
	conn, err := o.dialOwned(openSSHPipe)
	if err == nil {
		return o.conn(openSSHPipe, conn, nil), nil
	}
	failed := []Attempt{{openSSHPipe, err}}
	// Asking for the window first is cheap; finding the name of the pipe may
	// ask a domain controller.
	if !o.system.PageantRunning() {
		failed = append(failed, Attempt{"Pageant", errors.New("not running")})
		return nil, &OpenError{Attempts: failed}
	}
	pipe, err := o.system.PageantPipe()
	if err == nil {
		if conn, err = o.dialOwned(pipe); err == nil {
			found := o.conn(pipe, conn, failed)
			found.Pageant = true
			return found, nil
		}
	} else {
		pipe = "Pageant's named pipe"
	}
	failed = append(failed, Attempt{pipe, err})
	window, err := o.system.PageantWindow()
	if err != nil {
		failed = append(failed, Attempt{"Pageant", err})
		return nil, &OpenError{Attempts: failed}
	}
	return &Conn{
		ExtendedAgent: newTimed(window, o.quick, o.sign),
		Endpoint:      "Pageant",
		Pageant:       true,
		Attempts:      failed,
		announce:      announceAfter,
		broken:        func() error { return nil },
		close:         func() error { return nil },
	}, nil
}

// dialOwned opens a pipe that nobody has named. Pipes are for all accounts of the
// machine to make, and while the agent they are meant for does not run anybody
// may take its name: the keys to install must not be a stranger's.
func (o *opener) dialOwned(pipe string) (net.Conn, error) {
	conn, err := o.system.DialPipe(pipe, o.quick)
	if err != nil {
		return nil, err
	}
	if err := o.system.CheckOwner(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func (o *opener) conn(endpoint string, conn net.Conn, failed []Attempt) *Conn {
	x := &exchange{conn: conn, quick: o.quick, sign: o.sign}
	return &Conn{
		ExtendedAgent: agent.NewClient(x),
		announce:      announceAfter,
		broken:        x.why,
		Endpoint:      endpoint,
		Attempts:      failed,
		close:         conn.Close,
	}
}

// pipePath reports whether address names a pipe, of this machine or another,
// and returns it with backslashes; Git Bash users write //./pipe/name.
func pipePath(address string) (string, bool) {
	path := strings.ReplaceAll(address, "/", `\`)
	rest, ok := strings.CutPrefix(path, `\\`)
	machine, rest, _ := strings.Cut(rest, `\`)
	folder, name, _ := strings.Cut(rest, `\`)
	return path, ok && machine != "" && strings.EqualFold(folder, "pipe") && name != ""
}
