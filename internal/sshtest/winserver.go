package sshtest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// The shells a Windows server may have as its DefaultShell.
const (
	Cmd        = "cmd"
	PowerShell = "powershell"
	Bash       = "bash"
)

// SIDs that a Windows server of this package knows.
const (
	SIDAdministrators = "S-1-5-32-544"
	SIDSystem         = "S-1-5-18"
	SIDEveryone       = "S-1-1-0"
	SIDUsers          = "S-1-5-32-545"
	// SIDAccount is the account of WindowsConfig.
	SIDAccount = "S-1-5-21-1-2-3-1001"
)

// WindowsSSHDConfig is the end of the sshd_config that OpenSSH for Windows
// installs, which is all that matters about it.
const WindowsSSHDConfig = "#AuthorizedKeysFile\t.ssh/authorized_keys\r\nSubsystem\tsftp\tsftp-server.exe\r\n" +
	"Match Group administrators\r\n       AuthorizedKeysFile __PROGRAMDATA__/ssh/administrators_authorized_keys\r\n"

// WindowsConfig describes a Windows server that is made up: a directory plays
// its drive C:, access lists are kept in memory, and a few sentences play its
// shells. It imitates what package remote meets there, and no more.
type WindowsConfig struct {
	// Account and Password let a client in, as does a key in the file that
	// sshd would read, if the access list of the file suits sshd.
	Account, Password string
	// Dir is an existing directory, the root of drive C:. The profile and
	// ProgramData\ssh are made in it.
	Dir string
	// Shell is one of Cmd, PowerShell and Bash. Empty: Cmd.
	Shell string
	// Admin makes the account a member of Administrators; Filtered does too,
	// but its token has the group for denying only.
	Admin, Filtered bool
	// SSHDConfig is the text of sshd_config. Empty: WindowsSSHDConfig; "-":
	// the file cannot be read.
	SSHDConfig string
	// Version is what follows OpenSSH_for_Windows_ in the banner. Empty: 9.5.
	// An sshd before 8.6 resolves "administrators" as Windows does.
	Version string
	// Administrators is what Windows calls that group. Empty: Administrators.
	Administrators string
	// Groups are the SIDs of other groups of the account, by name as
	// DOMAIN\name; and NotMember those of groups it is not in.
	Groups, NotMember map[string]string
	// Included are files in ProgramData\ssh that SSHDConfig includes, by name.
	Included map[string]string
	// NewFile is the access list of files made through SFTP. Nil: as a new
	// server does it, that of the directory.
	NewFile *ACL
	// FixedACL refuses changes of access lists.
	FixedACL bool
	// Busy is how often opening a file of keys for writing fails, because
	// another program has it open. Negative: always.
	Busy int
	// NoPowerShell: there is no powershell.exe. Limited: a policy limits it.
	// Broken: it runs no script, as where a virus scanner objects.
	NoPowerShell, Limited, Broken bool
	// Noise is printed before whatever a command prints; Endless without end,
	// in place of it.
	Noise   string
	Endless bool
	// Silent commands say nothing and do not end.
	Silent bool
	// NoSFTP refuses the subsystem.
	NoSFTP bool
	// Chroot is a directory in Dir that SFTP shows as the root.
	Chroot string
}

// ACE is an entry of an access list.
type ACE struct {
	SID       string
	Rights    uint32 // FILE_* bits of winnt.h
	Deny      bool
	Inherited bool
}

// ACL is an access list and the owner it comes with.
type ACL struct {
	Owner     string
	Protected bool // nothing is inherited
	Entries   []ACE
}

// Rights in access lists.
const (
	FullControl = 0x1f01ff
	ReadOnly    = 0x1200a9
	Modify      = 0x1301bf
	// writeMask is SSH_SECURE_WRITE_MASK of w32-sshfileperm.c.
	writeMask = 0x0d0116
)

// Windows is a running server.
type Windows struct {
	cfg      WindowsConfig
	listener net.Listener
	hostKey  ssh.Signer

	mu       sync.Mutex
	acls     map[string]ACL // by local path
	commands []string
	conns    map[net.Conn]bool
	done     bool
	active   sync.WaitGroup
}

// StartWindows makes a server and begins to serve on loopback.
func StartWindows(cfg WindowsConfig) (*Windows, error) {
	if cfg.Shell == "" {
		cfg.Shell = Cmd
	}
	if cfg.Version == "" {
		cfg.Version = "9.5"
	}
	if cfg.Administrators == "" {
		cfg.Administrators = "Administrators"
	}
	if cfg.SSHDConfig == "" {
		cfg.SSHDConfig = WindowsSSHDConfig
	}
	dir, err := filepath.EvalSymlinks(cfg.Dir)
	if err != nil {
		return nil, err
	}
	cfg.Dir = dir
	w := &Windows{cfg: cfg, acls: map[string]ACL{}, conns: map[net.Conn]bool{}}
	for _, path := range []string{w.Profile(), w.ProgramData() + `\ssh`} {
		if err := os.MkdirAll(w.Local(path), 0o755); err != nil {
			return nil, err
		}
	}
	if cfg.SSHDConfig != "-" {
		if err := os.WriteFile(w.Local(w.ProgramData()+`\ssh\sshd_config`), []byte(cfg.SSHDConfig), 0o644); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(w.Local(w.ProgramData()+`\ssh\logs`), 0o755); err != nil {
		return nil, err
	}
	key, err := GenerateKey("ed25519")
	if err != nil {
		return nil, err
	}
	if w.hostKey, err = ssh.NewSignerFromKey(key); err != nil {
		return nil, err
	}
	if w.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	w.active.Go(w.accept)
	return w, nil
}

// Profile is the profile directory of the account.
func (w *Windows) Profile() string { return `C:\Users\` + w.cfg.Account }

// ProgramData is the directory of that name.
func (w *Windows) ProgramData() string { return `C:\ProgramData` }

// Local is the file on this machine that plays a Windows path. Names are found
// whatever their case.
func (w *Windows) Local(path string) string {
	at := w.cfg.Dir
	for name := range strings.SplitSeq(strings.TrimPrefix(strings.ReplaceAll(path, `\`, "/"), "C:"), "/") {
		if name == "" || name == "." || name == ".." {
			continue
		}
		entries, _ := os.ReadDir(at)
		if i := slices.IndexFunc(entries, func(e os.DirEntry) bool { return strings.EqualFold(e.Name(), name) }); i >= 0 {
			name = entries[i].Name()
		}
		at = filepath.Join(at, name)
	}
	return at
}

// KeysFile is the file that sshd reads the account's keys from, as the
// sshd_config the package knows names it. Whether its "Match Group
// administrators" is about the account depends on what Windows calls the group
// and on the age of sshd.
func (w *Windows) KeysFile() string {
	resolved := strings.EqualFold(w.cfg.Administrators, "Administrators") || !strings.HasPrefix(w.cfg.Version, "7.") && !strings.HasPrefix(w.cfg.Version, "8.1")
	if w.admin() && resolved && strings.Contains(w.cfg.SSHDConfig, "\n       AuthorizedKeysFile") {
		return w.ProgramData() + `\ssh\administrators_authorized_keys`
	}
	return w.Profile() + `\.ssh\authorized_keys`
}

func (w *Windows) admin() bool { return w.cfg.Admin || w.cfg.Filtered }

// ACL is the access list of a file, by its Windows path.
func (w *Windows) ACL(path string) ACL {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.acl(path)
}

func (w *Windows) acl(path string) ACL {
	if acl, ok := w.acls[w.Local(path)]; ok {
		return acl
	}
	acl := ACL{Owner: SIDAccount, Entries: []ACE{
		{SID: SIDSystem, Rights: FullControl, Inherited: true}, {SID: SIDAdministrators, Rights: FullControl, Inherited: true}}}
	if strings.HasPrefix(strings.ToLower(path), strings.ToLower(w.ProgramData())) {
		acl.Entries = append(acl.Entries, ACE{SID: "S-1-5-11", Rights: ReadOnly, Inherited: true})
	} else {
		acl.Entries = append(acl.Entries, ACE{SID: SIDAccount, Rights: FullControl, Inherited: true})
	}
	return acl
}

// SetACL sets the access list of a file.
func (w *Windows) SetACL(path string, acl ACL) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acls[w.Local(path)] = acl
}

// Ignored tells why sshd would not read a key file, as
// check_secure_file_permission in w32-sshfileperm.c decides; nil if it would.
func (w *Windows) Ignored(path string) error {
	acl := w.ACL(path)
	trusted := []string{SIDAdministrators, SIDSystem, SIDAccount}
	if !slices.Contains(trusted, acl.Owner) {
		return fmt.Errorf("bad owner %s", acl.Owner)
	}
	for _, e := range acl.Entries {
		if !e.Deny && e.Rights&writeMask != 0 && !slices.Contains(trusted, e.SID) {
			return fmt.Errorf("bad permissions for %s", e.SID)
		}
	}
	return nil
}

// Commands are the exec requests in order, as the client sent them.
func (w *Windows) Commands() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.commands)
}

// Addr is the address to dial, as host:port.
func (w *Windows) Addr() string { return w.listener.Addr().String() }

// Port is the port the server listens on.
func (w *Windows) Port() int { return w.listener.Addr().(*net.TCPAddr).Port }

// KnownHosts is a line of known_hosts for the server.
func (w *Windows) KnownHosts() string {
	return fmt.Sprintf("[127.0.0.1]:%d %s", w.Port(), ssh.MarshalAuthorizedKey(w.HostKey()))
}

// HostKey is the public half of the server's host key.
func (w *Windows) HostKey() ssh.PublicKey { return w.hostKey.PublicKey() }

// Close stops the server and cuts its connections.
func (w *Windows) Close() error {
	w.mu.Lock()
	w.done = true
	err := w.listener.Close()
	for c := range w.conns {
		c.Close()
	}
	w.mu.Unlock()
	w.active.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (w *Windows) accept() {
	for {
		c, err := w.listener.Accept()
		if err != nil {
			return
		}
		w.mu.Lock()
		if w.conns[c] = true; w.done {
			c.Close()
		}
		w.mu.Unlock()
		w.active.Go(func() {
			w.serve(c)
			w.mu.Lock()
			delete(w.conns, c)
			w.mu.Unlock()
		})
	}
}

// login is how clients get in: with the password, or a key from the file sshd
// reads.
func (w *Windows) login() *ssh.ServerConfig {
	errDenied := errors.New("permission denied")
	config := &ssh.ServerConfig{
		ServerVersion: "SSH-2.0-OpenSSH_for_Windows_" + w.cfg.Version,
		PasswordCallback: func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if c.User() != w.cfg.Account || w.cfg.Password == "" || string(password) != w.cfg.Password {
				return nil, errDenied
			}
			return nil, nil
		},
		PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if c.User() != w.cfg.Account || !w.holds(key) {
				return nil, errDenied
			}
			return nil, nil
		},
	}
	config.AddHostKey(w.hostKey)
	return config
}

// holds reports whether the file sshd reads holds a key. It is read with
// x/crypto's own parser. Nothing is read from files elsewhere on the drive.
func (w *Windows) holds(key ssh.PublicKey) bool {
	data, err := os.ReadFile(w.Local(w.KeysFile()))
	if err != nil || w.Ignored(w.KeysFile()) != nil || strings.Contains(w.cfg.SSHDConfig, "AuthorizedKeysFile C:/") {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if known, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line)); err == nil && string(known.Marshal()) == string(key.Marshal()) {
			return true
		}
	}
	return false
}

// serve is one connection.
func (w *Windows) serve(c net.Conn) {
	defer c.Close()
	_, channels, requests, err := ssh.NewServerConn(c, w.login())
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	var open sync.WaitGroup
	for ch := range channels {
		if ch.ChannelType() != "session" {
			ch.Reject(ssh.UnknownChannelType, "no such channel")
			continue
		}
		open.Go(func() { w.session(ch) })
	}
	open.Wait()
}

// session is one session channel.
func (w *Windows) session(ch ssh.NewChannel) {
	channel, requests, err := ch.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	for r := range requests {
		var text struct{ Text string }
		known := ssh.Unmarshal(r.Payload, &text) == nil
		switch {
		case known && r.Type == "exec":
			w.mu.Lock()
			w.commands = append(w.commands, text.Text)
			w.mu.Unlock()
			r.Reply(true, nil)
			ended := make(chan struct{})
			go func() {
				ssh.DiscardRequests(requests)
				close(ended)
			}()
			status := w.exec(&winCommand{Line: text.Text, Stdin: channel, Stdout: channel, Stderr: channel.Stderr(), ended: ended})
			channel.CloseWrite()
			channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status)}))
			return
		case known && r.Type == "subsystem" && text.Text == "sftp" && !w.cfg.NoSFTP:
			r.Reply(true, nil)
			go ssh.DiscardRequests(requests)
			w.serveSFTP(channel)
			return
		default:
			r.Reply(false, nil)
		}
	}
}
