package sshtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// start is a server with the account alice, in a new home.
func start(t *testing.T, cfg Config, a Account) (*Server, string) {
	t.Helper()
	home := filepath.Join(t.TempDir(), "alice")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	a.Name, a.Home = "alice", home
	cfg.Accounts = append(cfg.Accounts, a)
	cfg.Log = t.Logf
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, home
}

func dial(s *Server, methods ...ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", s.Addr(), &ssh.ClientConfig{
		User: "alice", Auth: methods,
		HostKeyCallback: ssh.FixedHostKey(s.HostKeys()[0]),
	})
}

func mustDial(t *testing.T, s *Server, methods ...ssh.AuthMethod) *ssh.Client {
	t.Helper()
	c, err := dial(s, methods...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func newSigner(t *testing.T) ssh.Signer {
	t.Helper()
	keys, err := GenerateHostKeys("ed25519")
	if err != nil {
		t.Fatal(err)
	}
	return keys[0]
}

// authorize puts lines into the account's file.
func authorize(t *testing.T, home string, lines ...string) {
	t.Helper()
	dir := filepath.Join(home, ".ssh")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "authorized_keys"), []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
}

func output(t *testing.T, c *ssh.Client, command, stdin string) (string, int) {
	t.Helper()
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	session.Stdin = strings.NewReader(stdin)
	out, err := session.CombinedOutput(command)
	var exit *ssh.ExitError
	switch {
	case err == nil:
		return string(out), 0
	case errors.As(err, &exit):
		return string(out), exit.ExitStatus()
	}
	t.Fatal(err)
	return "", 0
}

func TestPasswordRunsCommandsInTheHome(t *testing.T) {
	shells := []string{GoShell}
	if runtime.GOOS != "windows" {
		shells = append(shells, "/bin/sh")
	}
	for _, shell := range shells {
		t.Run(shell, func(t *testing.T) {
			s, home := start(t, Config{}, Account{Password: "secret", Shell: shell, Env: []string{"X=y"}})
			if _, err := dial(s, ssh.Password("wrong")); err == nil {
				t.Error("the wrong password was taken")
			}
			c := mustDial(t, s, ssh.Password("secret"))
			out, status := output(t, c, `umask 077; read line; echo "$HOME $X $line"; pwd; exit 7`, "in\n")
			if want := home + " y in\n" + home + "\n"; out != want || status != 7 {
				t.Errorf("got %q, status %d; want %q, 7", out, status, want)
			}
			out, status = output(t, c, `sh -c 'echo "$1" >&2; exit 3' name arg`, "")
			if out != "arg\n" || status != 3 {
				t.Errorf("sh -c: got %q, status %d", out, status)
			}
			n := s.Counters()
			if n.Connections != 2 || n.Logins != 1 || n.Passwords != 2 || len(n.Commands) != 2 {
				t.Errorf("counters: %+v", n)
			}
		})
	}
}

func TestKeysOfTheFile(t *testing.T) {
	key, other := newSigner(t), newSigner(t)
	s, home := start(t, Config{StrictModes: true}, Account{})
	if _, err := dial(s, ssh.PublicKeys(key)); err == nil {
		t.Fatal("let in without a file")
	}
	authorize(t, home, "not a key\n", `command="echo forced \"$SSH_ORIGINAL_COMMAND\"" `+PublicLine(key.PublicKey(), "a b"),
		`from="10.0.0.0/8,!127.0.0.1" `+PublicLine(other.PublicKey(), ""))
	if _, err := dial(s, ssh.PublicKeys(other)); err == nil {
		t.Error("from= was not heeded")
	}
	s.ResetCounters()
	c := mustDial(t, s, ssh.PublicKeys(other, key))
	if out, _ := output(t, c, "ls", ""); out != "forced ls\n" {
		t.Errorf("command= gave %q", out)
	}
	if n := s.Counters(); n.Queries != 2 || n.Signatures != 1 || n.Attempts["publickey"] != 2 {
		t.Errorf("counters: %+v", n)
	}
	if !modeCounts {
		return
	}
	for _, p := range []string{home, filepath.Join(home, ".ssh"), filepath.Join(home, ".ssh", "authorized_keys")} {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(p, info.Mode()|0o020); err != nil {
			t.Fatal(err)
		}
		if _, err := dial(s, ssh.PublicKeys(key)); err == nil {
			t.Errorf("let in although %s is writable by the group", p)
		}
		if err := os.Chmod(p, info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	mustDial(t, s, ssh.PublicKeys(key))
}

func TestMaxAuthTries(t *testing.T) {
	s, _ := start(t, Config{MaxAuthTries: 3}, Account{Password: "secret"})
	signers := []ssh.Signer{newSigner(t), newSigner(t)}
	// "none" is free, two refused keys and one password make three.
	mustDial(t, s, ssh.PublicKeys(signers...), ssh.Password("secret"))
	signers = append(signers, newSigner(t))
	_, err := dial(s, ssh.PublicKeys(signers...), ssh.Password("secret"))
	if err == nil {
		t.Error("let in after three refused keys")
	}
	if _, err = dial(s, ssh.RetryableAuthMethod(ssh.Password("wrong"), 3)); err == nil || !strings.Contains(err.Error(), "too many authentication failures") {
		t.Errorf("three wrong passwords: %v", err)
	}
}

func TestMethodsInAChain(t *testing.T) {
	key := newSigner(t)
	s, home := start(t, Config{Methods: []string{"publickey,password", "publickey,keyboard-interactive"}}, Account{
		Password: "secret",
		Challenges: []Challenge{
			{Name: "n", Instruction: "i", Prompts: []Prompt{{"Password: ", false, "secret"}, {"Code: ", true, "42"}}},
			{Prompts: []Prompt{{"Sure? ", true, "yes"}}},
		},
	})
	authorize(t, home, PublicLine(key.PublicKey(), ""))
	if _, err := dial(s, ssh.Password("secret")); err == nil {
		t.Error("a password was enough")
	}
	if _, err := dial(s, ssh.PublicKeys(key)); err == nil {
		t.Error("a key was enough")
	}
	mustDial(t, s, ssh.PublicKeys(key), ssh.Password("secret"))
	var asked []string
	mustDial(t, s, ssh.PublicKeys(key), ssh.KeyboardInteractive(
		func(name, instruction string, questions []string, echos []bool) ([]string, error) {
			asked = append(asked, questions...)
			if len(questions) == 2 {
				return []string{"secret", "42"}, nil
			}
			return []string{"yes"}, nil
		}))
	if !slices.Equal(asked, []string{"Password: ", "Code: ", "Sure? "}) {
		t.Errorf("asked %q", asked)
	}
	if _, err := Start(Config{Methods: []string{"hostbased"}}); err == nil {
		t.Error("an unknown method was taken")
	}
}

func TestSFTPAppends(t *testing.T) {
	for _, chroot := range []bool{false, true} {
		s, home := start(t, Config{}, Account{Password: "secret", SFTPOnly: true, Chroot: chroot})
		c := mustDial(t, s, ssh.Password("secret"))
		if out, status := output(t, c, "true", ""); status != 1 || out != "This service allows sftp connections only.\n" {
			t.Errorf("exec: %q, status %d", out, status)
		}
		f, err := sftp.NewClient(c)
		if err != nil {
			t.Fatal(err)
		}
		wd, err := f.Getwd()
		if want := map[bool]string{true: "/", false: serverPath(home)}[chroot]; err != nil || wd != want {
			t.Errorf("Getwd: %q, %v; want %q", wd, err, want)
		}
		if err := f.Mkdir("d"); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			w, err := f.OpenFile("d/f", os.O_WRONLY|os.O_CREATE|os.O_APPEND)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte("line\n")); err != nil {
				t.Fatal(err)
			}
			w.Close()
		}
		if err := f.Chmod("d/f", 0o600); err != nil {
			t.Error(err)
		}
		if err := f.PosixRename("d/f", "g"); err != nil {
			t.Error(err)
		}
		if got, err := os.ReadFile(filepath.Join(home, "g")); string(got) != "line\nline\n" {
			t.Errorf("appended file: %q, %v", got, err)
		}
		if _, err := f.Create("../outside"); err == nil && !chroot {
			t.Error("wrote outside the home")
		}
	}
}

func TestRefusals(t *testing.T) {
	s, _ := start(t, Config{}, Account{Password: "secret", NoExec: true, NoSFTP: true})
	c := mustDial(t, s, ssh.Password("secret"))
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Run("true"); err == nil {
		t.Error("exec was allowed")
	}
	if _, err := sftp.NewClient(c); err == nil {
		t.Error("sftp was allowed")
	}
}

func TestDeviceInGo(t *testing.T) {
	s, _ := start(t, Config{Version: "SSH-2.0-NetScreen"}, Account{Password: "secret",
		Run: func(_ context.Context, c *Command) int {
			in, _ := io.ReadAll(c.Stdin)
			io.WriteString(c.Stdout, c.Line+":"+string(in))
			return 4
		}})
	c := mustDial(t, s, ssh.Password("secret"))
	if out, status := output(t, c, "line", "input"); out != "line:input" || status != 4 {
		t.Errorf("got %q, %d", out, status)
	}
	if v := string(c.ServerVersion()); v != "SSH-2.0-NetScreen" {
		t.Errorf("version %q", v)
	}
}

// A command whose client is gone reads the end of its input; one that does not
// care is killed, and Wait tells when.
func TestCommandsEndWithTheirConnection(t *testing.T) {
	s, home := start(t, Config{}, Account{Password: "secret"})
	c := mustDial(t, s, ssh.Password("secret"))
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	session.Stdout = &out
	if err := session.Start("cat >got; echo end >>got; sleep 600"); err != nil {
		t.Fatal(err)
	}
	c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Wait(ctx); err != nil {
		t.Fatal("the command was not killed")
	}
	if got, err := os.ReadFile(filepath.Join(home, "got")); string(got) != "end\n" {
		t.Errorf("file: %q, %v", got, err)
	}
}

func TestForwarding(t *testing.T) {
	target, _ := start(t, Config{}, Account{Password: "secret"})
	jump, _ := start(t, Config{Forwarding: true}, Account{Password: "secret"})
	j := mustDial(t, jump, ssh.Password("secret"))
	conn, err := j.Dial("tcp", target.Addr())
	if err != nil {
		t.Fatal(err)
	}
	c, chans, reqs, err := ssh.NewClientConn(conn, "target", &ssh.ClientConfig{
		User: "alice", Auth: []ssh.AuthMethod{ssh.Password("secret")}, HostKeyCallback: ssh.FixedHostKey(target.HostKeys()[0]),
	})
	if err != nil {
		t.Fatal(err)
	}
	client := ssh.NewClient(c, chans, reqs)
	defer client.Close()
	if out, _ := output(t, client, "echo there", ""); out != "there\n" {
		t.Errorf("got %q", out)
	}
	if _, err := j.Dial("tcp", "192.0.2.1:22"); err == nil {
		t.Error("forwarded beyond loopback")
	}
}
