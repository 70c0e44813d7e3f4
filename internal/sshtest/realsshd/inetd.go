package realsshd

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/crypto/ssh"
)

// SandboxConfig says what [Inetd] sets up.
type SandboxConfig struct {
	Dir         string   // an empty directory of the caller, for all its files
	Keys        []string // lines of authorized_keys: somebody must be able to log in
	ConfigLines []string // as in [Config]
	Program     string   // the sshd to run; empty: the installed one
}

// Sandbox is a host without a port: `ssh -F SSHConfig box` runs an sshd of its
// own for each connection, as the caller, with a home directory in the
// sandbox. Logins are with keys, because only root may read passwords.
// The processes end with their connections; there is nothing to close.
type Sandbox struct {
	SSHConfig  string // a client configuration that knows the host "box"
	KnownHosts string // the known_hosts file it names
	User       string // the account: the caller's own
	HostKeys   []ssh.PublicKey

	dir string
}

// inetdScript is the ProxyCommand. sshd run by root insists on /run/sshd,
// which only a running system has: it gets one in a mount namespace.
const inetdScript = `#!/bin/sh
echo connection >>'DIR/connections'
if [ "$(id -u)" = 0 ] && [ ! -d /run/sshd ]; then
	exec unshare --mount sh -c 'mount -t tmpfs -o mode=755 realsshd /run && mkdir -m 755 /run/sshd && exec "$@"' realsshd \
		'SSHD' -i -f 'DIR/sshd_config' -E 'DIR/log'
fi
exec 'SSHD' -i -f 'DIR/sshd_config' -E 'DIR/log'
`

// Inetd writes a [Sandbox]'s files.
func Inetd(cfg SandboxConfig) (*Sandbox, error) {
	if runtime.GOOS == "windows" {
		return nil, fmt.Errorf("%w: not on Windows", ErrUnsupported)
	}
	sshd := cfg.Program
	if sshd == "" {
		var err error
		if sshd, err = find("sshd"); err != nil {
			return nil, fmt.Errorf("%w: %v", ErrUnsupported, err)
		}
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(dir+sshd, "'\"\\%\n\t ") {
		return nil, fmt.Errorf("a sandbox cannot live in %q: sshd_config takes no such name", dir)
	}
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	s := &Sandbox{
		SSHConfig:  filepath.Join(dir, "ssh_config"),
		KnownHosts: filepath.Join(dir, "known_hosts"),
		User:       me.Username,
		dir:        dir,
	}
	if s.HostKeys, err = opensshHostKeys(dir); err != nil {
		return nil, err
	}
	return s, s.write(sshd, cfg)
}

func (s *Sandbox) write(sshd string, cfg SandboxConfig) error {
	if err := os.MkdirAll(filepath.Join(s.Home(), ".ssh"), 0o700); err != nil {
		return err
	}
	known, keys := "", ""
	for _, key := range s.HostKeys {
		known += "box " + string(ssh.MarshalAuthorizedKey(key))
	}
	for _, key := range cfg.Keys {
		keys += strings.TrimSuffix(key, "\n") + "\n"
	}
	script := strings.NewReplacer("DIR", s.dir, "SSHD", sshd).Replace(inetdScript)
	files := []struct {
		name string
		text string
		mode os.FileMode
	}{
		{"home/.ssh/authorized_keys", keys, 0o600},
		{"known_hosts", known, 0o600},
		{"connections", "", 0o600},
		{"log", "", 0o600},
		{"sshd_config", sandboxConfig(s.dir, cfg.ConfigLines, len(s.HostKeys)), 0o600},
		{"sshd", script, 0o700},
		{"ssh_config", "Host box\n\tHostName box\n\tHostKeyAlias box\n\tUser " + s.User +
			"\n\tUserKnownHostsFile " + s.KnownHosts + "\n\tGlobalKnownHostsFile none\n\tProxyCommand " +
			filepath.Join(s.dir, "sshd") + "\n", 0o600},
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(s.dir, filepath.FromSlash(f.name)), []byte(f.text), f.mode); err != nil {
			return err
		}
	}
	return nil
}

// sandboxConfig keeps sshd inside dir: HOME for commands, the directory SFTP
// starts in, the file of keys. StrictModes looks along the path to the real
// home, so it is off.
func sandboxConfig(dir string, lines []string, hostKeys int) string {
	home := filepath.Join(dir, "home")
	own := []string{
		"SetEnv HOME=" + home,
		"AuthorizedKeysFile " + filepath.Join(home, ".ssh", "authorized_keys"),
		"Subsystem sftp internal-sftp -d " + home,
		"StrictModes no",
		"UsePAM no",
		"PidFile none",
		"PermitRootLogin yes",
		"PermitUserRC no",
		"PasswordAuthentication no",
		"KbdInteractiveAuthentication no",
		"LogLevel VERBOSE",
		"PrintMotd no",
		"PrintLastLog no",
	}
	return joinConfig(lines, own, dir, hostKeys)
}

// Home is the directory that is the account's home in the sandbox.
func (s *Sandbox) Home() string { return filepath.Join(s.dir, "home") }

// Connections counts how often the host was connected to.
func (s *Sandbox) Connections() int { return len(s.read("connections")) / len("connection\n") }

// Log is what the servers have written so far.
func (s *Sandbox) Log() string { return s.read("log") }

func (s *Sandbox) read(name string) string {
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		return err.Error()
	}
	return string(data)
}
