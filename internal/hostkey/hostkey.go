// Package hostkey decides whether the key a server shows may be trusted. It
// reads known_hosts files, asks about a host seen for the first time, writes
// the answer down and refuses a key that has changed, as ssh(1) does it
// (check_host_key in OpenSSH's sshconnect.c, hostfile.c).
//
// # Why the files are read here
//
// golang.org/x/crypto/ssh/knownhosts hashes the names this package writes. It
// does not read its files, because a reader that follows OpenSSH has to differ:
//
//   - one malformed line must not make every host unreachable: it is skipped
//     and reported; only a malformed @revoked line is an error, since skipping it
//     would trust a key its owner wanted refused;
//   - an @cert-authority key is not a host key: it vouches for certificates
//     and is refused when a server shows it as its own key;
//   - @revoked and patterns hold for the hosts they name, with or without a
//     port, and a pattern's * matches nothing as well;
//   - a large file is read once, with the key decoded only where the name
//     matches, so 100,000 hashed lines cost a fraction of a second.
//
// The tests hold it against ssh and ssh-keygen.
//
// # Words and facts
//
// A refusal is a typed error that carries facts; [Explain] renders ssh's own
// words for it. What ssh says about a connection that goes on reaches
// [Policy.Notice] and [Policy.Alert]. Text that was read from a file is passed
// on as it is: whoever shows it makes it harmless.
package hostkey

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Policy is how host keys are to be checked. The zero value asks nobody,
// knows no file and therefore trusts no host. Field names follow ssh_config(5).
type Policy struct {
	// Strict is StrictHostKeyChecking: "yes", "ask", "accept-new", or "no"
	// (also "off"). Empty means "ask".
	Strict string
	// UserFiles are read first; new keys go to the first of them. The name
	// "none" stands for no file. Missing files are empty files.
	UserFiles []string
	// GlobalFiles are only read.
	GlobalFiles []string
	// Hash writes names hashed (HashKnownHosts).
	Hash bool
	// Alias replaces host name and port in the files (HostKeyAlias).
	Alias string
	// CheckHostIP looks up the address as well and notes it beside the name.
	CheckHostIP bool
	// NoAuthForLocalhost accepts any key from a loopback address
	// (NoHostAuthenticationForLocalhost).
	NoAuthForLocalhost bool
	// Batch forbids questions, whatever Ask is.
	Batch bool
	// FingerprintHash is "sha256" (also when empty), "md5", "sha1", "sha384" or "sha512".
	FingerprintHash string
	// VisualHostKey shows the key as a drawing too.
	VisualHostKey bool
	// RevokedFiles are lists of public keys, or key revocation lists, of
	// keys never to be accepted (RevokedHostKeys). A file that cannot be
	// read refuses every key.
	RevokedFiles []string
	// CASignatureAlgorithms lists what a certificate may be signed with; nil
	// accepts everything golang.org/x/crypto verifies but ssh-rsa (SHA-1).
	CASignatureAlgorithms []string
	// Pins are fingerprints ("SHA256:…" or "MD5:…") one of which an unknown
	// host must have. If it has, it is accepted without a question and
	// written down; if not, it is refused without one. Hosts that are known
	// already are not affected.
	Pins []string
	// KnownHostsCommand, if set, supplies further known_hosts lines. It is
	// called with "ORDER" and a nil key before the key exchange, with
	// "HOSTNAME" or "ADDRESS" and the server's key afterwards; host is the
	// name that is looked up. Its error ends the connection.
	KnownHostsCommand func(invocation, host string, key ssh.PublicKey) ([]string, error)
	// Home is the directory shown as ~ in questions; empty shows whole paths.
	Home string

	// Ask shows a prompt, of one or more lines without a last newline, and
	// returns the line typed. If nil, unknown hosts are refused.
	Ask func(prompt string) (string, error)
	// Notice receives what ssh logs at level INFO, one message a call, without
	// a last newline. nil discards.
	Notice func(text string)
	// Alert receives what ssh logs at level ERROR; nil sends it to Notice.
	Alert func(text string)
	// Debug receives what -v shows; nil discards.
	Debug func(text string)
}

// Verifier checks the keys of one host under one policy. It may be used by
// several connections, at the same time too; once a key was accepted, the same
// key is accepted again without another look (previous_host_key in
// sshconnect.c), so that neither a rekey nor a second connection asks again.
type Verifier struct {
	policy Policy
	host   string // lower case, no port
	port   int
	name   string // as the files write it: alias, host or [host]:port

	mu       sync.Mutex
	entries  []entry // lines for name, files in order
	warned   map[string]bool
	accepted ssh.PublicKey
	writable bool
	checkIP  bool
	unsafe   bool
	trusted  bool  // by a line of a user file, or an answer: see NewKeys
	obstacle error // to an update, while the files are read for it
}

// New reads the files of p for the host. hostname is what ssh_config made of
// the name typed (HostName), without brackets; port 0 means 22. Malformed
// lines are skipped with a Notice. The error is a *[FileError] for a file that
// cannot be relied on (a malformed @revoked line, an oversized file), or plain
// for a value of p that is not understood.
func New(p Policy, hostname string, port int) (*Verifier, error) {
	if err := normalise(&p); err != nil {
		return nil, err
	}
	if port == 0 {
		port = 22
	}
	v := &Verifier{
		policy: p,
		host:   strings.ToLower(hostname),
		port:   port,
		warned: map[string]bool{},
		// ssh never writes such a name into a file (check_host_key).
		writable: len(p.UserFiles) > 0 && !strings.ContainsAny(hostname, "@?*#[]|'\"\\, \t\r\n\x00"),
		checkIP:  p.CheckHostIP,
	}
	v.name = fileName(v.host, port)
	if p.Alias != "" {
		v.name = strings.ToLower(p.Alias)
	}
	var err error
	if v.entries, err = v.load(v.name); err != nil {
		return nil, err
	}
	return v, nil
}

func normalise(p *Policy) error {
	switch strings.ToLower(p.Strict) {
	case "", "ask":
		p.Strict = "ask"
	case "yes", "true":
		p.Strict = "yes"
	case "no", "off", "false":
		p.Strict = "no"
	case "accept-new":
		p.Strict = "accept-new"
	default:
		return fmt.Errorf("unsupported value of StrictHostKeyChecking %q", p.Strict)
	}
	if p.FingerprintHash == "" {
		p.FingerprintHash = "sha256"
	}
	if _, ok := digests[strings.ToLower(p.FingerprintHash)]; !ok {
		return fmt.Errorf("unsupported value of FingerprintHash %q", p.FingerprintHash)
	}
	pins := make([]string, len(p.Pins))
	for i, pin := range p.Pins {
		var err error
		if pins[i], err = parsePin(pin); err != nil {
			return err
		}
	}
	p.Pins = pins
	p.UserFiles = withoutNone(p.UserFiles)
	p.GlobalFiles = withoutNone(p.GlobalFiles)
	p.RevokedFiles = withoutNone(p.RevokedFiles)
	return nil
}

func withoutNone(files []string) []string {
	var kept []string
	for _, f := range files {
		if f != "" && !strings.EqualFold(f, "none") {
			kept = append(kept, f)
		}
	}
	return kept
}

// SecretsAllowed reports whether a password may be sent over a connection this
// Verifier let pass. It is false once a changed or revoked key was let through
// because StrictHostKeyChecking is off; ssh then disables password and
// keyboard-interactive authentication, and so must the caller.
func (v *Verifier) SecretsAllowed() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return !v.unsafe
}

// Callback is the check itself, for [ssh.ClientConfig].HostKeyCallback. Only the
// address given to it is used: host name and port are those of New. An address
// that is no TCP address, or an unspecified one, counts as reached by a proxy.
// Its errors are *[UnknownError], *[ChangedError], *[RevokedError],
// *[AddressError] and *[FileError].
func (v *Verifier) Callback() ssh.HostKeyCallback {
	return func(_ string, remote net.Addr, key ssh.PublicKey) error {
		v.mu.Lock()
		defer v.mu.Unlock()
		return v.verify(remote, key)
	}
}

// fileName is put_host_port of misc.c. knownhosts.Normalize is another: it puts
// an IPv6 address in brackets on port 22 too, where ssh has none.
func fileName(host string, port int) string {
	if port == 0 || port == 22 {
		return host
	}
	return "[" + host + "]:" + strconv.Itoa(port)
}

func (v *Verifier) notice(text string) {
	if v.policy.Notice != nil {
		v.policy.Notice(text)
	}
}

func (v *Verifier) alert(text string) {
	if v.policy.Alert != nil {
		v.policy.Alert(text)
		return
	}
	v.notice(text)
}

func (v *Verifier) debug(format string, args ...any) {
	if v.policy.Debug != nil {
		v.policy.Debug(fmt.Sprintf(format, args...))
	}
}
